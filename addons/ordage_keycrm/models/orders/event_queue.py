from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from ...const import OUTAGE_PAUSE
from ...services.common import crons
from ...services.orders.order_priorities import (
    FAR,
    NEW_ORDER,
    NEWEST_SECONDS,
    OWN,
    RETRY,
    WEBHOOK,
    WaitingOrder,
)

#: Numbers up to this far above the newest order in Odoo may be those of new orders.
NEAR = 1000
#: How long webhooks of an order that KeyCRM did not have are ignored.
MISSING_FRESH = timedelta(minutes=5)
#: Numbers just above KeyCRM's newest order are checked again after this time: a list may lack an order
#: that was placed a moment ago. After some minutes they count as invented.
LAG_PAUSE = timedelta(seconds=30)
LAG_ENDS = timedelta(minutes=5)
#: How far above KeyCRM's newest order such a number may be.
LAG = 50
#: Codes of failures that an outage of KeyCRM causes.
OUTAGE_CODES = ("server_trouble", "timed_out", "unreachable", "not_json")


class KeycrmEvent(models.Model):
    """The inbox as a queue with priorities.

    New webhooks come first, the newest and the oldest alternately: no backlog delays a new order, and no old
    order waits forever. Then orders that Odoo itself enqueued, retries, and numbers far above the newest
    order in Odoo.
    """

    _inherit = "keycrm.event"

    @api.model
    def _waiting(self, account, limit, without=()):
        """Choose the orders to be processed next, the most urgent ones first.

        By SQL: the ORM cannot alternate between two rankings.

        :param account: ``keycrm.account``, one
        :param limit: number of orders; None for all
        :param without: KeyCRM's numbers that are left out
        :return: list of :class:`~.order_priorities.WaitingOrder`
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH waiting AS (
                    SELECT keycrm_order_id AS number, min(id) AS first, max(id) AS last,
                           bool_or(from_webhook IS TRUE AND COALESCE(attempts, 0) = 0) AS is_new,
                           bool_and(from_webhook IS TRUE AND done_at IS NULL
                                    AND COALESCE(attempts, 0) = 0) AS is_untried,
                           min(COALESCE(attempts, 0)) AS attempts,
                           bool_and(attempts > 0 AND COALESCE(error_code = ANY(%(outage)s), FALSE))
                               AS is_outage
                      FROM keycrm_event
                     WHERE account_id = %(account)s AND next_try_at <= %(now)s
                       AND keycrm_order_id <> ALL(%(without)s)
                     GROUP BY keycrm_order_id
                ), known AS (
                    SELECT COALESCE(max(keycrm_id), 0) AS newest FROM sale_order
                     WHERE keycrm_account_id = %(account)s
                ), ranked AS (
                    SELECT number, first, last, is_untried, is_outage, attempts, newest,
                           CASE WHEN NOT is_new AND attempts = 0 THEN %(own)s
                                WHEN NOT is_new THEN %(retry)s
                                WHEN newest = 0 OR number <= newest THEN %(webhook)s
                                WHEN number <= newest + %(near)s THEN %(new_order)s
                                ELSE %(far)s END AS rank
                      FROM waiting, known
                ), turns AS (
                    SELECT *, least(row_number() OVER (PARTITION BY rank ORDER BY last DESC) * 2,
                                    row_number() OVER (PARTITION BY rank ORDER BY first) * 2 - 1) AS turn
                      FROM ranked
                     ORDER BY rank, CASE WHEN rank = %(retry)s THEN attempts END, turn LIMIT %(limit)s
                )
                SELECT number, rank,
                       is_untried AND newest > 0 AND EXISTS (
                           SELECT FROM keycrm_event ignored
                            WHERE ignored.account_id = %(account)s
                              AND ignored.keycrm_order_id = number AND ignored.state = 'ignored'
                              AND ignored.error_code = 'order_not_found'
                              AND ignored.done_at > %(fresh)s),
                       is_outage, last
                  FROM turns ORDER BY rank, CASE WHEN rank = %(retry)s THEN attempts END, turn
                """,
                account=account.id,
                now=self.env.cr.now(),
                without=list(without),
                outage=list(OUTAGE_CODES),
                fresh=self.env.cr.now() - MISSING_FRESH,
                near=NEAR,
                new_order=NEW_ORDER,
                webhook=WEBHOOK,
                own=OWN,
                retry=RETRY,
                far=FAR,
                limit=limit,
            )
        )
        return [WaitingOrder(*row) for row in self.env.cr.fetchall()]

    @api.model
    def _unfinished(self, account, numbers):
        """Return the unfinished events of orders; an import finishes failed ones too.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's
        """
        return self.sudo().search(self._unfinished_domain(account, numbers), order="id")

    @api.model
    def _unfinished_ids(self, account, numbers):
        """Return the ids of the unfinished events of orders.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's
        :return: ``{number: ids}``
        """
        domain = self._unfinished_domain(account, numbers)
        return dict(self.sudo()._read_group(domain, ["keycrm_order_id"], ["id:array_agg"]))

    @api.model
    def _unfinished_domain(self, account, numbers):
        return [
            ("account_id", "=", account.id),
            ("keycrm_order_id", "in", list(numbers)),
            ("state", "in", ("pending", "failed")),
        ]

    @api.model
    def _ignore_missing(self, account, numbers):
        """Finish the webhooks of orders that KeyCRM does not have.

        By SQL: there may be thousands, with invented numbers.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's
        """
        self._finish_missing(account, SQL("keycrm_order_id = ANY(%s)", list(numbers)))

    @api.model
    def _ignore_above(self, account, newest):
        """Finish the webhooks of orders above KeyCRM's newest one.

        Those that its list may not contain yet are checked again.

        :param account: ``keycrm.account``, one
        :param newest: number of KeyCRM's newest order
        """
        now = self.env.cr.now()
        late = SQL(
            "(keycrm_order_id > %s OR keycrm_order_id > %s AND received_at < %s)",
            newest + LAG,
            newest,
            now - LAG_ENDS,
        )
        self._finish_missing(account, late)
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_event SET next_try_at = %s
                    WHERE account_id = %s AND keycrm_order_id > %s AND next_try_at <= %s
                      AND state = 'pending' AND COALESCE(attempts, 0) = 0 AND from_webhook IS TRUE""",
                now + LAG_PAUSE,
                account.id,
                newest,
                now,
            )
        )
        if self.env.cr.rowcount:
            crons.trigger(account, crons.ORDERS, delay=LAG_PAUSE.total_seconds())
        self.invalidate_model()

    def _finish_missing(self, account, condition):
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_event
                      SET state = 'ignored', attempts = COALESCE(attempts, 0) + 1,
                          next_try_at = NULL, done_at = %s, error_code = 'order_not_found',
                          error_params = jsonb_build_object('order', keycrm_order_id)
                    WHERE account_id = %s AND next_try_at <= %s AND state = 'pending'
                      AND COALESCE(attempts, 0) = 0 AND from_webhook IS TRUE AND %s""",
                self.env.cr.now(),
                account.id,
                self.env.cr.now(),
                condition,
            )
        )
        self.invalidate_model()

    @api.model
    def _defer(self, account, numbers):
        """Defer orders until the list of the newest ones is read again.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's
        """
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_event SET next_try_at = %s
                    WHERE account_id = %s AND keycrm_order_id = ANY(%s) AND next_try_at <= %s""",
                self.env.cr.now() + timedelta(seconds=NEWEST_SECONDS),
                account.id,
                list(numbers),
                self.env.cr.now(),
            )
        )
        crons.trigger(account, crons.ORDERS, delay=NEWEST_SECONDS)
        self.invalidate_model()

    @api.model
    def _defer_outage(self, account):
        """Defer the orders that failed because of an outage that continues.

        :param account: ``keycrm.account``, one
        """
        now = self.env.cr.now()
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_event SET next_try_at = %s
                    WHERE account_id = %s AND next_try_at <= %s AND attempts > 0
                      AND error_code = ANY(%s)""",
                now + timedelta(seconds=OUTAGE_PAUSE),
                account.id,
                now,
                list(OUTAGE_CODES),
            )
        )
        self.invalidate_model()
