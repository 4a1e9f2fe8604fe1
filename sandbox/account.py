"""An account without HTTP: the shop, webhooks, faults, limits and the request log."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

from .api import Api
from .faults import Faults
from .limiter import Limiter
from .request_log import RequestLog
from .seed import Seed
from .store import Store
from .switches import Switches
from .webhooks import Webhooks


class Account:
    """A KeyCRM account with its simulated environment.

    :param key: the API key
    :param switches: switches other than the defaults
    """

    def __init__(self, key: str, switches: Mapping[str, object] | None = None) -> None:
        self.key = key
        self.keys = {key}
        self.own_process = False
        self.shop = Store(Switches(switches))
        self.webhooks = Webhooks(self.shop)
        self.shop.listener = self.webhooks
        self.request_log = RequestLog()
        self.faults = Faults()
        self.limiter = Limiter()
        self.api = Api(self.shop)

    def fill(self, seed: Seed, **sizes: Any) -> None:
        """Seed the shop.

        :param seed: the seed data
        :param sizes: as for :meth:`Seed.fill`
        """
        seed.fill(**sizes)
        if self.own_process:
            # Otherwise the garbage collector pauses answers to traverse all records.
            gc.freeze()

    def clear(self, keep_switches: bool = False) -> None:
        """Reset everything: data, faults, webhook targets and logs.

        :param keep_switches: whether the switches keep their values
        """
        self.api.cancel_late_writes()
        self.webhooks.clear()
        self.faults.clear()
        self.request_log.clear()
        self.limiter.clear()
        self.keys.clear()
        self.keys.add(self.key)
        self.shop.clock.offset = self.shop.clock.offset * 0
        self.shop.clear()
        if not keep_switches:
            self.shop.switches.reset()
