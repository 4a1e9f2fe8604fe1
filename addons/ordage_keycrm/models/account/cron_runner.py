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

#: First key of the advisory lock that keeps the accounts of one company apart ("KCRM").
COMPANY_LOCK = 0x4B43524D
#: How long a worker waits for a row that a user's transaction holds.
LOCK_TIMEOUT = "1500ms"
#: Seconds until a run that met such a row comes back.
PUT_OFF_SECONDS = 5.0
#: Seconds for which a worker waits until another account's one has written a batch, before it gives its
#: scheduler thread back; and seconds until it comes back then.
COMPANY_MAX_WAIT = 1.0
COMPANY_WAIT = 3.0
#: For so many seconds after that it looks first whether the company is free, before it reads orders.
BUSY_SECONDS = 30.0
#: When a worker of this process last found a company busy: ``{(database, company id): monotonic}``.
_busy_companies = {}
#: Tries of one piece of work when another transaction was faster.
CONCURRENCY_TRIES = 6
#: Open screens are told at most so often that something changed, in seconds.
SCREEN_SECONDS = 1.0


class CompanyBusy(ConcurrencyError):
    """Another account's worker is writing for the same company."""


def _wait_after(error):
    """:return: seconds until the work that this error ended can go on"""
    if isinstance(error, QuotaExceeded):
        return error.wait
    if isinstance(error, RateLimited):
        return error.retry_after or DEFAULT_RETRY_AFTER
    return COMPANY_WAIT


class KeycrmAccount(models.Model):
    """What the two workers of an account have in common.

    Each account has two scheduled actions, one a queue: ``orders`` (inbox, catch-up, bulk) and
    ``stock``. ``ir.cron`` locks its row while it runs, so each queue of an account has one writer over
    all Odoo processes and hosts. A worker commits after each piece of work, looks for no new work after
    some seconds, and wakes itself again when something is left. ``ir.cron`` itself would pause a job
    that only reports work left.
    """

    _inherit = "keycrm.account"

    # === SCHEDULED ACTIONS ===#

    @api.model
    def _cron_orders(self, account_id):
        """Entry of the orders' queue; the scheduled action of each account names its account."""
        self._run_queue(account_id, "orders_cron_id", "_work_orders")

    @api.model
    def _cron_stock(self, account_id):
        """Entry of the stock queue."""
        self._run_queue(account_id, "stock_cron_id", "_work_stock")

    def _run_queue(self, account_id, cron_field, work_name):
        """Work for some seconds; come back at once when something is left.

        A row that somebody else holds ends the run: a scheduler's thread is not held with it.
        """
        account = self.browse(account_id).exists()
        if account and account._was_clock_set_back():
            account._run_in_transaction(account._take_back_future)
        if not account or account._is_unavailable():
            return
        if not account.enabled and not account._has_work_before_start():
            return
        account = account.with_company(account.company_id)
        self._set_lock_timeout(LOCK_TIMEOUT)
        try:
            more, wait = account._worked(work_name)
        except CONCURRENCY_ERRORS as error:
            _logger.info("KeyCRM account %s: put off: %r", account_id, error)
            self.env.cr.rollback()
            more, wait = True, PUT_OFF_SECONDS
        if self.env.cr.closed:
            return
        self._set_lock_timeout("0")
        if more:
            account._reschedule(account[cron_field], wait)

    def _set_lock_timeout(self, timeout):
        """Set for how long this database session waits for a row that another transaction holds.

        Of the session, not of each transaction, which would be one more query each.
        """
        self.env.cr.execute(SQL("SELECT set_config('lock_timeout', %s, false)", timeout))
        self.env.cr.commit()

    def _worked(self, work_name):
        """Do one piece of work after the other.

        The work method is called again and again; it does one piece, commits it, and returns whether
        there may be more. Trouble with KeyCRM ends the run and is noted on the account.

        :return: whether something is left; seconds until it can be done
        :raise CONCURRENCY_ERRORS: when another transaction holds what has to be written
        """
        account = self.with_context(keycrm_single_item=self._was_last_run_killed())
        more, wait, worked, told = True, 0.0, False, time.monotonic()
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
                    worked = worked or more
                    if more and time.monotonic() - told > SCREEN_SECONDS:
                        told = time.monotonic()
                        account._run_in_transaction(account._notify_clients)
        except (CompanyBusy, QuotaExceeded, RateLimited) as error:
            # KeyCRM is available: another worker or the rate limit has to be waited for.
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
        if worked:
            account._run_in_transaction(account._notify_clients)
        return more, wait

    def _is_time_up(self):
        """Return whether the worker has to make room for others; asked between two requests.

        A slow KeyCRM would otherwise hold a scheduler's thread for as long as its work lasts.
        """
        deadline = self.env.context.get("keycrm_deadline")
        return bool(deadline) and time.monotonic() > deadline

    @api.model
    def _was_last_run_killed(self):
        """Return whether the process ended in the middle of this action's last run.

        Odoo counts it (timed out, out of memory, killed). Then work goes one piece at a time, and each
        piece is noted as failed before it is begun: what ends the process every time is set aside too.
        """
        progress = self.env["ir.cron.progress"].sudo()
        progress = progress.browse(self.env.context.get("ir_cron_progress_id", [])).exists()
        # The present run is counted already.
        return progress.timed_out_counter > 1

    def _reschedule(self, cron, wait):
        """Wake a scheduled action again for what is left.

        A wait that a scheduler's thread may be held for is passed here: a wake-up of later is of a
        whole second, which would waste a part of the limit each time.

        :param wait: seconds; 0.0 for at once
        """
        if 0 < wait <= WORKER_MAX_SLEEP:
            time.sleep(wait)
            wait = 0.0
        cron.sudo()._trigger_keycrm(wait)
        self.env.cr.commit()

    def _trigger_crons(self, crons):
        """Wake scheduled actions at once; several with one insert."""
        crons.sudo()._trigger_keycrm()

    def _trigger_orders(self):
        self._trigger_crons(self.sudo().orders_cron_id)

    def _trigger_stock(self):
        self._trigger_crons(self.sudo().stock_cron_id)

    def _ensure_crons(self):
        """Return each account its two scheduled actions, once; they are never written again.

        A running ``ir.cron`` refuses to be written, so intervals live on the account, and the actions
        of a deleted account are cleared later.
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
        """Let the scheduled actions work: deleted ones are made anew, switched off ones are switched on.

        Whoever enables an account wants it to work. One that is switched off does not run, so it can be
        written.
        """
        self._ensure_crons()
        accounts = self.sudo().with_context(active_test=False)
        crons = accounts.orders_cron_id | accounts.stock_cron_id
        crons.filtered(lambda cron: not cron.active).active = True

    @api.autovacuum
    def _gc_crons(self):
        """Clear the scheduled actions of deleted accounts."""
        # All accounts there are, disabled ones too: a handful.
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
        """Do a piece of work in a transaction of its own, again when another one was faster.

        Odoo repeats requests that meet a serialization failure, but not scheduled actions.

        :param work: called without arguments; has to be safe to repeat
        :return: what it returns
        """
        cr = self.env.cr
        for attempt in range(1, CONCURRENCY_TRIES + 1):
            try:
                result = work()
                cr.commit()
                return result
            except LockNotAvailable:
                # It was waited for already; who holds the row may do so for long.
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
        """Let only one worker of the company make products, contacts and SKUs.

        The lock is taken for the session and committed before the work begins, because a REPEATABLE
        READ transaction sees what was there at its first statement: waiting inside it would mean not
        to see what the other one made.
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
        self.env.cr.execute(SQL("SELECT %s", function))
        taken = self.env.cr.fetchone()[0]
        self.env.cr.commit()
        return taken

    def _is_company_busy(self):
        """Return whether another worker still has the company: then nothing is read that cannot be written.

        Looked at only where it was so a moment ago.
        """
        key = (self.env.cr.dbname, self.company_id.id)
        if _busy_companies.pop(key, -math.inf) < time.monotonic() - BUSY_SECONDS:
            return False
        function = SQL("pg_try_advisory_xact_lock(%s, %s)", COMPANY_LOCK, self.company_id.id)
        if self._try_company_lock(function):
            return False
        _busy_companies[key] = time.monotonic()
        return True
