"""docs/operate.md, cost.md and threats.md: each command is run on a local table, or compared with the template."""

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
import yaml

from tests.e2e import readme, versions
from tests.e2e.isolated import run_python
from tests.support.local_api import ROOT, LocalApi, serving
from tools.local import template

DOCUMENTS = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("operate.md", "cost.md", "threats.md")
}
OPERATE = DOCUMENTS["operate.md"]
TEMPLATE = template.read()
RESPONDER = template.read(ROOT / "examples" / "responder" / "template.yaml")
_TABLE = "operated"


@pytest.fixture(scope="module")
def kept(dynamodb_local: str) -> Iterator[LocalApi]:
    """Yield a local API whose data is in its own table in DynamoDB Local."""
    with serving(DYNAMODB_URL=dynamodb_local, TABLE_NAME=_TABLE, API_KEYS="alpha=sk-alpha") as served:
        yield served


@pytest.fixture
def client(kept: LocalApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=kept.base_url, headers={"Authorization": "Bearer sk-alpha"}, timeout=30) as opened:
        yield opened


@pytest.fixture
def table(kept: LocalApi, dynamodb_local: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    library: Any = boto3
    return library.resource("dynamodb", endpoint_url=dynamodb_local, region_name="us-east-1", **keys).Table(_TABLE)


def commands(heading: str, mark: str = "needs Java") -> list[str]:
    """Return the commands of the first block below a heading, with this mark."""
    (block, *_) = readme.blocks("sh", mark, OPERATE.split(f"\n{heading}\n", 1)[1])
    return block.commands


def run(command: str, url: str, **own: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the local table instead of the stack that it names."""
    return readme.shell(command.replace("--stack message-api", f"--endpoint-url {url}"), TABLE_NAME=_TABLE, **own)


def items(table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.scan()["Items"]
    return found


def remove(table: Any, found: list[dict[str, Any]]) -> None:
    for item in found:
        table.delete_item(Key={name: item[name] for name in ("threadId", "messageId")})


def conversation(client: httpx.Client) -> tuple[str, list[Any]]:
    """Create a thread with three messages. Return its id, and the thread with the messages."""
    body = {"metadata": {"user_id": "u-1"}, "messages": [{"role": "user", "content": text} for text in "abc"]}
    thread_id = client.post("/threads", json=body).raise_for_status().json()["id"]
    return thread_id, shown(client, thread_id)


def shown(client: httpx.Client, thread_id: str) -> list[Any]:
    paths = (f"/threads/{thread_id}", f"/threads/{thread_id}/messages", "/threads?metadata[user_id]=u-1")
    return [client.get(path).json() for path in paths]


def test_an_export_restores_what_was_lost(client: httpx.Client, table: Any, dynamodb_local: str) -> None:
    thread_id, before = conversation(client)
    path = ROOT / "backup.jsonl"
    export, import_ = commands("### From an export")
    try:
        assert run(export, dynamodb_local).returncode == 0
        lost = [item for item in items(table) if thread_id.removeprefix("thread_") in str(item.values())]
        remove(table, lost)
        assert client.get(f"/threads/{thread_id}").status_code == 404

        restored = run(import_, dynamodb_local)

        assert (restored.returncode, restored.stderr) == (0, "")
        assert shown(client, thread_id) == before
    finally:
        path.unlink(missing_ok=True)
    remove(table, [item for item in items(table) if str(item["threadId"]).startswith("alpha#")])


def test_the_repair_finds_and_mends_a_transaction_that_was_cut(
    client: httpx.Client, table: Any, dynamodb_local: str
) -> None:
    """One transaction wrote the head and the last message. The restored head is older than that transaction."""
    thread_id, _ = conversation(client)
    (head,) = [item for item in items(table) if item["messageId"] == "head" and thread_id in str(item["threadId"])]
    table.put_item(Item=head | {"lastUlid": head["r1"]})
    check, repair = commands("### Check and repair")

    checked, repaired = run(check, dynamodb_local), run(repair, dynamodb_local)

    assert (checked.returncode, repaired.returncode) == (1, 0)
    assert re.search(rf"^alpha#{thread_id}: .* msg_{head['lastUlid']}$", checked.stdout, re.MULTILINE)
    assert re.search(r" 1 \w+, 1 \w+\n$", repaired.stdout)
    (last,) = [item for item in items(table) if item["messageId"] == "head" and thread_id in str(item["threadId"])]
    assert last["lastUlid"] == head["lastUlid"]


def test_a_key_is_rotated(client: httpx.Client, table: Any, dynamodb_local: str) -> None:
    create, listing, revoke = commands("## Keys")

    secret = run(create, dynamodb_local).stdout.strip()
    listed = [line.split("\t") for line in run(listing, dynamodb_local).stdout.splitlines()]

    (key,) = [key for key in listed if key[2] == "2026-12"]
    assert client.get("/threads", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert run(revoke, dynamodb_local, ID=key[0]).returncode == 0
    (revoked,) = [item for item in items(table) if item["threadId"].startswith(f"key#{key[0]}")]
    assert "revoked" in revoked


def test_a_users_data_is_deleted(api: LocalApi, tmp_path: Any) -> None:
    headers = {"Authorization": f"Bearer {api.api_key}"}
    with httpx.Client(base_url=api.base_url, headers=headers, timeout=30) as opened:
        for user in ("u-17", "u-18", "u-17"):
            opened.post("/threads", json={"metadata": {"user_id": user}}).raise_for_status()
        (block,) = readme.blocks("python", None, OPERATE)
        (printed, *_) = readme.blocks("text", None, OPERATE.split("## Delete a user's data")[1])
        script = tmp_path / "delete.py"
        script.write_text(block.text, encoding="utf-8")

        ran = run_python(
            versions.NEWEST_PYTHON, "-W", "ignore", script, OPENAI_BASE_URL=api.base_url, OPENAI_API_KEY=api.api_key
        )

        assert (ran.returncode, ran.stdout) == (0, printed.text)
        left = opened.get("/threads").json()["data"]
        assert [thread["metadata"]["user_id"] for thread in left] == ["u-18"]


def test_every_alarm_has_its_row_and_every_row_its_alarm() -> None:
    alarms = {
        name
        for document in (TEMPLATE, RESPONDER)
        for name, found in document["Resources"].items()
        if found["Type"] == "AWS::CloudWatch::Alarm"
    }

    assert {name for row in readme.rows("## Alarms", OPERATE) for name in row[0].split(", ")} == alarms


def test_the_policy_of_a_key_is_one_that_names_who_uses_it() -> None:
    (block,) = readme.blocks("json", None, OPERATE)
    statements = json.loads(block.text)

    services = [service for found in statements for service in _listed(found["Principal"]["Service"])]
    assert services == ["logs.REGION.amazonaws.com", "events.amazonaws.com", "cloudwatch.amazonaws.com"]
    assert all(found["Effect"] == "Allow" and found["Condition"] for found in statements)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_names_is_there(name: str) -> None:
    text = DOCUMENTS[name]
    assert {block.mark for block in readme.blocks("sh", None, text)} <= {"needs Java", "not run, needs AWS"}
    for name_ in set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)(?:[=:][^`]*)?`", text)) - {"AccessDenied"}:
        known = TEMPLATE["Parameters"] | TEMPLATE["Outputs"] | TEMPLATE["Resources"] | RESPONDER["Parameters"]
        assert name_ in known, name_


def test_every_parameter_has_its_row_and_every_row_its_parameters() -> None:
    rows = readme.rows("### Parameters", OPERATE)

    assert {name for row in rows for name in re.findall(r"`(\w+)`", row[0])} == {*TEMPLATE["Parameters"]}


@pytest.mark.parametrize("name", ["README.md", "docs/operate.md", "docs/events.md"])
def test_commands_that_need_aws_have_parameters_that_are_there(name: str) -> None:
    stack = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]["deploy"]["parameters"]
    for block in readme.blocks("sh", "not run, needs AWS", readme.DOCUMENTS[name]):
        for words in map(shlex.split, block.commands):
            for parameter in re.findall(r"(\w+)=", words[-1]) if words[:2] == ["sam", "deploy"] else ():
                assert parameter in TEMPLATE["Parameters"]
            for named in re.findall(r"--stack(?:-name)? (\S+)", " ".join(words)):
                assert named == stack["stack_name"]


def test_the_layer_holds_the_packages_that_are_named() -> None:
    (listing,) = re.findall(r"The layer holds (.*?)\.\n", DOCUMENTS["threats.md"], re.DOTALL)
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    packages = {package["name"]: package for package in lock}
    needed: set[str] = set()
    waiting = [entry["name"] for entry in packages["message-api"]["dependencies"]]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [entry["name"] for entry in packages[name].get("dependencies", [])]

    assert set(re.findall(r"[a-z][a-z0-9-]+", listing.replace(" and ", " "))) == needed


def test_what_the_security_linter_does_not_ask_for_has_its_reason() -> None:
    text = (ROOT / ".checkov.yaml").read_text(encoding="utf-8")
    skipped = yaml.safe_load(text)["skip-check"]

    assert skipped
    for check in skipped:
        assert re.search(rf"^  # .*\n  - {check}$", text, re.MULTILINE), check
    assert "--config-file .checkov.yaml" in (ROOT / "Makefile").read_text(encoding="utf-8")
