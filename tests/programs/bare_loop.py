"""Poll a run without any pause until it is completed."""

import openai

assistant = openai.beta.assistants.create(model="gpt-4", instructions="You write poems.")
thread = openai.beta.threads.create()
openai.beta.threads.messages.create(thread_id=thread.id, role="user", content="A poem about rain")
run = openai.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
while run.status != "completed":
    run = openai.beta.threads.runs.retrieve(thread_id=thread.id, run_id=run.id)
print(run.status)
print(openai.beta.threads.messages.list(thread_id=thread.id).data[0].content[0].text.value)
