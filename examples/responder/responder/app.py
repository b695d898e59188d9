"""The Lambda function: starts a run for each event of its queue."""

import json
import os
from functools import cache
from typing import Any

import boto3
import openai
from start_run import start_run


def handler(event: dict[str, Any], _context: object) -> None:
    """Start the runs. The queue delivers a failed event again, and at last moves it to its dead-letter queue."""
    for record in event["Records"]:
        start_run(json.loads(record["body"]), _client(), os.environ["ASSISTANT_ID"])


@cache
def _client() -> openai.OpenAI:
    """Return a client of the Message API. Its key is in the secret."""
    secret: Any = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["KEY_SECRET"])
    return openai.OpenAI(base_url=os.environ["MESSAGE_API_URL"], api_key=secret["SecretString"].strip())
