"""The thread browser in Chromium: each of its functions, and what it must never do."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e import axe
from tests.e2e.reader import Reader, api_keys, checked_reading, reading, static_host
from tests.e2e.screenshots import fill
from tests.support.chromium import browser
from tests.support.local_api import LocalApi, serving

__all__ = ["browser"]

_ANNOTATED = "😀 is 【4:0†a.pdf】 and sandbox:/b.csv too"
_HOSTILE = "<img src=x onerror=\"window.hit='img'\"><script>window.hit='script'</script>"
_CITATION = {
    "type": "file_citation",
    "text": "【4:0†a.pdf】",
    "start_index": 5,
    "end_index": 16,
    "file_citation": {"file_id": "file-1", "quote": "so it is"},
}
_PATH = {
    "type": "file_path",
    "text": "sandbox:/b.csv",
    "start_index": 0,  # wrong, as in imported data: the page then searches for the text
    "end_index": 1,
    "file_path": {"file_id": "file-2"},
}


@pytest.fixture(scope="module")
def host() -> Iterator[int]:
    """Yield the port of a static host. The local API allows its pages if they come from 127.0.0.1."""
    with static_host() as port:
        yield port


@pytest.fixture(scope="module")
def api(browser: Browser, host: int) -> Iterator[LocalApi]:
    with serving(API_KEYS=api_keys(), ALLOWED_ORIGINS=f"http://127.0.0.1:{host}") as served:
        yield served


@pytest.fixture
def reader(browser: Browser, api: LocalApi) -> Iterator[Reader]:
    with checked_reading(browser, api.base_url) as found:
        yield found


def _names(reader: Reader) -> list[str]:
    return [text.split("\n")[-1] for text in reader.rows.locator(".id").all_inner_texts()]


# -- Threads


def test_threads_are_listed_from_the_newest_page_by_page(reader: Reader) -> None:
    made = [reader.thread(metadata={"user_id": f"u-{number}"}) for number in range(25)][::-1]
    reader.connect()
    expect(reader.rows).to_have_count(20)
    assert _names(reader) == made[:20]
    reader.button("Older threads").click()
    expect(reader.rows).to_have_count(25)
    assert _names(reader) == made
    expect(reader.button("Older threads")).to_be_hidden()
    expect(reader.rows.nth(20)).to_be_focused()


def test_a_users_threads_are_found_by_the_indexed_metadata_key(reader: Reader) -> None:
    theirs = reader.thread(metadata={"user_id": "u-17"})
    reader.thread(metadata={"user_id": "u-18"})
    reader.connect()
    expect(reader.rows).to_have_count(2)
    reader.page.get_by_label("Value").fill("u-17")
    reader.button("Find").click()
    expect(reader.rows).to_have_count(1)
    assert _names(reader) == [theirs]
    expect(reader.page.get_by_text("Threads whose user_id is u-17")).to_be_visible()
    reader.button("Show all").click()
    expect(reader.rows).to_have_count(2)
    reader.page.get_by_label("Value").fill("nobody")
    reader.button("Find").click()
    expect(reader.page.get_by_text("No thread has this value.")).to_be_visible()
    reader.page.get_by_label("Metadata key").fill("colour")
    reader.button("Find").click()
    expect(reader.problem).to_contain_text("400: Invalid 'metadata[colour]': threads can be listed only by")
    reader.page.get_by_label("Value").fill(theirs)
    reader.button("Find").click()
    expect(reader.page.get_by_role("heading", name=theirs)).to_be_visible()


def test_a_thread_is_created_changed_and_after_a_confirmation_deleted(reader: Reader) -> None:
    reader.connect()
    expect(reader.page.get_by_text("There are no threads yet.")).to_be_visible()
    reader.button("New thread").click()
    reader.dialog.get_by_label("First message").fill("Hello\nthere")
    reader.dialog.get_by_role("button", name="Add a pair").click()
    reader.page.keyboard.type("user_id")
    reader.dialog.get_by_label("Value 1").fill("u-1")
    reader.dialog.get_by_role("button", name="Create thread").click()
    expect(reader.texts).to_have_text(["Hello\nthere"], use_inner_text=True)
    expect(reader.rows).to_contain_text(["user_id"])
    (thread,) = reader.get("/threads")["data"]
    assert thread["metadata"] == {"user_id": "u-1"}

    reader.button("Edit metadata").click()
    reader.dialog.get_by_label("Value 1").fill("u-2")
    reader.dialog.get_by_role("button", name="Save").click()
    expect(reader.dialog).to_be_hidden()
    expect(reader.rows).to_contain_text(["u-2"])
    expect(reader.page.locator("#thread-about")).to_contain_text("u-2")
    assert reader.get(f"/threads/{thread['id']}")["metadata"] == {"user_id": "u-2"}

    reader.button("Delete thread").click()
    reader.button("Cancel").click()
    assert reader.get(f"/threads/{thread['id']}")["id"] == thread["id"]
    reader.button("Delete thread").click()
    reader.dialog.get_by_role("button", name="Delete thread").click()
    expect(reader.rows).to_have_count(0)
    expect(reader.page.get_by_role("heading", name="Threads", exact=True)).to_be_focused()
    assert reader.client.get(f"/threads/{thread['id']}").status_code == 404


def test_metadata_that_the_api_refuses_stays_in_the_dialog_with_the_reason(reader: Reader) -> None:
    thread_id = reader.thread(metadata={"a": "1", "b": "2"})
    reader.open(thread_id)
    reader.button("Edit metadata").click()
    reader.dialog.get_by_label("Key 2").fill("a")
    reader.dialog.get_by_role("button", name="Save").click()
    expect(reader.dialog.get_by_role("alert")).to_have_text("Two pairs have the key “a”.")
    reader.dialog.get_by_label("Key 2").fill("x" * 65)
    reader.dialog.get_by_role("button", name="Save").click()
    expect(reader.dialog.get_by_role("alert")).to_contain_text("400: Invalid 'metadata'")
    reader.dialog.get_by_role("button", name="Remove pair 2").click()
    expect(reader.dialog.get_by_label("Key 1")).to_be_focused()
    reader.dialog.get_by_role("button", name="Save").click()
    expect(reader.dialog).to_be_hidden()
    assert reader.get(f"/threads/{thread_id}")["metadata"] == {"a": "1"}


# -- A conversation


def test_a_conversation_reads_from_the_oldest_to_the_newest_and_grows_both_ways(reader: Reader) -> None:
    texts = [f"message {number}" for number in range(45)]
    first = [{"role": "user", "content": text} for text in texts]
    thread_id = reader.thread(messages=first[:32])
    for message in first[32:]:
        reader.message(thread_id, **message)
    reader.open(thread_id)
    expect(reader.texts).to_have_text(texts[25:])
    reader.button("Older messages").click()
    expect(reader.texts).to_have_text(texts[5:])
    expect(reader.messages.nth(19)).to_be_focused()
    reader.button("Older messages").click()
    expect(reader.texts).to_have_text(texts)
    expect(reader.button("Older messages")).to_be_hidden()
    reader.button("First messages").click()
    expect(reader.texts).to_have_text(texts[:20])
    expect(reader.button("Follow")).to_be_hidden()
    reader.button("Newer messages").click()
    expect(reader.texts).to_have_text(texts[:40])
    expect(reader.messages.nth(20)).to_be_focused()
    reader.button("Newer messages").click()
    expect(reader.texts).to_have_text(texts)
    expect(reader.button("Newer messages")).to_be_hidden()
    reader.button("Latest messages").click()
    expect(reader.texts).to_have_text(texts[25:])


def test_a_message_shows_all_that_the_api_says_of_it(reader: Reader) -> None:
    thread_id = reader.thread(tool_resources={"file_search": {"vector_store_ids": ["vs_1"]}})
    content = [
        {
            "type": "text",
            "text": {"value": _ANNOTATED, "annotations": [_PATH, _CITATION]},
        },
        {"type": "refusal", "refusal": "I cannot say that."},
        {"type": "image_file", "image_file": {"file_id": "file-3", "detail": "low"}},
    ]
    message_id = reader.message(
        thread_id,
        content,
        attachments=[{"file_id": "file-4", "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}],
        metadata={"seen": "yes"},
        assistant_id="asst_1",
        run_id="run_1",
        status="incomplete",
        incomplete_details={"reason": "max_tokens"},
    )
    reader.open(thread_id)
    shown = reader.messages
    expect(shown).to_have_count(1)
    assert shown.inner_text().split("\n", 1)[0].startswith("Assistant")
    expect(shown.locator(".badge")).to_have_text(["Incomplete: max_tokens", "Refusal"])
    expect(shown.locator(".text").first).to_have_text("😀 is [1] and sandbox:/b.csv[2] too")
    expect(shown.locator("mark")).to_have_text(["sandbox:/b.csv"])
    expect(shown.locator(".notes li")).to_have_text(["File file-1so it is", "Made file file-2"])
    expect(shown.locator(".refusal")).to_contain_text("I cannot say that.")
    expect(shown.get_by_role("figure")).to_have_text("Image file, detail low file-3")
    expect(shown.get_by_label("Attachments")).to_have_text("file-4 for file_search, code_interpreter")
    expect(shown.locator(".pairs")).to_have_text("seenyes")
    expect(shown.locator("footer .id")).to_have_text([message_id, "asst_1", "run_1"])
    reader.page.get_by_text("Tool resources").click()
    expect(reader.page.locator("#thread-about pre")).to_contain_text("vs_1")


def test_new_messages_appear_by_themselves_once_and_are_announced(reader: Reader) -> None:
    reader.page.clock.install()
    thread_id = reader.thread()
    reader.open(thread_id)
    expect(reader.page.get_by_text("No messages yet.")).to_be_visible()
    reader.message(thread_id, "first")
    reader.wait(3)
    expect(reader.texts).to_have_text(["first"])
    expect(reader.page.locator("#announcer")).to_have_text("New message. Assistant: first")
    reader.message(thread_id, "second")
    reader.wait(3)
    expect(reader.texts).to_have_text(["first", "second"])
    expect(reader.button("Follow")).to_be_in_viewport()


def test_looks_for_new_messages_get_rarer_and_end_while_nobody_watches(reader: Reader) -> None:
    reader.page.clock.install(time="2030-01-01T00:00:00")
    thread_id = reader.thread(messages=[{"role": "user", "content": "one"}])
    reader.open(thread_id)
    expect(reader.texts).to_have_text(["one"])
    reader.page.clock.pause_at("2030-01-01T01:00:00")
    reader.wait(3)
    _hide(reader.page, hidden=True)
    assert reader.wait(5) == 0
    before = len(reader.requests)
    _hide(reader.page, hidden=False)
    reader.wait(11)
    assert len(reader.requests) - before == 3  # at once, after 3 and after 7.5 seconds
    assert reader.wait(17) == 2  # after 14 and 24 seconds
    _hide(reader.page, hidden=True)
    reader.message(thread_id, "two")
    _hide(reader.page, hidden=False)
    expect(reader.texts).to_have_text(["one", "two"])
    reader.button("Follow").click()
    expect(reader.button("Follow")).to_have_attribute("aria-pressed", "false")
    assert reader.wait(5) == 0


def test_following_outlives_an_api_that_does_not_answer_for_a_while(reader: Reader) -> None:
    reader.page.clock.install()
    thread_id = reader.thread()
    reader.open(thread_id)
    expect(reader.page.get_by_text("No messages yet.")).to_be_visible()
    reader.page.route("**/messages?*", lambda route: route.abort(), times=2)
    reader.wait(3)
    expect(reader.page.locator("#follow-text")).to_contain_text("does not answer. The next look is in")
    expect(reader.problem).to_be_hidden()
    reader.message(thread_id, "after all")
    reader.wait(12)
    expect(reader.texts).to_have_text(["after all"])
    expect(reader.page.locator("#follow-text")).to_contain_text("New messages appear here.")


def _hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        "value => { Object.defineProperty(document, 'hidden', { value, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_message_is_created_with_images_and_metadata(reader: Reader) -> None:
    thread_id = reader.thread()
    reader.open(thread_id)
    reader.draft.fill("Look")
    reader.page.get_by_text("Images and metadata").click()
    reader.page.get_by_label("Image URLs").fill("https://a.example/1.png\n\nhttps://b.example/2.png\n")
    reader.button("Add a pair").click()
    reader.page.get_by_label("Key 1").fill("k")
    reader.page.get_by_label("Value 1").fill("v")
    reader.page.get_by_label("As", exact=True).select_option("Assistant")
    reader.button("Send").click()
    expect(reader.messages).to_have_count(1)
    stored = reader.only_message(thread_id)
    assert (stored["role"], stored["metadata"]) == ("assistant", {"k": "v"})
    assert [part["type"] for part in stored["content"]] == ["text", "image_url", "image_url"]
    expect(reader.draft).to_have_value("")
    reader.button("Send").click()
    expect(reader.problem).to_contain_text("400: Message content must be non-empty.")


def test_a_create_whose_answer_is_lost_is_tried_again_and_happens_once(reader: Reader) -> None:
    thread_id = reader.thread()
    reader.open(thread_id)
    keys = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    def is_create(url: str) -> bool:
        return url.endswith("/messages")

    reader.page.route(is_create, lose)
    reader.draft.fill("Once")
    reader.page.keyboard.press("Control+Enter")
    expect(reader.problem).to_contain_text("does not answer")
    reader.page.unroute(is_create)
    with reader.page.expect_request(lambda request: request.method == "POST") as again:
        reader.button("Try again").click()
    assert [again.value.headers["idempotency-key"]] == keys
    expect(reader.texts).to_have_text(["Once"])
    expect(reader.problem).to_be_hidden()
    reader.draft.fill("Once")
    reader.page.keyboard.press("Control+Enter")
    expect(reader.texts).to_have_text(["Once", "Once"])


def test_what_others_wrote_in_between_stands_before_ones_own_message(reader: Reader) -> None:
    thread_id = reader.thread()
    reader.open(thread_id)
    button = reader.button("Follow")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")

    def overtake(route: Route) -> None:
        reader.message(thread_id, "theirs")
        route.continue_()

    reader.page.route(lambda url: url.endswith("/messages"), overtake)
    reader.draft.fill("mine")
    reader.button("Send").click()
    expect(reader.texts).to_have_text(["theirs", "mine"])


def test_a_messages_text_and_metadata_are_edited(reader: Reader) -> None:
    thread_id = reader.thread()
    image = {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}
    reader.message(thread_id, [{"type": "text", "text": "befor"}, image], role="user", metadata={"a": "1"})
    reader.open(thread_id)
    reader.messages.get_by_role("button", name="Edit").click()
    reader.dialog.get_by_label("Text").fill("before")
    reader.dialog.get_by_label("Value 1").fill("2")
    reader.dialog.get_by_role("button", name="Save").click()
    expect(reader.texts).to_have_text(["before"])
    expect(reader.messages).to_be_focused()
    stored = reader.only_message(thread_id)
    assert stored["metadata"] == {"a": "2"}
    assert [part["type"] for part in stored["content"]] == ["text", "image_url"]
    assert stored["content"][0]["text"]["value"] == "before"


def test_metadata_alone_leaves_the_content_out_of_the_request(reader: Reader) -> None:
    thread_id = reader.thread(messages=[{"role": "user", "content": "line\r\nline"}])
    reader.open(thread_id)
    expect(reader.messages).to_have_count(1)
    message = reader.only_message(thread_id)
    # Someone else's change, which the page has not shown, is not undone.
    reader.client.post(f"/threads/{thread_id}/messages/{message['id']}", json={"metadata": {"by": "another"}})
    reader.messages.get_by_role("button", name="Edit").click()
    reader.dialog.get_by_role("button", name="Add a pair").click()
    reader.dialog.get_by_label("Key 2").fill("k")
    with reader.page.expect_request(lambda request: request.method == "POST") as sent:
        reader.dialog.get_by_role("button", name="Save").click()
    assert sent.value.post_data_json == {"metadata": {"by": "another", "k": ""}}


def test_a_message_is_deleted_after_a_confirmation(reader: Reader) -> None:
    reader.page.clock.install()
    thread_id = reader.thread(messages=[{"role": "user", "content": text} for text in ("keep", "drop")])
    reader.open(thread_id)
    delete = reader.messages.nth(1).get_by_role("button", name="Delete")
    delete.click()
    reader.page.keyboard.press("Escape")
    expect(delete).to_be_focused()
    delete.click()
    reader.button("Delete message").click()
    expect(reader.texts).to_have_text(["keep"])
    expect(reader.messages).to_be_focused()
    assert len(reader.get(f"/threads/{thread_id}/messages")["data"]) == 1
    reader.message(thread_id, "next")  # the deleted message was the last one in the page's window
    reader.wait(4)
    expect(reader.texts).to_have_text(["keep", "next"])


# -- What it must never do


def test_hostile_content_is_text_and_nothing_more(reader: Reader) -> None:
    thread_id = reader.thread(metadata={"user_id": _HOSTILE, _HOSTILE[:60]: "x"}, tool_resources={_HOSTILE: {}})
    annotation = {**_CITATION, "start_index": 0, "end_index": 5, "text": _HOSTILE}
    annotation["file_citation"] = {"file_id": _HOSTILE, "quote": _HOSTILE}
    urls = ["javascript:window.hit='url'", "JavaScript&colon;alert(1)", "data-x", "file:///etc/passwd", "https://"]
    content: list[dict[str, Any]] = [
        {"type": "text", "text": {"value": _HOSTILE, "annotations": [annotation]}},
        {"type": "refusal", "refusal": _HOSTILE},
        {"type": "image_file", "image_file": {"file_id": _HOSTILE}},
        *({"type": "image_url", "image_url": {"url": url}} for url in urls),
    ]
    reader.message(thread_id, content, metadata={"k": _HOSTILE}, attachments=[{"file_id": _HOSTILE}])
    reader.open(thread_id)
    expect(reader.texts.nth(1)).to_contain_text(_HOSTILE)
    expect(reader.page.locator("#thread-about")).to_contain_text(_HOSTILE)
    expect(reader.rows).to_contain_text([_HOSTILE])
    expect(reader.messages.get_by_role("button", name="Load")).to_have_count(0)
    reader.messages.get_by_role("button", name="Edit").click()
    expect(reader.dialog.get_by_label("Text")).to_have_value(_HOSTILE)
    reader.button("Cancel").click()
    assert reader.page.locator("img, main script, nav script, dialog script, iframe, [onerror]").count() == 0
    assert reader.page.locator("a:not([href^='#thread_'])").count() == 0
    assert reader.page.evaluate("window.hit") is None


def test_the_page_could_not_make_html_or_code_of_a_text_if_it_tried(browser: Browser, api: LocalApi) -> None:
    with reading(browser, api.base_url) as reader:
        reader.connect()
        for attempt in ("document.body.innerHTML = '<b>x</b>'", "new Function('window.hit = 1')()"):
            # Run later, because code that a debugger evaluates may do more than the page's code.
            tried = f"try {{ {attempt}; done('it can'); }} catch (no) {{ done(`${{no}}`); }}"
            later = f"new Promise((done) => setTimeout(() => {{ {tried} }}))"
            assert re.search("TrustedHTML|Content Security Policy", reader.page.evaluate(later))
        reader.page.evaluate("document.body.append(document.createElement('style'))")
        reader.page.evaluate("document.body.lastChild.textContent = 'body { display: none }'")
        expect(reader.page.get_by_role("heading", name="Thread browser")).to_be_visible()
        assert reader.page.evaluate("window.hit") is None


def test_an_image_is_asked_for_only_when_the_reader_wants_it(browser: Browser, api: LocalApi) -> None:
    url = "https://pictures.example.com/lamp.svg"
    with reading(browser, api.base_url) as reader:
        pictures: list[dict[str, str]] = []

        def answer(route: Route) -> None:
            pictures.append(route.request.headers)
            drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
            route.fulfill(content_type="image/svg+xml", body=drawing)

        reader.page.route("https://pictures.example.com/**", answer)
        reader.page.route("https://gone.example.com/**", lambda route: route.abort())
        parts = [{"type": "image_url", "image_url": {"url": at}} for at in (url, "https://gone.example.com/x.png")]
        reader.open(reader.thread(messages=[{"role": "user", "content": parts}]))
        load = reader.button("Load from pictures.example.com")
        expect(load).to_be_visible()
        assert pictures == []
        load.click()
        expect(reader.page.get_by_alt_text("Image from pictures.example.com")).to_have_js_property("naturalWidth", 9)
        assert len(pictures) == 1
        assert "referer" not in pictures[0]
        assert "authorization" not in pictures[0]
        reader.button("Load from gone.example.com").click()
        expect(reader.page.get_by_text("The image cannot be loaded.")).to_be_visible()


def test_the_key_stays_in_the_tab_until_one_disconnects(reader: Reader) -> None:
    reader.thread(metadata={"user_id": "mine"})
    reader.connect()
    expect(reader.rows).to_have_count(1)
    expect(reader.page.get_by_label("API key")).to_have_value("")
    reader.page.reload()
    expect(reader.rows).to_have_count(1)
    other = reader.page.context.new_page()
    other.goto(reader.address)
    expect(other.get_by_role("button", name="Connect")).to_be_visible()
    other.close()
    reader.button("Disconnect").click()
    expect(reader.button("Connect")).to_be_visible()
    assert reader.page.evaluate("sessionStorage.length") == 0
    assert "mine" not in reader.page.content()
    reader.page.reload()
    expect(reader.button("Connect")).to_be_visible()


# -- What goes wrong


def test_a_wrong_key_leads_back_with_the_reason(reader: Reader) -> None:
    reader.connect("sk-of-nobody")
    expect(reader.problem).to_contain_text("401: Incorrect API key provided")
    expect(reader.page.get_by_label("API key")).to_be_focused()
    assert reader.page.evaluate("sessionStorage.length") == 0
    reader.page.get_by_label("API key").fill(reader.key)
    reader.button("Connect").click()
    expect(reader.page.get_by_text("There are no threads yet.")).to_be_visible()
    expect(reader.problem).to_be_hidden()


def test_a_thread_that_is_gone_is_said_in_one_line_and_no_longer_followed(reader: Reader) -> None:
    reader.page.clock.install()
    thread_id = reader.thread(messages=[{"role": "user", "content": "x"}])
    reader.open(thread_id)
    expect(reader.texts).to_have_text(["x"])
    reader.client.delete(f"/threads/{thread_id}")
    reader.wait(3)
    expect(reader.problem).to_have_text(re.compile(rf"^404: No thread found with id '{thread_id}'\. \(req_\w+\)$"))
    expect(reader.button("Follow")).to_have_attribute("aria-pressed", "false")
    reader.button("Dismiss").click()
    expect(reader.problem).to_be_hidden()


@pytest.mark.parametrize(("status", "times"), [(429, 2), (503, 2), (429, 3)])
def test_a_busy_api_is_asked_again_and_one_that_stays_busy_is_said(reader: Reader, status: int, times: int) -> None:
    """It answers as API Gateway does."""
    headers, body = {"retry-after": "0.1"}, '{"message": "Too Many Requests"}'

    def be_busy(route: Route) -> None:
        route.fulfill(status=status, headers=headers, body=body)

    reader.page.route("**/v1/threads?*", be_busy, times=times)
    reader.thread()
    reader.connect()
    if times == 3:
        expect(reader.problem).to_have_text("429: Too Many Requests")
        reader.button("Try again").click()
    expect(reader.rows).to_have_count(1)
    expect(reader.problem).to_be_hidden()


# -- Another origin


def test_from_another_origin_it_works_where_that_is_allowed(browser: Browser, api: LocalApi, host: int) -> None:
    with reading(browser, api.base_url) as reader:
        reader.connect_from(f"http://127.0.0.1:{host}/", f"{api.base_url}/")
        reader.button("New thread").click()
        reader.dialog.get_by_label("First message").fill("Across")
        reader.button("Create thread").click()
        expect(reader.texts).to_have_text(["Across"])
        reader.messages.get_by_role("button", name="Delete").click()
        reader.button("Delete message").click()
        expect(reader.page.get_by_text("No messages yet.")).to_be_visible()
        reader.page.goto(f"http://127.0.0.1:{host}/#thread_unknown")
        # The page shows the request's id, so the header with it is exposed.
        expect(reader.problem).to_have_text(
            re.compile(r"^404: No thread found with id 'thread_unknown'\. \(req_\w+\)$")
        )
        assert {request.method for request in reader.requests} == {"GET", "POST", "DELETE"}


def test_from_an_origin_that_is_not_allowed_it_says_so(browser: Browser, api: LocalApi, host: int) -> None:
    with reading(browser, api.base_url) as reader:
        reader.connect_from(f"http://localhost:{host}/", api.base_url)
        origin = api.base_url.removesuffix("/v1")
        line = f"{origin} does not answer, or does not allow pages of http://localhost:{host} (AllowedOrigins)."
        expect(reader.problem).to_have_text(line)


# -- Without runs


def test_where_runs_are_off_nothing_of_them_is_shown_or_asked_again(reader: Reader) -> None:
    reader.page.clock.install()
    thread_id = reader.thread(messages=[{"role": "user", "content": "x"}])
    reader.open(thread_id)
    expect(reader.texts).to_have_text(["x"])
    reader.wait(3)
    expect(reader.page.locator("#runs-part")).to_be_hidden()
    expect(reader.problem).to_be_hidden()
    paths = [httpx.URL(request.url).path for request in reader.requests]
    assert [path for path in paths if re.search("^/v1.*/(assistants|runs)", path)] == ["/v1/assistants"]


# -- For everybody


def test_everything_can_be_reached_by_the_keyboard_and_shows_where_it_is(reader: Reader) -> None:
    reader.thread(messages=[{"role": "user", "content": "one"}], metadata={"user_id": "u-1"})
    page = reader.page
    page.goto(reader.address)

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                continue  # the browser's own controls
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            here = page.evaluate(
                "[document.activeElement.ariaLabel, document.activeElement.labels?.[0]?.textContent,"
                " document.activeElement.textContent].find((text) => text)"
            )
            assert style != "none", f"nothing shows that {here} has the keyboard"
            if here.startswith(name):
                return
        raise AssertionError(f"the keyboard does not come to {name}")

    tab_to("API key")
    page.keyboard.type(f"{reader.key}\n")
    expect(reader.rows).to_have_count(1)
    expect(page.get_by_role("heading", name="Threads", exact=True)).to_be_focused()
    page.get_by_role("button", name="Skip to the conversation").press("Enter")
    expect(page.get_by_text("Choose a thread to read it.")).to_be_focused()
    page.get_by_role("heading", name="Threads", exact=True).focus()
    tab_to("user_id")
    page.keyboard.press("Enter")
    expect(reader.texts).to_have_text(["one"])
    expect(page.locator("#thread-title")).to_be_focused()
    tab_to("Edit metadata")
    page.keyboard.press("Enter")
    expect(reader.dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(reader.button("Edit metadata")).to_be_focused()
    tab_to("New message")
    page.keyboard.type("two")
    tab_to("As")
    tab_to("Send")
    page.keyboard.press("Space")
    expect(reader.texts).to_have_text(["one", "two"])
    page.evaluate("document.getElementById('thread-title').focus()")
    tab_to("Delete thread")
    tab_to("Edit")
    tab_to("Delete")
    page.keyboard.press("Enter")
    tab_to("Delete message")
    page.keyboard.press("Enter")
    expect(reader.texts).to_have_text(["two"])
    page.reload()
    expect(reader.texts).to_have_text(["two"])
    page.evaluate("document.activeElement.blur()")
    tab_to("Skip to the conversation")
    page.keyboard.press("Enter")
    expect(page.locator("#thread-title")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, api: LocalApi, scheme: Literal["light", "dark"]) -> None:
    with reading(browser, api.base_url, color_scheme=scheme) as reader:
        page = reader.page
        page.goto(reader.address)
        background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert background == {"light": "rgb(251, 251, 249)", "dark": "rgb(22, 24, 26)"}[scheme]
        assert axe.violations(page) == []
        thread_id = fill(reader.client)
        reader.open(thread_id)
        expect(reader.messages).to_have_count(4)
        expect(reader.rows).to_have_count(4)
        page.get_by_text("Images and metadata").click()
        assert axe.violations(page) == []
        reader.messages.get_by_role("button", name="Edit").nth(1).click()
        reader.dialog.get_by_role("button", name="Add a pair").click()
        assert axe.violations(page) == []
        reader.button("Cancel").click()
        reader.messages.get_by_role("button", name="Delete").first.click()
        assert axe.violations(page) == []
        page.keyboard.press("Escape")
        page.goto(f"{reader.address}#thread_unknown")
        expect(reader.problem).to_be_visible()
        expect(reader.button("Delete thread")).to_be_hidden()
        assert axe.violations(page) == []


def test_a_narrow_window_shows_the_list_or_the_conversation_and_never_scrolls_sideways(
    browser: Browser, api: LocalApi
) -> None:
    with reading(browser, api.base_url, viewport={"width": 360, "height": 740}) as reader:
        content = "W" * 200 + " https://a.example/" + "x" * 200
        thread_id = reader.thread(messages=[{"role": "user", "content": content}], metadata={"user_id": "u" * 300})
        image = {"type": "image_url", "image_url": {"url": "https://" + "h" * 60 + ".example.com/" + "y" * 200}}
        reader.message(thread_id, [image], metadata={"k" * 64: "v" * 300})

        def is_within() -> bool:
            return bool(reader.page.evaluate("document.documentElement.scrollWidth <= 360"))

        reader.page.goto(reader.address)
        assert is_within()
        reader.connect()
        expect(reader.rows).to_have_count(1)
        assert is_within()
        reader.rows.click()
        expect(reader.messages).to_have_count(2)
        expect(reader.rows).to_be_hidden()
        assert is_within()
        reader.button("Edit metadata").click()
        assert is_within()
        assert reader.page.evaluate(
            "dialog => dialog.scrollWidth <= dialog.clientWidth", reader.dialog.element_handle()
        )
        reader.page.keyboard.press("Escape")
        reader.button("All threads").click()
        expect(reader.rows).to_be_visible()
        expect(reader.messages).to_have_count(0)


def test_the_local_api_serves_only_the_files_of_the_page(api: LocalApi) -> None:
    root = api.base_url.removesuffix("/v1")
    assert httpx.get(f"{root}/browser", follow_redirects=True).url == f"{root}/browser/"
    assert "Thread browser" in httpx.get(f"{root}/browser/").text
    assert httpx.get(f"{root}/browser/..%2Ftemplate.yaml").status_code == 404
    assert httpx.get(f"{root}/browserx").status_code == 401
