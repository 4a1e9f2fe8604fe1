import functools
import logging

from odoo import models
from odoo.exceptions import UserError

from ...services.bridge import is_bridge
from ...services.concurrency import CONCURRENCY_ERRORS

_logger = logging.getLogger(__name__)

#: Transfers one after another that goods may pass on their way out.
MOST_STEPS = 5


class SaleOrder(models.Model):
    """What happens to an imported order: archive, cancel.

    Nothing that was delivered or invoiced is undone silently: a person is told what happened and what
    to do, and goods that are on their way back are waited for, so that stock rises only on receipt.
    Odoo's own automations mail nothing and add nothing, unless the account allows e-mails to buyers.
    """

    _inherit = "sale.order"

    # === WHAT IS OUT ===#

    def _keycrm_is_out(self):
        """Return whether goods were delivered or an invoice was posted."""
        self.ensure_one()
        return any(self.order_line.mapped("qty_delivered")) or self._keycrm_is_invoiced()

    def _keycrm_is_invoiced(self):
        """Return whether an invoice asks for something that no credit note took back."""
        self.ensure_one()
        posted = self.invoice_ids.filtered(lambda move: move.state == "posted")
        asked = sum(posted.mapped("amount_total_signed"))
        return any(self.order_line.mapped("qty_invoiced")) or not (
            self.company_id.currency_id.is_zero(asked)
        )

    # === WHAT IS STILL TO GO ===#

    def _keycrm_ship_from_elsewhere(self, before):
        """KeyCRM said another warehouse of lines that are confirmed: what is still to go is taken from
        there, unless people have begun to pick it.

        :param before: ``{sale.order.line: stock.warehouse}`` from which the lines were to ship
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

    def _keycrm_request_production(self, lines):
        """Return what KeyCRM wants made for the order and Odoo does not make by itself."""
        lines = lines.filtered(lambda line: not line.route_ids and line.product_uom_qty)
        if lines and not self.keycrm_skip_delivery:
            self._keycrm_schedule_activity(
                self.env._("To manufacture"),
                [f"{line.product_id.display_name}: {line.product_uom_qty:g}" for line in lines],
            )

    # === ARCHIVE ===#

    def _keycrm_archive(self):
        """The order counts as done: locked, and in the order archive."""
        if not self:
            return
        ship = self.filtered(
            lambda order: order.keycrm_account_id.archive_validates and order.state == "sale"
        )
        for order in ship:
            order._keycrm_ship_the_rest()
        self.filtered(lambda order: not order.keycrm_archived).keycrm_archived = True
        self.filtered(lambda order: order.state == "sale" and not order.locked).locked = True

    def _keycrm_ship_the_rest(self):
        """Validate all that is still to be delivered.

        What Odoo refuses (a lot has to be chosen, say) is told to a person, and neither keeps the order
        from arriving nor the archive statuses from being changed.
        """
        self.ensure_one()
        summary = self.env._("An archived order still has open deliveries")
        try:
            self._keycrm_ship_in_steps()
        except UserError as error:
            self._keycrm_schedule_activity(summary, [str(error.args[0])])
        else:
            self._keycrm_unlink_activity(summary)

    def _keycrm_ship_in_steps(self):
        """Where goods are picked and packed first, each step brings the next one: all of them, or none.

        :raise UserError: when Odoo refuses one
        """
        waiting = self.picking_ids._keycrm_still_to_ship()
        if not waiting:
            return
        with self.env.cr.savepoint():
            for _step in range(MOST_STEPS):
                waiting._keycrm_validate_deliveries()
                waiting = self.picking_ids._keycrm_still_to_ship()
                if not waiting:
                    break

    def _keycrm_reopen(self):
        """The order left the archive statuses: it comes back and can be changed again."""
        if self:
            self.write({"keycrm_archived": False, "locked": False})

    # === CANCEL ===#

    def _keycrm_cancel(self):
        """Cancel what KeyCRM cancelled.

        When goods or invoices are out the order stays: what was not shipped yet is taken off, what was
        is expected back, and a to-do tells a person. Once the goods are back, it is looked at again.
        """
        for order in self.filtered(lambda order: order.state != "cancel"):
            if not order._keycrm_is_out():
                order.locked = False
                order._action_cancel()
                continue
            delivered = order.order_line.filtered(lambda line: line.qty_delivered > 0)
            order._keycrm_expect_return(dict.fromkeys(delivered, 0.0))
            rows = []
            if delivered:
                rows.append(
                    self.env._("The goods are with the buyer or in transit: a return is expected.")
                )
            if order._keycrm_is_invoiced():
                rows.append(
                    self.env._("An invoice exists: decide whether a credit note is needed.")
                )
            for other in order._keycrm_merged_into():
                rows.append(
                    self.env._(
                        "Its goods are now in %(other)s (merged in KeyCRM) and were shipped with "
                        "%(this)s: do not ship them twice.",
                        other=other.display_name,
                        this=order.display_name,
                    )
                )
            order._keycrm_schedule_activity(self.env._("The order was canceled in KeyCRM"), rows)

    def _keycrm_is_wanted(self):
        """KeyCRM took a cancellation back: nobody has to act on it any more."""
        for order in self.filtered("keycrm_told"):
            order._keycrm_unlink_activity(self.env._("The order was canceled in KeyCRM"))

    def _keycrm_merged_into(self):
        """Return the orders that have this order's KeyCRM lines now: KeyCRM merged them."""
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
        """KeyCRM does not have the order any more; it stays here, and a person decides."""
        for order in self.filtered(lambda order: not order.keycrm_deleted):
            order.keycrm_deleted = True
            order._keycrm_holds_nothing()
            order._keycrm_schedule_activity(
                self.env._("The order was deleted in KeyCRM"),
                [self.env._("Cancel it in Odoo too, or keep it if the goods were really sold.")],
            )

    # === ODOO'S OWN AUTOMATIONS ===#

    def _register_hook(self):
        """Keep loyalty programs off imports, and their e-mails from buyers of KeyCRM.

        A person may still apply a reward. The addon does not depend on ``sale_loyalty``, whose class may
        come before this one: an override here would not be called. So the methods are wrapped, as
        ``base_automation`` does it.
        """
        super()._register_hook()
        cls = self.env.registry[self._name]
        _leave_out(
            cls,
            "_update_programs_and_rewards",
            lambda order: order.keycrm_is_locked and is_bridge(order.env),
        )
        _leave_out(cls, "_send_reward_coupon_mail", lambda order: not order._keycrm_mails_buyer())

    def _keycrm_mails_buyer(self):
        """:return: whether Odoo may write to the buyer of the order by itself"""
        self.ensure_one()
        return not self.keycrm_id or (
            self.keycrm_account_id.sudo().notify_buyers and not self.keycrm_skip_delivery
        )

    def _send_order_notification_mail(self, mail_template, *args, **kwargs):
        """Send nothing to the buyer of an imported order unless its account says so.

        A mail that fails (its template, its PDF file) never fails the import.
        """
        self.ensure_one()
        if not is_bridge(self.env) or not self.keycrm_id:
            return super()._send_order_notification_mail(mail_template, *args, **kwargs)
        if not self._keycrm_mails_buyer() or not mail_template:
            return None
        try:
            with self.env.cr.savepoint():
                return super()._send_order_notification_mail(mail_template, *args, **kwargs)
        except CONCURRENCY_ERRORS:
            raise
        except Exception as error:
            _logger.warning("KeyCRM: no e-mail for %s", self.display_name, exc_info=True)
            self._keycrm_schedule_activity(
                self.env._("The e-mail to the buyer was not sent"),
                [f"{mail_template.display_name}: {error}"],
                lasting=True,
            )
            return None


def _leave_out(cls, name, is_left_out):
    """Wrap a method that another module may define, so that it leaves out some records.

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
