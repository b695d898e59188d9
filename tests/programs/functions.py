"""Call local functions for the assistant until the run is completed."""

import json
import time

from openai import OpenAI


def get_weather(city, unit):
    return json.dumps({"city": city, "temperature": "21", "unit": unit})


def get_time():
    return "12:30"


available_functions = {"get_weather": get_weather, "get_time": get_time}
tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather of a city",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "enum": ["Rome", "Oslo"]},
                    "unit": {"type": "string", "enum": ["c", "f"]},
                },
                "required": ["city", "unit"],
            },
        },
    },
    {"type": "function", "function": {"name": "get_time", "description": "Get the time"}},
]

client = OpenAI()
assistant = client.beta.assistants.create(
    name="Weather bot", instructions="Use the functions.", model="gpt-4-1106-preview", tools=tools
)
thread = client.beta.threads.create()
client.beta.threads.messages.create(
    thread_id=thread.id, role="user", content="What time is it, and how is the weather?"
)
run = client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)

while True:
    run = client.beta.threads.runs.retrieve(thread_id=thread.id, run_id=run.id)
    if run.status == "requires_action":
        tool_outputs = []
        for tool_call in run.required_action.submit_tool_outputs.tool_calls:
            name, arguments = tool_call.function.name, json.loads(tool_call.function.arguments)
            print(f"Calling {name} with {arguments}")
            output = available_functions[name](**arguments)
            tool_outputs.append({"tool_call_id": tool_call.id, "output": output})
        run = client.beta.threads.runs.submit_tool_outputs(
            thread_id=thread.id, run_id=run.id, tool_outputs=tool_outputs
        )
    elif run.status == "completed":
        break
    elif run.status in ("failed", "cancelled", "expired"):
        raise SystemExit(f"Run {run.status}: {run.last_error}")
    time.sleep(0.1)

print(client.beta.threads.messages.list(thread_id=thread.id).data[0].content[0].text.value)
for step in client.beta.threads.runs.steps.list(thread_id=thread.id, run_id=run.id).data:
    print(step.type, step.status)
