"""Odoo's schedulers are told when a later wake-up is due.

A trigger of a scheduled action with a time in the future is seen when a scheduler looks, up to a minute
after it is due. Waiting for the time inside of the action would hold one of the few scheduler threads.
"""

import heapq
import logging
import math
import threading
import time

from odoo import sql_db
from odoo.tools import SQL

from odoo.addons.base.models.ir_cron import ODOO_NOTIFY_FUNCTION

_logger = logging.getLogger(__name__)


class Bell:
    """One thread of this process, there only while something waits; ends with the process.

    What is lost with the process is found by the scheduler's own look. Times are of ``time.monotonic``.
    """

    def __init__(self, notify):
        """:param notify: called with a database's name when one of its times has come"""
        self._notify = notify
        self._waiting = []
        self._changed = threading.Condition()
        self._thread = None

    def ring(self, dbname, delay):
        """Notify about a database after some seconds; several of the same tenth of a second are one.

        :param delay: seconds, rounded up to the next tenth
        """
        one = (math.ceil((time.monotonic() + delay) * 10) / 10, dbname)
        with self._changed:
            if one in self._waiting:
                return
            heapq.heappush(self._waiting, one)
            self._changed.notify()
            # None, or one that a fork left behind.
            if not self._thread or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="keycrm.bell", daemon=True)
                self._thread.start()

    def _run(self):
        while dbname := self._next():
            try:
                self._notify(dbname)
            except Exception:
                # PostgreSQL is away, say.
                _logger.info("KeyCRM: the schedulers could not be woken", exc_info=True)

    def _next(self):
        """Wait until a time has come; nothing when none is left and the thread may end."""
        with self._changed:
            while self._waiting:
                wait = self._waiting[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._waiting)[1]
                self._changed.wait(wait)
            self._thread = None
        return None


def _wake_schedulers(dbname):
    with sql_db.db_connect("postgres").cursor() as cr:
        notify = SQL.identifier(ODOO_NOTIFY_FUNCTION)
        cr.execute(SQL("SELECT %s('cron_trigger', %s)", notify, dbname))


ring = Bell(_wake_schedulers).ring
