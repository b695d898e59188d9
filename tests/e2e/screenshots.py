"""`make screenshots`: takes the pictures of the thread browser for docs/local.md, with sample data."""

from typing import Any, Literal

import httpx

from tests.support import chromium
from tests.support.chat_stub import calls, chatting
from tests.support.local_api import ROOT, serving
from tests.support.runs import calls_of

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_OTHERS = [
    {"user_id": "u-23", "topic": "Invoice 2041"},
    {"user_id": "u-17", "topic": "Change of address"},
    {"user_id": "u-40", "topic": "Delivery to an island"},
]
_CITED = "Glass is taken back within 30 days【4:0†returns.pdf】, also when the box has been opened."
_MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "The lamp came with a crack. Can I send it back?", "metadata": {"channel": "app"}},
    {
        "role": "assistant",
        "content": [
            {
                "type": "text",
                "text": {
                    "value": _CITED + " A picture of the crack speeds it up.",
                    "annotations": [
                        {
                            "type": "file_citation",
                            "text": "【4:0†returns.pdf】",
                            "start_index": _CITED.index("【"),
                            "end_index": _CITED.index("】") + 1,
                            "file_citation": {
                                "file_id": "file-returns",
                                "quote": "Damaged glass may be returned within 30 days.",
                            },
                        }
                    ],
                },
            }
        ],
        "run_id": "run_5812",
    },
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Here it is. The crack is on the left."},
            {"type": "image_url", "image_url": {"url": "https://pictures.example.com/lamp.jpg"}},
        ],
        "attachments": [{"file_id": "file-receipt", "tools": [{"type": "file_search"}]}],
    },
    {
        "role": "assistant",
        "content": "Thank you. The label for the parcel is on its way to you; the new lamp leaves the",
        "run_id": "run_5813",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_tokens"},
    },
]


def fill(client: httpx.Client) -> str:
    """Create the sample threads with a trusted key, and return the id of the thread with messages."""
    for metadata in _OTHERS:
        client.post("/threads", json={"metadata": metadata}).raise_for_status()
    thread = client.post("/threads", json={"metadata": {"user_id": "u-17", "topic": "Cracked lamp"}}).json()
    for message in _MESSAGES:
        client.post(f"/threads/{thread['id']}/messages", json=message).raise_for_status()
    return str(thread["id"])


def run(client: httpx.Client, thread_id: str) -> None:
    """Add a question to the thread, and run an assistant that calls a function and answers."""
    function = {"name": "find_parcel", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}}
    assistant = {"name": "Order desk", "model": "gpt-4o", "tools": [{"type": "function", "function": function}]}
    body = {"assistant_id": client.post("/assistants", json=assistant).raise_for_status().json()["id"]}
    question = {"role": "user", "content": "And where is the new lamp now? It is order 2041."}
    client.post(f"/threads/{thread_id}/messages", json=question).raise_for_status()
    # The responses are streams: each ends when the run waits for outputs or has ended.
    path = f"/threads/{thread_id}/runs"
    client.post(path, json=body | {"stream": True}).raise_for_status()
    (waiting,) = client.get(path).raise_for_status().json()["data"]
    output = '{"place": "Sorting centre Basel", "arrives": "Thursday"}'
    outputs = [{"tool_call_id": call["id"], "output": output} for call in calls_of(waiting)]
    submission = {"tool_outputs": outputs, "stream": True}
    client.post(f"{path}/{waiting['id']}/submit_tool_outputs", json=submission).raise_for_status()


def main() -> None:
    """Write the pictures of a conversation and of its run, each in the light and in the dark scheme."""
    replies = calls(("call_81", "find_parcel", '{"order": "2041"}')), "It is in Basel and arrives on Thursday."
    with (
        chatting(*replies) as chat,
        serving(API_KEYS="demo+trusted=sk-demo", MODEL_URL=chat.base_url) as api,
        chromium.running() as browser,
    ):
        with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-demo"}) as client:
            thread_id = fill(client)
            run(client, thread_id)
        for scheme in _SCHEMES:
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 985})
            page.goto(f"{api.base_url.removesuffix('/v1')}/browser/#{thread_id}")
            page.get_by_label("API key").fill("sk-demo")
            page.get_by_role("button", name="Connect").click()
            page.get_by_text("Sorting centre").wait_for()
            page.get_by_text("arrives on Thursday").wait_for()
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=ROOT / "docs" / f"browser-{scheme}.png", animations="disabled")
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            page.screenshot(path=ROOT / "docs" / f"browser-run-{scheme}.png", animations="disabled")


if __name__ == "__main__":
    main()
