"""The control interface below ``/control``, protected by a token."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from . import fields
from .control_api_goods import GoodsEndpoints
from .control_api_orders import OrderEndpoints
from .errors import Invalid, Refused
from .schemas import anything, boolean, decimal, pick, text, whole
from .seed import Seed
from .switches import BadSwitch, describe
from .webhooks import EVENTS


class ControlApi(OrderEndpoints, GoodsEndpoints):
    """All endpoints of the control interface."""

    def routes(self) -> list[Route]:
        """List the endpoints.

        :return: routes below ``/control``
        """
        return [
            *OrderEndpoints.routes(self),
            *GoodsEndpoints.routes(self),
            self.route("/health", GET=self.health),
            self.route("/reset", POST=self.reset),
            self.route("/seed", POST=self.seed),
            self.route("/switches", GET=self.read_switches, PUT=self.set_switches),
            self.route("/switches/list", GET=self.list_switches),
            self.route("/clock", PUT=self.set_clock),
            self.route("/keys", POST=self.add_key, DELETE=self.remove_key),
            self.route(
                "/webhooks", GET=self.webhooks, POST=self.add_webhook, DELETE=self.clear_webhooks
            ),
            self.route("/webhooks/{webhook_id:int}", DELETE=self.remove_webhook),
            self.route("/deliveries", GET=self.deliveries),
            self.route("/faults", GET=self.faults, POST=self.add_fault, DELETE=self.clear_faults),
            self.route("/faults/{fault_id:int}", DELETE=self.remove_fault),
            self.route("/requests", GET=self.requests, DELETE=self.clear_log),
            self.route("/requests/counts", GET=self.request_counts),
            self.route("/quiet", GET=self.quiet),
        ]

    # === THE WHOLE ===

    async def health(self, request: Request, values: dict[str, Any]) -> Any:
        """Count the records."""
        shop = self.shop
        tables = ("orders", "offers", "products", "buyers", "transactions", "warehouses")
        return {name: len(getattr(shop, name)) for name in tables}

    async def reset(self, request: Request, values: dict[str, Any]) -> Any:
        """Reset everything, then seed on request."""
        values = dict(values)
        keep = pick({"keep": values.pop("keep_switches", False)}, {"keep": boolean})["keep"]
        given = pick(values, fields.SEED, strict=True, nulls=False)
        self.account.clear(keep_switches=keep)
        if given:
            self._fill(given)
        return await self.health(request, values)

    async def seed(self, request: Request, values: dict[str, Any]) -> Any:
        """Add seed data."""
        self._fill(pick(values, fields.SEED, strict=True, nulls=False))
        return await self.health(request, values)

    def _fill(self, given: dict[str, Any]) -> None:
        number_ = given.pop("seed", 1)
        newest = given.pop("newest", None)
        maker = Seed(self.shop, number_, newest) if newest else Seed(self.shop, number_)
        self.account.fill(maker, **given)

    async def read_switches(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the switches in force."""
        return self.shop.switches.all()

    async def list_switches(self, request: Request, values: dict[str, Any]) -> Any:
        """Describe the switches."""
        return describe()

    async def set_switches(self, request: Request, values: dict[str, Any]) -> Any:
        """Set switches."""
        try:
            self.shop.switches.set(values)
        except BadSwitch as error:
            raise Refused(400, str(error)) from None
        return self.shop.switches.all()

    async def set_clock(self, request: Request, values: dict[str, Any]) -> Any:
        """Move the shop's clock."""
        given = pick(values, {"offset_seconds": decimal}, required=("offset_seconds",))
        self.shop.clock.offset = timedelta(seconds=float(given["offset_seconds"]))
        return {"now": self.shop.now()}

    async def add_key(self, request: Request, values: dict[str, Any]) -> Any:
        """Accept a further API key."""
        self.account.keys.add(pick(values, {"key": text}, required=("key",))["key"])
        return {"keys": len(self.account.keys)}

    async def remove_key(self, request: Request, values: dict[str, Any]) -> Any:
        """Revoke an API key."""
        self.account.keys.discard(pick(values, {"key": text}, required=("key",))["key"])
        return {"keys": len(self.account.keys)}

    # === WEBHOOKS ===
    async def webhooks(self, request: Request, values: dict[str, Any]) -> Any:
        """List the targets of webhooks."""
        return list(self.account.webhooks.targets.values())

    async def add_webhook(self, request: Request, values: dict[str, Any]) -> Any:
        """Add a target."""
        given = pick(values, fields.WEBHOOK, required=("kind", "url"), strict=True, nulls=False)
        if given["kind"] not in ("order", "stock"):
            raise Invalid.of(kind="A webhook is of kind order or stock.")
        if given.get("method", "POST") not in ("POST", "GET"):
            raise Invalid.of(method="A webhook is sent by POST or GET.")
        if not set(given.get("events", ())) <= set(EVENTS):
            raise Invalid.of(events=f"An event is one of {', '.join(EVENTS)}.")
        return self.account.webhooks.add(given.pop("kind"), given.pop("url"), **given)

    async def remove_webhook(self, request: Request, values: dict[str, Any]) -> Any:
        """Remove a target."""
        self.account.webhooks.targets.pop(request.path_params["webhook_id"], None)
        return {}

    async def clear_webhooks(self, request: Request, values: dict[str, Any]) -> Any:
        """Remove all targets and the log of deliveries."""
        self.account.webhooks.clear()
        return {}

    async def deliveries(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the webhooks that were sent."""
        return self.account.webhooks.deliveries(int(values.get("since", 0)))

    # === MISBEHAVIOUR, LOG, QUIET ===

    async def faults(self, request: Request, values: dict[str, Any]) -> Any:
        """List the active rules."""
        return self.account.faults.all()

    async def add_fault(self, request: Request, values: dict[str, Any]) -> Any:
        """Add a rule."""
        read = pick(values, _FAULT, strict=True)
        return self.account.faults.add(
            {k: float(v) if k == "seconds" else v for k, v in read.items()}
        )

    async def remove_fault(self, request: Request, values: dict[str, Any]) -> Any:
        """Remove a rule."""
        self.account.faults.remove(request.path_params["fault_id"])
        return {}

    async def clear_faults(self, request: Request, values: dict[str, Any]) -> Any:
        """Remove all rules."""
        self.account.faults.clear()
        return {}

    async def requests(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the log of API requests."""
        since, limit = int(values.pop("since", 0)), int(values.pop("limit", 200_000))
        return self.account.request_log.find(since, limit=limit, **values)

    async def request_counts(self, request: Request, values: dict[str, Any]) -> Any:
        """Count API requests."""
        return self.account.request_log.counts()

    async def clear_log(self, request: Request, values: dict[str, Any]) -> Any:
        """Clear the log of requests; the window of the limit is unchanged."""
        self.account.request_log.clear()
        return {}

    async def quiet(self, request: Request, values: dict[str, Any]) -> Any:
        """Wait until all webhooks are delivered and late stock writes are applied."""
        end = time.monotonic() + float(values.get("seconds", 30))
        while True:
            late, pending = len(self.account.api.late_writes), self.account.webhooks.pending
            quiet = not late and not pending
            if quiet or time.monotonic() > end:
                return {"quiet": quiet, "webhooks": pending, "late_writes": late}
            await asyncio.sleep(0.02)


_FAULT = {
    "kind": text,
    "method": text,
    "path": text,
    "page": whole,
    "contains": text,
    "times": whole,
    "status": whole,
    "headers": anything,
    "message": text,
    "seconds": decimal,
    "rows": whole,
    "repeat": boolean,
    "size": whole,
    "executed": boolean,
}
