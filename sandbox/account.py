"""The shop with what stands around it, without HTTP: what the control side and the page steer."""

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
    """A KeyCRM account and what plays its surroundings.

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
        self.journal = RequestLog()
        self.faults = Faults()
        self.limiter = Limiter()
        self.api = Api(self.shop)

    def fill(self, maker: Seed, **sizes: Any) -> None:
        """Seed the shop.

        :param maker: what seeds it
        :param sizes: as for :meth:`Seed.fill`
        """
        maker.fill(**sizes)
        if self.own_process:
            # or the collector stops every answer for a while, now and then, to look at all records
            gc.freeze()

    def clear(self, keep_switches: bool = False) -> None:
        """Go back to the start: no data, no rules, no targets, no logs.

        :param keep_switches: whether the switches stay as they are
        """
        self.api.forget_late_writes()
        self.webhooks.clear()
        self.faults.clear()
        self.journal.clear()
        self.limiter.clear()
        self.keys.clear()
        self.keys.add(self.key)
        self.shop.clock.offset = self.shop.clock.offset * 0
        self.shop.clear()
        if not keep_switches:
            self.shop.switches.reset()
