import logging
import math
import random
import time
from contextlib import contextmanager

from psycopg2.errors import LockNotAvailable

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ...const import WORKER_MAX_SLEEP, WORKER_SECONDS
from ...keycrm.errors import KeyCrmError, QuotaExceeded, RateLimited
from ...keycrm.rate_limit import DEFAULT_RETRY_AFTER
from ...services.concurrency import CONCURRENCY_ERRORS

_logger = logging.getLogger(__name__)

#: First key of the advisory lock that serializes the accounts of one company ("KCRM").
COMPANY_LOCK = 0x4B43524D
#: How long a worker waits for a row that a user's transaction holds.
LOCK_TIMEOUT = "1500ms"
#: Seconds until a run that was blocked by such a row is retried.
DEFER_SECONDS = 5.0
#: Seconds for which a worker waits for another account's worker to write a batch, before it releases
#: its scheduler thread; and seconds until it is retried then.
COMPANY_MAX_WAIT = 1.0
COMPANY_WAIT = 3.0
#: For this long afterwards, a worker checks whether the company is free before it reads orders.
BUSY_SECONDS = 30.0
#: Last time at which a worker of this process found a company busy: ``{(database, company id):
#: monotonic}``.
_busy_companies = {}
#: Attempts of one piece of work after concurrency errors.
CONCURRENCY_TRIES = 6
#: Minimum seconds between two notifications of clients about changes.
CLIENT_NOTIFY_INTERVAL = 1.0


class CompanyBusy(ConcurrencyError):
    """Another account's worker is writing for the same company."""


def _wait_after(error):
    """Return the seconds until work that this error ended can be continued.

    :param error: ``CompanyBusy``, ``QuotaExceeded`` or ``RateLimited``
    """
    if isinstance(error, QuotaExceeded):
        return error.wait
    if isinstance(error, RateLimited):
        return error.retry_after or DEFAULT_RETRY_AFTER
    return COMPANY_WAIT


class KeycrmAccount(models.Model):
    """Run the two workers of an account.

    Each account has two scheduled actions, one per queue: ``orders`` (inbox, polling, bulk) and
    ``stock``. ``ir.cron`` locks its row while it runs, so each queue of an account has one writer over
    all Odoo processes and hosts. A worker commits after each piece of work, starts no new work after
    some seconds, and triggers itself again when work is left. ``ir.cron`` itself would pause a job that
    only reports remaining work.
    """

    _inherit = "keycrm.account"

    # === SCHEDULED ACTIONS ===#

    @api.model
    def _cron_orders(self, account_id):
        """Run the orders queue of an account: entry point of its scheduled action.

        :param account_id: id of the account
        """
        self._run_queue(account_id, "orders_cron_id", "_work_orders")

    @api.model
    def _cron_stock(self, account_id):
        """Run the stock queue of an account: entry point of its scheduled action.

        :param account_id: id of the account
        """
        self._run_queue(account_id, "stock_cron_id", "_work_stock")

    def _run_queue(self, account_id, cron_field, work_name):
        """Process a queue for some seconds, and trigger the next run when work is left.

        A row that another transaction locks ends the run, so that it does not block a scheduler thread.

        :param account_id: id of the account
        :param cron_field: field with the scheduled action
        :param work_name: method that processes one piece of work
        """
        account = self.browse(account_id).exists()
        if account and account._was_clock_set_back():
            account._run_in_transaction(account._reset_future_times)
        if not account or account._is_unavailable():
            return
        if not account.enabled and not account._has_work_before_start():
            return
        account = account.with_company(account.company_id)
        self._set_lock_timeout(LOCK_TIMEOUT)
        try:
            more, wait = account._run_until_deadline(work_name)
        except CONCURRENCY_ERRORS as error:
            _logger.info("KeyCRM account %s: put off: %r", account_id, error)
            self.env.cr.rollback()
            more, wait = True, DEFER_SECONDS
        if self.env.cr.closed:
            return
        self._set_lock_timeout("0")
        if more:
            account._reschedule(account[cron_field], wait)

    def _set_lock_timeout(self, timeout):
        """Set how long this database session waits for a row lock.

        Of the session, not of each transaction, which would be one more query each.

        :param timeout: PostgreSQL's ``lock_timeout``
        """
        self.env.cr.execute(SQL("SELECT set_config('lock_timeout', %s, false)", timeout))
        self.env.cr.commit()

    def _run_until_deadline(self, work_name):
        """Process one piece of work after the other until the deadline.

        The work method is called repeatedly; it processes one piece, commits it, and returns whether
        there may be more. An error of KeyCRM ends the run and is recorded on the account.

        :param work_name: method that processes one piece of work
        :return: ``(whether work is left, seconds until it can continue)``
        :raise CONCURRENCY_ERRORS: when another transaction locks a row to be written
        """
        account = self.with_context(keycrm_single_item=self._was_last_run_killed())
        more, wait, has_worked, notified_at = True, 0.0, False, time.monotonic()
        try:
            if work_name == "_work_orders" and account._is_company_busy():
                return True, COMPANY_WAIT
            if not account._has_recovered():
                return False, 0.0
            account = account.with_context(keycrm_deadline=time.monotonic() + WORKER_SECONDS)
            with account._client() as client:

                def work():
                    client.begins = True
                    return getattr(account, work_name)(client)

                while more and not account._is_time_up():
                    more = account._run_guarded(work_name, work)
                    has_worked = has_worked or more
                    if more and time.monotonic() - notified_at > CLIENT_NOTIFY_INTERVAL:
                        notified_at = time.monotonic()
                        account._run_in_transaction(account._notify_clients)
        except (CompanyBusy, QuotaExceeded, RateLimited) as error:
            # KeyCRM is available: the work waits for another worker or for the rate limit.
            self.env.cr.rollback()
            more, wait = True, _wait_after(error)
        except KeyCrmError as error:
            self.env.cr.rollback()
            more = False
            account._record_unavailable(error)
        except CONCURRENCY_ERRORS:
            raise
        except Exception as error:
            more = False
            account._record_internal_error(work_name, error)
        if has_worked:
            account._run_in_transaction(account._notify_clients)
        return more, wait

    def _is_time_up(self):
        """Return whether the worker's deadline has passed; checked between two requests.

        Otherwise a slow KeyCRM would block a scheduler thread for as long as there is work.
        """
        deadline = self.env.context.get("keycrm_deadline")
        return bool(deadline) and time.monotonic() > deadline

    @api.model
    def _was_last_run_killed(self):
        """Return whether the process ended in the middle of this action's last run.

        Odoo counts it (timed out, out of memory, killed). Then work runs in single-item mode, and each
        piece is marked as failed before it starts: a piece that ends the process every time is deferred
        too.
        """
        progress = self.env["ir.cron.progress"].sudo()
        progress = progress.browse(self.env.context.get("ir_cron_progress_id", [])).exists()
        # The current run is counted already.
        return progress.timed_out_counter > 1

    def _reschedule(self, cron, wait):
        """Trigger a scheduled action again for the remaining work.

        A short wait is slept through here: a delayed trigger has whole seconds, which would waste a
        part of the limit each time.

        :param cron: ``ir.cron``
        :param wait: seconds; 0.0 for at once
        """
        if 0 < wait <= WORKER_MAX_SLEEP:
            time.sleep(wait)
            wait = 0.0
        cron.sudo()._trigger_keycrm(wait)
        self.env.cr.commit()

    def _trigger_crons(self, crons):
        """Trigger scheduled actions at once, several with one insert.

        :param crons: ``ir.cron``
        """
        crons.sudo()._trigger_keycrm()

    def _trigger_orders(self):
        """Trigger the orders queue at once."""
        self._trigger_crons(self.sudo().orders_cron_id)

    def _trigger_stock(self):
        """Trigger the stock queue at once."""
        self._trigger_crons(self.sudo().stock_cron_id)

    def _ensure_crons(self):
        """Create missing scheduled actions; existing ones are never written (idempotent).

        A running ``ir.cron`` refuses writes, so intervals are on the account, and the actions of a
        deleted account are deleted later.
        """
        queues = (
            ("orders_cron_id", "_cron_orders", "KeyCRM: orders of account %s"),
            ("stock_cron_id", "_cron_stock", "KeyCRM: stock of account %s"),
        )
        model = self.env["ir.model"]._get("keycrm.account")
        for account in self.sudo():
            for field_name, method, name in queues:
                if account[field_name]:
                    continue
                account[field_name] = (
                    self.env["ir.cron"]
                    .sudo()
                    .create(
                        {
                            "name": name % account.id,
                            "model_id": model.id,
                            "state": "code",
                            "code": f"model.{method}({account.id})",
                            "user_id": self.env.ref("base.user_root").id,
                            "interval_number": 1,
                            "interval_type": "minutes",
                            "priority": 4,
                        }
                    )
                )

    def _restore_crons(self):
        """Recreate deleted scheduled actions and activate archived ones.

        A user who enables an account expects it to work. An archived action does not run, so it can be
        written.
        """
        self._ensure_crons()
        accounts = self.sudo().with_context(active_test=False)
        crons = accounts.orders_cron_id | accounts.stock_cron_id
        crons.filtered(lambda cron: not cron.active).active = True

    @api.autovacuum
    def _gc_crons(self):
        """Delete the scheduled actions of deleted accounts."""
        # All accounts, disabled ones too: only a few.
        kept = self.sudo().search([("id", "!=", False)])
        crons = (
            self.env["ir.cron"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("model_id.model", "=", "keycrm.account"),
                    ("code", "like", "model._cron_%"),
                    ("id", "not in", (kept.orders_cron_id | kept.stock_cron_id).ids),
                ]
            )
        )
        for cron in crons.try_lock_for_update():
            cron.unlink()

    # === TRANSACTIONS ===#

    def _run_in_transaction(self, work):
        """Run a piece of work in its own transaction, and retry concurrency errors.

        Odoo retries requests after a serialization failure, but not scheduled actions.

        :param work: called without arguments; must be idempotent
        :return: its result
        """
        cr = self.env.cr
        for attempt in range(1, CONCURRENCY_TRIES + 1):
            try:
                result = work()
                cr.commit()
                return result
            except LockNotAvailable:
                # The timeout has passed already; the other transaction may hold the row for long.
                cr.rollback()
                raise
            except CONCURRENCY_ERRORS:
                cr.rollback()
                if attempt == CONCURRENCY_TRIES:
                    raise
                time.sleep(random.uniform(0, 0.05 * 2**attempt))
            except Exception:
                cr.rollback()
                raise
        raise AssertionError("unreachable")

    @contextmanager
    def _company_lock(self):
        """Serialize the workers of a company that create products, contacts and SKUs.

        The lock is taken for the session and committed before the work starts, because a REPEATABLE
        READ transaction uses the snapshot of its first statement: waiting inside it would hide the rows
        that the other worker created.
        """
        cr = self.env.cr
        key = (COMPANY_LOCK, self.company_id.id)
        cr.commit()
        cr.execute(SQL("SELECT pg_advisory_lock(%s, %s)", *key))
        cr.commit()
        try:
            yield
        except BaseException:
            cr.rollback()
            raise
        finally:
            cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", *key))
            cr.commit()

    def _try_company_lock(self, function):
        """Try to take an advisory lock in a short transaction.

        :param function: SQL call of the lock function
        :return: whether it was taken
        """
        self.env.cr.execute(SQL("SELECT %s", function))
        taken = self.env.cr.fetchone()[0]
        self.env.cr.commit()
        return taken

    def _is_company_busy(self):
        """Return whether another worker holds the company lock, before orders are read.

        Orders that cannot be written then need not be read. Checked only where the company was busy
        recently.
        """
        key = (self.env.cr.dbname, self.company_id.id)
        if _busy_companies.pop(key, -math.inf) < time.monotonic() - BUSY_SECONDS:
            return False
        function = SQL("pg_try_advisory_xact_lock(%s, %s)", COMPANY_LOCK, self.company_id.id)
        if self._try_company_lock(function):
            return False
        _busy_companies[key] = time.monotonic()
        return True
