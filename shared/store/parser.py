"""DynamoDB's answers, taken as the JSON they are.

botocore copies each attribute of each item through its model of the service, which takes longer than all else that a
page of messages needs. What the model would change is only that a binary value (B) is base64 text here.
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
    """What botocore's session takes as its `response_parser_factory`."""

    def create_parser(self, _protocol: str) -> JSONParser:
        """Return the parser of all answers of DynamoDB's; its protocol is `json`."""
        return _AsItIs()
