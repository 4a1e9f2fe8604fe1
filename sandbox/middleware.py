"""The API's middleware: key, rate limit, log and faults of every request."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faults import Fault, Faults
from .limiter import Limiter, Verdict
from .request_log import Entry, RequestLog
from .switches import Switches

IN_LISTS = ("empty_list", "repeat_rows", "skip_rows", "endless_next")
HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"
Headers = list[tuple[bytes, bytes]]


class Answer:
    """A buffered answer that a fault can alter."""

    def __init__(self, status: int = 200, body: bytes = b"", headers: Headers | None = None):
        self.status = status
        self.body = body
        self.headers: Headers = headers or []

    async def take(self, message: Message) -> None:
        """Take one ASGI message of the answer.

        :param message: the message
        """
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def rows(self) -> set[int]:
        """Return the ids of the rows of a list, or that of the only record."""
        value = json.loads(self.body)
        rows = value.get("data", [value]) if isinstance(value, dict) else []
        return {row["id"] for row in rows if isinstance(row, dict) and "id" in row}

    async def send(self, send: Send, part: float = 1.0) -> None:
        """Send the answer.

        :param send: where to
        :param part: sent share of the body; the length header is that of the whole body
        """
        headers = [h for h in self.headers if h[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        cut = self.body[: int(len(self.body) * part)]
        await send({"type": "http.response.body", "body": cut, "more_body": part < 1})


def _json(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    own = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    body = json.dumps({"message": message}).encode()
    return Answer(status, body, [(b"content-type", b"application/json"), *own])


class Middleware:
    """Wrap the API.

    :param app: the API itself
    :param keys: the valid API keys
    :param switches: the switches in force
    :param limiter: counts requests
    :param request_log: records requests
    :param faults: the active faults
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: set[str],
        switches: Switches,
        limiter: Limiter,
        request_log: RequestLog,
        faults: Faults,
    ) -> None:
        self.app = app
        self.keys = keys
        self.switches = switches
        self.limiter = limiter
        self.request_log = request_log
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        method, path = request.method, request.url.path
        entry = self.request_log.open(method, path, dict(request.query_params))
        body = await request.body()
        if body:
            try:
                entry.body = json.loads(body)
            except ValueError:
                entry.body = body[:2000].decode("utf-8", "replace")

        extra: Headers = []

        async def send_recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        async def receive_again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            refusal = self._refusal(request, entry, extra)
            if refusal:
                await refusal.send(send_recorded)
                return
            page = request.query_params.get("page", "1")
            below = path.removeprefix("/v1")
            content = f"{unquote_plus(request.url.query)}\n{body.decode(errors='replace')}"
            rows: set[int] = set()
            if method == "GET" and self.faults.need_rows:
                usual = Answer()
                await self.app(scope, receive_again, usual.take)
                rows = usual.rows()
            number = int(page) if page.isdigit() else 1
            fault = self.faults.take(method, below, number, content, rows)
            if fault is None:
                await self.app(scope, receive_again, send_recorded)
            else:
                entry.fault = fault.kind
                await self._apply_fault(fault, scope, receive_again, send_recorded)
                if fault.kind in ("cut", "close"):
                    await receive()  # returns once the connection is closed
        finally:
            entry.seconds = round(time.monotonic() - entry.monotonic, 6)

    def _refusal(self, request: Request, entry: Entry, extra: Headers) -> Answer | None:
        given = request.headers.get("authorization", "")
        scheme, _, key = given.partition(" ")
        valid = scheme.lower() == "bearer" and self._is_valid(key.strip())
        if not valid:
            return _json(401, "Unauthenticated.")
        key = key.strip()
        entry.key = key[-4:]
        limit = int(self.switches.number("rate_limit"))
        verdict = self.limiter.check(key, limit, self.switches.is_("rate_window", "fixed"))
        entry.used = verdict.used
        extra.extend(self._limit_headers(verdict))
        return None if verdict.allowed else _json(429, "Too Many Attempts.")

    def _is_valid(self, key: str) -> bool:
        return any(hmac.compare_digest(key.encode(), valid.encode()) for valid in self.keys)

    def _limit_headers(self, verdict: Verdict) -> Headers:
        headers: Headers = []
        if verdict.limit and self.switches.is_("rate_headers", "yes"):
            remaining = max(0, verdict.limit - verdict.used)
            headers.append((b"x-ratelimit-limit", str(verdict.limit).encode()))
            headers.append((b"x-ratelimit-remaining", str(remaining).encode()))
        if not verdict.allowed and self.switches.is_("retry_after", "yes"):
            headers.append((b"retry-after", str(verdict.retry_after).encode()))
        return headers

    async def _apply_fault(
        self, fault: Fault, scope: Scope, receive: Receive, send_recorded: Send
    ) -> None:
        kind = fault.kind
        if kind in IN_LISTS:
            await self.app({**scope, "sandbox.fault": fault}, receive, send_recorded)
            return
        if kind == "delay" and not fault.executed:
            await asyncio.sleep(fault.seconds)
        answer = Answer()
        is_late = kind == "close" and fault.executed and fault.seconds > 0
        if kind in ("delay", "cut", "malformed", "huge") or (fault.executed and not is_late):
            await self.app(scope, receive, answer.take)
        if kind == "delay":
            if fault.executed:
                await asyncio.sleep(fault.seconds)
            await answer.send(send_recorded)
        elif kind == "status":
            await _json(fault.status, fault.message, fault.headers).send(send_recorded)
        elif kind == "html":
            status = fault.status if fault.status != 500 else 200
            await Answer(status, HTML, [(b"content-type", b"text/html")]).send(send_recorded)
        elif kind == "malformed":
            answer.body = answer.body[: len(answer.body) // 2]
            await answer.send(send_recorded)
        elif kind == "huge":
            answer.body = _enlarged(answer.body, fault.size)
            await answer.send(send_recorded)
        elif kind == "cut":
            await answer.send(send_recorded, 0.5)
            _close_connection(scope)
        else:
            _close_connection(scope)
            if is_late:
                await asyncio.sleep(fault.seconds)
                await self.app(scope, receive, answer.take)


def _enlarged(body: bytes, size: int) -> bytes:
    value: Any = json.loads(body)
    padding = "ї" * (size // 2)
    target = value
    if isinstance(value, dict) and isinstance(value.get("data"), list) and value["data"]:
        target = value["data"][0]
    if isinstance(target, dict):
        target["padding"] = padding
    return json.dumps(value, ensure_ascii=False).encode()


def store_connection(scope: Scope, send: Send) -> None:
    """Store a request's connection, so that it can be closed during an answer.

    Only the HTTP server's own object has it, and only the outermost layer has that object.

    :param scope: the request
    :param send: the server's send method
    """
    cycle = getattr(send, "__self__", None)
    scope["sandbox.transport"] = getattr(cycle, "transport", None)


def _close_connection(scope: Scope) -> None:
    transport = scope.get("sandbox.transport")
    if transport is None:
        raise RuntimeError("closing a connection needs to be served by uvicorn")
    transport.close()
