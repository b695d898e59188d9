"""Runs in the thread browser, in Chromium. The test sets the responses of the chat endpoint."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Route, expect

from tests.e2e import axe
from tests.e2e.reader import Reader, api_keys, checked_reading, reading
from tests.support.chat_stub import Chat, Reply, calls, chatting, fails, held, says
from tests.support.chromium import browser
from tests.support.local_api import LocalApi, serving
from tests.support.runs import WEATHER

__all__ = ["browser"]

_HELLO = [{"role": "user", "content": "Hello"}]
_HOSTILE = "<img src=x onerror=\"window.hit='img'\"><script>window.hit='script'</script>"
_OSLO = '{"city": "Oslo"}'
_SECONDS = 20.0


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with chatting("Hello") as served:
        yield served


@pytest.fixture(scope="module")
def api(browser: Browser, chat: Chat) -> Iterator[LocalApi]:
    with serving(API_KEYS=api_keys(), MODEL_URL=chat.base_url) as served:
        yield served


@pytest.fixture
def reader(browser: Browser, api: LocalApi) -> Iterator[Reader]:
    with checked_reading(browser, api.base_url) as found:
        yield found


def _start(reader: Reader, chat: Chat, *replies: Any, **assistant: Any) -> str:
    """Open a thread with a message and start a run from the page. Return the thread's id."""
    chat.replies = [*replies]
    reader.assistant(**assistant)
    thread_id = reader.thread(messages=_HELLO)
    reader.open(thread_id)
    reader.button("Start run").click()
    return thread_id


def _gated(reply: Reply, gate: threading.Semaphore) -> Reply:
    """Return the reply, each chunk of it held back until the gate lets it pass."""
    return replace(reply, between=lambda: gate.acquire(timeout=_SECONDS))


def _state(reader: Reader) -> Locator:
    return reader.runs.first.locator("> header .state, > header .badge")


def _is_create(url: str) -> bool:
    return url.endswith("/runs")


def test_a_run_starts_with_the_chosen_assistant_and_its_answer_appears_once(reader: Reader, chat: Chat) -> None:
    chat.replies = ["Good evening."]
    reader.assistant("Clerk", instructions="Say good morning.")
    chosen = reader.assistant("Night clerk", instructions="Say good evening.")
    reader.assistant("Porter", instructions="Say nothing.")
    reader.page.clock.install()
    thread_id = reader.thread(messages=_HELLO)
    reader.open(thread_id)
    reader.page.get_by_label("Assistant", exact=True).select_option(f"Night clerk ({chosen})")
    reader.button("Start run").click()
    expect(reader.texts).to_have_text(["Hello", "Good evening."])
    expect(_state(reader)).to_have_text("completed")
    (message,) = reader.get(f"/threads/{thread_id}/messages?limit=1")["data"]
    run = reader.runs
    expect(run.locator(".step header")).to_have_text(f"Message {message['id']}completed")
    expect(run.locator("footer .id")).to_have_text([message["run_id"], chosen])
    assert chat.asked[-1]["messages"][0] == {"role": "system", "content": "Say good evening."}
    reader.wait(5)
    expect(reader.texts).to_have_text(["Hello", "Good evening."])
    expect(reader.runs).to_have_count(1)
    reader.page.reload()
    expect(reader.texts).to_have_text(["Hello", "Good evening."])
    expect(_state(reader)).to_have_text("completed")
    expect(run.locator("> .pairs")).to_have_text("assistantNight clerkmodelgpt-4oprompt_tokens7completion_tokens3")
    expect(reader.page.get_by_label("Assistant", exact=True)).to_have_value(chosen)


def test_no_run_starts_before_the_assistants_can_be_chosen(reader: Reader, chat: Chat) -> None:
    chat.replies = ["Hello to you."]
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    reader.page.route("**/runs?*", hold, times=1)
    reader.assistant()
    thread_id = reader.thread(messages=_HELLO)
    with reader.page.expect_request("**/runs?*"):
        reader.open(thread_id)
    expect(reader.button("Start run")).to_be_hidden()
    asked[0].continue_()
    reader.button("Start run").click()
    expect(reader.texts).to_have_text(["Hello", "Hello to you."])


def test_an_answer_grows_while_it_streams_and_its_message_replaces_it(reader: Reader, chat: Chat) -> None:
    gate = threading.Semaphore(3)
    _start(reader, chat, _gated(says("Good ", "evening", "."), gate))
    answer = reader.page.get_by_role("article", name="Answer")
    expect(answer.locator(".text")).to_have_text("Good evening")
    expect(_state(reader)).to_have_text("in_progress")
    expect(reader.texts).to_have_text(["Hello"])
    _watch_for_doubles(reader)
    gate.release(100)
    expect(reader.texts).to_have_text(["Hello", "Good evening."])
    expect(answer).to_have_count(0)
    expect(_state(reader)).to_have_text("completed")
    assert not reader.page.evaluate("window.isDouble")


def test_a_function_call_shows_its_arguments_takes_its_output_and_the_run_goes_on(reader: Reader, chat: Chat) -> None:
    called = calls(("call_1", "get_weather", _OSLO), ("call_2", "get_weather", "{}"), text="Let me see.")
    _start(reader, chat, called, "It rains.", tools=[WEATHER])
    expect(_state(reader)).to_have_text("requires_action")
    run = reader.runs
    expect(run.locator(".arguments")).to_have_text([_OSLO, "{}"])
    expect(reader.texts).to_have_text(["Hello", "Let me see."])
    outputs = run.get_by_label("Output of get_weather")
    outputs.nth(0).fill("rain")
    outputs.nth(1).fill("no such city")
    run.get_by_role("button", name="Submit outputs").click()
    expect(reader.texts).to_have_text(["Hello", "Let me see.", "It rains."])
    expect(_state(reader)).to_have_text("completed")
    expect(run.locator(".output")).to_have_text(["rain", "no such city"])
    expect(run.get_by_role("button", name="Submit outputs")).to_have_count(0)
    sent = [message["content"] for message in chat.asked[-1]["messages"] if message["role"] == "tool"]
    assert sent == ["rain", "no such city"]


def test_a_run_is_cancelled_and_its_late_answer_never_appears(reader: Reader, chat: Chat) -> None:
    gate = threading.Event()
    _start(reader, chat, held(says("Too late."), gate), "In time.")
    expect(_state(reader)).to_have_text("in_progress")
    reader.button("Cancel run").click()
    expect(_state(reader)).to_have_text("cancelled")
    expect(reader.button("Cancel run")).to_have_count(0)
    expect(reader.runs).to_be_focused()
    gate.set()
    reader.button("Start run").click()
    expect(reader.texts).to_have_text(["Hello", "In time."])
    expect(reader.runs.locator("> header .state")).to_have_text(["completed", "cancelled"])


def test_a_run_that_fails_says_why(reader: Reader, chat: Chat) -> None:
    _start(reader, chat, fails(400, "The context is too long."))
    expect(_state(reader)).to_have_text("failed")
    expect(reader.runs.locator(".problem-line")).to_contain_text("invalid_prompt: ")
    expect(reader.runs.locator(".problem-line")).to_contain_text("The context is too long.")
    expect(reader.page.locator("#announcer")).to_have_text("Run: failed.")


def test_a_begun_answer_of_a_run_that_fails_is_taken_away(reader: Reader, chat: Chat) -> None:
    gate = threading.Semaphore(2)
    _start(reader, chat, _gated(replace(says("Half", finish=None), breaks=True), gate))
    answer = reader.page.get_by_role("article", name="Answer")
    expect(answer.locator(".text")).to_have_text("Half")
    gate.release(100)
    expect(_state(reader)).to_have_text("failed")
    expect(answer).to_have_count(0)
    expect(reader.texts).to_have_text(["Hello"])


def test_an_incomplete_answer_says_which_limit_it_met(reader: Reader, chat: Chat) -> None:
    _start(reader, chat, says("Half of", finish="length"))
    expect(_state(reader)).to_have_text("incomplete: max_completion_tokens")
    expect(reader.messages.last.locator(".badge")).to_have_text("Incomplete: max_tokens")


def test_the_api_refuses_a_second_active_run_and_the_page_says_so(reader: Reader, chat: Chat) -> None:
    gate = threading.Event()
    thread_id = _start(reader, chat, held(says("Done."), gate))
    expect(_state(reader)).to_have_text("in_progress")
    reader.button("Start run").click()
    expect(reader.problem).to_contain_text(f"400: Thread {thread_id} already has an active run")
    gate.set()
    expect(_state(reader)).to_have_text("completed")
    reader.button("Try again").click()
    expect(reader.runs).to_have_count(2)
    expect(reader.problem).to_be_hidden()
    expect(reader.texts).to_have_text(["Hello", "Done.", "Done."])


# -- Streams as they come from elsewhere


def test_events_that_arrive_together_show_the_run_meanwhile(reader: Reader, chat: Chat) -> None:
    gate = threading.Event()
    whole: list[tuple[Route, APIResponse]] = []  # the whole stream in one response, as on AWS
    reader.page.route(_is_create, lambda route: whole.append((route, route.fetch())))
    _start(reader, chat, held(says("All ", "at once."), gate))
    _watch_for_doubles(reader)
    expect(_state(reader)).to_have_text("in_progress")
    gate.set()
    expect(reader.texts).to_have_text(["Hello", "All at once."])
    expect(_state(reader)).to_have_text("completed")
    ((route, response),) = whole
    route.fulfill(response=response)
    response.dispose()
    reader.page.wait_for_timeout(500)
    assert not reader.page.evaluate("window.isDouble")


def test_a_run_is_cancelled_before_its_events_arrive(reader: Reader, chat: Chat) -> None:
    gate = threading.Event()
    reader.page.route(_is_create, lambda route: route.fulfill(response=route.fetch()))
    _start(reader, chat, held(says("Too late."), gate))
    reader.button("Cancel run").click()
    expect(_state(reader)).to_have_text("cancelled")
    gate.set()
    reader.page.unroute_all(behavior="wait")


def _watch_for_doubles(reader: Reader) -> None:
    """Let the page record whether it ever shows an answer twice: as a message and as the stream's text."""
    reader.page.evaluate(
        "new MutationObserver(() => { for (const answer of document.querySelectorAll('#answer article'))"
        " window.isDouble ||= document.getElementById(answer.id.replace('answer-', 'message-')) !== null; })"
        ".observe(document.body, { childList: true, subtree: true })"
    )


@pytest.mark.parametrize("end", ['event: error\ndata: {"error": {"message": "It goes on."}}\n\n', "event: thr"])
def test_a_stream_that_ends_early_is_followed_by_polls(reader: Reader, chat: Chat, end: str) -> None:
    gate = threading.Event()

    def cut(route: Route) -> None:
        body = json.loads(route.request.post_data or "") | {"stream": False}
        run = route.fetch(post_data=json.dumps(body)).json()
        begin = f"event: thread.run.created\ndata: {json.dumps(run)}\n\n"
        route.fulfill(content_type="text/event-stream; charset=utf-8", body=begin + end)
        gate.set()

    reader.page.route(_is_create, cut)
    reader.assistant()
    thread_id = reader.thread(messages=_HELLO)
    chat.replies = [held(says("After all."), gate)]
    reader.open(thread_id)
    reader.button("Follow").click()
    reader.button("Start run").click()
    expect(reader.button("Follow")).to_have_attribute("aria-pressed", "true")
    expect(reader.texts).to_have_text(["Hello", "After all."])
    expect(_state(reader)).to_have_text("completed")
    expect(reader.problem).to_be_hidden()


def test_a_run_whose_response_is_lost_is_started_once(reader: Reader, chat: Chat) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    reader.page.route(_is_create, lose, times=1)
    thread_id = _start(reader, chat, "Once.")
    expect(reader.problem).to_contain_text("does not answer")
    reader.button("Try again").click()
    expect(reader.problem).to_be_hidden()
    expect(reader.texts).to_have_text(["Hello", "Once."])
    assert len(reader.get(f"/threads/{thread_id}/runs")["data"]) == 1
    expect(reader.runs).to_have_count(1)


# -- Runs of others


def test_runs_of_other_programs_appear_and_change_by_themselves(reader: Reader, chat: Chat) -> None:
    chat.replies = [calls(("call_1", "get_weather", _OSLO)), "It rains."]
    assistant_id = reader.assistant(tools=[WEATHER])
    reader.page.clock.install(time="2030-01-01T00:00:00")
    thread_id = reader.thread(messages=_HELLO)
    reader.open(thread_id)
    expect(reader.page.get_by_role("region", name="Runs")).to_be_visible()
    expect(reader.runs).to_have_count(0)
    reader.page.clock.pause_at("2030-01-01T01:00:00")
    run = reader.post(f"/threads/{thread_id}/runs", {"assistant_id": assistant_id})
    _wait_for(reader, "requires_action")
    expect(reader.runs.locator(".arguments")).to_have_text(_OSLO)
    reader.runs.get_by_label("Output of get_weather").fill("typed")
    assert 10 < reader.wait(20) <= 20  # at most two requests every two seconds; the text in the input field stays
    expect(reader.runs.get_by_label("Output of get_weather")).to_have_value("typed")
    outputs = {"tool_outputs": [{"tool_call_id": _calls(run, reader)[0]["id"], "output": "rain"}]}
    reader.post(f"/threads/{thread_id}/runs/{run['id']}/submit_tool_outputs", outputs)
    _wait_for(reader, "completed")
    expect(reader.runs.locator(".output")).to_have_text("rain")
    expect(reader.texts).to_have_text(["Hello", "It rains."])


def _wait_for(reader: Reader, status: str) -> None:
    """Let time pass until the newest run has a status."""
    for _ in range(20):
        reader.wait(2)
        if _state(reader).count() and _state(reader).inner_text() == status:
            return
    raise AssertionError(f"the page shows no run that is {status}")


def _calls(run: dict[str, Any], reader: Reader) -> list[dict[str, Any]]:
    found = reader.get(f"/threads/{run['thread_id']}/runs/{run['id']}")
    calls_of: list[dict[str, Any]] = found["required_action"]["submit_tool_outputs"]["tool_calls"]
    return calls_of


def test_runs_are_listed_from_the_newest_page_by_page_and_steps_when_opened(reader: Reader, chat: Chat) -> None:
    chat.replies = ["Hello"]
    assistant_id = reader.assistant()
    thread_id = reader.thread(messages=_HELLO)

    def finish(count: int) -> list[str]:
        made = []
        for _ in range(count):
            with reader.client.stream(
                "POST", f"/threads/{thread_id}/runs", json={"assistant_id": assistant_id, "stream": True}
            ) as stream:
                stream.read()
            made.append(reader.get(f"/threads/{thread_id}/runs?limit=1")["data"][0]["id"])
        return made[::-1]

    made = finish(12)
    reader.open(thread_id)
    ids = reader.runs.locator("footer .id:first-child")
    expect(ids).to_have_text(made[:10])
    reader.button("Older runs").click()
    expect(ids).to_have_text(made)
    expect(reader.runs.nth(10)).to_be_focused()
    expect(reader.runs.locator(".step")).to_have_count(1)
    reader.runs.nth(11).get_by_text("Steps").click()
    expect(reader.runs.nth(11).locator(".step header")).to_contain_text(["Message msg_"])
    # The next poll finds no run that the page shows, so the list starts again.
    reader.button("Follow").click()
    newer = finish(10)
    reader.button("Follow").click()
    expect(ids).to_have_text(newer)
    expect(reader.button("Older runs")).to_be_visible()


# -- What it must never do


def test_what_a_model_says_is_text_and_nothing_more(reader: Reader, chat: Chat) -> None:
    gate = threading.Semaphore(2)
    arguments = json.dumps({"city": _HOSTILE})
    reply = calls(("call_1", "get_weather", arguments), text=_HOSTILE)
    _start(
        reader,
        chat,
        _gated(reply, gate),
        fails(400, f"No: {_HOSTILE}"),  # a message that begins as a page is not shown at all
        name=_HOSTILE,
        model=_HOSTILE,
        tools=[WEATHER],
    )
    expect(reader.page.get_by_role("article", name="Answer")).to_contain_text(_HOSTILE)
    gate.release(100)
    expect(reader.runs.locator(".arguments")).to_have_text(arguments)
    reader.runs.get_by_label("Output of get_weather").fill(_HOSTILE)
    reader.button("Submit outputs").click()
    expect(reader.runs.locator("> .problem-line")).to_contain_text(_HOSTILE)
    expect(reader.runs.locator(".output")).to_have_text(_HOSTILE)
    expect(reader.runs.locator("> .pairs")).to_contain_text(_HOSTILE)
    assert reader.page.locator("img, main script, nav script, dialog script, iframe, [onerror]").count() == 0
    assert reader.page.evaluate("window.hit") is None


def test_a_thread_that_is_left_shows_nothing_of_its_stream_in_the_next_one(reader: Reader, chat: Chat) -> None:
    gate = threading.Semaphore(2)
    _start(reader, chat, _gated(says("One", "Two"), gate))
    expect(reader.page.get_by_role("article", name="Answer")).to_contain_text("One")
    other = reader.thread(messages=[{"role": "user", "content": "Other"}])
    with reader.page.expect_event("requestfailed", lambda request: request.url.endswith("/runs")):
        reader.page.goto(f"{reader.address}#{other}")
    expect(reader.texts).to_have_text(["Other"])
    expect(reader.page.get_by_role("article", name="Answer")).to_have_count(0)
    expect(reader.runs).to_have_count(0)
    gate.release(100)
    reader.button("Disconnect").click()
    assert "Clerk" not in reader.page.content()


# -- For everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_runs_also_in_a_narrow_window(
    browser: Browser, api: LocalApi, chat: Chat, scheme: Literal["light", "dark"]
) -> None:
    with reading(browser, api.base_url, color_scheme=scheme, viewport={"width": 360, "height": 740}) as reader:
        wide = json.dumps({"city": "W" * 200})
        _start(reader, chat, calls(("call_1", "get_weather", wide)), 401, name="N" * 200, tools=[WEATHER])
        reader.runs.get_by_label("Output of get_weather").wait_for()
        assert axe.violations(reader.page) == []
        assert reader.page.evaluate("document.documentElement.scrollWidth <= 360")
        reader.button("Submit outputs").click()
        expect(_state(reader)).to_have_text("failed")
        expect(reader.runs.locator(".output")).to_have_count(1)
        assert axe.violations(reader.page) == []
        assert reader.page.evaluate("document.documentElement.scrollWidth <= 360")
