"""The ASGI application: API, control interface and page over one shop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from .account import Account
from .api import answer
from .control_api import ControlApi
from .errors import Invalid, Refused
from .middleware import Middleware, store_connection
from .page import Page


class Sandbox(Account):
    """A KeyCRM account with its simulated environment, over HTTP.

    :param key: the API key
    :param control_token: the token of the control interface
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
        super().__init__(key, switches)
        api = Middleware(
            _answering(Starlette(routes=self.api.routes()), self),
            self.keys,
            self.shop.switches,
            self.limiter,
            self.request_log,
            self.faults,
        )
        self.control = ControlApi(self, control_token)
        page = Page(self, control_token, loopback)
        self._inner = _answering(
            Starlette(
                routes=[
                    Mount("/v1", app=api),
                    Mount(
                        "/control", app=_answering(Starlette(routes=self.control.routes()), self)
                    ),
                    *page.routes(),
                ],
                lifespan=self._lifespan,
            ),
            self,
        )

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: the outermost layer.

        :param scope: the request
        :param receive: the ASGI receiver of its body
        :param send: the ASGI sender of the answer
        """
        if scope["type"] == "http":
            store_connection(scope, send)
        await self._inner(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self.api.cancel_late_writes()
        await self.webhooks.close()


def _answering(app: Starlette, account: Account) -> Starlette:
    """Add handlers that answer errors as JSON with a message."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        if isinstance(error, Invalid):
            names = ("errors_shape", "errors_message")
            return answer(error.body(*map(account.shop.switches.value, names)), error.status)
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
