from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...const import SETTLE_SECONDS
from ...services.common import crons
from ...services.common.transactions import pending_changes
from ...services.sending.kind import OrderKind
from ...services.sending.kinds import KINDS, selection_of

#: Under this key the records that changed are kept, by kind, until the transaction is flushed.
PENDING = "keycrm_order_changes"


class KeycrmOrderUpdate(models.Model):
    """An update that Odoo sends to an order in KeyCRM, such as a payment.

    The order is read before it is written, so nothing is sent twice, and what a manager set meanwhile
    stays. A failed update is retried like an event. ``services/sending/order_update_sender.py`` sends them.
    """

    _name = "keycrm.order.update"
    _inherit = ["keycrm.retry.mixin", "keycrm.outbox.mixin"]
    _description = "Update of an order in KeyCRM"
    _order = "id desc"
    _rec_name = "sale_order_id"

    # === FIELDS ===#

    kind = fields.Selection(
        selection_of(OrderKind), string="Update", required=True, default="status"
    )
    sale_order_id = fields.Many2one(required=True, ondelete="cascade")
    picking_id = fields.Many2one("stock.picking", string="Delivery order", ondelete="cascade")
    status_id = fields.Many2one("keycrm.order.status", string="Status to set", ondelete="cascade")
    former_status_id = fields.Many2one(
        "keycrm.order.status",
        string="Status at delivery",
        ondelete="set null",
        help="The status is changed only from this one: if a manager has set another one in the "
        "meantime, it is kept.",
    )
    partial_id = fields.Many2one(
        "account.partial.reconcile", string="Reconciliation", ondelete="set null", readonly=True
    )
    is_forced = fields.Boolean(
        string="Sent anyway", readonly=True, help="A user decided that KeyCRM does not have it yet."
    )
    requested_at = fields.Datetime(
        string="Requested on",
        readonly=True,
        help="Last time Odoo requested its creation in KeyCRM; empty if KeyCRM refused.",
    )
    sent_value = fields.Char(string="Value", help="What KeyCRM has now.")

    _picking_unique = models.Constraint(
        "UNIQUE(account_id, sale_order_id, picking_id)",
        "A delivery sets its status in KeyCRM only once.",
    )
    _partial_unique = models.Constraint(
        "UNIQUE(sale_order_id, partial_id)", "Money is sent to an order only once."
    )
    _status_complete = models.Constraint(
        "CHECK(kind <> 'status' OR (picking_id IS NOT NULL AND status_id IS NOT NULL))",
        "A status update needs a delivery and a status.",
    )
    # For the worker's query for due updates, independent of the number of finished ones.
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")
    # Older updates of the same order end with the newest one.
    _open_index = models.Index("(sale_order_id, kind) WHERE state IN ('pending', 'failed')")

    # === ACTION METHODS ===#

    def action_send_anyway(self):
        """Send payments that KeyCRM seems to have already.

        :return: a notification
        :raise UserError: when no failed payment is selected
        """
        self.account_id._check_manager()
        payments = self.filtered(
            lambda update: update.kind == "payment" and update.state == "failed"
        )
        if not payments:
            raise UserError(
                self.env._("Only failed payments can be sent anyway. For others, click “Retry”.")
            )
        payments.sudo().is_forced = True
        return payments.action_retry()

    def action_ignore(self):
        """Ignore the updates: a user knows that KeyCRM has them.

        :return: a notification
        """
        self.account_id._check_manager()
        failed = self.sudo().filtered(lambda update: update.state == "failed")
        for update in failed:
            update._unlink_activity()
            update.write({"state": "ignored", "next_try_at": False})
        return self.account_id[:1]._notification(self.env._("Will not be sent: %s.", len(failed)))

    # === BUSINESS METHODS ===#

    @api.model
    def _enqueue(self, kind, ids):
        """Enqueue the orders of changed records at the commit; costs no query before it.

        :param kind: name of an :class:`~.sending.kind.OrderKind`
        :param ids: ids of the records, of which its ``changed_orders`` finds the orders
        """
        if self._sending_accounts(KINDS[kind].switch):
            pending = pending_changes(
                self.env.cr, PENDING, dict, lambda: self.sudo()._insert_pending()
            )
            pending.setdefault(kind, set()).update(ids)

    @api.model
    def _insert_pending(self):
        """Enqueue what this transaction changed, each kind with one statement.

        Always inserted, since updating a waiting row would make two users' transactions conflict. The
        worker reads the values when it sends.
        """
        for kind, ids in self.env.cr.precommit.data.pop(PENDING, {}).items():
            accounts = self._sending_accounts(KINDS[kind].switch).values()
            cron_ids = [sending.orders_cron_id for found in accounts for sending in found]
            if ids and cron_ids:
                self._insert_and_trigger(self._insert_statement(kind, sorted(ids)), cron_ids)

    @api.model
    def _insert_statement(self, kind, ids):
        """Return the insert: by SQL, since it runs in users' transactions.

        :param kind: name of an :class:`~.sending.kind.OrderKind`
        :param ids: as of :meth:`_enqueue`
        """
        return SQL(
            """INSERT INTO keycrm_order_update
                      (account_id, sale_order_id, partial_id, kind, state, attempts, next_try_at,
                       create_uid, create_date, write_uid, write_date)
               SELECT DISTINCT a.id, o.id, o.partial_id, %(kind)s, 'pending', 0, %(now)s::timestamp,
                      %(uid)s::int, %(now)s::timestamp, %(uid)s::int, %(now)s::timestamp
                 FROM (%(orders)s) o JOIN keycrm_account a ON a.id = o.keycrm_account_id
                WHERE a.enabled AND a.%(switch)s
               ON CONFLICT DO NOTHING""",
            kind=kind,
            now=self.env.cr.now(),
            uid=self.env.uid,
            orders=KINDS[kind].changed_orders(ids),
            switch=SQL.identifier(KINDS[kind].switch),
        )

    @api.model
    def _enqueue_orders(self, kind, orders):
        """Enqueue orders, called by workers; one that waits already is not enqueued again.

        :param kind: kind of the update
        :param orders: ``sale.order`` of one account
        """
        waiting = self.sudo().search(
            [
                ("sale_order_id", "in", orders.ids),
                ("kind", "=", kind),
                ("state", "=", "pending"),
                ("attempts", "=", 0),
            ]
        )
        self.sudo().create(
            [
                {"account_id": order.keycrm_account_id.id, "sale_order_id": order.id, "kind": kind}
                for order in orders - waiting.sale_order_id
            ]
        )
        crons.trigger(orders.keycrm_account_id, crons.ORDERS)

    @api.model
    def _due(self, account, kinds, limit, order="id"):
        """Return updates that are due; kinds whose preview waits for a choice are left out.

        :param account: ``keycrm.account``, one
        :param kinds: kinds of updates
        :param limit: their number at most
        :param order: which ones come first
        """
        account = account.sudo()
        kinds = [kind for kind in kinds if account._sends(kind)]
        if not kinds:
            return self.browse()
        domain = [*self._due_domain(account), ("kind", "in", kinds)]
        return self.sudo().search(domain, order=order, limit=limit)

    def _kind(self):
        return KINDS[self.kind](self.account_id)

    def _plan(self):
        """Return the update as plain data; no database access is needed during requests then."""
        return self._kind().plan(self)

    def _unclear_until(self):
        """Return until when a record that KeyCRM was requested to create may still appear there.

        :return: time in UTC; None where that is over, or nothing was requested
        """
        if not self.requested_at:
            return None
        until = self.requested_at + timedelta(seconds=SETTLE_SECONDS)
        return until if until > self.env.cr.now() else None

    def _superseded(self):
        """Return other open updates of the same kind and order: their values are sent with this one."""
        if not self._kind().is_combined:
            return self.browse()
        return self.search(
            [
                ("sale_order_id", "=", self.sale_order_id.id),
                ("kind", "=", self.kind),
                ("state", "in", ("pending", "failed")),
                ("id", "!=", self.id),
            ]
        )

    def _record(self, vals, superseded, values):
        """Record the result of an attempt.

        :param vals: of :meth:`~.KeycrmRetryMixin._done_vals` or :meth:`~.KeycrmRetryMixin._failed_vals`
        :param superseded: records of :meth:`_superseded` that were there before KeyCRM was read
        :param values: what KeyCRM's order holds now, by the name of its field
        """
        sent_value = ""
        if vals["state"] != "failed":
            sent_value = self._kind().record(self.sale_order_id, values)
            for update in superseded.exists():
                if update.state == "failed" and not update.next_try_at:
                    update._unlink_activity()
                update.unlink()
        self._end_try({**vals, "sent_value": sent_value or self.sent_value})

    def _activity_summary(self):
        return self._kind().summary(self.sale_order_id.name)
