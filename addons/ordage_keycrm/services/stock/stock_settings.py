from odoo import SUPERUSER_ID
from odoo.exceptions import UserError

from ..common import crons
from ..common.service import Service


class StockSettings(Service):
    """Check an account's stock settings, and apply the effects of their changes."""

    # === CHECKS ===#

    def check_can_send(self):
        """Check that stock can be sent.

        :raise UserError: when sending is off, or no warehouse is ready
        """
        account = self.account
        account._check_manager()
        if not (account.enabled and account.push_stock):
            raise UserError(self.env._("First turn on “Send stock to KeyCRM”."))
        self.check_has_warehouse()
        if not account.warehouse_ids._sending():
            raise UserError(
                self.env._(
                    "The warehouse match was changed. First see what would change in KeyCRM: "
                    "click “Preview changes”."
                )
            )

    def check_has_warehouse(self):
        """Check that a warehouse is matched.

        :raise UserError: when no KeyCRM warehouse is matched
        """
        if not self.account.warehouse_ids.warehouse_ids:
            raise UserError(
                self.env._("Match at least one KeyCRM warehouse with an Odoo warehouse.")
            )

    # === EFFECTS ===#

    def apply(self, vals):
        """Enqueue the effects of other settings of stock.

        :param vals: values that were written to the account
        """
        account = self.account
        if not vals.keys().isdisjoint(("stock_quantity", "stock_when_ended")) and (
            account.enabled and account.push_stock
        ):
            self.enqueue_counted()
        if not vals.keys().isdisjoint(("stock_zero_limit", "stock_zero_percent")):
            self.enqueue_held()

    def reset_levels(self):
        """Mark all quantities as unknown when sending is enabled: earlier changes are not recorded."""
        levels = self.env["keycrm.stock.level"].sudo()
        levels.search([("account_id", "=", self.account.id)]).write({"is_known": False})

    def compare_after_pause(self):
        """Compare all stock after the integration was disabled: changes meanwhile are not recorded."""
        account = self.account
        if account.push_stock and account.warehouse_ids._sending():
            self.env["keycrm.stock.comparison"].with_user(SUPERUSER_ID)._restart(account)

    def begin_sending(self, comparison, choice):
        """Send each change from now on to the warehouses that were previewed.

        :param comparison: ``keycrm.stock.comparison``, one, a preview
        :param choice: a value of its ``choice``
        """
        account = self.account.sudo()
        comparison.sudo().write({"state": "done", "choice": choice})
        if not account.push_stock:
            others = account.warehouse_ids - comparison.keycrm_warehouse_ids
            account.push_stock = True
            others.filtered("warehouse_ids").send_state = "preview"
        comparison.keycrm_warehouse_ids._allow_sending()
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in comparison.keycrm_warehouse_ids:
            lines = comparison._lines(
                [
                    ("keycrm_warehouse_id", "=", warehouse.id),
                    ("offer_id", "!=", False),
                    ("outcome", "not in", ("not_in_keycrm", "unread")),
                ]
            )
            Level._record_read(
                warehouse, {line.offer_id.id: line.keycrm_quantity for line in lines}
            )

    # === OUTBOX ===#

    def enqueue(self, products, *, zero_allowed=False):
        """Enqueue products and trigger the stock queue.

        :param products: ``product.product``
        :param zero_allowed: whether their zeros are sent however many there are
        """
        self.env["keycrm.stock.change"].sudo()._enqueue_rows(
            [(self.account.id, product_id) for product_id in products.ids],
            zero_allowed=zero_allowed,
        )
        crons.trigger(self.account, crons.STOCK)

    def enqueue_counted(self):
        """Enqueue every product that was counted or moved."""
        calculator = self.env["keycrm.stock.calculator"]
        product_ids = calculator._counted_product_ids(self.account)
        self.enqueue(self.env["product.product"].browse(product_ids))

    def enqueue_held(self, *, zero_allowed=False):
        """Enqueue zeros on hold, so that the stock queue decides again.

        :param zero_allowed: whether they are sent however many there are
        """
        self.env["keycrm.ended.offer"].sudo()._held(self.account)._release(is_allowed=zero_allowed)
        held = self.env["keycrm.stock.level"].sudo()._held(self.account)
        self.enqueue(held.product_id, zero_allowed=zero_allowed)
