"""Run the queues of an account: the work of its scheduled actions."""

import logging
import time

from ...const import WORKER_MAX_SLEEP, WORKER_SECONDS
from ...keycrm.errors import KeyCrmError, QuotaExceeded, RateLimited
from ...keycrm.rate_limit_rules import DEFAULT_RETRY_AFTER
from ..common import crons, maintenance
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.concurrency import CONCURRENCY_ERRORS
from ..common.live_updates import notify_clients
from ..common.service import Options, Service
from ..common.transactions import LOCK_TIMEOUT, run_in_transaction, set_lock_timeout
from .order_queue import OrderQueue
from .stock_queue import StockQueue

_logger = logging.getLogger(__name__)

#: Services that process one piece of work of a queue.
SERVICES = {crons.ORDERS: OrderQueue, crons.STOCK: StockQueue}
#: Seconds until a run that was blocked by a locked row is retried.
DEFER_SECONDS = 5.0
#: Minimum seconds between two notifications of clients about changes.
CLIENT_NOTIFY_INTERVAL = 1.0


class CronRunner(Service):
    """Run a queue of an account for some seconds.

    Each account has two scheduled actions, one per queue (:mod:`.crons`). ``ir.cron`` locks its row
    while it runs, so each queue of an account has one writer over all Odoo processes and hosts. A worker
    commits after each piece of work, starts no new work after some seconds, and triggers itself again
    when work is left. ``ir.cron`` itself would pause a job that only reports remaining work.
    """

    def run(self, queue):
        """Process a queue until the deadline.

        A row that another transaction locks ends the run, so that it does not block a scheduler thread.

        :param queue: :class:`~.crons.Queue`
        :return: seconds until the work that is left can be continued; None when none is left
        """
        account, cr = self.account, self.env.cr
        if maintenance.was_clock_set_back(account):
            run_in_transaction(cr, lambda: maintenance.reset_future_times(account))
        if CircuitBreaker(account).is_unavailable():
            return None
        if not account.enabled and not account._has_work_before_start():
            return None
        try:
            more, wait = self._run_until_deadline(queue)
        except CONCURRENCY_ERRORS as error:
            _logger.info("KeyCRM account %s: deferred: %r", account.id, error)
            cr.rollback()
            return DEFER_SECONDS
        return wait if more else None

    def _run_until_deadline(self, queue):
        """Process one piece of work after the other until the deadline.

        The service of the queue is called repeatedly; it processes one piece, commits it, and returns
        whether there may be more. An error of KeyCRM ends the run and is recorded on the account.

        :param queue: :class:`~.crons.Queue`
        :return: ``(whether work is left, seconds until it can continue)``
        :raise CONCURRENCY_ERRORS: when another transaction locks a row to be written
        """
        account, cr = self.account.with_company(self.account.company_id), self.env.cr
        single_item = self._was_last_run_killed()
        breaker = CircuitBreaker(account, options=Options(single_item))
        more, wait, has_worked, notified_at = True, 0.0, False, time.monotonic()
        try:
            if not breaker.has_recovered():
                return False, 0.0
            options = Options(single_item, time.monotonic() + WORKER_SECONDS)
            with open_client(account) as client:
                service = SERVICES[queue](account, client, options)

                def work():
                    client.is_deferrable = True
                    return service.process()

                while more and not options.is_time_up():
                    more = breaker.run(queue.name, work)
                    has_worked = has_worked or more
                    if more and time.monotonic() - notified_at > CLIENT_NOTIFY_INTERVAL:
                        notified_at = time.monotonic()
                        run_in_transaction(cr, lambda: notify_clients(account))
        except (QuotaExceeded, RateLimited) as error:
            # KeyCRM is available: the work waits for the rate limit.
            cr.rollback()
            more, wait = True, _wait_after(error)
        except KeyCrmError as error:
            cr.rollback()
            more = False
            breaker.record_unavailable(error)
        except CONCURRENCY_ERRORS:
            raise
        except Exception as error:
            more = False
            breaker.record_internal_error(queue.name, error)
        if has_worked:
            run_in_transaction(cr, lambda: notify_clients(account))
        return more, wait

    def _was_last_run_killed(self):
        """Return whether the process ended in the middle of this action's last run.

        Odoo counts it (timed out, out of memory, killed). Then work runs in single-item mode, and each
        piece is marked as failed before it starts: a piece that ends the process every time is deferred
        too.
        """
        progress = self.env["ir.cron.progress"].sudo()
        if progress_id := self.env.context.get("ir_cron_progress_id"):
            progress = progress.search_fetch([("id", "=", progress_id)], ["timed_out_counter"])
        # The counter includes the current run.
        return progress.timed_out_counter > 1

    def reschedule(self, queue, wait):
        """Trigger a queue again for the remaining work.

        During a short wait the worker sleeps: a delayed trigger is rounded to whole seconds, which
        would waste a part of the request limit each time.

        :param queue: :class:`~.crons.Queue`
        :param wait: seconds; 0.0 for at once
        """
        if 0 < wait <= WORKER_MAX_SLEEP:
            time.sleep(wait)
            wait = 0.0
        crons.trigger(self.account, queue, delay=wait)
        self.env.cr.commit()


def run_queue(env, account_id, queue):
    """Run a queue of an account, and trigger the next run when work is left.

    :param env: Odoo's environment
    :param account_id: id of the account
    :param queue: :class:`~.crons.Queue`
    """
    set_lock_timeout(env.cr, LOCK_TIMEOUT)
    # After the commit of the timeout, which clears the cache: found and read with one query.
    account = env["keycrm.account"].search_fetch([("id", "=", account_id)])
    runner = CronRunner(account)
    wait = runner.run(queue) if account else None
    if env.cr.closed:
        return
    set_lock_timeout(env.cr, "0")
    if wait is not None:
        runner.reschedule(queue, wait)


def _wait_after(error):
    """Return the seconds until work that this error ended can be continued.

    :param error: ``QuotaExceeded`` or ``RateLimited``
    """
    if isinstance(error, QuotaExceeded):
        return error.wait
    return error.retry_after or DEFAULT_RETRY_AFTER
