from odoo import api, fields, models

from ..keycrm import stock as rules


class KeycrmStockWhy(models.TransientModel):
    """ "Why this number?": what KeyCRM was told of a product, and what the number is made of."""

    _name = "keycrm.stock.why"
    _description = "Why this number in KeyCRM?"

    # === FIELDS ===#

    product_id = fields.Many2one("product.product", required=True, readonly=True)
    line_ids = fields.One2many("keycrm.stock.why.line", "why_id", readonly=True)

    # === BUSINESS METHODS ===#

    @api.model
    def _of_product(self, product):
        """Reckon the number of a product anew, for every KeyCRM warehouse of its companies.

        :return: ``keycrm.stock.why``
        """
        accounts = (
            self.env["keycrm.account"]
            .search([("company_id", "in", self.env.companies.ids)])
            .filtered("push_stock")
        )
        self.env.flush_all()
        return self.create(
            {
                "product_id": product.id,
                "line_ids": [
                    fields.Command.create(vals)
                    for warehouse in accounts.warehouse_ids.filtered("warehouse_ids")
                    for vals in self._lines(product, warehouse)
                ],
            }
        )

    @api.model
    def _lines(self, product, warehouse):
        """Give the terms of one warehouse as rows, the sum and what was sent last."""
        account = warehouse.account_id
        terms = self.env["keycrm.stock.terms"].sudo()._of(warehouse, product, all_terms=True)
        terms = terms[product.id]
        rows = [
            (
                "on_hand",
                self.env._("On hand in %s", ", ".join(warehouse.warehouse_ids.mapped("name"))),
                terms.on_hand,
            )
        ]
        if account.stock_quantity == rules.FREE:
            rows.append(("reserved", self.env._("− reserved in Odoo"), -terms.reserved))
        elif account.stock_quantity == rules.AVAILABLE:
            rows += [
                (
                    "reserved",
                    self.env._("− reserved in Odoo for others"),
                    -terms.reserved_for_others,
                ),
                ("orders", self.env._("− still taken out by orders of KeyCRM"), -terms.open_orders),
                (
                    "keycrm",
                    self.env._("+ KeyCRM's own reserve, which it subtracts itself"),
                    terms.keycrm_reserved,
                ),
            ]
        else:
            rows.append(
                (
                    "orders",
                    self.env._("− written off in KeyCRM, not shipped yet"),
                    -terms.written_off,
                )
            )
        rows.append(
            (
                "sum",
                self.env._("= to be shown in KeyCRM"),
                rules.target(account.stock_quantity, terms),
            )
        )
        offers = account.sudo()._offers_of(product)
        levels = self.env["keycrm.stock.level"].sudo()._of(warehouse, offers)
        vals_list = [
            {"keycrm_warehouse_id": warehouse.id, "kind": kind, "name": name, "quantity": quantity}
            for kind, name, quantity in rows
        ]
        for level in levels.values():
            vals_list.append(
                {
                    "keycrm_warehouse_id": warehouse.id,
                    "kind": "sent",
                    "name": level.error or self.env._("In KeyCRM, as last known"),
                    "quantity": level.quantity,
                    "moment": level.sent_at or level.read_at,
                }
            )
        return vals_list


class KeycrmStockWhyLine(models.TransientModel):
    _name = "keycrm.stock.why.line"
    _description = "Term of a number in KeyCRM"
    _order = "id"

    why_id = fields.Many2one("keycrm.stock.why", required=True, ondelete="cascade")
    keycrm_warehouse_id = fields.Many2one("keycrm.warehouse", readonly=True)
    kind = fields.Selection(
        [
            ("on_hand", "On hand"),
            ("reserved", "Reserved"),
            ("orders", "Orders"),
            ("keycrm", "KeyCRM's reserve"),
            ("sum", "Sum"),
            ("sent", "Sent"),
        ],
        required=True,
    )
    name = fields.Char(string="Term", readonly=True)
    quantity = fields.Float(digits=(16, 3), readonly=True)
    moment = fields.Datetime(string="When", readonly=True)

    def action_open(self):
        """Show the records that a term is made of.

        :return: an action
        """
        self.ensure_one()
        product = self.why_id.product_id
        warehouses = self.keycrm_warehouse_id.warehouse_ids
        mine = ("product_id", "=", product.id)
        if self.kind in ("on_hand", "sum"):
            found = (
                "stock.quant",
                [
                    mine,
                    ("location_id.warehouse_id", "in", warehouses.ids),
                    ("location_id.usage", "=", "internal"),
                ],
            )
        elif self.kind == "reserved":
            found = (
                "stock.move.line",
                [
                    mine,
                    ("state", "not in", ("draft", "done", "cancel")),
                    ("location_id.warehouse_id", "in", warehouses.ids),
                ],
            )
        elif self.kind == "sent":
            found = ("keycrm.stock.level", [mine])
        else:
            account = self.keycrm_warehouse_id.account_id
            found = ("sale.order.line", [mine, ("order_id.keycrm_account_id", "=", account.id)])
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": found[0],
            "view_mode": "list",
            "views": [[False, "list"]],
            "domain": found[1],
            "target": "current",
        }


class ProductProduct(models.Model):
    _inherit = "product.product"

    def action_keycrm_why(self):
        """Show what KeyCRM was told of this product, and why.

        :return: an action
        """
        self.ensure_one()
        self.check_access("read")
        why = self.env["keycrm.stock.why"]._of_product(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why this number?"),
            "res_model": "keycrm.stock.why",
            "res_id": why.id,
            "view_mode": "form",
            "views": [[False, "form"]],
            "target": "new",
        }


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def action_keycrm_why(self):
        """Show what KeyCRM was told of the only variant of this product, and why."""
        self.ensure_one()
        return self.product_variant_id.action_keycrm_why()
