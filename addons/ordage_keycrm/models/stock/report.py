from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...keycrm import stock_quantities
from ...services.common.circuit_breaker import end_backoff
from ...services.stock.stock_exporter import StockExporter
from ...services.stock.stock_settings import StockSettings


class KeycrmStockReport(models.Model):
    """Odoo's and KeyCRM's quantity of each offer in each matched KeyCRM warehouse, side by side.

    Rows come from a query, so offers that were never sent are listed too. Odoo's quantity is computed by
    the calculator for the rows of a page, with a fixed number of queries for each KeyCRM warehouse.
    """

    _name = "keycrm.stock.report"
    _description = "Stock side by side with KeyCRM"
    _auto = False
    _order = "sku, id"
    _rec_name = "sku"
    _depends = {
        "keycrm.offer": ["product_id", "sku", "account_id", "company_id", "is_missing_in_keycrm"],
        "keycrm.warehouse": ["account_id", "send_state"],
        "keycrm.stock.level": [
            "offer_id",
            "keycrm_warehouse_id",
            "quantity",
            "is_known",
            "is_held",
            "error",
            "sent_at",
            "read_at",
            "checked_at",
        ],
    }

    # === FIELDS ===#

    offer_id = fields.Many2one("keycrm.offer", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    sku = fields.Char(string="SKU", readonly=True)
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", readonly=True
    )
    account_id = fields.Many2one("keycrm.account", string="KeyCRM account", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    level_id = fields.Many2one("keycrm.stock.level", string="Stock in KeyCRM", readonly=True)
    odoo_quantity = fields.Float(
        string="Odoo",
        digits=(16, 3),
        compute="_compute_quantities",
        help="The quantity that KeyCRM should show, as the account's settings define it.",
    )
    keycrm_quantity = fields.Float(
        string="KeyCRM",
        digits=(16, 3),
        readonly=True,
        aggregator=None,
        help="The last known quantity in KeyCRM.",
    )
    difference = fields.Float(
        digits=(16, 3),
        compute="_compute_quantities",
        help="Quantity in Odoo minus quantity in KeyCRM.",
    )
    is_different = fields.Boolean(
        string="Differs", compute="_compute_quantities", search="_search_is_different"
    )
    reason = fields.Selection(
        [
            ("same", "Same"),
            ("missing", "No longer in KeyCRM"),
            ("refused", "Refused by KeyCRM"),
            ("held", "On hold: would drop to zero"),
            ("unmatched", "Not matched"),
            ("off", "Stock is not sent"),
            ("preview", "Preview needed"),
            ("uncounted", "Never counted in Odoo"),
            ("paused", "Stock sync is paused"),
            ("waiting", "Waiting to send"),
            ("rounded", "KeyCRM rounds it"),
            ("unread", "Unknown in KeyCRM"),
            ("differs", "Changed in KeyCRM or not yet read"),
        ],
        compute="_compute_quantities",
    )
    error = fields.Char(string="Refusal reason", readonly=True)
    is_known = fields.Boolean(string="Quantity is known", readonly=True)
    is_held = fields.Boolean(string="On hold", readonly=True)
    is_missing_in_keycrm = fields.Boolean(string="No longer in KeyCRM", readonly=True)
    sent_at = fields.Datetime(string="Last sent", readonly=True)
    checked_at = fields.Datetime(string="Last matched on", readonly=True)
    moved_at = fields.Datetime(
        string="Last change in Odoo",
        compute="_compute_moved_at",
        help="When the product last moved or was counted.",
    )

    @property
    def _table_query(self):
        # The number of a row is that of its offer and its warehouse, so it stays when a level is added.
        return SQL(
            """SELECT offer.id::bigint * 65536 + warehouse.id AS id, offer.id AS offer_id,
                      offer.product_id, offer.sku, offer.account_id, offer.company_id,
                      offer.is_missing_in_keycrm, warehouse.id AS keycrm_warehouse_id,
                      level.id AS level_id, level.quantity AS keycrm_quantity, level.is_known,
                      level.is_held, level.error, level.sent_at, level.checked_at
                 FROM keycrm_offer offer
                 JOIN keycrm_warehouse warehouse ON warehouse.account_id = offer.account_id
            LEFT JOIN keycrm_stock_level level
                   ON level.offer_id = offer.id AND level.keycrm_warehouse_id = warehouse.id
                WHERE level.id IS NOT NULL OR warehouse.send_state <> 'off'"""
        )

    # === COMPUTE METHODS ===#

    @api.depends("product_id", "keycrm_warehouse_id", "keycrm_quantity")
    def _compute_quantities(self):
        calculator, waiting = (
            self.env["keycrm.stock.calculator"].sudo(),
            self.env["keycrm.stock.change"]._waiting(self.product_id),
        )
        for account, rows in self.grouped("account_id").items():
            counted = set(calculator._counted_product_ids(account.sudo(), rows.product_id.ids))
            for warehouse, same in rows.grouped("keycrm_warehouse_id").items():
                targets = self._targets(warehouse, same.product_id)
                for row in same:
                    row.odoo_quantity = targets[row.product_id.id]
                    row.difference = row.odoo_quantity - row.keycrm_quantity
                    row.is_different = not stock_quantities.is_same(row.difference, 0)
                    row.reason = row._reason(
                        is_counted=row.product_id.id in counted,
                        is_waiting=row.product_id.id in waiting,
                    )

    def _compute_moved_at(self):
        found = (
            self.env["stock.move"]
            .sudo()
            ._read_group(
                [
                    ("product_id", "in", self.product_id.ids),
                    ("state", "=", "done"),
                    ("company_id", "in", self.company_id.ids),
                ],
                ["product_id", "company_id"],
                ["date:max"],
            )
        )
        dates = {(product.id, company.id): date for product, company, date in found}
        for row in self:
            row.moved_at = dates.get((row.product_id.id, row.company_id.id), False)

    def _search_is_different(self, operator, value):
        """Search by the difference: for each warehouse a fixed number of queries.

        One of them leaves out the products that are certainly the same, so that only the others are computed.
        """
        if operator != "in":
            return NotImplemented
        calculator, different = self.env["keycrm.stock.calculator"].sudo(), []
        accounts = [("account_id.company_id", "in", self.env.companies.ids)]
        for warehouse in self.env["keycrm.warehouse"].search(accounts):
            doubtful = calculator._doubtful_product_ids(warehouse.sudo())
            rows = self.search(
                [("keycrm_warehouse_id", "=", warehouse.id), ("product_id", "in", doubtful)]
            )
            targets = self._targets(warehouse, rows.product_id)
            different += [
                row.id
                for row in rows
                if not stock_quantities.is_same(targets[row.product_id.id], row.keycrm_quantity)
            ]
        return Domain("id", "in" if True in value else "not in", different)

    # === ACTION METHODS ===#

    def action_explain(self):
        """Explain the quantity of the row's product.

        :return: an action
        """
        self.ensure_one()
        return self.product_id.action_keycrm_explain()

    def action_send(self):
        """Read the quantities of these rows in KeyCRM, and send those that differ.

        :return: an action that shows the result in words
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        Change = self.env["keycrm.stock.change"].sudo()
        for account, rows in self.grouped("account_id").items():
            StockSettings(account).check_can_send()
            # A user chose these rows and saw which become zero.
            Change._enqueue_refresh(account, rows.product_id.ids, zero_allowed=True)
        end_backoff(self.account_id)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(count)s products are compared with KeyCRM, and their stock is sent where it "
                    "differs.",
                    count=len(self.product_id),
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_compare(self):
        """Compare all stock with KeyCRM: of the rows' accounts, without rows of all that send it.

        :return: an action that shows the comparison
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        accounts = self.account_id or self.env["keycrm.account"].search(
            [("company_id", "in", self.env.companies.ids), ("enabled", "=", True)]
        )
        sending = accounts.filtered("push_stock")
        actions = [account.action_compare_stock() for account in sending or accounts[:1]]
        if len(actions) == 1:
            return actions[0]
        name = "ordage_keycrm.keycrm_stock_comparison_action"
        return self.env["ir.actions.act_window"]._for_xml_id(name)

    # === BUSINESS METHODS ===#

    @api.model
    def _targets(self, warehouse, products):
        """Return the quantities that a KeyCRM warehouse should show, as the account accepts them.

        :param warehouse: ``keycrm.warehouse``, one
        :param products: ``product.product``
        :return: ``{product id: quantity}``
        """
        warehouse = warehouse.sudo()
        fitted = StockExporter(warehouse.account_id).fitted
        targets = self.env["keycrm.stock.calculator"].sudo()._targets(warehouse, products)
        return {product_id: fitted(quantity) for product_id, quantity in targets.items()}

    def _reason(self, *, is_counted, is_waiting):
        """Return why the quantities of a row differ.

        :param is_counted: whether the product was counted or moved in Odoo
        :param is_waiting: whether it is in the outbox
        :return: a value of ``reason``
        """
        self.ensure_one()
        account, level = self.account_id.sudo(), self.level_id.sudo()
        is_sent = account.enabled and account.push_stock
        state = self.keycrm_warehouse_id.sudo().send_state
        reasons = (
            ("missing", self.is_missing_in_keycrm),
            ("refused", self.error),
            ("held", self.is_held),
            ("same", level and not self.is_different),
            ("unmatched", state == "off"),
            ("off", not is_sent),
            ("preview", state == "preview"),
            ("uncounted", not is_counted),
            ("paused", account.stock_paused),
            ("waiting", is_waiting),
            ("rounded", level._plain().is_confirmed(self.odoo_quantity) if level else False),
            ("unread", not level),
        )
        return next((reason for reason, applies in reasons if applies), "differs")
