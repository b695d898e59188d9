"""Create the thread and its run in one call, then wait for the answer."""

import time

from openai import OpenAI

client = OpenAI()
assistant = client.beta.assistants.create(model="gpt-4o-mini", instructions="Summarise what you are given.")

run = client.beta.threads.create_and_run(
    assistant_id=assistant.id,
    thread={"messages": [{"role": "user", "content": "Analyze this section:\n\nSales rose by 4 %."}]},
)
thread_id, run_id = run.thread_id, run.id
for _ in range(50):
    status = client.beta.threads.runs.retrieve(thread_id=thread_id, run_id=run_id).status
    if status == "completed":
        messages = client.beta.threads.messages.list(thread_id=thread_id)
        print(messages.data[0].content[0].text.value)
        break
    time.sleep(0.2)
else:
    print("No answer in time")
