"""Print the newest message of the thread."""

import time

from openai import OpenAI

client = OpenAI()


def ask(assistant_id, question):
    thread = client.beta.threads.create(messages=[{"role": "user", "content": question}])
    run = client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant_id)
    while run.status in ["queued", "in_progress", "cancelling"]:
        time.sleep(0.2)
        run = client.beta.threads.runs.retrieve(thread_id=thread.id, run_id=run.id)
    if run.status != "completed":
        return f"Run ended with {run.status}: {run.last_error}"
    return client.beta.threads.messages.list(thread_id=thread.id).data[0].content[0].text.value


assistant = client.beta.assistants.create(model="gpt-3.5-turbo", instructions="Answer in one sentence.")
print(ask(assistant.id, "Why is the sky blue?"))
