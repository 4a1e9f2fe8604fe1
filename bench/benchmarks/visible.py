"""Latency from an order in KeyCRM to the order in Odoo."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tools.waiting import wait_for

from ..environment import Environment
from ..measure import Pairs, alternate, latency, median, p95
from ..results import Row
from ..steps import catalog, settle

COUNT = 30


def run(environment: Environment) -> Iterator[Row]:
    """Create an order in KeyCRM and poll Odoo's database; in turns, the bare minimum: read it, create it."""
    shop = environment.shop(sandbox={"offers": 30, "orders": 1})
    catalog(shop)
    stages: list[list[float]] = []

    def ours() -> float:
        settle(shop)
        # More than two webhooks in two seconds are debounced: no idle shop any more.
        time.sleep(2)
        since = shop.keycrm.last_request()
        begun = time.monotonic()
        number = shop.keycrm.create_order(
            buyer={"full_name": f"Buyer {begun}", "phone": f"+38067{int(begun * 100) % 10**7:07d}"},
            lines=[{"offer_id": offer, "quantity": 1} for offer in (1, 2, 3)],
        )["id"]
        wait_for(
            lambda: shop.sql("SELECT 1 FROM sale_order WHERE keycrm_id = %s", number),
            60,
            "the order",
            # Polling each 2 ms would take much of a core from the measured process.
            every=0.005,
        )
        seen = time.monotonic()
        requested = [one["monotonic"] - begun for one in shop.keycrm.requests(since)]
        stages.append([requested[0], requested[-1], seen - begun])
        return seen - begun

    def baseline() -> float:
        settle(shop)
        return shop.bench("round_trip", shop.sandbox.api_url, shop.sandbox.key, 1)

    pairs: Pairs = alternate(ours, baseline, COUNT, warm_up=3)
    middle, late = median(pairs.ours), p95(pairs.ours)
    yield Row(
        key="visible",
        what="order made in KeyCRM → visible in Odoo, idle",
        baseline=latency(pairs.baseline),
        ours=latency(pairs.ours),
        ratio=pairs.ratio,
        goal="p50 ≤ 0.5 s, p95 ≤ 1.5 s",
        reached=middle <= 0.5 and late <= 1.5,
        samples=f"{COUNT} pairs",
        details={
            "pair_ratios_middle_half": pairs.spread,
            "worst": max(pairs.ours),
            "median_of_first_request_last_request_seen": [
                median([stage[place] for stage in stages]) for place in range(3)
            ],
        },
    )
