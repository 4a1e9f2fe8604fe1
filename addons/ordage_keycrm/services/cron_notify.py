"""Odoo's schedulers are told of wake-ups by a thread of its own, when they are due.

A trigger of a scheduled action with a time in the future is seen when a scheduler looks, up to a minute
after it is due. Waiting for the time inside of the action would hold one of the few scheduler threads.

And a user who moved goods does not wait until the schedulers are told: that takes two connections, and
under load each of their round trips waits for the other users' threads.
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

#: A wake-up that is due within so many seconds is soon, and whatever is left to it hardly late: the longest
#: time for which changes of stock are gathered.
SOON_SECONDS = 5.0
#: Between two rings for the same actions at least so many seconds pass. A single move is told of at once;
#: of several users' moves the first one is, and the others find each other in the next run, which then
#: gathers. Otherwise a rush would begin with a run for each of its moves.
MIN_INTERVAL = 0.5


class CronNotifier:
    """One thread of this process, there only while something waits; ends with the process.

    What is lost with the process is found by the scheduler's own look. Times are of ``time.monotonic``.
    """

    def __init__(self, notify):
        """:param notify: called with a database's name when a time has come; for at once also with ids of
        actions, to leave it out where they are woken anyway"""
        self._notify = notify
        self._waiting = []
        self._last_notified = {}
        self._changed = threading.Condition()
        self._thread = None

    def notify(self, dbname, delay=0.0, cron_ids=()):
        """Notify about a database after some seconds; several of the same tenth of a second are one.

        :param delay: seconds, rounded up to the next tenth; 0 for at once, or as soon as the last ring for
            the same actions is a breath ago
        :param cron_ids: ids of ``ir.cron``: at once is left out where each of these is woken in a moment
            anyway
        """
        cron_ids = tuple(cron_ids)
        with self._changed:
            if delay or not self._will_notify(dbname, cron_ids):
                due = self._due(dbname, cron_ids, delay)
                one = (due, dbname, cron_ids, bool(delay), delay <= SOON_SECONDS)
                if one not in self._waiting:
                    heapq.heappush(self._waiting, one)
                    self._changed.notify()
            # None, or one that a fork left behind.
            if self._waiting and not (self._thread and self._thread.is_alive()):
                self._start()

    def _due(self, dbname, cron_ids, delay):
        """:return: when to ring"""
        now = time.monotonic()
        if delay:
            return math.ceil((now + delay) * 10) / 10
        return max(now, self._last_notified.get((dbname, cron_ids), -math.inf) + MIN_INTERVAL)

    def _will_notify(self, dbname, cron_ids):
        """Return whether this process itself rings in a moment for each of these actions: nobody has to be
        asked then, which would cost a connection at each of many users' commits."""
        soon = time.monotonic() + SOON_SECONDS
        rung = set()
        for due, of, ids, _is_sure, is_short in self._waiting:
            if of == dbname and due <= soon and is_short:
                rung.update(ids)
        return bool(cron_ids) and rung.issuperset(cron_ids)

    def _start(self):
        thread = threading.Thread(target=self._run, name="keycrm.cron_notify", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # No memory for one more, say: what was done is done, and the next ring tries again.
            _logger.info("KeyCRM: no thread to wake the schedulers", exc_info=True)
        else:
            self._thread = thread

    def _run(self):
        while one := self._next():
            try:
                self._notify(*one)
            except Exception:
                # PostgreSQL is away, say.
                _logger.info("KeyCRM: the schedulers could not be woken", exc_info=True)

    def _next(self):
        """Wait until a time has come; nothing when none is left and the thread may end."""
        with self._changed:
            while self._waiting:
                now = time.monotonic()
                wait = self._waiting[0][0] - now
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                _due, dbname, cron_ids, is_sure, _is_short = heapq.heappop(self._waiting)
                # A run may have begun to gather since.
                if is_sure or not self._will_notify(dbname, cron_ids):
                    self._last_notified = {
                        of: at for of, at in self._last_notified.items() if at > now - MIN_INTERVAL
                    }
                    self._last_notified[dbname, cron_ids] = now
                    return dbname, () if is_sure else cron_ids
            self._thread = None
        return None


def are_due_soon(cr, cron_ids):
    """Return whether each of these actions has a wake-up of a moment later, made a moment ago.

    A retry that is due by chance does not count: what changed just now is not to wait for it.

    :param cr: cursor of their database
    :param cron_ids: ids of ``ir.cron``
    """
    cr.execute(
        SQL(
            """SELECT count(DISTINCT cron_id) FROM ir_cron_trigger,
                      LATERAL (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now) clock
                WHERE cron_id = ANY(%s) AND call_at > now
                  AND call_at <= now + make_interval(secs => %s)
                  AND call_at <= create_date + make_interval(secs => %s)""",
            list(cron_ids),
            SOON_SECONDS,
            SOON_SECONDS,
        )
    )
    return bool(cron_ids) and cr.fetchone()[0] == len(cron_ids)


def _are_woken_anyway(dbname, cron_ids):
    """Ask in a transaction after the commit: what was written is seen by a run that is still to come."""
    try:
        with sql_db.db_connect(dbname).cursor() as cr:
            # An upgrade may hold the table, and other databases wait for this thread too.
            cr.execute("SET LOCAL lock_timeout = '1s'")
            return are_due_soon(cr, cron_ids)
    except Exception:
        _logger.info("KeyCRM: not known whether the schedulers are woken anyway", exc_info=True)
        return False


def _notify_schedulers(dbname, cron_ids):
    if cron_ids and _are_woken_anyway(dbname, cron_ids):
        return
    with sql_db.db_connect("postgres").cursor() as cr:
        notify = SQL.identifier(ODOO_NOTIFY_FUNCTION)
        cr.execute(SQL("SELECT %s('cron_trigger', %s)", notify, dbname))


notify = CronNotifier(_notify_schedulers).notify
