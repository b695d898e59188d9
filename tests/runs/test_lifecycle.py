"""A run from its creation to its end. Whole responses are compared."""

from typing import Any

import pytest

from tests.support import chat_stub, expected, fault_injection
from tests.support.chat_stub import Chat, calls, fails, refuses, says
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.expected import text
from tests.support.expected_runs import NO_USAGE, USAGE, call_object, of_calls, of_message, run_object, step_object
from tests.support.runs import WEATHER, Runs, calls_of, waiting, work


def ended(run: dict[str, Any], at: str, **fields: Any) -> dict[str, Any]:
    """Return a run that ended in the second of its creation. `at` is the key with the time of its end."""
    now = run["created_at"]
    return run_object(run, **{"started_at": now, "expires_at": None, at: now, "usage": USAGE} | fields)


def test_a_run_answers_the_newest_message(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant()

    created = runs.call("create_run", thread_id, body={"assistant_id": assistant_id})
    run = created.body
    done = runs.execute(run)
    (answer, question) = runs.client.page(thread_id)["data"]
    (step,) = runs.steps(run)

    assert created.headers["openai-poll-after-ms"] == "500"
    assert expected.compact(run) == expected.compact(run_object(run))
    now = run["created_at"]
    assert done == ended(run, "completed_at", status="completed")
    assert "openai-poll-after-ms" not in runs.call("retrieve_run", thread_id, run["id"]).headers
    by_run = {"role": "assistant", "assistant_id": assistant_id, "run_id": run["id"], "completed_at": now}
    assert answer == expected.message(thread_id, answer["id"], now, [text("Hello")], **by_run)
    assert question["content"] == [text("Hello")]
    assert expected.compact(step) == expected.compact(step_object(run, step, of_message(answer)))
    assert runs.create("retrieve_run_step", thread_id, run["id"], step["id"]) == step
    assert chat.asked == [
        {
            "model": "gpt-4o",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert chat.headers[0]["authorization"] == "Bearer sk-of-the-model-1234"


def test_functions_are_called_and_their_outputs_taken(runs: Runs, chat: Chat, clock: Clock) -> None:
    thread_id, assistant_id = runs.thread(), runs.assistant(tools=[WEATHER])
    two = calls(("call_1", "get_weather", '{"city":"Rome"}'), ("call_2", "get_weather", ""), text="I look it up.")
    chat.replies = [two, says("Sunny and rainy.")]

    run = runs.run(thread_id, assistant_id)
    asking = runs.execute(run)
    asked = [call_object("call_1", '{"city":"Rome"}'), call_object("call_2", "{}")]
    required = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
    now = run["created_at"]
    assert asking == run_object(
        run, status="requires_action", started_at=now, required_action=required, tools=[WEATHER]
    )
    (text_first, _) = runs.client.page(thread_id)["data"]
    calls_step, message_step = runs.steps(run)
    outputs = [call_object("call_1", '{"city":"Rome"}', output=None), call_object("call_2", "{}", output=None)]
    assert calls_step == step_object(
        run, calls_step, of_calls(*outputs), status="in_progress", completed_at=None, usage=None
    )
    assert message_step == step_object(run, message_step, of_message(text_first), usage=NO_USAGE)

    submitted = runs.submit(run, {"call_2": "", "call_1": "sunny"})
    assert submitted.body == run_object(run, started_at=now, tools=[WEATHER])
    done = runs.execute(run)

    both = {"prompt_tokens": 14, "completion_tokens": 6, "total_tokens": 20}
    assert done == ended(run, "completed_at", status="completed", usage=both, tools=[WEATHER])
    answer_step, calls_step, _ = runs.steps(run)
    outputs = [call_object("call_1", '{"city":"Rome"}', output="sunny"), call_object("call_2", "{}", output="")]
    assert calls_step == step_object(run, calls_step, of_calls(*outputs))
    (answer, *_) = runs.client.page(thread_id)["data"]
    assert answer["content"] == [text("Sunny and rainy.")]
    assert answer_step == step_object(run, answer_step, of_message(answer))
    assert chat.asked[1]["messages"][1:] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "I look it up."},
        {"role": "assistant", "content": None, "tool_calls": asked},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": ""},
    ]


@pytest.mark.parametrize(
    ("reply", "run_fields", "content", "message_fields"),
    [
        (
            says("Half", finish="length"),
            {"status": "incomplete", "incomplete_details": {"reason": "max_completion_tokens"}},
            [text("Half")],
            {"status": "incomplete", "incomplete_details": {"reason": "max_tokens"}},
        ),
        (
            says("Half", finish="content_filter"),
            {"status": "incomplete", "incomplete_details": {}},
            [text("Half")],
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
        ),
        (refuses("No."), {"status": "completed"}, [{"type": "refusal", "refusal": "No."}], {"status": "completed"}),
        (says(""), {"status": "completed"}, [text("")], {"status": "completed"}),
    ],
    ids=["cut", "filtered", "refused", "empty"],
)
def test_how_an_answer_ends_is_told_by_run_and_message(
    *,
    runs: Runs,
    chat: Chat,
    clock: Clock,
    reply: chat_stub.Reply,
    run_fields: dict[str, Any],
    content: list[Any],
    message_fields: dict[str, Any],
) -> None:
    chat.replies = [reply]
    run = runs.run(runs.thread(), runs.assistant())

    done = runs.execute(run)
    (answer, _) = runs.client.page(run["thread_id"])["data"]

    now = run["created_at"]
    assert done == ended(run, "completed_at", **run_fields)
    at = "incomplete_at" if message_fields["status"] == "incomplete" else "completed_at"
    by_run = {"role": "assistant", "assistant_id": run["assistant_id"], "run_id": run["id"], at: now}
    assert answer == expected.message(run["thread_id"], answer["id"], now, content, **by_run, **message_fields)


def test_a_fault_of_the_endpoint_ends_the_run_as_failed_and_frees_the_thread(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    chat.replies = [fails(404, "no such model 'gpt-4o'"), says("Now")]
    run = runs.run(runs.thread(), runs.assistant())

    done = runs.execute(run)

    error = {
        "code": "server_error",
        "message": "The model's endpoint responded with status 404: no such model 'gpt-4o'. "
        "Correct ModelMap (locally MODEL_MAP), or the model of the assistant or run.",
    }
    assert done == ended(run, "failed_at", status="failed", usage=NO_USAGE, last_error=error)
    assert runs.steps(run) == []
    assert [message["role"] for message in runs.client.page(run["thread_id"])["data"]] == ["user"]
    again = runs.run(run["thread_id"], run["assistant_id"])
    assert runs.execute(again)["status"] == "completed"


def test_a_run_whose_newest_message_is_too_long_is_incomplete_without_a_call(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    auto = {"type": "auto"}
    run = runs.run(runs.thread("long " * 300), runs.assistant(), max_prompt_tokens=256, truncation_strategy=auto)
    assert run["truncation_strategy"] == {"type": "auto", "last_messages": None}

    done = runs.execute(run)

    assert (done["status"], done["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})
    assert (done["usage"], chat.asked) == (NO_USAGE, [])


def test_last_messages_reads_no_longer_page_than_it_sends(runs: Runs, chat: Chat) -> None:
    thread_id = runs.client.thread(messages=[{"role": "user", "content": text} for text in "abcdef"])
    strategy = {"type": "last_messages", "last_messages": 2}
    run = runs.run(thread_id, runs.assistant(), truncation_strategy=strategy)
    assert run["truncation_strategy"] == strategy

    with fault_injection.inject() as attempts:
        assert runs.execute(run)["status"] == "completed"

    limits = [request["Limit"] for operation, request in attempts.log if operation == "Query"]
    assert limits == [3]  # one more than the page, which shows whether the list goes on
    assert [message["content"] for message in chat.asked[0]["messages"]] == ["Be brief.", "e", "f"]


def test_a_run_with_no_completion_tokens_left_is_incomplete_without_a_call(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 16, "total_tokens": 23}
    chat.replies = [calls(("call_1", "get_weather", "{}"), usage=usage)]
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER]), max_completion_tokens=16)
    runs.execute(run)
    runs.submit(run, {"call_1": "x"})

    done = runs.execute(run)

    assert (done["status"], done["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    assert (done["usage"], len(chat.asked)) == (usage, 1)


def test_a_cancelled_run_adds_nothing_whenever_its_model_answers(runs: Runs, chat: Chat, clock: Clock) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    def cancel() -> None:
        answer = runs.call("cancel_run", run["thread_id"], run["id"])
        assert answer.body == run_object(run, status="cancelling", started_at=run["created_at"])

    chat.replies = [chat_stub.Reply(chunks=says("late").chunks, before=cancel)]
    done = runs.execute(run)

    assert done == ended(run, "cancelled_at", status="cancelled", usage=NO_USAGE)
    assert runs.steps(run) == []
    assert len(runs.client.page(run["thread_id"])["data"]) == 1
    runs.client.message(run["thread_id"], "free")


def test_a_cancelled_run_shows_the_step_that_waited_as_cancelled(runs: Runs, chat: Chat, clock: Clock) -> None:
    run = waiting(runs, chat)

    cancelling = runs.create("cancel_run", run["thread_id"], run["id"])
    (step,) = runs.steps(run)

    assert (cancelling["status"], len(calls_of(cancelling))) == ("cancelling", 1)
    now = run["created_at"]
    outputs = of_calls(call_object("call_1", "{}", output=None))
    assert step == step_object(run, step, outputs, status="cancelled", completed_at=None, cancelled_at=now)
    assert runs.read(run)["required_action"] is None


@pytest.mark.parametrize("status", ["queued", "in_progress", "requires_action"])
def test_past_its_time_a_run_is_expired_and_its_thread_free(runs: Runs, chat: Chat, clock: Clock, status: str) -> None:
    chat.replies = [calls(("call_1", "get_weather", "{}")), says("Now")]
    run = runs.run(runs.thread(), runs.assistant(tools=[WEATHER]))
    if status == "requires_action":
        runs.execute(run)
    elif status == "in_progress":
        from shared.runs.store import lifecycle

        assert lifecycle.claim(f"{runs.client.project}#{run['thread_id']}", run["id"], "a worker that is killed")
    assert runs.read(run)["status"] == status

    clock.forward(600)
    shown = runs.read(run)

    assert (shown["status"], shown["expires_at"], shown["required_action"]) == ("expired", None, None)
    assert shown["usage"] == (USAGE if status == "requires_action" else NO_USAGE)
    assert [step["status"] for step in runs.steps(run)] == ["expired"] * (status == "requires_action")
    assert runs.execute(run)["status"] == "expired"
    assert runs.submit(run, {"call_1": "late"}).body == expected.error(
        'Runs in status "expired" do not accept tool outputs.'
    )
    assert runs.call("cancel_run", run["thread_id"], run["id"]).body == expected.error(
        "Cannot cancel run with status 'expired'."
    )
    runs.client.message(run["thread_id"], "free")
    chat.replies = [says("Now")]
    assert runs.execute(runs.run(run["thread_id"], run["assistant_id"]))["status"] == "completed"


def test_a_model_that_answers_after_the_runs_time_changes_nothing(runs: Runs, chat: Chat, clock: Clock) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    chat.replies = [chat_stub.Reply(chunks=says("late").chunks, before=lambda: clock.forward(600))]

    done = runs.execute(run)

    assert (done["status"], runs.steps(run)) == ("expired", [])
    assert len(runs.client.page(run["thread_id"])["data"]) == 1


def test_a_message_that_is_delivered_again_makes_no_second_answer(runs: Runs, chat: Chat, clock: Clock) -> None:
    run = runs.run(runs.thread(), runs.assistant())

    runs.execute(run, deliveries=3)

    assert len(chat.asked) == 1
    assert len(runs.client.page(run["thread_id"])["data"]) == 2


def test_a_run_of_a_deleted_thread_ends_quietly(runs: Runs, chat: Chat, clock: Clock) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    runs.client.create("delete_thread", run["thread_id"])

    assert work(runs.client.project, run) == {"batchItemFailures": []}
    assert chat.asked == []
    assert runs.call("retrieve_run", run["thread_id"], run["id"]).body == expected.error(
        f"No thread found with id '{run['thread_id']}'."
    )


def test_a_trusted_writer_may_write_while_the_model_works_and_the_answer_comes_after_it(
    runs: Runs, chat: Chat, clock: Clock
) -> None:
    run = runs.run(runs.thread(), runs.assistant())
    writer = Client(runs.client.project, trusted=True)
    chat.replies = [
        chat_stub.Reply(chunks=says("Hello").chunks, before=lambda: writer.message(run["thread_id"], "meanwhile"))
    ]

    assert runs.execute(run)["status"] == "completed"
    contents = [message["content"] for message in runs.client.page(run["thread_id"])["data"]]
    assert contents == [[text("Hello")], [text("meanwhile")], [text("Hello")]]
