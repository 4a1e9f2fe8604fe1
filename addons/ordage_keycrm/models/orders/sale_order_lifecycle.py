import functools
import logging

from odoo import fields, models
from odoo.exceptions import UserError

from ...services.common import activities, automation_rules
from ...services.common.bridge import is_bridge
from ...services.common.concurrency import ERRORS_OF_NO_RECORD
from ...services.common.language import company_language
from ..common.field_guard import BRIDGE_FIELD

_logger = logging.getLogger(__name__)

#: Maximum number of transfers, one after another, of a delivery in several steps.
MAX_STEPS = 5


class SaleOrder(models.Model):
    """Archive, cancel and return imported orders.

    Nothing that was delivered or invoiced is undone silently: an activity describes what happened and what
    to do, and returns are expected, so that stock rises only on receipt. Odoo's automations send no emails
    and add no lines, unless the account allows emails to buyers.
    """

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_created_activities = fields.Json(
        string="Created activities",
        help="What users were already notified of: a completed activity is not created again at "
        "the next update.",
        **BRIDGE_FIELD,
    )

    # === ACTIVITIES ===#

    def _keycrm_schedule_activity(
        self, code, summary, rows, *, facts=None, lasting=False, is_decision=True
    ):
        """Schedule an activity for the salesperson once (idempotent).

        An activity that a user completed is not scheduled again either.

        :param code: see :func:`~.activities.schedule`
        :param summary: one line
        :param rows: list of sentences
        :param facts: what the sentences state, as plain values that are the same in all languages: with
            others it is scheduled again. None where it is scheduled once or the sentences have no language
        :param lasting: whether it is not scheduled again when the order has another status
        :param is_decision: see :func:`~.activities.schedule`
        """
        self = self.sudo()
        self.ensure_one()
        scheduled = dict(self.keycrm_created_activities or {})
        # The key includes the status: an order that is canceled twice gets two activities.
        content = [rows if facts is None else facts, 0 if lasting else self.keycrm_status_id.id]
        if scheduled.get(code) == content:
            return
        self.keycrm_created_activities = {**scheduled, code: content}
        activities.schedule(
            self.keycrm_account_id,
            self,
            code,
            summary,
            rows,
            salesperson=self.user_id,
            is_decision=is_decision,
        )

    def _keycrm_unlink_activity(self, *codes):
        """Remove activities that are settled in KeyCRM; they may be scheduled again.

        :param codes: codes of the activities
        """
        self = self.sudo()
        self.ensure_one()
        scheduled = self.keycrm_created_activities or {}
        if scheduled.keys().isdisjoint(codes):
            return
        self.keycrm_created_activities = {
            code: content for code, content in scheduled.items() if code not in codes
        }
        for code in codes:
            activities.unlink(self, code)

    # === SHIPPED AND INVOICED ===#

    def _keycrm_is_shipped_or_invoiced(self):
        """Return whether goods were delivered, if only parts of a kit, or an invoice was posted."""
        self.ensure_one()
        return (
            any(self.order_line.mapped("qty_delivered"))
            or self._keycrm_is_invoiced()
            # The status tells whether any transfer is done.
            or (self.delivery_status in ("started", "full") and bool(self._keycrm_lines_out()))
        )

    def _keycrm_lines_out(self):
        """Return the lines of which the buyer has goods, or parts of a kit."""
        return self.order_line.filtered(
            lambda line: any(delivered > 0 for _moves, delivered, _unit in line._keycrm_goods())
        )

    def _keycrm_is_invoiced(self):
        """Return whether an invoice has an amount that no credit note reverses."""
        self.ensure_one()
        posted = self.invoice_ids.filtered(lambda move: move.state == "posted")
        invoiced = sum(posted.mapped("amount_total_signed"))
        return any(self.order_line.mapped("qty_invoiced")) or not (
            self.company_id.currency_id.is_zero(invoiced)
        )

    # === STILL TO SHIP ===#

    def _action_confirm(self):
        """Ship what was picked before a cancellation from where it is: Odoo counts it as shipped."""
        self.filtered(
            lambda order: order.keycrm_id and order.delivery_status
        ).order_line.move_ids._keycrm_continue()
        return super()._action_confirm()

    def _keycrm_change_warehouse(self, before):
        """Ship open quantities from the warehouse that KeyCRM has now, unless picking has begun.

        :param before: ``{sale.order.line: stock.warehouse}`` from which the lines were to be shipped
        """
        for line, warehouse in before.items():
            if not line.exists() or line.warehouse_id == warehouse or self.keycrm_skip_delivery:
                continue
            moves = line.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
            moves = moves.filtered(
                lambda move, former=warehouse: move.location_id.warehouse_id == former
            )
            if not moves:
                continue
            if any(moves.mapped("picked")) or moves.move_orig_ids.filtered(
                lambda move: move.state == "done"
            ):
                self._keycrm_schedule_activity(
                    f"warehouse_changed:{line.id}",
                    self.env._("KeyCRM changed the warehouse of goods being picked"),
                    [
                        self.env._(
                            "%(product)s must be shipped from %(new)s, not from %(former)s.",
                            product=line.product_id.display_name,
                            new=line.warehouse_id.display_name,
                            former=warehouse.display_name,
                        )
                    ],
                    lasting=True,
                )
                continue
            moves._action_cancel()
            line._action_launch_stock_rule()

    def _keycrm_new_warehouse(self):
        """Return the warehouse of a new order of the same source.

        :return: ``stock.warehouse``; none where a user has to choose
        """
        warehouse = self.keycrm_source_id.warehouse_id
        return warehouse if warehouse.active else self.keycrm_account_id._warehouse_of_orders()

    def _keycrm_leave_archived_warehouse(self):
        """Ship open quantities of a confirmed order from another warehouse if theirs is archived.

        Where a user has to choose that warehouse, the order waits and shows it.
        """
        lines = self.order_line._keycrm_waiting_for_warehouse()
        if not lines:
            return
        lines._compute_warehouse_id()
        shipped = lines.filtered("warehouse_id.active")
        shipped._action_launch_stock_rule()
        waiting = (lines - shipped).warehouse_id
        if waiting:
            # The header, which was written before, has no problem.
            names = ", ".join(waiting.mapped("display_name"))
            self._keycrm_set_problem("warehouse_archived", {"warehouse": names})

    def _keycrm_request_production(self, lines):
        """Schedule an activity for goods to be manufactured that no route manufactures."""
        lines = lines.filtered(lambda line: not line.route_ids and line.product_uom_qty)
        if lines and not self.keycrm_skip_delivery:
            self._keycrm_schedule_activity(
                "to_manufacture",
                self.env._("To manufacture"),
                [f"{line.product_id.display_name}: {line.product_uom_qty:g}" for line in lines],
                is_decision=False,
            )

    # === ARCHIVE ===#

    def _keycrm_archive(self):
        """Lock the orders and move them to the order archive."""
        if not self:
            return
        ship = self.filtered(
            lambda order: order.keycrm_account_id.archive_validates and order.state == "sale"
        )
        for order in ship:
            order._keycrm_ship_remaining()
        self.filtered(lambda order: not order.keycrm_archived).keycrm_archived = True
        self.filtered(lambda order: order.state == "sale" and not order.locked).locked = True

    def _keycrm_ship_remaining(self):
        """Validate the open deliveries.

        If Odoo refuses one (for example, a lot has to be chosen), an activity shows the reason; neither
        the import of the order nor a change of the archive statuses fails.
        """
        self.ensure_one()
        code, summary = "archived_open", self.env._("An archived order still has open deliveries")
        try:
            self._keycrm_ship_in_steps()
        except UserError as error:
            self._keycrm_schedule_activity(code, summary, [str(error.args[0])], is_decision=False)
        else:
            self._keycrm_unlink_activity(code)

    def _keycrm_ship_in_steps(self):
        """Validate all steps of the deliveries (pick, pack, ship), or none of them.

        :raise UserError: when Odoo refuses one
        """
        waiting = self.picking_ids._keycrm_still_to_ship()
        if not waiting:
            return
        with self.env.cr.savepoint():
            for _step in range(MAX_STEPS):
                waiting._keycrm_validate_deliveries()
                waiting = self.picking_ids._keycrm_still_to_ship()
                if not waiting:
                    break

    def _keycrm_reopen(self):
        """Return orders from the archive and unlock them."""
        if self:
            self.write({"keycrm_archived": False, "locked": False})

    # === CANCEL ===#

    def _keycrm_cancel(self):
        """Cancel orders that KeyCRM canceled.

        A delivered or invoiced order stays confirmed: the open quantities are removed, returns of the
        delivered ones are expected, and an activity is scheduled. When the goods have returned, the order
        is processed again.
        """
        for order in self.filtered(lambda order: order.state != "cancel"):
            if not order._keycrm_is_shipped_or_invoiced():
                order.locked = False
                order._action_cancel()
                order._keycrm_clear_cancellation()
                continue
            delivered = order._keycrm_lines_out()
            order._keycrm_expect_return(dict.fromkeys(delivered, 0.0))
            rows, is_invoiced = [], order._keycrm_is_invoiced()
            if delivered:
                rows.append(
                    self.env._("The goods are with the buyer or in transit: a return is expected.")
                )
            if is_invoiced:
                rows.append(
                    self.env._("An invoice exists: decide whether a credit note is needed.")
                )
            others = order._keycrm_merged_into()
            for other in others:
                rows.append(
                    self.env._(
                        "Its goods are now in %(other)s (merged in KeyCRM) and were shipped with "
                        "%(this)s: do not ship them twice.",
                        other=other.display_name,
                        this=order.display_name,
                    )
                )
            order._keycrm_schedule_activity(
                "canceled",
                self.env._("The order was canceled in KeyCRM"),
                rows,
                facts=[bool(delivered), is_invoiced, others.ids],
            )

    def _keycrm_clear_cancellation(self):
        """Remove the activity about a cancellation that KeyCRM has reverted, or Odoo completed."""
        for order in self.filtered("keycrm_created_activities"):
            order._keycrm_unlink_activity("canceled")

    def _keycrm_merged_into(self):
        """Return the orders that have this order's KeyCRM lines since KeyCRM merged them."""
        self.ensure_one()
        numbers = [number for number in self.order_line.mapped("keycrm_id") if number]
        return (
            self.env["sale.order.line"]
            .search(
                [
                    ("keycrm_id", "in", numbers),
                    ("order_id.keycrm_account_id", "=", self.keycrm_account_id.id),
                    ("order_id", "!=", self.id),
                ]
            )
            .order_id
        )

    def _keycrm_mark_deleted(self):
        """Mark orders that KeyCRM does not have anymore, and schedule an activity."""
        for order in self.filtered(lambda order: not order.keycrm_deleted):
            order = order.with_context(lang=company_language(order.company_id.sudo()))
            importer = order.env["keycrm.order.importer"]
            before = importer._snapshot(order)
            order.keycrm_deleted = True
            order._keycrm_release_reserves()
            importer._log_changes(before)
            order._keycrm_schedule_activity(
                "deleted",
                order.env._("The order was deleted in KeyCRM"),
                [order.env._("Cancel it in Odoo too, or keep it if the goods were really sold.")],
                is_decision=False,
            )

    # === RETURNS ===#

    def _keycrm_expect_return(self, wanted):
        """Create returns of delivered goods that KeyCRM has removed, beyond those already expected.

        A return that a user canceled is not created again, nor the rest of one received without a backorder.

        :param wanted: ``{sale.order.line: quantity in KeyCRM}``
        :return: the new return transfers, ``stock.picking``
        """
        self.ensure_one()
        missing = {}
        for line, quantity in wanted.items():
            for moves, delivered, per_unit in line._keycrm_goods():
                too_much = delivered - quantity * per_unit
                decided = moves._keycrm_expected_back() + moves._keycrm_declined()
                parts = moves._keycrm_parts_to_return(too_much - decided)
                for move, part in parts.items():
                    missing.setdefault(move.picking_id, {})[move] = part
        returns = self.env["stock.picking"]
        for picking, quantities in missing.items():
            wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
            for row in wizard.product_return_moves:
                row.quantity = quantities.get(row.move_id, 0.0)
            returns |= wizard._create_return()
        returns.keycrm_expected_return = True
        return returns

    def _keycrm_reduce_returns(self, wanted):
        """Reduce expected returns of goods that KeyCRM has added again; a user's returns stay.

        What users declined of them is forgotten with it: when KeyCRM removes the goods once more, they are
        expected again.

        :param wanted: ``{sale.order.line: quantity in KeyCRM}``
        """
        self.ensure_one()
        expected = self.picking_ids.filtered("keycrm_expected_return").move_ids
        for line, quantity in wanted.items() if expected else ():
            for moves, delivered, per_unit in line._keycrm_goods():
                # Of kits, Odoo counts the whole ones, and ships the others again with all parts.
                kept = min(quantity, line.qty_delivered) * per_unit
                least = max(0.0, delivered - kept)
                (moves & expected)._keycrm_return_at_most(least)

    def _keycrm_forget_declined_returns(self):
        """Forget which expected returns users canceled: an update that requires them creates them again."""
        returns = self.picking_ids.filtered("keycrm_expected_return").move_ids
        returns.filtered(lambda move: move.state in ("done", "cancel"))._keycrm_return_at_most(0)

    # === ODOO'S AUTOMATIONS ===#

    def _register_hook(self):
        """Keep loyalty programs, and failing automation rules, away from imports.

        A user may still apply a reward. The addon does not depend on ``sale_loyalty``, whose class may
        precede this one: an override here would not be called. So the methods are wrapped, as
        ``base_automation`` does.
        """
        super()._register_hook()
        automation_rules.tolerate_failures(self.env.registry)
        cls = self.env.registry[self._name]
        _leave_out(
            cls,
            "_update_programs_and_rewards",
            lambda order: order.keycrm_is_locked and is_bridge(order.env),
        )
        _leave_out(cls, "_send_reward_coupon_mail", lambda order: not order._keycrm_mails_buyer())

    def _keycrm_mails_buyer(self):
        """Return whether Odoo may send automatic emails to the buyer of the order."""
        self.ensure_one()
        return not self.keycrm_id or (
            self.keycrm_account_id.sudo().notify_buyers and not self.keycrm_skip_delivery
        )

    def _send_order_notification_mail(self, mail_template, *args, **kwargs):
        """Send nothing to the buyer of an imported order unless its account allows it.

        A failing email (its template, its PDF file) does not fail the import.
        """
        self.ensure_one()
        if not is_bridge(self.env) or not self.keycrm_id:
            return super()._send_order_notification_mail(mail_template, *args, **kwargs)
        if not self._keycrm_mails_buyer() or not mail_template:
            return None
        try:
            with self.env.cr.savepoint():
                return super()._send_order_notification_mail(mail_template, *args, **kwargs)
        except ERRORS_OF_NO_RECORD:
            raise
        except Exception as error:
            _logger.warning("KeyCRM: no email for %s", self.display_name, exc_info=True)
            self._keycrm_schedule_activity(
                "email_refused",
                self.env._("The email to the buyer was not sent"),
                [f"{mail_template.display_name}: {error}"],
                lasting=True,
            )
            return None


def _leave_out(cls, name, is_left_out):
    """Wrap a method of another module so that it leaves out some records.

    :param cls: class of the registry
    :param name: name of a method without parameters
    :param is_left_out: called with one record
    """
    method = getattr(cls, name, None)
    if not method or hasattr(method, "keycrm_origin"):
        return

    @functools.wraps(method)
    def wrapper(self):
        records = self.filtered(lambda record: not is_left_out(record))
        return method(records) if records else None

    wrapper.keycrm_origin = method
    setattr(cls, name, wrapper)
