"""The page for people: orders, stock, the last requests; buttons to change something.

On loopback it needs no token, but a page of another website must not be able to use it: the Host
must be this machine's and a change must come from this very page. Elsewhere it asks for the token.
"""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from . import make, orders, sample, stocks
from .account import Account
from .api import answer
from .bodies import decimal, whole
from .errors import Invalid, Refused
from .page_texts import STATUS_NAMES, TEXTS

HERE = Path(__file__).parent
ORDERS, OFFERS, REQUESTS, WEBHOOKS = 30, 100, 15, 8
COOKIE = "sandbox_page"
OWN_NAMES = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """The page at ``/``.

    :param account: what it shows
    :param token: the control token
    :param loopback: whether only this machine can reach it
    """

    def __init__(self, account: Account, token: str, loopback: bool) -> None:
        self.account = account
        self.shop = account.shop
        self.token = token
        self.loopback = loopback
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True
        )
        self.templates.filters["qty"] = _trimmed

    def routes(self) -> list[Route]:
        """List the addresses of the page.

        :return: routes
        """
        return [
            Route("/", self.show),
            Route("/page/parts", self.parts),
            Route("/page/enter", self.enter, methods=["POST"]),
            Route("/page/create", self.create, methods=["POST"]),
            Route("/page/move", self.move, methods=["POST"]),
            Route("/page/stock", self.stock, methods=["POST"]),
            Route("/page/{name:str}", self.file),
        ]

    # === WHO MAY ===

    def _guard(self, request: Request) -> None:
        host = request.headers.get("host", "")
        if self.loopback and urlsplit(f"//{host}").hostname not in OWN_NAMES:
            raise Refused(403, "This page is for this machine alone.")
        if request.method == "POST":
            origin = request.headers.get("origin", "")
            if origin != f"{request.url.scheme}://{host}":
                raise Refused(403, "A change must come from the sandbox's own page.")

    def _entered(self, request: Request) -> bool:
        given = request.cookies.get(COOKIE, "")
        return self.loopback or hmac.compare_digest(given.encode(), self._ticket().encode())

    def _ticket(self) -> str:
        return hmac.new(self.token.encode(), b"page", hashlib.sha256).hexdigest()

    def _check(self, request: Request) -> None:
        self._guard(request)
        if not self._entered(request):
            raise Refused(403, "The control token must be entered first.")

    async def enter(self, request: Request) -> Response:
        """Take the token and remember the visitor."""
        self._guard(request)
        given = await _form(request)
        if not hmac.compare_digest(given.get("token", "").encode(), self.token.encode()):
            return self._html("enter.html", request, 403, wrong=True)
        response = RedirectResponse(f"/?lang={_language(request)}", 303)
        response.set_cookie(COOKIE, self._ticket(), httponly=True, samesite="strict")
        return response

    # === WHAT IS SHOWN ===

    async def show(self, request: Request) -> Response:
        """Show the whole page."""
        self._guard(request)
        if not self._entered(request):
            return self._html("enter.html", request, wrong=False)
        return self._html("page.html", request, **self._content(request))

    async def parts(self, request: Request) -> Response:
        """Show the parts that change, for the script of the page."""
        self._check(request)
        content = self._content(request)
        names = ("orders", "stock", "requests")
        response = answer({name: self._render(f"{name}.html", request, content) for name in names})
        response.headers.update(HEADERS)
        return response

    async def file(self, request: Request) -> Response:
        """Send the script or the style."""
        self._guard(request)
        name = request.path_params["name"]
        if name not in ("page.js", "page.css"):
            raise Refused(404, "Not Found")
        return FileResponse(HERE / "static" / name, headers=HEADERS)

    def _html(self, template: str, request: Request, status: int = 200, **content: Any) -> Response:
        return HTMLResponse(self._render(template, request, content), status, HEADERS)

    def _render(self, template: str, request: Request, content: dict[str, Any]) -> str:
        language = _language(request)
        return self.templates.get_template(template).render(
            t=TEXTS[language],
            lang=language,
            other="en" if language == "uk" else "uk",
            api=f"{request.url.scheme}://{request.headers.get('host', '')}/v1",
            **content,
        )

    def _content(self, request: Request) -> dict[str, Any]:
        shop, names = self.shop, STATUS_NAMES[_language(request)]
        newest = sorted(shop.orders.values(), key=lambda o: o.id, reverse=True)[:ORDERS]
        statuses = [
            {"id": s.id, "name": names.get(s.name, s.name), "group": s.group_id}
            for s in sorted(shop.statuses.values(), key=lambda s: (s.group_id, s.id))
        ]
        by_id = {status["id"]: status for status in statuses}
        return {
            "orders": [
                {
                    "row": order,
                    "status": by_id[order.status_id],
                    "buyer": shop.buyers.get(order.client_id or 0),
                    "totals": shop.totals(order),
                    "currency": shop.currency(order),
                }
                for order in newest
            ],
            "order_count": len(shop.orders),
            "statuses": statuses,
            "warehouses": list(shop.warehouses.values()),
            "offers": [
                {
                    "row": offer,
                    "name": shop.offer_name(offer),
                    "stocks": shop.stocks.get(offer.id, {}),
                    "total": stocks.total(shop, offer.id),
                }
                for offer in list(shop.offers.values())[:OFFERS]
            ],
            "offer_count": len(shop.offers),
            "requests": self.account.journal.last(REQUESTS),
            "limit": int(shop.switches.number("rate_limit")),
            "deliveries": list(self.account.webhooks.log)[-WEBHOOKS:][::-1],
        }

    # === WHAT IS CHANGED ===

    async def create(self, request: Request) -> Response:
        """Make an order."""
        self._check(request)
        sample.order(self.shop)
        return _back(request)

    async def move(self, request: Request) -> Response:
        """Move an order to a status."""
        self._check(request)
        given = await _form(request)
        order_id, status_id = _number(given, "order_id"), _number(given, "status_id")
        orders.move(self.shop, self.shop.order(order_id), status_id)
        return _back(request)

    async def stock(self, request: Request) -> Response:
        """Change the stock of an offer by hand."""
        self._check(request)
        given = await _form(request)
        offer_id, warehouse_id = _number(given, "offer_id"), _number(given, "warehouse_id")
        if offer_id not in self.shop.offers:
            raise Refused(404, "There is no such offer.")
        make.warehouse(self.shop, warehouse_id)
        try:
            quantity = decimal(given.get("quantity", "").replace(",", ".").strip())
        except ValueError:
            raise Invalid({"quantity": ["The quantity must be a number."]}) from None
        stocks.write(self.shop, warehouse_id, {offer_id: quantity})
        return _back(request)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _number(given: dict[str, str], name: str) -> int:
    try:
        return whole(given.get(name, ""))
    except ValueError as error:
        raise Invalid({name: [f"The {name} field {error}."]}) from None


def _language(request: Request) -> str:
    given = request.query_params.get("lang", "uk")
    return given if given in TEXTS else "uk"


def _back(request: Request) -> Response:
    return RedirectResponse(f"/?lang={_language(request)}", 303)


def _trimmed(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
