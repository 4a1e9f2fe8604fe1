"""The control interface below ``/control``, protected by a token."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

from . import fields
from .control_api_goods import GoodsEndpoints
from .control_api_orders import OrderEndpoints
from .control_base import Handler
from .errors import Invalid, Refused
from .models import Json
from .schemas import boolean, decimal, pick, text
from .seed import Seed
from .switches import BadSwitch, describe
from .webhooks import EVENTS


class ControlApi(OrderEndpoints, GoodsEndpoints):
    """All endpoints of the control interface."""

    def table(self) -> dict[str, Handler]:
        """Return the endpoints by method and path below ``/control``."""
        account, switches = self.account, self.shop.switches
        return {
            **OrderEndpoints.table(self),
            **GoodsEndpoints.table(self),
            "GET /health": self.health,
            "POST /reset": self.reset,
            "POST /seed": self.seed,
            "GET /switches": lambda values: switches.all(),
            "PUT /switches": self.set_switches,
            "GET /switches/list": lambda values: describe(),
            "PUT /clock": self.set_clock,
            "POST /keys": lambda values: account.keys.add(_key(values)),
            "DELETE /keys": lambda values: account.keys.discard(_key(values)),
            "GET /webhooks": lambda values: list(account.webhooks.targets.values()),
            "POST /webhooks": self.add_webhook,
            "DELETE /webhooks": lambda values: account.webhooks.clear(),
            "DELETE /webhooks/{row_id:int}": self.remove_webhook,
            "GET /deliveries": self.deliveries,
            "GET /faults": lambda values: account.faults.all(),
            "POST /faults": self.add_fault,
            "DELETE /faults": lambda values: account.faults.clear(),
            "DELETE /faults/{row_id:int}": lambda values, row_id: account.faults.remove(row_id),
            "GET /requests": self.requests,
            "DELETE /requests": lambda values: account.request_log.clear(),
            "GET /requests/counts": lambda values: account.request_log.counts(),
            "GET /quiet": self.quiet,
        }

    # === THE WHOLE ===

    def health(self, values: Json) -> Any:
        """Count the records."""
        shop = self.shop
        tables = ("orders", "offers", "products", "buyers", "transactions", "warehouses")
        return {name: len(getattr(shop, name)) for name in tables}

    def reset(self, values: Json) -> Any:
        """Reset everything, then seed on request."""
        values = dict(values)
        keep = pick({"keep": values.pop("keep_switches", False)}, {"keep": boolean})["keep"]
        given = pick(values, fields.SEED, strict=True, nulls=False)
        self.account.clear(keep_switches=keep)
        if given:
            self._fill(given)
        return self.health(values)

    def seed(self, values: Json) -> Any:
        """Add seed data."""
        self._fill(pick(values, fields.SEED, strict=True, nulls=False))
        return self.health(values)

    def _fill(self, given: dict[str, Any]) -> None:
        number_ = given.pop("seed", 1)
        newest = given.pop("newest", None)
        maker = Seed(self.shop, number_, newest) if newest else Seed(self.shop, number_)
        self.account.fill(maker, **given)

    def set_switches(self, values: Json) -> Any:
        """Set switches."""
        try:
            self.shop.switches.set(values)
        except BadSwitch as error:
            raise Refused(400, str(error)) from None
        return self.shop.switches.all()

    def set_clock(self, values: Json) -> Any:
        """Move the shop's clock."""
        given = pick(values, {"offset_seconds": decimal}, required=("offset_seconds",))
        self.shop.clock.offset = timedelta(seconds=float(given["offset_seconds"]))
        return {"now": self.shop.now()}

    # === WEBHOOKS ===

    def add_webhook(self, values: Json) -> Any:
        """Add a target."""
        given = pick(values, fields.WEBHOOK, required=("kind", "url"), strict=True, nulls=False)
        if given["kind"] not in ("order", "stock"):
            raise Invalid.of(kind="A webhook is of kind order or stock.")
        if given.get("method", "POST") not in ("POST", "GET"):
            raise Invalid.of(method="A webhook is sent by POST or GET.")
        if not set(given.get("events", ())) <= set(EVENTS):
            raise Invalid.of(events=f"An event is one of {', '.join(EVENTS)}.")
        return self.account.webhooks.add(given.pop("kind"), given.pop("url"), **given)

    def remove_webhook(self, values: Json, row_id: int) -> None:
        """Remove a target."""
        self.account.webhooks.targets.pop(row_id, None)

    def deliveries(self, values: Json) -> Any:
        """Read the webhooks that were sent."""
        return self.account.webhooks.deliveries(int(values.get("since", 0)))

    # === FAULTS, LOG, QUIET ===

    def add_fault(self, values: Json) -> Any:
        """Add a rule."""
        return self.account.faults.add(pick(values, fields.FAULT, strict=True))

    def requests(self, values: Json) -> Any:
        """Read the log of API requests."""
        since, limit = int(values.pop("since", 0)), int(values.pop("limit", 200_000))
        return self.account.request_log.find(since, limit=limit, **values)

    async def quiet(self, values: Json) -> Any:
        """Wait until all webhooks are delivered and late stock writes are applied."""
        end = time.monotonic() + float(values.get("seconds", 30))
        while True:
            late, pending = len(self.account.api.late_writes), self.account.webhooks.pending
            quiet = not late and not pending
            if quiet or time.monotonic() > end:
                return {"quiet": quiet, "webhooks": pending, "late_writes": late}
            await asyncio.sleep(0.02)


def _key(values: Json) -> str:
    key: str = pick(values, {"key": text}, required=("key",))["key"]
    return key
