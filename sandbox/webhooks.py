"""KeyCRM's webhooks: unsigned, without retries, the secret in the address."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from .models import ZERO, Order
from .orders import PAYMENT_EVENT, STATUS_EVENT
from .serializers import Serializers
from .store import Store

ORDER, STOCK = "order", "stock"
LOG = 100_000
ANSWER = 1000


@dataclass
class Target:
    """A target of webhooks.

    :param id: its number
    :param kind: ``order`` for a trigger of the automation, ``stock`` for the stock webhook
    :param url: where to
    :param method: POST or GET, triggers only
    :param statuses: the statuses a trigger is for; None means all
    :param events: the events a trigger is for
    :param warehouse_ids: the warehouses the stock webhook sums; None means all
    """

    id: int
    kind: str
    url: str
    method: str = "POST"
    statuses: list[int] | None = None
    events: list[str] = field(default_factory=lambda: [STATUS_EVENT])
    warehouse_ids: list[int] | None = None


@dataclass
class Delivery:
    """One webhook, sent or not.

    :param number: counted from 1
    :param target_id: the target
    :param event: the event's name; ``stock`` for the stock webhook
    :param order_id: the order it is about, if any
    :param url: where to, the secret in it kept
    :param made: when the event happened, UTC, ISO 8601
    :param made_monotonic: the same on the machine's monotonic clock, seconds
    :param sent: when it was sent, UTC, ISO 8601
    :param sent_monotonic: the same on the machine's monotonic clock, seconds
    :param status: HTTP status of the answer
    :param seconds: how long the answer took
    :param error: why there was no answer
    :param answer: the beginning of the answer's body
    :param lost: whether it was dropped on purpose
    :param body: what was sent
    """

    number: int
    target_id: int
    event: str
    order_id: int | None
    url: str
    made: str
    made_monotonic: float
    sent: str | None = None
    sent_monotonic: float | None = None
    status: int | None = None
    seconds: float | None = None
    error: str | None = None
    answer: str = ""
    lost: bool = False
    body: Any = None


class Webhooks:
    """Send the shop's events to the targets.

    :param shop: the shop
    """

    def __init__(self, shop: Store) -> None:
        self.shop = shop
        self.shapes = Serializers(shop)
        self.targets: dict[int, Target] = {}
        self._ids = itertools.count(1)
        self._numbers = itertools.count(1)
        self.log: deque[Delivery] = deque(maxlen=LOG)
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[Delivery] = []
        self._free: asyncio.Semaphore | None = None
        self._workers = 0
        self._client: httpx.AsyncClient | None = None

    # === TARGETS ===

    def add(self, kind: str, url: str, **values: Any) -> Target:
        """Add a target.

        :param kind: ``order`` or ``stock``
        :param url: where to
        :param values: further fields of :class:`Target`
        :return: the target
        """
        target = Target(next(self._ids), kind, url, **values)
        self.targets[target.id] = target
        return target

    def clear(self) -> None:
        """Clear targets and log, and drop unsent webhooks."""
        self.targets.clear()
        self.log.clear()
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Drop unsent webhooks and close the connections."""
        self.clear()
        if self._client:
            await self._client.aclose()

    @property
    def pending(self) -> int:
        """Return the number of webhooks that are not yet sent or answered."""
        return len(self._tasks)

    def deliveries(self, since: int = 0) -> list[dict[str, Any]]:
        """Read the log.

        :param since: only deliveries with a greater number
        :return: deliveries in the order they were made
        """
        return [asdict(delivery) for delivery in self.log if delivery.number > since]

    # === EVENTS ===

    def order_event(self, event: str, order: Order) -> None:
        """Notify triggers of an order's change; the context is the flat order (confirmed)."""
        body: dict[str, Any] | None = None
        for target in self.targets.values():
            if target.kind != ORDER or event not in target.events:
                continue
            wanted = target.statuses
            if event == STATUS_EVENT and wanted is not None and order.status_id not in wanted:
                continue
            body = body or {"event": event, "context": self.shapes.order(order)}
            self._deliver(target, event, order.id, body)

    def stock_event(self, changed: dict[int, set[int]]) -> None:
        """Notify stock webhooks of changed offers, summed over their warehouses."""
        for target in self.targets.values():
            if target.kind != STOCK:
                continue
            wanted = target.warehouse_ids
            rows = [
                self._stock_row(offer_id, wanted)
                for offer_id, warehouse_ids in changed.items()
                if offer_id in self.shop.offers
                and (wanted is None or warehouse_ids.intersection(wanted))
            ]
            if rows and self.shop.switches.is_("stock_webhook_body", "array"):
                self._deliver(target, STOCK, None, rows)
            else:
                for row in rows:
                    self._deliver(target, STOCK, None, row)

    def _stock_row(self, offer_id: int, wanted: list[int] | None) -> dict[str, Any]:
        quantity, reserve = ZERO, ZERO
        for warehouse_id, row in self.shop.stocks.get(offer_id, {}).items():
            if wanted is None or warehouse_id in wanted:
                quantity += row.quantity
                reserve += row.reserve
        return {
            "offer_id": offer_id,
            "sku": self.shop.offers[offer_id].sku,
            "in_stock": self.shapes.quantity(quantity),
            "in_reserve": self.shapes.quantity(reserve),
        }

    # === DELIVERY ===

    def _deliver(self, target: Target, event: str, order_id: int | None, body: Any) -> None:
        switches = self.shop.switches
        copies = 1
        if switches.is_("webhook_delivery", "repeated"):
            copies = int(switches.number("webhook_copies"))
        for _ in range(copies):
            delivery = Delivery(
                number=next(self._numbers),
                target_id=target.id,
                event=event,
                order_id=order_id,
                url=target.url,
                made=_now(),
                made_monotonic=time.monotonic(),
                body=body,
            )
            self.log.append(delivery)
            if switches.is_("webhook_delivery", "lost"):
                delivery.lost = True
            elif switches.is_("webhook_delivery", "out_of_order"):
                self._waiting.append(delivery)
                if len(self._waiting) == 1:
                    self._start(self._reverse(switches.number("webhook_delay")))
            else:
                late = switches.is_("webhook_delivery", "late")
                self._start(self._send(delivery, switches.number("webhook_delay") if late else 0))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reverse(self, delay: float) -> None:
        await asyncio.sleep(delay)
        waiting, self._waiting = self._waiting, []
        for delivery in reversed(waiting):
            await self._send(delivery, 0)

    async def _send(self, delivery: Delivery, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        async with self._turn():
            await self._request(delivery)

    def _turn(self) -> asyncio.Semaphore:
        workers = int(self.shop.switches.number("webhook_workers"))
        if self._free is None or self._workers != workers:
            self._free, self._workers = asyncio.Semaphore(workers), workers
        return self._free

    async def _request(self, delivery: Delivery) -> None:
        target = self.targets.get(delivery.target_id)
        method = target.method if target else "POST"
        if self._client is None:
            # no proxy, no redirect, and a fresh connection each: a receiver may restart any time
            self._client = httpx.AsyncClient(
                trust_env=False,
                follow_redirects=False,
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        kwargs: dict[str, Any] = {}
        if method == "POST":
            content = json.dumps(delivery.body, ensure_ascii=False).encode()
            kwargs = {"content": content, "headers": {"content-type": "application/json"}}
        delivery.sent, delivery.sent_monotonic = _now(), time.monotonic()
        try:
            timeout = self.shop.switches.number("webhook_timeout")
            url = httpx.URL(delivery.url)
            if method == "GET":
                url = url.copy_merge_params(_flat(delivery.body))
            async with asyncio.timeout(timeout):
                answer = await self._client.request(method, url, timeout=timeout, **kwargs)
            delivery.status = answer.status_code
            delivery.answer = answer.text[:ANSWER]
        except (TimeoutError, httpx.TimeoutException):
            delivery.error = "no answer in time"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            delivery.error = f"{type(error).__name__}: {error}"
        delivery.seconds = round(time.monotonic() - delivery.sent_monotonic, 6)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _flat(body: Any) -> dict[str, str]:
    """Encode a body as a query string, for GET triggers (assumed: as PHP arrays)."""
    found: dict[str, str] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}[{key}]" if name else str(key), inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(f"{name}[{index}]", inner)
        elif isinstance(value, bool):
            found[name] = "1" if value else "0"
        elif value is not None:
            found[name] = str(value)

    walk("", body)
    return found


EVENTS = (STATUS_EVENT, PAYMENT_EVENT)
