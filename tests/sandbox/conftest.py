"""One sandbox for all tests of this folder, over real HTTP, reset before each."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from sandbox.control import Control  # noqa: E402
from sandbox.threaded import ThreadedSandbox  # noqa: E402


class Api:
    """A client of KeyCRM's API."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers.update(
            {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        )

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=30, **kwargs)

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = self.call("GET", path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def filtered(self, path: str, **filters: Any) -> list[int]:
        """Return the ids of filtered rows over all pages, oldest first."""
        params = {f"filter[{name}]": value for name, value in filters.items()}
        found: list[int] = []
        page = 1
        while True:
            answer = self.get(path, limit=50, page=page, **params)
            found += [row["id"] for row in answer["data"]]
            if answer["next_page_url"] is None:
                return sorted(found)
            page += 1

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = self.call("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def put(self, path: str, body: Any, status: int = 202) -> Any:
        answer = self.call("PUT", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def put_stock(self, *rows: dict[str, Any], warehouse_id: int = 1, status: int = 202) -> Any:
        return self.put(
            "/offers/stocks", {"warehouse_id": warehouse_id, "stocks": list(rows)}, status
        )


@pytest.fixture(scope="session")
def running() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(switches={"rate_limit": 0}) as sandbox:
        yield sandbox


@pytest.fixture
def control(running: ThreadedSandbox) -> Control:
    running.control.reset()
    return running.control


@pytest.fixture
def api(running: ThreadedSandbox, control: Control) -> Api:
    return Api(running.api_url, running.key)


class Receiver:
    """A target of webhooks."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.got: list[tuple[str, str, Any]] = []
        self.gate = threading.Event()
        self.gate.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                receiver.got.append((self.command, self.path, json.loads(body) if body else None))
                receiver.gate.wait(30)
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

            do_POST = do_GET = answer

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/secret-1"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.got]

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def offer(control: Control) -> Callable[..., int]:
    """Create an offer with 10 pieces in warehouse 1 and return its id."""

    def make(**values: Any) -> int:
        values.setdefault("stock", {1: 10})
        values.setdefault("price", "100")
        return control.create_offer(**values)["id"]

    return make
