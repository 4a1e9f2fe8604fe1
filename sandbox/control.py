"""A client of the control interface, for tests, the demo and benchmarks."""

from __future__ import annotations

from typing import Any

from .control_client import ControlError, Json
from .control_goods import GoodsControl
from .control_orders import OrdersControl

__all__ = ["Control", "ControlError"]


class Control(OrdersControl, GoodsControl):
    """Control a running sandbox.

    Returned amounts are strings, exact; times are UTC. Fields that a method takes as
    ``**fields`` are listed in docs/sandbox-control.md; a field that does not exist is an error.

    :param base_url: address of the sandbox, such as ``http://127.0.0.1:8099``
    :param token: its control token
    :param timeout: seconds to wait for an answer
    """

    # === THE WHOLE ===

    def health(self) -> dict[str, int]:
        """Count the records.

        :return: numbers by table
        """
        return self._call("GET", "/health")

    def reset(self, *, keep_switches: bool = False, **seed: Any) -> dict[str, int]:
        """Reset data, faults, webhooks, logs, limits, further keys and the clock.

        :param keep_switches: whether the switches stay as they are
        :param seed: as for :meth:`seed`; without any nothing is made
        :return: numbers by table
        """
        return self._call("POST", "/reset", {"keep_switches": keep_switches, **seed})

    def seed(
        self,
        seed: int = 1,
        *,
        orders: int = 0,
        offers: int = 0,
        buyers: int | None = None,
        lines: int | None = None,
        newest: str | None = None,
        status_ids: list[int] | None = None,
    ) -> dict[str, int]:
        """Add seed data; the same arguments on an empty sandbox give the same data.

        :param seed: the seed number
        :param orders: how many orders
        :param offers: how many offers
        :param buyers: how many buyers; by default two for three orders
        :param lines: lines of each order; by default one to five
        :param newest: when the newest order was made, UTC; by default 2026-08-01 12:00:00
        :param status_ids: statuses to spread the orders over; by default all
        :return: numbers by table
        """
        body: Json = {"seed": seed, "orders": orders, "offers": offers}
        more = {"buyers": buyers, "lines": lines, "newest": newest, "status_ids": status_ids}
        body.update({k: v for k, v in more.items() if v is not None})
        return self._call("POST", "/seed", body)

    def switches(self) -> dict[str, str]:
        """Read the switches.

        :return: values by name
        """
        return self._call("GET", "/switches")

    def describe_switches(self) -> list[Json]:
        """Describe the switches.

        :return: name, meaning, default, values or range of each
        """
        return self._call("GET", "/switches/list")

    def set_switches(self, **values: object) -> dict[str, str]:
        """Set switches; an invalid name or value changes nothing.

        :param values: new values by name
        :return: all values by name
        """
        return self._call("PUT", "/switches", values)

    def set_clock(self, offset_seconds: float) -> str:
        """Set the offset of the shop's clock.

        :param offset_seconds: how far it is ahead of this machine's
        :return: the shop's time, UTC
        """
        return self._call("PUT", "/clock", {"offset_seconds": offset_seconds})["now"]

    def add_key(self, key: str) -> None:
        """Accept a further API key for the same data, with its own limit.

        :param key: the key
        """
        self._call("POST", "/keys", {"key": key})

    def remove_key(self, key: str) -> None:
        """Revoke a key: its requests get a 401. A reset restores the first key.

        :param key: the key
        """
        self._call("DELETE", "/keys", {"key": key})

    # === WEBHOOKS ===

    def add_webhook(
        self,
        url: str,
        *,
        method: str = "POST",
        statuses: list[int] | None = None,
        events: list[str] | None = None,
    ) -> Json:
        """Add a webhook trigger of the automation.

        :param url: where webhooks go
        :param method: POST or GET
        :param statuses: statuses it is for; by default all
        :param events: by default ``order.change_order_status`` alone
        :return: the target
        """
        body: Json = {"kind": "order", "url": url, "method": method}
        body["statuses"], body["events"] = statuses, events
        return self._call("POST", "/webhooks", body)

    def add_stock_webhook(self, url: str, *, warehouse_ids: list[int] | None = None) -> Json:
        """Add the stock webhook.

        :param url: where webhooks go
        :param warehouse_ids: warehouses it sums; by default all
        :return: the target
        """
        body = {"kind": "stock", "url": url, "warehouse_ids": warehouse_ids}
        return self._call("POST", "/webhooks", body)

    def webhooks(self) -> list[Json]:
        """List the targets.

        :return: the targets
        """
        return self._call("GET", "/webhooks")

    def remove_webhook(self, webhook_id: int) -> None:
        """Remove a target.

        :param webhook_id: its id
        """
        self._call("DELETE", f"/webhooks/{webhook_id}")

    def clear_webhooks(self) -> None:
        """Remove all targets, unsent webhooks and the log of deliveries."""
        self._call("DELETE", "/webhooks")

    def deliveries(self, since: int = 0) -> list[Json]:
        """Read the webhooks that were sent.

        :param since: only those with a greater ``number``
        :return: times, address, body, answer of each
        """
        return self._call("GET", "/deliveries", query={"since": since})

    # === FAULTS, LOG ===

    def add_fault(self, kind: str, **fields: Any) -> Json:
        """Add a fault of the API.

        :param kind: status, delay, cut, malformed, html, empty_list, repeat_rows, skip_rows,
            endless_next, close or huge
        :param fields: ``method``, ``path`` (a glob below ``/v1``), ``page``, ``contains`` (in the
            decoded query or body), ``row`` (id of a row that a GET would return), ``times`` (None: for
            good), ``status``, ``headers``, ``message``, ``seconds``, ``rows``, ``repeat``, ``size``,
            ``executed`` (status, close, delay: whether the request has its effect first; close:
            ``seconds`` later)
        :return: the rule
        """
        return self._call("POST", "/faults", {"kind": kind, **fields})

    def faults(self) -> list[Json]:
        """List the active rules.

        :return: the rules, in the order they are tried
        """
        return self._call("GET", "/faults")

    def remove_fault(self, fault_id: int) -> None:
        """Remove a rule.

        :param fault_id: its id
        """
        self._call("DELETE", f"/faults/{fault_id}")

    def clear_faults(self) -> None:
        """Remove all rules."""
        self._call("DELETE", "/faults")

    def requests(
        self, since: int = 0, *, method: str = "*", path: str = "*", limit: int = 200_000
    ) -> list[Json]:
        """Read the log of API requests.

        :param since: only those with a greater ``number``
        :param method: an HTTP method or ``*``
        :param path: a glob over the path, with or without ``/v1``
        :param limit: how many at most, the newest
        :return: requests, oldest first: number, time, monotonic, method, path, query, body,
            status, seconds, used (within the limit's minute), fault, key
        """
        query = {"since": since, "method": method, "path": path, "limit": limit}
        return self._call("GET", "/requests", query=query)

    def last_request(self) -> int:
        """Return the number of the latest API request, to read later ones :meth:`requests` ``since``.

        :return: its number, 0 without any
        """
        return max((one["number"] for one in self.requests(limit=1)), default=0)

    def request_counts(self) -> dict[str, int]:
        """Count API requests since the log was cleared.

        :return: numbers by such as ``GET /v1/order/{id}``
        """
        return self._call("GET", "/requests/counts")

    def clear_log(self) -> None:
        """Clear the log of requests."""
        self._call("DELETE", "/requests")

    def wait_quiet(self, seconds: float = 30) -> None:
        """Wait until all webhooks are answered and late stock writes are applied.

        :param seconds: how long at most
        :raise ControlError: if it is not quiet by then
        """
        state = self._call("GET", "/quiet", query={"seconds": seconds})
        if not state["quiet"]:
            raise ControlError(0, f"not quiet after {seconds:g} s: {state}")
