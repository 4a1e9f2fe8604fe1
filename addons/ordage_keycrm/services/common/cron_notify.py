"""Notify Odoo's schedulers of triggers from a background thread when they are due.

Odoo's own ``ir.cron._trigger`` is not sufficient: it notifies the schedulers of immediate triggers only. They
poll for others once a minute, so a debounced export would start up to a minute late, and waiting inside
of the action would block one of the few scheduler threads. It also notifies from the committing user's
thread, at each commit. The notification needs two database connections, and under load each round trip
waits for the threads of other users; and each of many users' moves would start a run of its own.
"""

import heapq
import logging
import math
import threading
import time
from typing import NamedTuple

from odoo import sql_db
from odoo.tools import SQL

from odoo.addons.base.models.ir_cron import ODOO_NOTIFY_FUNCTION

_logger = logging.getLogger(__name__)

#: A trigger that is due within this many seconds makes another notification unnecessary. Equal to the
#: longest time for which stock changes are debounced.
SOON_SECONDS = 5.0
#: Minimum seconds between two notifications for the same actions. The first move is notified at once;
#: the next run coalesces moves that follow it. Otherwise each of the first moves under high load would
#: start a run of its own.
MIN_INTERVAL = 0.1


class _Notification(NamedTuple):
    """A notification that is not sent yet; the earliest one comes first.

    :param due: when to send it, by ``time.monotonic``
    :param dbname: name of the database
    :param cron_ids: ids of ``ir.cron``
    :param is_sure: whether it is sent even if the actions are notified soon anyway
    :param is_soon: whether it was due soon when it was enqueued
    """

    due: float
    dbname: str
    cron_ids: tuple
    is_sure: bool
    is_soon: bool


class CronNotifier:
    """Debounce scheduler notifications with one thread of this process.

    The thread exists only while notifications are queued and ends with the process. A notification that
    is lost with the process is recovered by the scheduler's own polling. Times are of
    ``time.monotonic``.
    """

    def __init__(self, notify):
        """Create a notifier without a thread.

        :param notify: called with the name of a database when a notification is due; for an immediate
            one also with ids of actions, so that it can be skipped when a trigger is due soon for each
            of them
        """
        self._notify = notify
        self._waiting = []
        self._last_notified = {}
        self._changed = threading.Condition()
        self._thread = None

    def notify(self, dbname, delay=0.0, cron_ids=()):
        """Enqueue a notification for a database; equal ones within a tenth of a second are coalesced.

        :param dbname: name of the database
        :param delay: seconds, rounded up to the next tenth; 0 notifies at once, or as soon as
            :data:`MIN_INTERVAL` has passed since the last notification for the same actions
        :param cron_ids: ids of ``ir.cron``; an immediate notification is skipped where each of these
            actions is notified soon anyway
        """
        cron_ids = tuple(cron_ids)
        with self._changed:
            if delay or not self._will_notify(dbname, cron_ids):
                due = self._due(dbname, cron_ids, delay)
                one = _Notification(due, dbname, cron_ids, bool(delay), delay <= SOON_SECONDS)
                if one not in self._waiting:
                    heapq.heappush(self._waiting, one)
                    self._changed.notify()
            # There is no thread, or a fork left the thread of its parent process behind.
            if self._waiting and not (self._thread and self._thread.is_alive()):
                self._start()

    def _due(self, dbname, cron_ids, delay):
        """Return when to notify.

        :return: time of ``time.monotonic``
        """
        now = time.monotonic()
        if delay:
            return math.ceil((now + delay) * 10) / 10
        return max(now, self._last_notified.get((dbname, cron_ids), -math.inf) + MIN_INTERVAL)

    def _will_notify(self, dbname, cron_ids):
        """Return whether this process already notifies soon for each of the actions.

        Then no query is needed, which would cost a connection at the commit of each of many users.
        """
        soon = time.monotonic() + SOON_SECONDS
        notified = set()
        for one in self._waiting:
            if one.dbname == dbname and one.due <= soon and one.is_soon:
                notified.update(one.cron_ids)
        return bool(cron_ids) and notified.issuperset(cron_ids)

    def _start(self):
        thread = threading.Thread(target=self._run, name="keycrm.cron_notify", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # For example, out of memory. The user's work is committed, and the next notification
            # retries.
            _logger.info("KeyCRM: no thread to notify the schedulers", exc_info=True)
        else:
            self._thread = thread

    def _run(self):
        while one := self._next():
            try:
                self._notify(*one)
            except Exception:
                # For example, PostgreSQL is unavailable.
                _logger.info("KeyCRM: the schedulers could not be notified", exc_info=True)

    def _next(self):
        """Wait until a notification is due.

        :return: ``(database name, ids of actions)``; None when the queue is empty and the thread may
            end
        """
        with self._changed:
            while self._waiting:
                now = time.monotonic()
                wait = self._waiting[0].due - now
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                one = heapq.heappop(self._waiting)
                # A run may have started to debounce since the notification was enqueued.
                if one.is_sure or not self._will_notify(one.dbname, one.cron_ids):
                    self._last_notified = {
                        of: at for of, at in self._last_notified.items() if at > now - MIN_INTERVAL
                    }
                    self._last_notified[one.dbname, one.cron_ids] = now
                    return one.dbname, () if one.is_sure else one.cron_ids
            self._thread = None
        return None


def are_due_soon(cr, cron_ids):
    """Return whether each action has a recently created trigger that is due soon.

    A retry that is due by chance does not count: a new change must not wait for it.

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


def _will_start_anyway(dbname, cron_ids):
    """Check for triggers that are due soon, in a transaction after the user's commit.

    Only then is the committed change visible to the run that is still to start.

    :param dbname: name of the database
    :param cron_ids: ids of ``ir.cron``
    :return: whether each action is started soon; False where this could not be read
    """
    try:
        with sql_db.db_connect(dbname).cursor() as cr:
            # An upgrade may lock the table, and notifications for other databases wait for this thread
            # too.
            cr.execute("SET LOCAL lock_timeout = '1s'")
            return are_due_soon(cr, cron_ids)
    except Exception:
        _logger.info(
            "KeyCRM: cannot check whether a run of the schedulers is pending already", exc_info=True
        )
        return False


def _notify_schedulers(dbname, cron_ids):
    """Notify the schedulers of a database with PostgreSQL's ``NOTIFY``.

    :param dbname: name of the database
    :param cron_ids: ids of ``ir.cron``; without any, the notification is always sent
    """
    if cron_ids and _will_start_anyway(dbname, cron_ids):
        return
    with sql_db.db_connect("postgres").cursor() as cr:
        notify = SQL.identifier(ODOO_NOTIFY_FUNCTION)
        cr.execute(SQL("SELECT %s('cron_trigger', %s)", notify, dbname))


notify = CronNotifier(_notify_schedulers).notify
