import logging
from datetime import timedelta

from odoo import api, fields, models
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
from ...services.concurrency import CONCURRENCY_ERRORS

_logger = logging.getLogger(__name__)

#: What the question "are you well?" may take: (connect, read) seconds.
PROBE_TIMEOUT = (3, 5)
#: The work of a whole queue: it does not rest because it was interrupted.
QUEUES = ("_work_orders", "_work_stock")
#: Pieces of work that nobody waits for.
BULK_WORK = ("sync", "load", "warehouses", "sweep", "transactions", "pictures")
#: Refusals that are no fault of one request: nothing at all can be asked.
WRONG_SETTINGS = ("bad_settings", "redirected")


class KeycrmAccount(models.Model):
    """What an account does when KeyCRM does not answer as it should.

    A circuit breaker. When KeyCRM as a whole is unavailable, the account rests: after each pause, of a
    minute at the most, one of its queues sends one probe. When KeyCRM answers the probe, and not what a
    piece of work requested, the piece is at fault: it rests alone, and all other work goes on. A person's
    button ends all pauses.
    """

    _inherit = "keycrm.account"

    # === FIELDS ===#

    trouble_code = fields.Char(string="Problem type", readonly=True, copy=False)
    trouble_params = fields.Json(
        string="Problem details",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    trouble_count = fields.Integer(string="Failed attempts", readonly=True, copy=False)
    trouble_until = fields.Datetime(string="Next attempt", readonly=True, copy=False)
    trouble_text = fields.Char(string="Problem description", compute="_compute_trouble_text")
    # {piece of work: {"count", "until", "code", "params"}}
    guarded_work = fields.Json(
        string="Deferred jobs", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    # === COMPUTE METHODS ===#

    @api.depends("trouble_code", "trouble_params", "guarded_work")
    @api.depends_context("lang")
    def _compute_trouble_text(self):
        explain = self.env["keycrm.error.message"]
        for account in self:
            said = account.sudo()
            faults = [(said.trouble_code, said.trouble_params)] if said.trouble_code else []
            faults += [
                (rest["code"], rest["params"]) for rest in (said.guarded_work or {}).values()
            ]
            account.trouble_text = explain._sentence(*faults[0]) if faults else ""

    # === SAID TO PEOPLE ===#

    def _unavailable_reason(self, pieces):
        """Return what keeps work from going on.

        :param pieces: names of the work, as :meth:`_run_guarded` knows it
        :return: a sentence in the reader's language; empty when it goes on
        """
        said = self.sudo()
        explain = self.env["keycrm.error.message"]
        if said.trouble_code:
            return explain._sentence(said.trouble_code, said.trouble_params)
        resting = said.guarded_work or {}
        rests = [resting[name] for name in pieces if name in resting]
        return explain._sentence(rests[0]["code"], rests[0]["params"]) if rests else ""

    # === KEYCRM AS A WHOLE ===#

    def _is_unavailable(self):
        """Return whether the account waits until KeyCRM may be well again."""
        until = self.trouble_until
        return bool(until and until > self.env.cr.now())

    def _has_recovered(self):
        """After a pause, let one queue ask one short question; with a good answer, all goes on.

        :return: True when there is no trouble (any more)
        :raise RateLimited, QuotaExceeded: when it cannot be asked now
        """
        if not self.trouble_count:
            return True
        if not self._run_in_transaction(self._claim_probe):
            return False
        try:
            self._probe()
        except (QuotaExceeded, RateLimited):
            raise
        except KeyCrmError as error:
            self._record_unavailable(error)
            return False
        self._record_recovered()
        self._trigger_crons(self._crons())
        self.env.cr.commit()
        return True

    def _crons(self):
        """:return: the scheduled actions of both queues"""
        return self.sudo().orders_cron_id | self.sudo().stock_cron_id

    def _end_backoff(self):
        """A person pressed a button: whatever rests is tried at once.

        How often it failed before is kept: KeyCRM is probed before anything else is requested.
        """
        now = self.env.cr.now()
        for account in self.sudo():
            if account._is_unavailable():
                account.trouble_until = now
            resting = account.guarded_work
            if resting:
                over = fields.Datetime.to_string(now)
                account.guarded_work = {
                    name: {**rest, "until": min(rest["until"], over)}
                    for name, rest in resting.items()
                }
        self._trigger_crons(self._crons())

    def _claim_probe(self):
        """Take the question for this queue: the other one finds the next pause begun.

        By SQL, because only the statement itself can tell who was first.
        """
        now = self.env.cr.now()
        self.flush_recordset(["trouble_until"])
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_account SET trouble_until = %s
                    WHERE id = %s AND (trouble_until IS NULL OR trouble_until <= %s) RETURNING id""",
                now + timedelta(seconds=self._pause_after(self.trouble_count)),
                self.id,
                now,
            )
        )
        claimed = bool(self.env.cr.fetchone())
        self.invalidate_recordset(["trouble_until"])
        return claimed

    def _probe(self, *, goes_on=False):
        """Ask something that costs KeyCRM nothing, and wait for the answer for some seconds only.

        :param goes_on: whether it belongs to work that has begun
        :raise KeyCrmError: when it does not come
        """
        with self._client(timeout=PROBE_TIMEOUT, tries=1) as client:
            client.begins = not goes_on
            client.get("/order/status", {"limit": 1})

    @staticmethod
    def _pause_after(count, pauses=CIRCUIT_PAUSES):
        """:return: seconds to stay away after so many failures"""
        return pauses[min(count, len(pauses) - 1)]

    def _record_unavailable(self, error):
        """Record what is wrong, and stay away for a growing pause."""
        _logger.warning("KeyCRM account %s: %s", self.id, error.code)
        pause = self._pause_after(self.trouble_count)
        retry_after = getattr(error, "retry_after", None)
        if retry_after:
            pause = min(max(pause, retry_after), CIRCUIT_PAUSES[-1])

        def note():
            self.sudo().write(
                {
                    "trouble_code": error.code,
                    "trouble_params": error.params,
                    "trouble_count": self.trouble_count + 1,
                    "trouble_until": self.env.cr.now() + timedelta(seconds=pause),
                }
            )
            # Odoo's own look once a minute could come a minute after the pause.
            self._crons()._trigger_keycrm(pause)
            self._notify_clients()

        self._run_in_transaction(note)

    def _record_recovered(self):
        """KeyCRM answered: what was wrong is over."""
        if self.trouble_code or self.trouble_count:
            self._run_in_transaction(self._reset_circuit)

    def _reset_circuit(self):
        """Begin anew, also with the work that rests alone."""
        self.sudo().write(
            {
                "trouble_code": False,
                "trouble_params": False,
                "trouble_count": 0,
                "trouble_until": False,
                "guarded_work": False,
            }
        )
        self._notify_clients()

    # === ONE PIECE OF WORK ===#

    def _is_of_this_request(self, error):
        """Return whether KeyCRM is well, and only this request has no answer.

        :param error: the :class:`~..keycrm.errors.KeyCrmError` that the request met
        :raise RateLimited, QuotaExceeded: when KeyCRM cannot be asked now, which says nothing about it
        """
        if error.of_request is None:
            error.of_request = self._probe_after(error)
        return error.of_request

    def _probe_after(self, error):
        if isinstance(error, PictureTrouble):
            # Pictures come from hosts of their own.
            return True
        if error.code in WRONG_SETTINGS or not isinstance(
            error, Refused | NotFound | ServerTrouble | MalformedAnswer | TimedOut | Unreachable
        ):
            return False
        try:
            self._probe(goes_on=True)
        except (QuotaExceeded, RateLimited):
            raise
        except KeyCrmError:
            return False
        return True

    def _run_guarded(self, name, work):
        """Do work whose own fault is not to keep other work waiting: it rests alone.

        :param name: name of the work, stable
        :param work: called without arguments
        :return: what it returns; False when it rests
        :raise KeyCrmError: when KeyCRM as a whole is in trouble
        """
        if self._rests(name):
            return False
        if self.env.context.get("keycrm_single_item") and name not in QUEUES:
            self._open_circuit(name, KeyCrmError("worker_died"))
        try:
            more = work()
        except (QuotaExceeded, RateLimited, *CONCURRENCY_ERRORS):
            raise
        except KeyCrmError as error:
            self.env.cr.rollback()
            if not self._is_of_this_request(error):
                raise
            self._open_circuit(name, error)
            return False
        except Exception as error:
            self._record_internal_error(name, error)
            return False
        if name in (self.sudo().guarded_work or {}):
            self._run_in_transaction(lambda: self._write_rest(name, None))
        return more

    def _record_internal_error(self, name, error):
        """Record a fault of ours, while it is being handled.

        Raised, it would end in the scheduled action being switched off for good after some days; noted,
        it is seen, and tried again with growing pauses.

        :raise Exception: the same one, when the database server went away and nothing can be noted
        """
        if self.env.cr.closed:
            raise error
        _logger.exception("KeyCRM account %s: %s fails", self.id, name)
        self.env.cr.rollback()
        self._open_circuit(name, KeyCrmError("unexpected", kind=type(error).__name__))

    def _rests(self, name):
        rest = (self.sudo().guarded_work or {}).get(name)
        return bool(rest) and rest["until"] > fields.Datetime.to_string(self.env.cr.now())

    def _open_circuit(self, name, error):
        """Record why a piece of work has to rest, and for how long."""
        _logger.warning("KeyCRM account %s: %s rests: %s", self.id, name, error.code)

        def note():
            count = (self.sudo().guarded_work or {}).get(name, {}).get("count", 0)
            pauses = BULK_PAUSES if name in BULK_WORK else CIRCUIT_PAUSES
            pause = self._pause_after(count, pauses)
            until = self.env.cr.now() + timedelta(seconds=pause)
            self._write_rest(
                name,
                {
                    "count": count + 1,
                    "until": fields.Datetime.to_string(until),
                    "code": error.code,
                    "params": error.params,
                },
            )
            account = self.sudo()
            is_stock = name in ("_work_stock", "_work_comparison")
            cron = account.stock_cron_id if is_stock else account.orders_cron_id
            cron._trigger_keycrm(pause)

        self._run_in_transaction(note)

    def _write_rest(self, name, rest):
        self.invalidate_recordset(["guarded_work"])
        resting = dict(self.sudo().guarded_work or {})
        resting.pop(name, None)
        if rest:
            resting[name] = rest
        self.sudo().guarded_work = resting or False
        self._notify_clients()
