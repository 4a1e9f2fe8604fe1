"""Common code of the control interface: token, bodies and records."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from inspect import isawaitable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import factories
from .account import Account
from .api import answer, endpoints
from .clock import iso
from .errors import Refused
from .models import Json, assign
from .schemas import Readers, boolean, load, pick

#: Takes the values of body and query and, by name, the parameters of the path.
Handler = Callable[..., Any]


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

    def table(self) -> dict[str, Handler]:
        """Return the endpoints by method and path, such as ``GET /orders``."""
        return {}

    def routes(self) -> list[Route]:
        """List the endpoints.

        :return: routes below ``/control``, each protected by the token
        """
        return endpoints({name: self._guarded(handler) for name, handler in self.table().items()})

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = request.headers.get("x-control-token", "")
            if not hmac.compare_digest(given.encode(), self.token.encode()):
                raise Refused(401, "X-Control-Token is missing or wrong.")
            values: dict[str, Any] = dict(request.query_params)
            if request.method not in ("GET", "HEAD"):
                values.update(load(await request.body()))
            result = handler(values, **request.path_params)
            if isawaitable(result):
                result = await result
            return answer(plain({} if result is None else result))

        return endpoint

    def row(self, table: str, row_id: int) -> Any:
        return self.shop.find(table, row_id, f"There is no {table[:-1]} {row_id}.")

    def patching(self, table: str, readers: Readers) -> Handler:
        """Return the handler that changes a row of a table."""

        def patch(values: Json, row_id: int) -> Any:
            row = self.row(table, row_id)
            given = factories.read(values, {k: v for k, v in readers.items() if k != "id"})
            assign(row, {"updated_at": self.shop.now(), **given})
            self.shop.touch(table)
            return row

        return patch
