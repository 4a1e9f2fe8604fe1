"""Common code of the control interface: token, bodies and records."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import factories
from .account import Account
from .api import answer
from .clock import iso
from .errors import NotFound, Refused
from .schemas import boolean, load, pick

Handler = Callable[[Request, dict[str, Any]], Awaitable[Any]]


def plain(value: Any) -> Any:
    """Convert a record to JSON values: exact amounts as strings, times of the API.

    :param value: a record, a list or a plain value
    :return: JSON values
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return str(value)
    return iso(value) if isinstance(value, datetime) else value


def ways(values: dict[str, Any]) -> tuple[dict[str, Any], bool, bool]:
    """Extract the options ``webhook`` and ``bump`` of a body."""
    given = pick(values, {"webhook": boolean, "bump": boolean}, nulls=False)
    fields = {k: v for k, v in values.items() if k not in ("webhook", "bump")}
    return fields, given.get("webhook", True), given.get("bump", True)


class Endpoints:
    """One group of control endpoints.

    :param account: everything it steers
    :param token: what X-Control-Token must hold
    """

    def __init__(self, account: Account, token: str) -> None:
        self.account = account
        self.shop = account.shop
        self.token = token

    def route(self, path: str, **handlers: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            given = request.headers.get("x-control-token", "")
            if not hmac.compare_digest(given.encode(), self.token.encode()):
                raise Refused(401, "X-Control-Token is missing or wrong.")
            method = "GET" if request.method == "HEAD" else request.method
            values: dict[str, Any] = dict(request.query_params)
            if method != "GET":
                values.update(load(await request.body()))
            return answer(plain(await handlers[method](request, values)))

        return Route(path, endpoint, methods=list(handlers))

    def row(self, table: str, row_id: int) -> Any:
        row = getattr(self.shop, table).get(row_id)
        if row is None:
            raise NotFound(f"There is no {table[:-1]} {row_id}.")
        return row

    def patch(
        self, request: Request, table: str, name: str, readers: Any, values: dict[str, Any]
    ) -> Any:
        row = self.row(table, request.path_params[name])
        given = factories.read(values, {k: v for k, v in readers.items() if k != "id"})
        for field, value in given.items():
            setattr(row, field, value)
        if "updated_at" not in given:
            row.updated_at = self.shop.now()
        self.shop.touch(table)
        return row
