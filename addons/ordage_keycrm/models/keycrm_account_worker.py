import logging
import random
import time
from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..const import TROUBLE_PAUSES, WORKER_SECONDS
from ..keycrm.budget import DEFAULT_RETRY_AFTER
from ..keycrm.errors import BudgetSpent, KeyCrmError, RateLimited

_logger = logging.getLogger(__name__)

#: First key of the advisory lock that keeps the accounts of one company apart ("KCRM").
COMPANY_LOCK = 0x4B43524D
#: Tries of one piece of work when another transaction was faster.
CONCURRENCY_TRIES = 6
#: Open screens are told at most so often that something changed, in seconds.
SCREEN_SECONDS = 1.0


class KeycrmAccount(models.Model):
    """What the two workers of an account have in common.

    Each account has two scheduled actions, one a lane: ``orders`` (inbox, catch-up, bulk) and
    ``stock``. ``ir.cron`` locks its row while it runs, so each lane of an account has one writer over
    all Odoo processes and hosts. A worker commits after each piece of work, looks for no new work after
    some seconds, and wakes itself again when something is left. ``ir.cron`` itself would pause a job
    that only reports work left.
    """

    _inherit = "keycrm.account"

    trouble_code = fields.Char(string="Kind of trouble", readonly=True, copy=False)
    trouble_params = fields.Json(
        string="Details of the trouble",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    trouble_count = fields.Integer(string="Tries in trouble", readonly=True, copy=False)
    trouble_until = fields.Datetime(string="Next try", readonly=True, copy=False)
    trouble_text = fields.Char(string="What is wrong", compute="_compute_trouble_text")

    @api.depends("trouble_code", "trouble_params")
    @api.depends_context("lang")
    def _compute_trouble_text(self):
        explain = self.env["keycrm.explain"]
        for account in self:
            account.trouble_text = explain._sentence(
                account.trouble_code, account.sudo().trouble_params
            )

    # === SCHEDULED ACTIONS ===#

    @api.model
    def _cron_orders(self, account_id):
        """Entry of the orders' lane; the scheduled action of each account names its account."""
        self._run_lane(account_id, "orders_cron_id", "_work_orders")

    @api.model
    def _cron_stock(self, account_id):
        """Entry of the stock lane."""
        self._run_lane(account_id, "stock_cron_id", "_work_stock")

    def _run_lane(self, account_id, cron_field, work_name):
        """Work for some seconds; come back at once when something is left.

        The work method is called again and again; it does one piece, commits it, and returns whether
        there may be more. Trouble with KeyCRM ends the run and is noted on the account.
        """
        account = self.browse(account_id).exists()
        if not account or not account.enabled or account._is_resting():
            return
        account = account.with_company(account.company_id)
        deadline = time.monotonic() + WORKER_SECONDS
        more, wait, told = True, 0.0, 0.0
        try:
            with account._client() as client:
                while more and time.monotonic() < deadline:
                    more = getattr(account, work_name)(client)
                    if more and time.monotonic() - told > SCREEN_SECONDS:
                        told = time.monotonic()
                        account._committed(account._tell_screens)
            if told:
                account._committed(account._tell_screens)
            account._note_well()
        except BudgetSpent as error:
            self.env.cr.rollback()
            more, wait = True, error.wait
        except RateLimited as error:
            # No trouble of KeyCRM's: the gate keeps everybody away for as long as it said.
            self.env.cr.rollback()
            more, wait = True, error.retry_after or DEFAULT_RETRY_AFTER
        except KeyCrmError as error:
            self.env.cr.rollback()
            more = False
            account._note_trouble(error)
        except psycopg2.InterfaceError:
            # The database server went away, and this cursor with it: the scheduler starts anew.
            raise
        except Exception as error:
            # A fault of ours. Raised, it would end in the scheduled action being switched off for
            # good after some days; noted, it is seen, and tried again with growing pauses.
            if self.env.cr.closed:
                raise
            _logger.exception("KeyCRM account %s: %s fails", account_id, work_name)
            self.env.cr.rollback()
            more = False
            account._note_trouble(KeyCrmError("unexpected", kind=type(error).__name__))
        if more:
            account._wake(account[cron_field], wait)
            self.env.cr.commit()

    def _wake(self, crons, wait=0.0):
        """Wake scheduled actions.

        :param crons: ``ir.cron`` records; for several, one insert
        :param wait: seconds; a short wait is passed by the worker itself, since a later trigger is only
            seen when the scheduler looks, up to a minute later
        """
        crons = crons.sudo()
        if not crons:
            return
        crons._trigger_keycrm(wait if wait > 10 else 0.0)

    def _wake_orders(self):
        self._wake(self.sudo().orders_cron_id)

    def _wake_stock(self):
        self._wake(self.sudo().stock_cron_id)

    def _ensure_crons(self):
        """Give each account its two scheduled actions, once; they are never written again.

        A running ``ir.cron`` refuses to be written, so intervals live on the account, and the actions
        of a deleted account are cleared later.
        """
        lanes = (
            ("orders_cron_id", "_cron_orders", "KeyCRM: orders of account %s"),
            ("stock_cron_id", "_cron_stock", "KeyCRM: stock of account %s"),
        )
        model = self.env["ir.model"]._get("keycrm.account")
        for account in self.sudo():
            for field_name, method, name in lanes:
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

    def _revive_crons(self):
        """Let the scheduled actions work that Odoo switched off when it made a copy for tests.

        Whoever enables an account wants it to work. One that is switched off does not run, so it can be
        written.
        """
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

    # === TROUBLE ===#

    def _is_resting(self):
        """Tell whether the account waits until KeyCRM may be well again."""
        until = self.trouble_until
        return bool(until and until > fields.Datetime.now())

    def _note_trouble(self, error):
        """Note what is wrong, and stay away for a growing pause."""
        _logger.warning("KeyCRM account %s: %s", self.id, error.code)
        pause = TROUBLE_PAUSES[min(self.trouble_count, len(TROUBLE_PAUSES) - 1)]
        retry_after = getattr(error, "retry_after", None)
        if retry_after:
            pause = min(max(pause, retry_after), TROUBLE_PAUSES[-1])
        until = fields.Datetime.now() + timedelta(seconds=pause)

        def note():
            self.sudo().write(
                {
                    "trouble_code": error.code,
                    "trouble_params": error.params,
                    "trouble_count": self.trouble_count + 1,
                    "trouble_until": until,
                }
            )
            self._tell_screens()

        # No wake-up: both lanes look once a minute anyway.
        self._committed(note)

    def _note_well(self):
        """KeyCRM answered: what was wrong is over."""
        if self.trouble_code:
            self._committed(self._forget_trouble)

    def _forget_trouble(self):
        self.sudo().write(
            {
                "trouble_code": False,
                "trouble_params": False,
                "trouble_count": 0,
                "trouble_until": False,
            }
        )
        self._tell_screens()

    # === TRANSACTIONS ===#

    def _committed(self, work):
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
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
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
