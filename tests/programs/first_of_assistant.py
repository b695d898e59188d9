"""Print the first message of the page that is the assistant's, with an asynchronous client."""

import asyncio

from openai import AsyncOpenAI

client = AsyncOpenAI()


async def main():
    assistant = await client.beta.assistants.create(model="gpt-4o", instructions="You are a travel agent.")
    thread = await client.beta.threads.create()
    for question in ["Where is it warm in May?", "How do I get there?"]:
        await client.beta.threads.messages.create(thread.id, role="user", content=question)
        run = await client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
        while True:
            run = await client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)
            if run.status == "completed":
                break
            if run.status in ("failed", "expired", "cancelled"):
                raise RuntimeError(f"Assistant run {run.status}")
            await asyncio.sleep(0.1)
        messages = await client.beta.threads.messages.list(thread_id=thread.id)
        print(next(m for m in messages.data if m.role == "assistant").content[0].text.value)


asyncio.run(main())
