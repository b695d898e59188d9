"""The client of Azure's Foundry Agents (classic), `azure-ai-agents`, against the local API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import run_python_with
from tests.support.local_api import LocalApi, serving

# The client's own authentication refuses plain HTTP. HeadersPolicy also sends the key over plain HTTP.
CLIENT = """\
import os
from azure.ai.agents import AgentsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import HeadersPolicy

policy = HeadersPolicy({"api-key": os.environ["KEY"]})
client = AgentsClient(os.environ["URL"], AzureKeyCredential("unused"), authentication_policy=policy)
"""
_CALLS = """
from azure.core.exceptions import ResourceNotFoundError

threads, messages = client.threads, client.messages
thread = threads.create(metadata={"user_id": "u-1"})
question = messages.create(thread.id, role="user", content="Hello")
for text in ("One", "Two"):
    messages.create(thread.id, role="assistant", content=text)
print(threads.get(thread.id).metadata, threads.update(thread.id, metadata={"user_id": "u-2"}).metadata)
print(messages.get(thread.id, question.id).role.value)
print(messages.update(thread.id, question.id, metadata={"a": "b"}).metadata)
print([message.content[0].text.value for message in messages.list(thread.id, order="asc", limit=2)])
print([message.content[0].text.value for message in messages.list(thread.id, limit=2)])
print([found.id for found in threads.list()] == [thread.id])
threads.delete(thread.id)
try:
    threads.get(thread.id)
except ResourceNotFoundError as error:
    print(error.status_code)
"""


_RUN = """
from azure.ai.agents.models import ListSortOrder

agent = client.create_agent(model="gpt-4o", name="Helper", instructions="Be brief.")
thread = client.threads.create()
client.messages.create(thread.id, role="user", content="Hello")
run = client.runs.create_and_process(thread_id=thread.id, agent_id=agent.id, polling_interval=0.1)
print(run.status.value, run.last_error)
print([message.content[0].text.value for message in client.messages.list(thread.id, order=ListSortOrder.ASCENDING)])
print([step.type.value for step in client.run_steps.list(thread.id, run.id)])
print([found.id for found in client.list_agents()] == [agent.id], client.update_agent(agent.id, name="Other").name)
with client.runs.stream(thread_id=thread.id, agent_id=agent.id) as stream:
    print([event for event, *_ in stream][-1])
client.delete_agent(agent.id)
"""


@pytest.fixture(scope="module")
def api() -> Iterator[LocalApi]:
    with serving(API_KEYS="one=sk-one,two=sk-two", MODEL_URL="demo") as served:
        yield served


@pytest.mark.parametrize(("path", "key"), [("", "sk-one"), ("/v1", "sk-two")])
def test_the_client_of_foundry_agents_works(api: LocalApi, path: str, key: str, tmp_path: Path) -> None:
    packages = [f"azure-ai-agents=={versions.AZURE_AGENTS}"]
    url = api.base_url.removesuffix("/v1") + path
    run = run_python_with(packages, tmp_path, "-c", CLIENT + _CALLS + _RUN, URL=url, KEY=key)

    assert run.stdout.splitlines() == [
        "{'user_id': 'u-1'} {'user_id': 'u-2'}",
        "user",
        "{'a': 'b'}",
        "['Hello', 'One', 'Two']",
        "['Two', 'One', 'Hello']",
        "True",
        "404",
        "completed None",
        "['Hello', 'This is a demo without a model. You said: Hello']",
        "['message_creation']",
        "True Other",
        "done",
    ]
    assert run.returncode == 0
