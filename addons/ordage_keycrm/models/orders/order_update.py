from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...const import DELIVERY_CODES, OPEN_GROUPS, SETTLE_SECONDS
from ...keycrm.offer_values import to_money
from ...keycrm.order_update_rules import PaymentUpdate, StatusUpdate, Unclear, Undone
from ...services.common import crons
from ...services.common.transactions import pending_changes

#: Under this key the deliveries whose tracking number changed are kept until the transaction is flushed.
PENDING = "keycrm_tracking_changes"
#: The same for reconciled money.
PENDING_PAYMENTS = "keycrm_reconciled"


class KeycrmOrderUpdate(models.Model):
    """An update of an order in KeyCRM that Odoo sends: a status, a tracking number, line costs or a payment.

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
        [
            ("status", "Status"),
            ("tracking", "Tracking number"),
            ("cost", "Cost of lines"),
            ("payment", "Payment"),
        ],
        string="Update",
        required=True,
        default="status",
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
        help="Last time Odoo asked KeyCRM to create it; empty if KeyCRM refused.",
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
    def _enqueue_statuses(self, pickings):
        """Enqueue the statuses that validated deliveries set, in the user's transaction.

        :param pickings: ``stock.picking``
        """
        vals_list = [
            {
                "account_id": account.id,
                "sale_order_id": picking.sale_id.id,
                "picking_id": picking.id,
                "status_id": account.delivered_status_id.id,
                "former_status_id": picking.sale_id.keycrm_status_id.id,
            }
            for picking in pickings
            if (account := picking.sale_id.keycrm_account_id).enabled
            and account.delivered_status_id
            and self._is_progress(picking.sale_id, account.delivered_status_id)
        ]
        if vals_list:
            crons.trigger(self.sudo().create(vals_list).account_id, crons.ORDERS)

    @api.model
    def _enqueue_missed_statuses(self, account):
        """Enqueue the statuses of deliveries that were validated while the integration was disabled.

        :param account: ``keycrm.account``, one, which polled KeyCRM until then
        """
        if not account.delivered_status_id or not account.polled_at:
            return
        pickings = self.env["stock.picking"].sudo()
        pickings = pickings.search(
            [
                ("sale_id.keycrm_account_id", "=", account.id),
                ("sale_id.keycrm_status_id.group", "in", OPEN_GROUPS),
                ("picking_type_code", "in", DELIVERY_CODES),
                ("date_done", ">=", account.polled_at),
            ]
        )
        known = self.sudo().search([("picking_id", "in", pickings.ids)]).picking_id
        self._enqueue_statuses(pickings - known)

    @api.model
    def _is_progress(self, order, wanted):
        """Return whether a status is later than the order's current one.

        A manager may have set a later one before the delivery was validated: no order returns from the
        archive, from a later group, or from a cancellation.

        :param order: ``sale.order``, one
        :param wanted: ``keycrm.order.status``, one
        """
        current = order.keycrm_status_id
        if current == wanted or order.keycrm_archived or current.is_archive:
            return False
        if current.order_action == "cancel":
            return False
        return not (current.group and wanted.group) or current.group <= wanted.group

    @api.model
    def _enqueue_tracking(self, pickings):
        """Enqueue changed tracking numbers at the commit; costs no query before it.

        :param pickings: ``stock.picking``
        """
        if not self._sending_accounts("send_tracking"):
            return
        pending = pending_changes(self.env.cr, PENDING, set, lambda: self.sudo()._insert_tracking())
        pending.update(pickings.ids)

    @api.model
    def _insert_tracking(self):
        """Enqueue the orders of deliveries whose tracking number changed, with one statement.

        Always inserted, since updating a waiting row would make two users' transactions conflict. The
        worker reads the number when it sends, so one pass ends all rows of an order.
        """
        picking_ids = sorted(self.env.cr.precommit.data.pop(PENDING, ()))
        cron_ids = self._orders_cron_ids("send_tracking")
        if picking_ids and cron_ids:
            self.env["stock.picking"].flush_model(["sale_id"])
            self._insert_and_trigger(self._tracking_statement(picking_ids), cron_ids)

    @api.model
    def _tracking_statement(self, picking_ids):
        """Return the statement: by SQL, since it runs in users' transactions.

        :param picking_ids: ids of ``stock.picking``
        """
        return SQL(
            """INSERT INTO keycrm_order_update
                      (account_id, sale_order_id, kind, state, attempts, next_try_at,
                       create_uid, create_date, write_uid, write_date)
               SELECT DISTINCT a.id, o.id, 'tracking', 'pending', 0, %(now)s::timestamp,
                      %(uid)s::int, %(now)s::timestamp, %(uid)s::int, %(now)s::timestamp
                 FROM stock_picking p JOIN sale_order o ON o.id = p.sale_id
                 JOIN keycrm_account a ON a.id = o.keycrm_account_id
                WHERE p.id = ANY(%(pickings)s) AND a.enabled AND a.send_tracking""",
            now=self.env.cr.now(),
            uid=self.env.uid,
            pickings=list(picking_ids),
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
        kinds = [kind for kind in kinds if kind == "status" or account._sends(kind)]
        if not kinds:
            return self.browse()
        domain = [*self._due_domain(account), ("kind", "in", kinds)]
        return self.sudo().search(domain, order=order, limit=limit)

    def _plan(self):
        """Return the update as plain data, so that no database access is needed during requests.

        :return: :class:`~.keycrm.order_update_rules.StatusUpdate` or another one with ``decide``
        """
        if self.kind == "tracking":
            return self.sale_order_id._keycrm_tracking_update()
        if self.kind == "cost":
            return self.sale_order_id._keycrm_cost_update()
        if self.kind == "payment":
            return self._payment_plan(
                self.sale_order_id, self.partial_id, number=self.id, is_forced=self.is_forced
            )
        return StatusUpdate(self.former_status_id.keycrm_id, self.status_id.keycrm_id)

    @api.model
    def _payment_plan(self, order, partial, *, number=0, is_forced=False):
        """Return the money to add to an order; its reconciliation may have been undone meanwhile.

        :param order: ``sale.order``, one
        :param partial: ``account.partial.reconcile`` with an invoice of the order
        :param number: id of the update
        :param is_forced: whether a user decided to send it
        """
        partial, order = partial.sudo(), order.sudo()
        invoice, counterpart = partial.debit_move_id.move_id, partial.credit_move_id
        orders = invoice.line_ids.sale_line_ids.order_id
        if not partial:
            return Undone()
        if orders != order or invoice.currency_id != order.currency_id:
            return Unclear("payment_unclear", invoice.name)
        methods = self.env["keycrm.payment.method"].sudo()
        own = methods.search([("account_id", "=", order.keycrm_account_id.id)])
        journal = counterpart.journal_id
        method = own.filtered(lambda one: journal in one.sent_journal_ids)
        method = method or own.filtered(lambda one: one.journal_id == journal)
        return PaymentUpdate(
            amount=to_money(partial.debit_amount_currency),
            day=counterpart.date,
            method_id=method.keycrm_id if len(method) == 1 else None,
            journal=journal.name,
            number=number,
            memo=counterpart.move_id.name or "",
            is_forced=is_forced,
            currency=order.currency_id.name,
            others=frozenset((self._payments_of(order) - self.browse(number)).ids),
        )

    @api.model
    def _payments_of(self, order):
        """Return the updates of an order's money that is still reconciled.

        :param order: ``sale.order``, one
        """
        return self.sudo().search(
            [
                ("sale_order_id", "=", order.id),
                ("kind", "=", "payment"),
                ("partial_id", "!=", False),
            ]
        )

    @api.model
    def _enqueue_payments(self, partials):
        """Enqueue money that was reconciled with invoices at the commit; costs no query before it.

        :param partials: ``account.partial.reconcile``
        """
        if not self._sending_accounts("send_payments"):
            return
        pending = pending_changes(
            self.env.cr, PENDING_PAYMENTS, set, lambda: self.sudo()._insert_payments()
        )
        pending.update(partials.ids)

    @api.model
    def _insert_payments(self):
        """Enqueue the reconciled money of imported orders, with one statement.

        Not what KeyCRM itself reported, and no credit notes.
        """
        ids = sorted(self.env.cr.precommit.data.pop(PENDING_PAYMENTS, ()))
        cron_ids = self._orders_cron_ids("send_payments")
        if ids and cron_ids:
            self._insert_and_trigger(self._payments_statement(ids), cron_ids)

    @api.model
    def _orders_cron_ids(self, switch):
        """Return the scheduled actions of orders of the accounts that send a kind of data."""
        by_company = self._sending_accounts(switch)
        return [sending.orders_cron_id for found in by_company.values() for sending in found]

    @api.model
    def _payments_statement(self, partial_ids):
        """Return the statement: by SQL, since it runs in users' transactions.

        :param partial_ids: ids of ``account.partial.reconcile``
        """
        return SQL(
            """INSERT INTO keycrm_order_update
                      (account_id, sale_order_id, partial_id, kind, state, attempts, next_try_at,
                       create_uid, create_date, write_uid, write_date)
               SELECT DISTINCT a.id, o.id, p.id, 'payment', 'pending', 0, %(now)s::timestamp,
                      %(uid)s::int, %(now)s::timestamp, %(uid)s::int, %(now)s::timestamp
                 FROM account_partial_reconcile p
                 JOIN account_move_line d ON d.id = p.debit_move_id
                 JOIN account_move i ON i.id = d.move_id AND i.move_type = 'out_invoice'
                 JOIN account_move_line c ON c.id = p.credit_move_id
                 JOIN account_move_line l ON l.move_id = i.id
                 JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = l.id
                 JOIN sale_order_line s ON s.id = r.order_line_id
                 JOIN sale_order o ON o.id = s.order_id
                 JOIN keycrm_account a ON a.id = o.keycrm_account_id
                WHERE p.id = ANY(%(ids)s) AND a.enabled AND a.send_payments
                  AND (c.payment_id IS NOT NULL OR c.statement_line_id IS NOT NULL)
                  AND NOT EXISTS (SELECT FROM keycrm_payment k
                                   WHERE c.payment_id IS NOT NULL AND k.payment_id = c.payment_id)
               ON CONFLICT DO NOTHING""",
            now=self.env.cr.now(),
            uid=self.env.uid,
            ids=list(partial_ids),
        )

    def _unclear_until(self):
        """Return until when a record that KeyCRM was requested to create may still appear there.

        :return: time in UTC; None where that is over, or nothing was requested
        """
        if not self.requested_at:
            return None
        until = self.requested_at + timedelta(seconds=SETTLE_SECONDS)
        return until if until > self.env.cr.now() else None

    @api.model
    def _retry_tracking(self, order):
        """Compare a conflicting tracking number again after KeyCRM's was changed.

        :param order: ``sale.order``, one
        """
        conflicts = self.sudo().search(
            [
                ("sale_order_id", "=", order.id),
                ("kind", "=", "tracking"),
                ("state", "=", "failed"),
                ("error_code", "=", "tracking_differs"),
            ]
        )
        for update in conflicts:
            update._unlink_activity()
        if conflicts:
            conflicts.write({"state": "pending", "attempts": 0, "next_try_at": self.env.cr.now()})
            crons.trigger(conflicts.account_id, crons.ORDERS)

    def _superseded(self):
        """Return other open updates of the same kind and order: their values are sent with this one."""
        if self.kind in ("status", "payment"):
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
        if vals["state"] != "failed":
            self.sale_order_id._keycrm_record_sent(values)
            for update in superseded.exists():
                if update.state == "failed" and not update.next_try_at:
                    update._unlink_activity()
                update.unlink()
        codes = [values["tracking_code"], *values.get("others", ())] if values else []
        self._end_try({**vals, "sent_value": ", ".join(codes) or self.sent_value})

    def _activity_summary(self):
        order = self.sale_order_id.name
        if self.kind == "tracking":
            return self.env._("Could not send the tracking number of order %s to KeyCRM", order)
        if self.kind == "payment":
            return self.env._("Could not send a payment of order %s to KeyCRM", order)
        if self.kind == "cost":
            return self.env._("Could not send the costs of order %s to KeyCRM", order)
        return self.env._("Could not send the status of order %s to KeyCRM", order)
