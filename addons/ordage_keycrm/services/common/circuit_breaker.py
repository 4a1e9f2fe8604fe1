"""Pause work while KeyCRM fails: the circuit breakers of an account."""

import logging
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...const import BULK_PAUSES, CIRCUIT_PAUSES
from ...keycrm.errors import (
    KeyCrmError,
    MalformedAnswer,
    NotFound,
    QuotaExceeded,
    RateLimited,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
)
from ...keycrm.images import PictureTrouble
from . import crons
from .api_gateway import open_client
from .concurrency import CONCURRENCY_ERRORS, STORAGE_ERRORS
from .live_updates import notify_clients
from .service import Service
from .transactions import run_in_transaction

_logger = logging.getLogger(__name__)

#: Timeout of a probe: (connect, read) seconds.
PROBE_TIMEOUT = (3, 5)
#: Work of a whole queue: an interruption does not open its circuit breaker.
QUEUES = tuple(queue.name for queue in crons.QUEUES)
#: Work of the stock queue; all other work is of the orders queue.
STOCK_WORK = (crons.STOCK.name, "offers", "comparison")
#: Work that no user waits for.
BULK_WORK = (
    "many_updates",
    "sync",
    "load",
    "create_products",
    "send_preview",
    "warehouses",
    "reconciliation",
    "transactions",
    "line_costs",
    "pictures",
)
#: Errors of the settings, which affect all requests.
WRONG_SETTINGS = ("bad_settings", "redirected")


class CircuitBreaker(Service):
    """Pause an account, or one piece of its work, after failures.

    When KeyCRM as a whole is unavailable, the account pauses: after each backoff, of a minute at most,
    one of its queues sends one probe. When KeyCRM answers the probe, but not the request of a piece of
    work, only the circuit breaker of that piece opens, and all other work continues. A user's button
    ends all backoffs. The state is in fields of the account.
    """

    # === KEYCRM AS A WHOLE ===#

    def is_unavailable(self):
        """Return whether the account pauses until the next probe."""
        until = self.account.circuit_open_until
        return bool(until and until > self.env.cr.now())

    def is_interrupted(self):
        """Return whether KeyCRM is unavailable, or a whole queue fails."""
        failing = self.account.sudo().work_circuits or ()
        return bool(self.account.circuit_error_code) or any(name in failing for name in QUEUES)

    def has_recovered(self):
        """Send a probe after a backoff, from one queue; success resumes all work.

        :return: True when KeyCRM is available
        :raise RateLimited, QuotaExceeded: when no probe can be sent now
        """
        if not self.account.circuit_failures:
            return True
        if not run_in_transaction(self.env.cr, self._claim_probe):
            return False
        try:
            self._probe()
        except (QuotaExceeded, RateLimited):
            raise
        except KeyCrmError as error:
            self.record_unavailable(error)
            return False
        self._record_recovered()
        crons.trigger(self.account)
        self.env.cr.commit()
        return True

    def _claim_probe(self):
        """Claim the probe for this queue: the other one finds the next backoff started.

        By SQL, because only a conditional update decides atomically which queue is first.

        :return: whether it is claimed
        """
        now = self.env.cr.now()
        self.account.flush_recordset(["circuit_open_until"])
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_account SET circuit_open_until = %s
                    WHERE id = %s AND (circuit_open_until IS NULL OR circuit_open_until <= %s)
                RETURNING id""",
                now + timedelta(seconds=self._pause_after(self.account.circuit_failures)),
                self.account.id,
                now,
            )
        )
        claimed = bool(self.env.cr.fetchone())
        self.account.invalidate_recordset(["circuit_open_until"])
        return claimed

    def _probe(self, *, continues=False):
        """Send a request that is cheap for KeyCRM, with a short timeout.

        :param continues: whether it belongs to work that has started
        :raise KeyCrmError: when it fails
        """
        with open_client(self.account, timeout=PROBE_TIMEOUT, tries=1) as client:
            client.is_deferrable = not continues
            client.get("/order/status", {"limit": 1})

    @staticmethod
    def _pause_after(count, pauses=CIRCUIT_PAUSES):
        """Return the backoff after a number of failures.

        :param count: failures before this one
        :param pauses: seconds of each backoff, the last one repeated
        :return: seconds
        """
        return pauses[min(count, len(pauses) - 1)]

    def record_unavailable(self, error):
        """Record the error, and pause the account with a growing backoff.

        :param error: the :class:`~.keycrm.errors.KeyCrmError`
        """
        _logger.warning("KeyCRM account %s: %s", self.account.id, error.code)
        pause = self._pause_after(self.account.circuit_failures)

        def record():
            self.account.sudo().write(
                {
                    "circuit_error_code": error.code,
                    "circuit_error_params": error.params,
                    "circuit_failures": self.account.circuit_failures + 1,
                    "circuit_open_until": self.env.cr.now() + timedelta(seconds=pause),
                }
            )
            # The scheduler's own poll could be a minute after the backoff.
            crons.trigger(self.account, delay=pause)
            notify_clients(self.account)

        run_in_transaction(self.env.cr, record)

    def _record_recovered(self):
        """Close the circuit breaker after a successful answer."""
        if self.account.circuit_error_code or self.account.circuit_failures:
            run_in_transaction(self.env.cr, self.reset)

    def reset(self):
        """Close all circuit breakers, also those of single pieces of work."""
        self.account.sudo().write(
            {
                "circuit_error_code": False,
                "circuit_error_params": False,
                "circuit_failures": 0,
                "circuit_open_until": False,
                "work_circuits": False,
            }
        )
        notify_clients(self.account)

    # === ONE PIECE OF WORK ===#

    def reason(self, pieces):
        """Return why work is paused.

        :param pieces: names of the work, as passed to :meth:`run`
        :return: a sentence in the reader's language; empty when it is not paused
        """
        stored = self.account.sudo()
        explain = self.env["keycrm.error.message"]
        if stored.circuit_error_code:
            return explain._sentence(stored.circuit_error_code, stored.circuit_error_params)
        circuits = stored.work_circuits or {}
        opened = [circuits[name] for name in pieces if name in circuits]
        return explain._sentence(opened[0]["code"], opened[0]["params"]) if opened else ""

    def is_request_at_fault(self, error, *, trusts_refusal=False):
        """Return whether KeyCRM is available, and only this request failed.

        :param error: the :class:`~.keycrm.errors.KeyCrmError` of the request
        :param trusts_refusal: whether a refusal needs no probe, as that of a body with many rows
        :raise RateLimited, QuotaExceeded: when no probe can be sent now, so the cause stays unknown
        """
        if error.of_request is None:
            is_trusted = trusts_refusal and isinstance(error, Refused)
            error.of_request = is_trusted or self._probe_after(error)
        return error.of_request

    def _probe_after(self, error):
        """Send a probe if only this request may have failed.

        :param error: the :class:`~.keycrm.errors.KeyCrmError` of the request
        :return: whether KeyCRM is available
        :raise RateLimited, QuotaExceeded: when no probe can be sent now
        """
        if isinstance(error, PictureTrouble):
            # Pictures are on other hosts than KeyCRM's API.
            return True
        if error.code in WRONG_SETTINGS or not isinstance(
            error, Refused | NotFound | ServerTrouble | MalformedAnswer | TimedOut | Unreachable
        ):
            return False
        try:
            self._probe(continues=True)
        except (QuotaExceeded, RateLimited):
            raise
        except KeyCrmError:
            return False
        return True

    def run(self, name, work):
        """Run a piece of work behind its own circuit breaker, so that others continue.

        :param name: name of the work, stable
        :param work: called without arguments
        :return: its result; False while the circuit breaker is open
        :raise KeyCrmError: when KeyCRM as a whole is unavailable
        """
        if self.is_open(name):
            return False
        if self.options.single_item and name not in QUEUES:
            self.open(name, KeyCrmError("worker_died"))
        try:
            more = work()
        except (QuotaExceeded, RateLimited, *CONCURRENCY_ERRORS):
            raise
        except KeyCrmError as error:
            self.env.cr.rollback()
            if not self.is_request_at_fault(error):
                raise
            self.open(name, error)
            return False
        except Exception as error:
            self.record_internal_error(name, error)
            return False
        if name in (self.account.sudo().work_circuits or {}):
            run_in_transaction(self.env.cr, lambda: self._write(name, None))
        return more

    def record_internal_error(self, name, error):
        """Record an unexpected exception, while it is being handled.

        If it were raised, Odoo would deactivate the scheduled action after some days. Instead users see
        the error, and the work is retried with backoff.

        :param name: name of the work
        :param error: the exception
        :raise Exception: the same one, when the database connection is lost and nothing can be recorded
        """
        if self.env.cr.closed:
            raise error
        kind = type(error).__name__
        if not isinstance(error, STORAGE_ERRORS):
            _logger.exception("KeyCRM account %s: %s fails", self.account.id, name)
            self.env.cr.rollback()
            self.open(name, KeyCrmError("unexpected", kind=kind))
            return
        _logger.error("KeyCRM account %s: %s fails: %s", self.account.id, name, kind)
        self.env.cr.rollback()
        try:
            self.open(name, KeyCrmError("database_full", kind=kind))
        except STORAGE_ERRORS:
            # Odoo's scheduler runs the queue again within a minute.
            _logger.error("KeyCRM account %s: the failure cannot be stored", self.account.id)

    def is_open(self, name):
        """Return whether the circuit breaker of a piece of work is open.

        :param name: name of the work
        """
        circuit = (self.account.sudo().work_circuits or {}).get(name)
        return bool(circuit) and circuit["until"] > fields.Datetime.to_string(self.env.cr.now())

    def failures(self, name):
        """Return how often a piece of work failed since it last succeeded.

        :param name: name of the work
        """
        return (self.account.sudo().work_circuits or {}).get(name, {}).get("count", 0)

    def open(self, name, error):
        """Open the circuit breaker of a piece of work, with a growing backoff.

        :param name: name of the work
        :param error: the :class:`~.keycrm.errors.KeyCrmError`
        """
        _logger.warning("KeyCRM account %s: %s paused: %s", self.account.id, name, error.code)

        def record():
            count = self.failures(name)
            pauses = BULK_PAUSES if name in BULK_WORK else CIRCUIT_PAUSES
            pause = self._pause_after(count, pauses)
            until = self.env.cr.now() + timedelta(seconds=pause)
            self._write(
                name,
                {
                    "count": count + 1,
                    "until": fields.Datetime.to_string(until),
                    "code": error.code,
                    "params": error.params,
                },
            )
            is_stock = name in STOCK_WORK
            crons.trigger(self.account, crons.STOCK if is_stock else crons.ORDERS, delay=pause)

        run_in_transaction(self.env.cr, record)

    def _write(self, name, circuit):
        """Write or remove the state of a circuit breaker.

        :param name: name of the work
        :param circuit: its state; None to close it
        """
        self.account.invalidate_recordset(["work_circuits"])
        circuits = dict(self.account.sudo().work_circuits or {})
        circuits.pop(name, None)
        if circuit:
            circuits[name] = circuit
        self.account.sudo().work_circuits = circuits or False
        notify_clients(self.account)


def end_backoff(accounts):
    """End all backoffs at the request of a user.

    The number of failures is kept: KeyCRM is probed before other requests are sent.

    :param accounts: ``keycrm.account``
    """
    now = accounts.env.cr.now()
    for account in accounts.sudo():
        if CircuitBreaker(account).is_unavailable():
            account.circuit_open_until = now
        circuits = account.work_circuits
        if circuits:
            over = fields.Datetime.to_string(now)
            account.work_circuits = {
                name: {**circuit, "until": min(circuit["until"], over)}
                for name, circuit in circuits.items()
            }
    crons.trigger(accounts)
