"""Parses DynamoDB's responses as plain JSON.

botocore converts each attribute of each item by its model of the service. This takes longer than all other work for a
page of messages. Without the model, only binary values (B) differ: they stay base64 text.
"""

import json
from typing import Any

from botocore.parsers import JSONParser


class _AsItIs(JSONParser):
    def parse(self, response: Any, shape: Any) -> Any:
        if response["status_code"] != 200:
            return super().parse(response, shape)
        parsed = json.loads(response["body"])
        parsed["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": dict(response["headers"])}
        return parsed


class AsItIs:
    """The factory that botocore's session takes as its `response_parser_factory`."""

    def create_parser(self, _protocol: str) -> JSONParser:
        """Return the parser of all responses of DynamoDB, whose protocol is `json`."""
        return _AsItIs()
