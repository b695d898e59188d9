"""`python benchmarks/peer_server.py`: a llamphouse server, with one assistant that sends its thread to the model.

It runs in an environment of its own, on PORT. Its store and its queue are in memory, as they are by default.
"""

import importlib
import os
from typing import Any

llamphouse = importlib.import_module("llamphouse")
openai = importlib.import_module("openai")
model = openai.AsyncOpenAI(base_url=os.environ["MODEL_URL"], api_key="none")


async def run(_: object, context: Any) -> None:
    """Answer the thread."""
    sent = [{"role": message.role, "content": message.parts[0].text} for message in context.messages]
    chunks = await model.chat.completions.create(model="m", messages=sent, stream=True)
    texts = [chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices]
    await context.reply("".join(texts))


agent = type("Asking", (llamphouse.Agent,), {"run": run})("asst_1", model="m")
llamphouse.LLAMPHouse(agents=[agent], adapters=[llamphouse.AssistantAPIAdapter()]).ignite(
    "127.0.0.1", int(os.environ["PORT"])
)
