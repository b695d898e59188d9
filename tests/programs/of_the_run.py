"""Print what one run answered: by run_id on the page, and by the filter run_id of the list."""

from openai import OpenAI

client = OpenAI()

assistant = client.beta.assistants.create(model="gpt-4-turbo", instructions="Be polite.")
thread = client.beta.threads.create()


def run_once(text):
    client.beta.threads.messages.create(thread_id=thread.id, role="user", content=text)
    return client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, additional_instructions="Call the user Jane."
    )


first = run_once("Good morning")
second = run_once("Good night")

messages = client.beta.threads.messages.list(thread_id=thread.id)
last = [m for m in messages if m.run_id == first.id and m.role == "assistant"][-1]
print(f"{last.role}: {last.content[0].text.value}")

for message in list(client.beta.threads.messages.list(thread_id=thread.id, run_id=second.id)):
    for content in message.content:
        if content.type == "text":
            print(f"{message.role}: {content.text.value}")
