"""The table's client uses its region's endpoint, and does not compute it again for each call."""

import botocore
import pytest
from botocore.regions import EndpointRulesetResolver

from tests.support.client import Client


def test_no_call_works_out_the_endpoint(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attribute that `table.client` removes is not public. A new botocore may give it another name."""

    def work_out(*_: object, **__: object) -> None:
        raise AssertionError(f"botocore {botocore.__version__} works out the endpoint for each call")

    monkeypatch.setattr(EndpointRulesetResolver, "construct_endpoint", work_out)

    assert client.create("retrieve_thread", client.thread())["object"] == "thread"


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("us-east-1", "https://dynamodb.us-east-1.amazonaws.com"),
        ("eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com"),
        ("us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_endpoint_is_that_of_the_region(
    client: Client, monkeypatch: pytest.MonkeyPatch, region: str, url: str
) -> None:
    from shared.store import table

    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)

    assert table.client.__wrapped__().meta.endpoint_url == url
