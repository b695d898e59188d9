"""Read the events of a run one by one, and print the text as it comes."""

from openai import OpenAI

client = OpenAI()
assistant = client.beta.assistants.create(model="gpt-4o", instructions="Be brief.")
thread = client.beta.threads.create()
client.beta.threads.messages.create(thread_id=thread.id, role="user", content="Tell me a joke")

stream = client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id, stream=True)
for event in stream:
    if event.event == "thread.message.delta":
        print(event.data.delta.content[0].text.value, end="", flush=True)
    elif event.event == "thread.run.completed":
        print(f"\n{event.data.usage.total_tokens} tokens")
    elif event.event == "thread.run.failed":
        print(event.data.last_error)
