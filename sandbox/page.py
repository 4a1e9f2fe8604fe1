"""The web page: setup, orders, stock, webhooks, requests and switches.

On loopback it needs no token, but a page of another website must not be able to use it: the Host
must be this machine's and a change must be sent by this page. Elsewhere the token is required.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from . import orders, sample, stocks, webhooks
from .account import Account
from .errors import Refused
from .schemas import decimal, whole
from .switches import LANGUAGES, SWITCHES, BadSwitch, describe

Given = dict[str, list[str]]
HERE = Path(__file__).parent
ORDERS, OFFERS, REQUESTS, WEBHOOKS = 30, 100, 15, 20
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


def _texts(section: str) -> dict[str, dict[str, str]]:
    """Read the texts of a section in each language."""
    pairs = tomllib.loads((HERE / "page_texts.toml").read_text("utf-8"))[section]
    return {
        language: {name: pair[place] for name, pair in pairs.items()}
        for place, language in enumerate(LANGUAGES)
    }


TEXTS, STATUS_NAMES = _texts("texts"), _texts("statuses")


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
        self.templates.filters["pretty"] = lambda body: json.dumps(
            body, ensure_ascii=False, indent=1
        )

    def routes(self) -> list[Route]:
        """List the routes of the page.

        :return: routes
        """
        return [
            Route("/", self.show),
            Route("/page/enter", self.enter, methods=["POST"]),
            *(
                Route(f"/page/{change.__name__}", self._changing(change), methods=["POST"])
                for change in (
                    self.create,
                    self.move,
                    self.stock,
                    self.trigger,
                    self.remove,
                    self.switches,
                    self.reset,
                )
            ),
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

    async def enter(self, request: Request) -> Response:
        """Check the token and set the session cookie."""
        self._guard(request)
        token = _text(await _form(request), "token")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return self._html("enter.html", request, 403, refused="wrong")
        response = RedirectResponse(f"/?lang={_language(request)}", 303)
        response.set_cookie(COOKIE, self._ticket(), httponly=True, samesite="strict")
        return response

    # === WHAT IS SHOWN ===

    async def show(self, request: Request) -> Response:
        """Show the whole page."""
        self._guard(request)
        if not self._entered(request):
            return self._html("enter.html", request)
        return self._html("page.html", request, **self._content(request))

    async def file(self, request: Request) -> Response:
        """Return the script or the style sheet."""
        self._guard(request)
        name = request.path_params["name"]
        if name not in ("page.js", "page.css"):
            raise Refused(404, "Not Found")
        return FileResponse(HERE / "static" / name, headers=HEADERS)

    def _html(self, template: str, request: Request, status: int = 200, **content: Any) -> Response:
        language = _language(request)
        t = TEXTS[language]
        refused = content.pop("refused", "")
        key, _, detail = refused.partition("|")
        message = t[key].format(detail) if key in t else refused
        if "done" in request.query_params:
            message = message or t["done"]
        html = self.templates.get_template(template).render(
            t=t,
            lang=language,
            other="en" if language == "uk" else "uk",
            refused=refused,
            message=message,
            **content,
        )
        return HTMLResponse(html, status, HEADERS)

    def _content(self, request: Request) -> dict[str, Any]:
        shop, language = self.shop, _language(request)
        names = STATUS_NAMES[language]
        newest = sorted(shop.orders.values(), key=lambda o: o.id, reverse=True)[:ORDERS]
        statuses = [
            {"id": s.id, "name": names.get(s.name, s.name), "group": s.group_id}
            for s in sorted(shop.statuses.values(), key=lambda s: (s.group_id, s.id))
        ]
        by_id = {status["id"]: status for status in statuses}
        return {
            "key": self.account.key,
            "api": f"{request.url.scheme}://{request.headers.get('host', '')}/v1",
            "events": webhooks.EVENTS,
            "triggers": [
                {
                    "id": target.id,
                    "event": target.events[0],
                    "method": target.method,
                    # The link ends with the secret.
                    "url": f"{target.url.rsplit('/', 1)[0]}/…",
                    "statuses": [by_id[s]["name"] for s in target.statuses or () if s in by_id],
                }
                for target in self.account.webhooks.targets.values()
                if target.kind == webhooks.ORDER
            ],
            "switches": [
                {**switch, "value": shop.switches.value(switch["name"])}
                for switch in describe(language)
            ],
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
            "requests": self.account.request_log.last(REQUESTS),
            "limit": int(shop.switches.number("rate_limit")),
            "deliveries": list(self.account.webhooks.log)[-WEBHOOKS:][::-1],
        }

    # === WHAT IS CHANGED ===

    def _changing(
        self, change: Callable[[Given], None]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a button; the page shows refusals."""

        async def endpoint(request: Request) -> Response:
            self._guard(request)
            if not self._entered(request):
                return self._html("enter.html", request, 403)
            try:
                change(await _form(request))
            except Refused as refusal:
                content = self._content(request)
                return self._html("page.html", request, refused=refusal.message, **content)
            return RedirectResponse(f"/?lang={_language(request)}&done", 303)

        return endpoint

    def create(self, given: Given) -> None:
        """Create an order."""
        sample.order(self.shop)

    def move(self, given: Given) -> None:
        """Move an order to a status."""
        order_id, status_id = _number(given, "order_id"), _number(given, "status_id")
        if order_id not in self.shop.orders or status_id not in self.shop.statuses:
            raise Refused(404, "no_record")
        orders.move(self.shop, self.shop.order(order_id), status_id)

    def stock(self, given: Given) -> None:
        """Change the stock of an offer manually."""
        offer_id, warehouse_id = _number(given, "offer_id"), _number(given, "warehouse_id")
        if offer_id not in self.shop.offers or warehouse_id not in self.shop.warehouses:
            raise Refused(404, "no_record")
        try:
            quantity = decimal(_text(given, "quantity").replace(",", "."))
        except ValueError:
            raise Refused(422, "bad_quantity") from None
        stocks.write(self.shop, warehouse_id, {offer_id: quantity})

    def trigger(self, given: Given) -> None:
        """Add a trigger that sends a webhook."""
        event, method, url = (_text(given, name) for name in ("event", "method", "url"))
        chosen = {int(text) for text in given.get("status", ()) if text.isdigit()}
        if event not in webhooks.EVENTS or method not in ("POST", "GET"):
            raise Refused(422, "bad_trigger")
        if not chosen & self.shop.statuses.keys():
            raise Refused(422, "no_status")
        if not _is_link(url):
            raise Refused(422, "bad_link")
        if any(url == target.url for target in self.account.webhooks.targets.values()):
            raise Refused(422, "link_twice")
        statuses = None if chosen >= self.shop.statuses.keys() else sorted(chosen)
        self.account.webhooks.add(
            webhooks.ORDER, url, method=method, statuses=statuses, events=[event]
        )

    def remove(self, given: Given) -> None:
        """Remove a trigger."""
        self.account.webhooks.targets.pop(_number(given, "id"), None)

    def switches(self, given: Given) -> None:
        """Set the switches."""
        values = {name: _text(given, name).replace(",", ".") for name in given}
        for name, value in values.items():
            try:
                SWITCHES[name].check(value)
            except (KeyError, BadSwitch):
                raise Refused(422, f"bad_switch|{name}") from None
        self.shop.switches.set(values)

    def reset(self, given: Given) -> None:
        """Reset the switches to their initial values."""
        self.shop.switches.reset()


async def _form(request: Request) -> Given:
    return parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)


def _text(given: Given, name: str) -> str:
    return given.get(name, [""])[-1].strip()


def _number(given: Given, name: str) -> int:
    try:
        return whole(_text(given, name))
    except ValueError as error:
        raise Refused(422, f"The {name} field {error}.") from None


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _language(request: Request) -> str:
    given = request.query_params.get("lang", "uk")
    return given if given in TEXTS else "uk"


def _trimmed(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
