"""Latency of a webhook compared with a minimal controller."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from tools import shop as setup
from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import Pairs, median, p95, seconds
from ..results import Row
from ..steps import settle

#: Requests of each kind.
COUNT = 400
GOAL = "p95 ≤ 1.2 × baseline, no error"


def run(environment: Environment) -> Iterator[Row]:
    """Send webhooks of existing orders to the addon and the baseline in turns.

    With worker processes, the usual setup. "Busy": a synchronization writes orders meanwhile, and a user
    opens the order list repeatedly.
    """
    shop = environment.shop(
        odoo={"workers": 2}, sandbox={"orders": 3000, "offers": 200, "webhook_workers": 1}
    )
    context = dict(shop.keycrm.order(1)["answer"])
    # KeyCRM sends the flat row of the order, about 1.5 kB.
    context = {name: value for name, value in context.items() if not isinstance(value, list | dict)}
    context["manager_comment"] = "x" * max(0, 1430 - len(json.dumps(context)))
    body = json.dumps({"event": "order.change_order_status", "context": context}).encode()
    for clients in (1, 8):
        yield _row(shop, body, clients, environment.sized(COUNT, 40), busy=False)
    for clients in (1, 8):
        with _Busy(shop):
            yield _row(shop, body, clients, environment.sized(COUNT, 40), busy=True)


def _row(shop: Shop, body: bytes, clients: int, count: int, *, busy: bool) -> Row:
    _blast(shop, body, clients, count // 4)
    pairs, errors = _blast(shop, body, clients, count)
    ratio = p95(pairs.ours) / p95(pairs.baseline)
    what = f"webhook answered, {clients} client{'s' if clients > 1 else ''}, {len(body)} bytes"
    return Row(
        key=f"webhook.{clients}{'.busy' if busy else ''}",
        what=what + (", Odoo busy" if busy else ""),
        baseline=f"p95 {seconds(p95(pairs.baseline))}",
        ours=f"p95 {seconds(p95(pairs.ours))}, {errors} errors",
        ratio=ratio,
        goal=GOAL,
        reached=ratio <= 1.2 and not errors,
        samples=f"{len(pairs.ours)} each",
        details={
            "p50_baseline": median(pairs.baseline),
            "p50_ours": median(pairs.ours),
            "median_of_pair_ratios": pairs.ratio,
        },
    )


def _blast(shop: Shop, body: bytes, clients: int, count: int) -> tuple[Pairs, int]:
    """Post in turns to the addon and to the baseline; count the errors of both."""
    found, errors, lock = Pairs(), [], threading.Lock()
    ours, baseline = urlsplit(shop.link).path, "/bench/baseline"

    def client(number: int) -> None:
        for turn in range(count // clients):
            order = [(ours, 0), (baseline, 1)]
            taken = [0.0, 0.0]
            for path, place in order if (turn + number) % 2 else reversed(order):
                # KeyCRM opens a connection for each webhook.
                connection = http.client.HTTPConnection("127.0.0.1", shop.odoo.port, timeout=60)
                begun = time.monotonic()
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                status = connection.getresponse().status
                taken[place] = time.monotonic() - begun
                connection.close()
                if status != 204:
                    errors.append((path, status))
            with lock:
                found.ours.append(taken[0])
                found.baseline.append(taken[1])

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return found, len(errors)


class _Busy:
    """Load on Odoo: a synchronization, and a user who opens lists repeatedly."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._over = threading.Event()

    def __enter__(self) -> None:
        shop = self._shop
        self._sync = shop.rpc.create(
            "keycrm.order.sync",
            account_id=shop.account,
            status_ids=[(6, 0, setup.status_ids(shop.rpc, shop.account, *range(1, 28)))],
        )
        shop.rpc.call("keycrm.order.sync", "action_start", [self._sync])
        wait_for(lambda: self._read("done_count"), 60, "the synchronization")
        self._thread = threading.Thread(target=self._open_lists)
        self._thread.start()

    def __exit__(self, kind: object, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        if not kind and self._read("state") != "running":
            raise AssertionError("the synchronization was over before the webhooks were")
        self._shop.rpc.call("keycrm.order.sync", "action_cancel", [self._sync])
        settle(self._shop)

    def _read(self, field: str) -> Any:
        return self._shop.rpc.read("keycrm.order.sync", self._sync, field)[field]

    def _open_lists(self) -> None:
        rpc = self._shop.odoo.rpc()
        while not self._over.is_set():
            rpc.rows("sale.order", fields=["name", "partner_id", "amount_total"], limit=80)
