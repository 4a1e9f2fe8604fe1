"""A client of the webhook endpoint."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

EVENT = json.dumps({"event": "order.change_order_status", "context": {"id": 1}})


def post(port: int, path: str, body: str = EVENT, method: str = "POST") -> int:
    """Post a webhook like KeyCRM.

    :return: the status
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def path_of(link: str) -> str:
    """Return the path of a webhook link."""
    return urlsplit(link).path
