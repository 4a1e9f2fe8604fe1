"""The page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from .app import Sandbox


class Page:
    """The page at ``/``.

    :param sandbox: what it shows
    :param token: the control token
    :param loopback: whether only this machine can reach it
    """

    def __init__(self, sandbox: Sandbox, token: str, loopback: bool) -> None:
        self.sandbox = sandbox
        self.token = token
        self.loopback = loopback

    def routes(self) -> list[Route]:
        """List the addresses of the page.

        :return: routes
        """
        return [Route("/", self.show)]

    async def show(self, request: Request) -> PlainTextResponse:
        """Show how much there is."""
        shop = self.sandbox.shop
        return PlainTextResponse(f"{len(shop.orders)} orders, {len(shop.offers)} offers")
