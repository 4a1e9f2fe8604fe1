"""The door to the API: key, limit, log and misbehaviour, before and after every request."""

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
    """A whole answer, kept back so that it can be spoiled."""

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

    async def send(self, send: Send, part: float = 1.0) -> None:
        """Send the answer.

        :param send: where to
        :param part: how much of the body is sent; the length always tells of the whole
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
    """Wraps the API.

    :param app: the API itself
    :param keys: the API keys that are good
    :param switches: the switches in force
    :param limiter: counts requests
    :param journal: notes requests
    :param faults: the misbehaviour asked for
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: set[str],
        switches: Switches,
        limiter: Limiter,
        journal: RequestLog,
        faults: Faults,
    ) -> None:
        self.app = app
        self.keys = keys
        self.switches = switches
        self.limiter = limiter
        self.journal = journal
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        method, path = request.method, request.url.path
        entry = self.journal.open(method, path, dict(request.query_params))
        body = await request.body()
        if body:
            try:
                entry.body = json.loads(body)
            except ValueError:
                entry.body = body[:2000].decode("utf-8", "replace")

        extra: Headers = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            refusal = self._refusal(request, entry, extra)
            if refusal:
                await refusal.send(noted)
                return
            page = request.query_params.get("page", "1")
            below = path.removeprefix("/v1")
            content = f"{unquote_plus(request.url.query)}\n{body.decode(errors='replace')}"
            fault = self.faults.take(method, below, int(page) if page.isdigit() else 1, content)
            if fault is None:
                await self.app(scope, again, noted)
            else:
                entry.fault = fault.kind
                await self._misbehave(fault, scope, again, noted)
                if fault.kind in ("cut", "close"):
                    await receive()  # returns once the connection is gone
        finally:
            entry.seconds = round(time.monotonic() - entry.monotonic, 6)

    def _refusal(self, request: Request, entry: Entry, extra: Headers) -> Answer | None:
        given = request.headers.get("authorization", "")
        scheme, _, key = given.partition(" ")
        good = scheme.lower() == "bearer" and self._known(key.strip())
        if not good:
            return _json(401, "Unauthenticated.")
        key = key.strip()
        entry.key = key[-4:]
        limit = int(self.switches.number("rate_limit"))
        verdict = self.limiter.ask(key, limit, self.switches.is_("rate_window", "fixed"))
        entry.used = verdict.used
        extra.extend(self._limit_headers(verdict))
        return None if verdict.allowed else _json(429, "Too Many Attempts.")

    def _known(self, key: str) -> bool:
        return any(hmac.compare_digest(key.encode(), known.encode()) for known in self.keys)

    def _limit_headers(self, verdict: Verdict) -> Headers:
        headers: Headers = []
        if verdict.limit and self.switches.is_("rate_headers", "yes"):
            left = max(0, verdict.limit - verdict.used)
            headers.append((b"x-ratelimit-limit", str(verdict.limit).encode()))
            headers.append((b"x-ratelimit-remaining", str(left).encode()))
        if not verdict.allowed and self.switches.is_("retry_after", "yes"):
            headers.append((b"retry-after", str(verdict.retry_after).encode()))
        return headers

    async def _misbehave(self, fault: Fault, scope: Scope, receive: Receive, noted: Send) -> None:
        kind = fault.kind
        if kind in IN_LISTS:
            await self.app({**scope, "sandbox.fault": fault}, receive, noted)
            return
        if kind == "delay" and not fault.executed:
            await asyncio.sleep(fault.seconds)
        answer = Answer()
        if kind in ("delay", "cut", "malformed", "huge") or fault.executed:
            await self.app(scope, receive, answer.take)
        if kind == "delay":
            if fault.executed:
                await asyncio.sleep(fault.seconds)
            await answer.send(noted)
        elif kind == "status":
            await _json(fault.status, fault.message, fault.headers).send(noted)
        elif kind == "html":
            status = fault.status if fault.status != 500 else 200
            await Answer(status, HTML, [(b"content-type", b"text/html")]).send(noted)
        elif kind == "malformed":
            answer.body = answer.body[: len(answer.body) // 2]
            await answer.send(noted)
        elif kind == "huge":
            answer.body = _grown(answer.body, fault.size)
            await answer.send(noted)
        elif kind == "cut":
            await answer.send(noted, 0.5)
            _hang_up(scope)
        else:
            _hang_up(scope)


def _grown(body: bytes, size: int) -> bytes:
    value: Any = json.loads(body)
    padding = "ї" * (size // 2)
    target = value
    if isinstance(value, dict) and isinstance(value.get("data"), list) and value["data"]:
        target = value["data"][0]
    if isinstance(target, dict):
        target["padding"] = padding
    return json.dumps(value, ensure_ascii=False).encode()


def remember_connection(scope: Scope, send: Send) -> None:
    """Keep hold of a request's connection, so that it can be closed in the middle of an answer.

    Only the HTTP server's own object knows it, and only the outermost layer sees that object.

    :param scope: the request
    :param send: the server's own way to send
    """
    cycle = getattr(send, "__self__", None)
    scope["sandbox.transport"] = getattr(cycle, "transport", None)


def _hang_up(scope: Scope) -> None:
    transport = scope.get("sandbox.transport")
    if transport is None:
        raise RuntimeError("closing a connection needs to be served by uvicorn")
    transport.close()
