"""`make screenshots`: takes the pictures of the thread browser that docs/local.md shows, from sample data."""

from typing import Any, Literal

import httpx

from tests.support import chromium
from tests.support.local_api import ROOT, serving

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
    """Create the sample threads with a trusted key, and return the id of the one that has messages."""
    for metadata in _OTHERS:
        client.post("/threads", json={"metadata": metadata}).raise_for_status()
    thread = client.post("/threads", json={"metadata": {"user_id": "u-17", "topic": "Cracked lamp"}}).json()
    for message in _MESSAGES:
        client.post(f"/threads/{thread['id']}/messages", json=message).raise_for_status()
    return str(thread["id"])


def main() -> None:
    """Write docs/browser-light.png and docs/browser-dark.png."""
    with serving(API_KEYS="demo+trusted=sk-demo") as api, chromium.running() as browser:
        with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-demo"}) as client:
            thread_id = fill(client)
        for scheme in _SCHEMES:
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 985})
            page.goto(f"{api.base_url.removesuffix('/v1')}/browser/#{thread_id}")
            page.get_by_label("API key").fill("sk-demo")
            page.get_by_role("button", name="Connect").click()
            page.get_by_text("the new lamp leaves the").wait_for()
            page.mouse.wheel(0, -2000)
            page.screenshot(path=ROOT / "docs" / f"browser-{scheme}.png", animations="disabled")


if __name__ == "__main__":
    main()
