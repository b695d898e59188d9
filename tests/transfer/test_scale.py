"""Many threads are imported, exported, and imported elsewhere with the same result, although processes are killed.

SCALE_THREADS is the number of threads, SCALE_MESSAGES the number of messages in each.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support import program
from tests.support.expected import text
from tests.support.imported import CREATED, jsonl, message, thread
from tests.transfer import commands

THREADS = int(os.environ.get("SCALE_THREADS", "12"))
MESSAGES = int(os.environ.get("SCALE_MESSAGES", "20"))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SECONDS = 3_600


def lines(seed: int) -> Iterator[bytes]:
    """Yield the lines of threads with ids of the old API. The messages of several threads are mixed."""
    drawn = random.Random(seed)

    def own_id(prefix: str) -> str:
        return f"{prefix}_{''.join(drawn.choices(_LETTERS, k=24))}"

    for start in range(0, THREADS, 10):
        found = []
        for number in range(start, min(start + 10, THREADS)):
            one = thread(own_id("thread"), CREATED + number // 3, metadata={"user_id": f"user {number % 7}"})
            found.append(one)
            for place in range(MESSAGES):
                words = text(
                    " ".join(drawn.choices(("learn", "é", "模型", "😀", "weights"), k=drawn.randrange(1, 120)))
                )
                fields = {"role": "assistant", "run_id": "run_1"} if place % 2 else {}
                at = CREATED + number + place // 4
                found.append(message(own_id("msg"), "", at, thread_id=one["id"], content=[words], **fields))
        drawn.shuffle(found)
        yield jsonl(*found)


def kill_when(ready: Callable[[], bool], *arguments: str | Path) -> bool:
    """Start a command and kill it with kill -9 when `ready`. Return whether it was killed before its end."""
    process = program.start(*arguments)
    until = time.monotonic() + _SECONDS
    while process.poll() is None and not ready() and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    return process.returncode == -9


def done(*arguments: str | Path) -> str:
    """Run a command in this process. It must succeed. Return its output."""
    found = program.invoke(*arguments)
    assert (found.exit_code, found.stderr) == (0, "")
    return found.stdout


def test_threads_come_back_equal_from_another_store_whoever_is_killed_on_the_way(
    dynamodb_local: str,
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    file, first, second = (tmp_path / f"{name}.jsonl" for name in ("file", "first", "second"))
    with file.open("wb") as opened:
        opened.writelines(lines(7))
    one, two = (commands.table(dynamodb_local, name) for name in ("scale-one", "scale-two"))
    client = commands.dynamodb(dynamodb_local)

    def begun(table: str) -> int:
        """Return the number of threads that an import has begun or completed."""
        values = {":list": {"S": "alpha#threads"}}
        return int(
            client.query(
                TableName=table,
                KeyConditionExpression="threadId = :list",
                ExpressionAttributeValues=values,
                Select="COUNT",
                ConsistentRead=True,
            )["Count"]
        )

    started = time.monotonic()
    into: tuple[str | Path, ...] = ("import", *one, "--patience", "1", file)
    assert kill_when(lambda: begun("scale-one") >= THREADS // 3, *into)
    assert kill_when(lambda: begun("scale-one") >= 2 * THREADS // 3, *into)
    assert done(*into).endswith(" threads exist already, 0 refused\n")
    imported = time.monotonic()

    out: tuple[str | Path, ...] = ("export", *one, first)
    kill_when(lambda: any(part.stat().st_size > 20_000 for part in tmp_path.glob("first.jsonl.*.part")), *out)
    done(*out)
    exported = time.monotonic()

    said = f"imported {THREADS} threads with {THREADS * MESSAGES} messages, 0 threads exist already, 0 refused\n"
    assert done("import", *two, first) == said
    done("export", *two, second)

    assert first.read_bytes() == second.read_bytes()
    assert sorted(first.read_bytes().splitlines()) == sorted(file.read_bytes().splitlines())
    in_order: dict[str, list[int]] = {}
    for line in first.read_bytes().splitlines():
        found = json.loads(line)
        in_order.setdefault(found.get("thread_id", ""), []).append(found["created_at"])
    assert len(in_order) == THREADS + 1
    assert all(times == sorted(times) for times in in_order.values())
    figures = f"import {imported - started:.0f} s, export {exported - imported:.0f} s"
    record_testsuite_property(f"{THREADS} threads of {MESSAGES} messages", figures)
