"""`python benchmarks/peer_server.py`: a llamphouse server. Its one assistant sends the run's thread to the model.

The server runs in its own environment, on PORT. Its store and its queue are in memory, which is llamphouse's default.
"""

import importlib
import os
from typing import Any

llamphouse = importlib.import_module("llamphouse")
openai = importlib.import_module("openai")
model = openai.AsyncOpenAI(base_url=os.environ["MODEL_URL"], api_key="none")


async def run(_: object, context: Any) -> None:
    """Answer the thread by a call of the model."""
    sent = [{"role": message.role, "content": message.parts[0].text} for message in context.messages]
    chunks = await model.chat.completions.create(model="m", messages=sent, stream=True)
    texts = [chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices]
    await context.reply("".join(texts))


agent = type("Asking", (llamphouse.Agent,), {"run": run})("asst_1", model="m")
llamphouse.LLAMPHouse(agents=[agent], adapters=[llamphouse.AssistantAPIAdapter()]).ignite(
    "127.0.0.1", int(os.environ["PORT"])
)
