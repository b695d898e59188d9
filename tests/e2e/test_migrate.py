"""docs/migrate.md: its commands and programs run one after the other, on files such as they expect."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.runs.models import CreateAssistant
from tests.e2e import readme, versions
from tests.e2e.isolated import run_python, run_python_with
from tests.e2e.test_azure_agents import CLIENT
from tests.support import expected
from tests.support.imported import message, thread
from tests.support.local_api import ROOT, LocalApi, serving

TEXT = readme.MIGRATE
# tests/e2e/test_readme.py runs the commands that serve.
_MARKS = {"serves, needs Java", "sets the environment", "needs Java", "copies", "not run, needs AWS"}


@pytest.fixture(scope="module")
def api(dynamodb_local: str) -> Iterator[LocalApi]:
    keys = "demo=sk-demo,alpha=sk-alpha,beta=sk-beta,gamma=sk-gamma"
    own = {"TABLE_NAME": "migrate", "API_KEYS": keys, "EXAMPLE": "1", "MODEL_URL": "demo"}
    with serving(DYNAMODB_URL=dynamodb_local, **own) as served:
        yield served


def program(heading: str, number: int = 0) -> str:
    """Return a Python block of the document, by its number below a heading."""
    return readme.blocks("python", text=TEXT.split(f"\n{heading}\n", 1)[1])[number].text


def python(text: str, folder: Path) -> None:
    """Run a program in a folder."""
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def shell(command: str, folder: Path, url: str = "", **own: str) -> str:
    """Run a command of the document; files that it names are in the folder. Return its last line."""
    words = re.sub(r"\b([\w-]+\.jsonl)", rf"{folder}/\1", command)
    done = readme.shell(words, url, **own)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def commands(mark: str) -> list[str]:
    """Return the commands of all blocks with this mark. Each follows the variables that these blocks set."""
    local = [block for block in readme.blocks("sh", mark, TEXT) if block.mark == mark]
    lines = [command for block in local for command in block.commands]
    variables = [line for line in lines if line.startswith("export ")]
    return ["\n".join([*variables, line]) for line in lines if line not in variables]


def read(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_block_has_a_mark_that_a_test_knows() -> None:
    assert {block.mark for block in readme.blocks("sh", text=TEXT)} == _MARKS
    assert {*re.findall(r"^```(\w+)$", TEXT, re.MULTILINE)} == {"sh", "python", "json", "text"}


def test_a_table_of_your_own_comes_in_and_goes_out(api: LocalApi, dynamodb_local: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "chats.db") as database:
        database.executescript("""
            CREATE TABLE chats (id INTEGER PRIMARY KEY, user TEXT, created TEXT);
            CREATE TABLE messages (id INTEGER PRIMARY KEY, chat INTEGER, author TEXT, text TEXT, created TEXT);
            INSERT INTO chats VALUES (1, 'u-17', '2023-11-03 12:00:00'), (2, 'u-18', '2023-11-03 12:00:01');
            INSERT INTO messages VALUES (1, 1, 'user', 'é', '2023-11-03 12:00:05');
            INSERT INTO messages VALUES (2, 1, 'bot', 'b', '2023-11-03 12:00:05');
        """)
    database.close()
    python(program("## From your own tables"), tmp_path)

    rehearsed, done, everything, one = (
        shell(command.replace("thread_def456", "thread_chat1"), tmp_path, dynamodb_local, TABLE_NAME="migrate")
        for command in commands("needs Java")
    )

    assert rehearsed == "would import 2 threads with 2 messages, 0 threads exist already, 0 refused"
    assert done == rehearsed.replace("would import", "imported")
    assert everything == "exported 3 threads with 4 messages"
    assert one == "exported 1 threads with 2 messages"
    at = 1_699_012_800
    chat = thread("thread_chat1", at, metadata={"user_id": "u-17"})
    first, second = (
        message(f"msg_{number}", text, at + 5, thread_id="thread_chat1", role=role)
        for number, text, role in ((1, "é", "user"), (2, "b", "assistant"))
    )
    assert read(tmp_path / "one.jsonl") == [chat, first, second]
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-alpha"}) as client:
        listed = client.get("/threads", params={"metadata[user_id]": "u-17"}).json()
        assert listed == expected.page([chat])
        page = client.get("/threads/thread_chat1/messages", params={"before": "msg_1"}).json()
        assert page == expected.page([second])


def test_threads_of_foundry_agents_become_lines(api: LocalApi, tmp_path: Path) -> None:
    """The local API replaces Azure. The program gets a client of the local API."""
    text = program("## From Foundry Agents (classic)")
    ours = re.sub(r"^client = .*$", lambda _: CLIENT, text, flags=re.MULTILINE)
    ours = ours.replace("from azure.identity import DefaultAzureCredential\n", "")
    packages = [f"azure-ai-agents=={versions.AZURE_AGENTS}"]
    url = api.base_url.removesuffix("/v1")
    with httpx.Client(base_url=api.base_url, headers={"Authorization": "Bearer sk-gamma"}) as client:
        agent = client.post("/assistants", json={"model": "gpt-4o", "instructions": "Be brief."}).json()

    ran = run_python_with(packages, tmp_path, "-c", ours, URL=url, KEY="sk-gamma")

    assert (ran.returncode, ran.stdout) == (0, "")
    assert read(tmp_path / "threads.jsonl") == [agent, *read(ROOT / "tools" / "local" / "example.jsonl")]


def test_another_endpoint_of_this_api_is_copied(api: LocalApi, tmp_path: Path) -> None:
    (command,) = commands("copies")

    assert shell(command.replace("http://127.0.0.1:8000/v1", api.base_url), tmp_path) == (
        "copied 1 threads with 2 messages, 0 refused"
    )
    assert read(tmp_path / "threads.jsonl") == read(ROOT / "tools" / "local" / "example.jsonl")


def test_what_was_saved_is_imported_and_runs(api: LocalApi, dynamodb_local: str, tmp_path: Path) -> None:
    """This follows the document's steps, from the lines that it shows to the output of its program."""
    (shown,) = readme.blocks("json", text=TEXT)
    (tmp_path / "threads.jsonl").write_text(shown.text)
    steps = [command for command in commands("needs Java") if " import " in command or " --thread " in command]

    *said, exported = [
        shell(command.replace("alpha", "beta"), tmp_path, dynamodb_local, TABLE_NAME="migrate") for command in steps
    ]

    assert exported == "exported 1 threads with 1 messages"
    imported = "imported 1 assistants, 1 threads with 1 messages, 0 assistants and 0 threads exist already, 0 refused"
    assert said == [imported.replace("imported", "would import", 1), imported]
    (variables,) = readme.blocks("sh", "sets the environment", TEXT)
    assert [line.split("=")[0] for line in variables.commands] == ["export OPENAI_BASE_URL", "export OPENAI_API_KEY"]
    own = {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": "sk-beta"}
    ran = run_python(versions.NEWEST_PYTHON, "-W", "ignore", "-c", program("## From OpenAI"), **own)
    (printed,) = readme.blocks("text", text=TEXT)
    assert (ran.returncode, ran.stdout) == (0, printed.text)


def test_each_field_of_an_assistant_has_a_rule() -> None:
    rows = readme.rows("Assistants, of both versions of the old API:", TEXT)

    named = {name for row in rows for name in re.findall("`(\\w+)`", row[0])}
    fields = {"id", "object", "created_at", "file_ids", *CreateAssistant.model_fields}
    assert named - {"code_interpreter", "file_search", "retrieval"} == fields
