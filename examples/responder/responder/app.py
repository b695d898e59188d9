"""The Lambda function: reads events from the queue and sends commands to the Message API's inbound queue."""

import json
import os
from functools import cache
from typing import Any

import boto3
import openai
from answer import Settings, answer

_SETTINGS = Settings(
    model=os.environ["MODEL"],
    instructions=os.environ["INSTRUCTIONS"],
    last_messages=int(os.environ["LAST_MESSAGES"]),
    assistant_id=os.environ["ASSISTANT_ID"],
)
_sqs: Any = boto3.client("sqs")


def handler(event: dict[str, Any], _context: object) -> None:
    """Reply to each message. The queue delivers a failed event again, and at last moves it to its dead-letter queue."""
    api, chat = _clients()
    for record in event["Records"]:
        command = answer(json.loads(record["body"]), api, chat, _SETTINGS)
        if command:
            # The FIFO queue drops a second command with the same id within five minutes. After that the first command
            # has become a message, and `answer` finds it.
            _sqs.send_message(
                QueueUrl=os.environ["COMMANDS_URL"],
                MessageBody=json.dumps(command, ensure_ascii=False),
                MessageGroupId=command["thread_id"],
                MessageDeduplicationId=command["command_id"],
            )


@cache
def _clients() -> tuple[openai.OpenAI, openai.OpenAI]:
    """Return the clients of the Message API and of the chat endpoint. Their keys are in the secret."""
    secret: Any = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["KEYS_SECRET"])
    keys = json.loads(secret["SecretString"])
    api = openai.OpenAI(base_url=os.environ["MESSAGE_API_URL"], api_key=keys["message_api_key"])
    return api, openai.OpenAI(base_url=os.environ["CHAT_URL"], api_key=keys["chat_api_key"], timeout=60, max_retries=1)
