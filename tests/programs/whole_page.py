"""Print the whole conversation after each turn, oldest first."""

from openai import OpenAI

client = OpenAI()


def show(messages):
    print("# Messages")
    for message in messages:
        print(f"{message.role}: {message.content[0].text.value}")
    print()


assistant = client.beta.assistants.create(name="Tutor", instructions="You help with maths.", model="gpt-4-1106-preview")
thread = client.beta.threads.create()
for question in ["What is 2 + 2?", "And 3 + 3?"]:
    client.beta.threads.messages.create(thread_id=thread.id, role="user", content=question)
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    show(client.beta.threads.messages.list(thread_id=thread.id, order="asc"))

messages = client.beta.threads.messages.list(thread_id=thread.id)
for message in reversed(messages.data):
    print(message.role + " > " + message.content[0].text.value)
