"""The client of Azure's Foundry Agents (classic), `azure-ai-agents`, against the local API."""

from pathlib import Path

import pytest

from tests.e2e import versions
from tests.e2e.isolated import run_python_with
from tests.support.local_api import serving

# Its own authentication refuses plain HTTP; HeadersPolicy sends the key over it.
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


@pytest.mark.parametrize("path", ["", "/v1"])
def test_threads_and_messages_work_with_the_client_of_foundry_agents(path: str, tmp_path: Path) -> None:
    with serving(API_KEYS="demo=sk-demo") as api:
        url = api.base_url.removesuffix("/v1") + path
        packages = [f"azure-ai-agents=={versions.AZURE_AGENTS}"]
        run = run_python_with(packages, tmp_path, "-c", CLIENT + _CALLS, URL=url, KEY="sk-demo")

    assert run.stdout.splitlines() == [
        "{'user_id': 'u-1'} {'user_id': 'u-2'}",
        "user",
        "{'a': 'b'}",
        "['Hello', 'One', 'Two']",
        "['Two', 'One', 'Hello']",
        "True",
        "404",
    ]
    assert run.returncode == 0


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


def test_agents_and_runs_work_with_the_client_of_foundry_agents(tmp_path: Path) -> None:
    with serving(API_KEYS="demo=sk-demo", MODEL_URL="demo") as api:
        packages = [f"azure-ai-agents=={versions.AZURE_AGENTS}"]
        run = run_python_with(packages, tmp_path, "-c", CLIENT + _RUN, URL=api.base_url, KEY="sk-demo")

    assert run.stdout.splitlines() == [
        "completed None",
        "['Hello', 'This is a demo without a model. You said: Hello']",
        "['message_creation']",
        "True Other",
        "done",
    ]
