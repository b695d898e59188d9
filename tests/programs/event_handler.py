"""Print the answer while it is written, and call functions in between, with an event handler."""

import json

from openai import AssistantEventHandler, OpenAI
from typing_extensions import override

client = OpenAI()


class EventHandler(AssistantEventHandler):
    @override
    def on_text_created(self, text):
        print("assistant > ", end="", flush=True)

    @override
    def on_text_delta(self, delta, snapshot):
        print(delta.value, end="|", flush=True)

    @override
    def on_text_done(self, text):
        print(f"\n{text.value}")

    @override
    def on_tool_call_created(self, tool_call):
        print(f"assistant > {tool_call.type} {tool_call.function.name}")

    @override
    def on_event(self, event):
        if event.event == "thread.run.requires_action":
            self.call_functions(event.data, event.data.id)

    def call_functions(self, data, run_id):
        outputs = []
        for tool in data.required_action.submit_tool_outputs.tool_calls:
            if tool.function.name == "get_rain":
                city = json.loads(tool.function.arguments)["city"]
                outputs.append({"tool_call_id": tool.id, "output": f"0.06 in {city}"})
        with client.beta.threads.runs.submit_tool_outputs_stream(
            thread_id=self.current_run.thread_id, run_id=run_id, tool_outputs=outputs, event_handler=EventHandler()
        ) as stream:
            stream.until_done()


parameters = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Rome"]}}, "required": ["city"]}
assistant = client.beta.assistants.create(
    instructions="You are a weather bot.",
    model="gpt-4o",
    tools=[{"type": "function", "function": {"name": "get_rain", "parameters": parameters}}],
)
for question in ["Hello", "Will it rain?"]:
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread_id=thread.id, role="user", content=question)
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=EventHandler()
    ) as stream:
        stream.until_done()
