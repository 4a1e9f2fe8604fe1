"""The whole sandbox put together: API, control side and page over one shop."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from .api import Api, answer
from .control_api import ControlApi
from .errors import Invalid, Refused
from .faults import Faults
from .gate import Gate, remember_connection
from .journal import Journal
from .limiter import Limiter
from .page import Page
from .seed import Seed
from .shop import Shop
from .switches import Switches
from .webhooks import Webhooks


class Sandbox:
    """A KeyCRM account with everything around it.

    :param key: the API key
    :param control_token: the token of the control side
    :param switches: switches other than the defaults
    :param loopback: whether only this machine can reach it; then the page needs no token
    """

    def __init__(
        self,
        key: str,
        control_token: str,
        switches: Mapping[str, object] | None = None,
        loopback: bool = True,
    ) -> None:
        self.key = key
        self.own_process = False
        self.shop = Shop(Switches(switches))
        self.webhooks = Webhooks(self.shop)
        self.shop.listener = self.webhooks
        self.journal = Journal()
        self.faults = Faults()
        self.limiter = Limiter()
        self.api = Api(self.shop)
        self.gate = Gate(
            _answering(Starlette(routes=self.api.routes()), self),
            {key},
            self.shop.switches,
            self.limiter,
            self.journal,
            self.faults,
        )
        self.control = ControlApi(self, control_token)
        self.page = Page(self, control_token, loopback)
        control = _answering(Starlette(routes=self.control.routes()), self)
        self._inner = _answering(
            Starlette(
                routes=[
                    Mount("/v1", app=self.gate),
                    Mount("/control", app=control),
                    *self.page.routes(),
                ],
                lifespan=self._lifespan,
            ),
            self,
        )

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: the outermost layer.

        :param scope: the request
        :param receive: where its body comes from
        :param send: where the answer goes
        """
        if scope["type"] == "http":
            remember_connection(scope, send)
        await self._inner(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self.api.forget_late_writes()
        await self.webhooks.close()

    def fill(self, maker: Seed, **sizes: Any) -> None:
        """Seed the shop.

        :param maker: what seeds it
        :param sizes: as for :meth:`Seed.fill`
        """
        maker.fill(**sizes)
        if self.own_process:
            # or the collector stops every answer for a while, now and then, to look at all records
            gc.freeze()

    def clear(self, keep_switches: bool = False) -> None:
        """Go back to the start: no data, no rules, no targets, no logs.

        :param keep_switches: whether the switches stay as they are
        """
        self.api.forget_late_writes()
        self.webhooks.clear()
        self.faults.clear()
        self.journal.clear()
        self.limiter.clear()
        self.gate.keys = {self.key}
        self.shop.clock.offset = self.shop.clock.offset * 0
        self.shop.clear()
        if not keep_switches:
            self.shop.switches.reset()


def _answering(app: Starlette, sandbox: Sandbox) -> Starlette:
    """Let refusals and the framework's own errors be answered as JSON with a message."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        if isinstance(error, Invalid):
            return answer(error.body(sandbox.shop.switches.value("errors_shape")), error.status)
        return answer(error.body(), error.status)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = error.detail
        if error.status_code == 405:
            message = f"The {request.method} method is not supported for this route."
        response = answer({"message": message}, error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def crash(request: Request, error: Exception) -> Response:
        return answer({"message": f"The sandbox itself failed: {error!r}"}, 500)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, crash)
    app.router.redirect_slashes = False
    return app
