"""Use the assistant of this name, and create it only if there is none."""

from openai import OpenAI

NAME = "Recipe helper"
client = OpenAI()


def get_or_create_assistant():
    for assistant in client.beta.assistants.list(order="desc", limit="20").data:
        if assistant.name == NAME:
            print("Found the assistant")
            return assistant
    print("Created the assistant")
    return client.beta.assistants.create(name=NAME, instructions="You are a cook.", model="gpt-4o", tools=[])


first, second = get_or_create_assistant(), get_or_create_assistant()
print(first.id == second.id)

thread = client.beta.threads.create(messages=[{"role": "user", "content": "What goes with rice?"}])
client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=second.id)
print(client.beta.threads.messages.list(thread.id).data[0].content[0].text.value)
