from dataclasses import replace

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import format_datetime, formatLang

from ...keycrm import stock_quantities
from ...services.stock.stock_exporter import StockExporter
from .calculator import RESERVING_STATES


class KeycrmStockExplanation(models.TransientModel):
    """Explain a quantity ("12 on hand − 3 reserved = sent 9 at 14:03"), each term with its records."""

    _name = "keycrm.stock.explanation"
    _description = "KeyCRM stock explanation"

    # === FIELDS ===#

    product_id = fields.Many2one("product.product", required=True, readonly=True)
    line_ids = fields.One2many(
        "keycrm.stock.explanation.line", "explanation_id", string="Lines", readonly=True
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _explain(self, product):
        """Compute the quantity of a product for every KeyCRM warehouse of the user's companies.

        :param product: ``product.product``, one
        :return: ``keycrm.stock.explanation``
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
                    fields.Command.create({"keycrm_warehouse_id": warehouse.id, **vals})
                    for warehouse in accounts.warehouse_ids.filtered("warehouse_ids")
                    for vals in self._lines(product, warehouse)
                ],
            }
        )

    @api.model
    def _lines(self, product, warehouse):
        """Return the terms of one warehouse, without those that are zero.

        :param product: ``product.product``, one
        :param warehouse: ``keycrm.warehouse``, one
        :return: values of ``keycrm.stock.explanation.line``
        """
        account = warehouse.account_id
        calculator = self.env["keycrm.stock.calculator"].sudo()
        terms = calculator._terms(warehouse, product, all_terms=True)[product.id]
        names = ", ".join(warehouse.warehouse_ids.mapped("name"))
        rows = [("on_hand", terms.on_hand, self._on_hand_text(product, terms.on_hand, names))]
        if account.stock_quantity == stock_quantities.FREE:
            text = self.env._("− reserved in Odoo %s", self._number(terms.reserved))
            rows.append(("reserved", -terms.reserved, text))
        elif account.stock_quantity == stock_quantities.AVAILABLE:
            others, orders = terms.reserved_for_others, terms.open_orders
            held = terms.keycrm_reserved
            rows += [
                (
                    "others",
                    -others,
                    self.env._("− reserved in Odoo for others %s", self._number(others)),
                ),
                (
                    "orders",
                    -orders,
                    self.env._("− to be shipped for KeyCRM's orders %s", self._number(orders)),
                ),
                (
                    "keycrm",
                    held,
                    self.env._("+ KeyCRM's own reservation %s", self._number(held)),
                ),
            ]
        else:
            off = terms.written_off
            text = self.env._("− written off in KeyCRM, not shipped yet %s", self._number(off))
            rows.append(("written_off", -off, text))
        if terms.is_ended:
            rest = stock_quantities.target(account.stock_quantity, replace(terms, is_ended=False))
            text = self.env._("− archived, or no longer tracked in Odoo %s", self._number(rest))
            rows.append(("ended", -rest, text))
        vals_list = [{"kind": "warehouse", "name": warehouse.display_name}] + [
            {"kind": kind, "quantity": quantity, "name": name}
            for kind, quantity, name in rows
            if kind == "on_hand" or not stock_quantities.is_same(quantity, 0)
        ]
        return vals_list + self._results(
            product, warehouse, stock_quantities.target(account.stock_quantity, terms)
        )

    @api.model
    def _on_hand_text(self, product, quantity, names):
        """Return the text of the first term, which differs for kits: they have no stock of their own."""
        return self.env._(
            "On hand in %(warehouses)s %(quantity)s",
            warehouses=names,
            quantity=self._number(quantity),
        )

    @api.model
    def _results(self, product, warehouse, target):
        """Return the sum of the terms, and the quantity that KeyCRM was sent.

        :param product: ``product.product``, one
        :param warehouse: ``keycrm.warehouse``, one
        :param target: sum of the terms
        :return: values of ``keycrm.stock.explanation.line``
        """
        account = warehouse.account_id.sudo()
        fitted = StockExporter(account).fitted(target)
        offers = self.env["keycrm.offer"].sudo()._offers_for(account, product)
        levels = self.env["keycrm.stock.level"].sudo()._levels_for(warehouse, offers)
        number = self._number(fitted)
        if not levels:
            text = (
                self.env._("= %s, not sent yet", number)
                if offers
                else self.env._("= %s, not in KeyCRM", number)
            )
            return [{"kind": "sum", "quantity": target, "name": text}]
        vals_list = []
        for level in levels.values():
            vals = {"kind": "sent", "quantity": level.quantity}
            is_confirmed = level._plain().is_confirmed(fitted)
            moment = level.sent_at or level.read_at
            vals["moment"] = moment
            if level.error:
                text = self.env._(
                    "= %(quantity)s, refused by KeyCRM: %(error)s",
                    quantity=number,
                    error=level.error,
                )
                vals_list.append({**vals, "kind": "sum", "quantity": target, "name": text})
            elif is_confirmed and level.sent_at:
                text = self.env._(
                    "= sent %(quantity)s at %(time)s", quantity=number, time=self._time(moment)
                )
                vals_list.append({**vals, "name": text})
            elif is_confirmed:
                text = self.env._(
                    "= %(quantity)s, same as KeyCRM had at %(time)s",
                    quantity=number,
                    time=self._time(moment),
                )
                vals_list.append({**vals, "name": text})
            else:
                text = self.env._("= %s, waiting to send", number)
                vals_list.append({"kind": "sum", "quantity": target, "name": text})
                if moment:
                    text = self.env._(
                        "(KeyCRM had %(quantity)s at %(time)s)",
                        quantity=self._number(level.quantity),
                        time=self._time(moment),
                    )
                    vals_list.append({**vals, "name": text})
        return vals_list

    @api.model
    def _number(self, quantity):
        """Format a quantity, whole ones without decimals."""
        whole = stock_quantities.is_same(quantity, round(quantity))
        return formatLang(self.env, quantity, digits=0 if whole else stock_quantities.DIGITS)

    @api.model
    def _time(self, moment):
        """Format a time: without the date if it is today."""
        today = fields.Datetime.context_timestamp(self, moment).date()
        if today == fields.Date.context_today(self):
            return format_datetime(self.env, moment, dt_format="HH:mm")
        return format_datetime(self.env, moment, dt_format="short")


class KeycrmStockExplanationLine(models.TransientModel):
    _name = "keycrm.stock.explanation.line"
    _description = "Component of a KeyCRM quantity"
    _order = "id"

    explanation_id = fields.Many2one(
        "keycrm.stock.explanation", string="Stock explanation", required=True, ondelete="cascade"
    )
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", readonly=True
    )
    kind = fields.Selection(
        [
            ("warehouse", "KeyCRM warehouse"),
            ("on_hand", "On hand"),
            ("reserved", "Reserved"),
            ("others", "Reserved for others"),
            ("orders", "Orders"),
            ("written_off", "Written off"),
            ("ended", "No longer sold"),
            ("keycrm", "KeyCRM reservation"),
            ("sum", "Sum"),
            ("sent", "Sent"),
        ],
        required=True,
    )
    name = fields.Char(string="Component", readonly=True)
    quantity = fields.Float(digits=(16, 3), readonly=True)
    moment = fields.Datetime(string="Time", readonly=True)

    # === ACTION METHODS ===#

    def action_open(self):
        """Open the records of a term.

        :return: an action
        """
        self.ensure_one()
        model, domain = self._records()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": model,
            "view_mode": "list",
            "views": [[False, "list"]],
            "domain": list(domain),
            "target": "current",
        }

    # === BUSINESS METHODS ===#

    def _records(self):
        """Return the model and the domain of the records of a term."""
        product, warehouse = self.explanation_id.product_id, self.keycrm_warehouse_id
        account = warehouse.account_id
        same_product = Domain("product_id", "=", product.id)
        if self.kind == "on_hand":
            fresh = Domain.TRUE
            if "removal_date" in self.env["stock.quant"]._fields:
                today = fields.Datetime.to_datetime(fields.Date.today())
                fresh = Domain("removal_date", "=", False) | Domain("removal_date", ">", today)
            return "stock.quant", self._on_hand_domain() & self._location_domain() & fresh
        if self.kind == "ended":
            return "product.product", Domain("id", "=", product.id) & Domain(
                "active", "in", (True, False)
            )
        if self.kind in ("reserved", "others"):
            reserved = (
                same_product
                & Domain("state", "in", RESERVING_STATES)
                & Domain("quantity_product_uom", "!=", 0)
                & self._location_domain()
            )
            if self.kind == "others":
                order = "move_id.sale_line_id.order_id.keycrm_account_id"
                reserved &= Domain(order, "!=", account.id)
            return "stock.move.line", reserved
        if self.kind in ("orders", "written_off", "keycrm"):
            lines = Domain("order_id.keycrm_account_id", "=", account.id)
            if self.kind == "keycrm":
                lines &= same_product & Domain("keycrm_stock_status", "=", "reserved")
                return "sale.order.line", lines & Domain("keycrm_warehouse_id", "=", warehouse.id)
            still = Domain("state", "not in", ("draft", "done", "cancel"))
            lines &= (Domain("move_ids", "any", still & self._on_hand_domain())) | (
                same_product
                & Domain("order_id.state", "in", ("draft", "sent"))
                & Domain("keycrm_stock_status", "!=", False)
            )
            if self.kind == "written_off":
                lines &= Domain("keycrm_stock_status", "=", "fulfilled")
            found = self.env["sale.order.line"].search(lines)
            return "sale.order.line", Domain("id", "in", found.ids)
        levels = Domain("keycrm_warehouse_id", "=", warehouse.id)
        return "keycrm.stock.level", same_product & levels

    def _on_hand_domain(self):
        """Return the domain of the goods on hand: of the product itself, or a kit's components."""
        return Domain("product_id", "=", self.explanation_id.product_id.id)

    def _location_domain(self):
        return Domain("location_id.usage", "=", "internal") & Domain(
            "location_id.warehouse_id", "in", self.keycrm_warehouse_id.warehouse_ids.ids
        )


class ProductProduct(models.Model):
    _inherit = "product.product"

    def action_keycrm_explain(self):
        """Explain the quantity of this product in KeyCRM.

        :return: an action
        """
        self.ensure_one()
        self.check_access("read")
        explanation = self.env["keycrm.stock.explanation"]._explain(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why this quantity?"),
            "res_model": "keycrm.stock.explanation",
            "res_id": explanation.id,
            "view_mode": "form",
            "views": [[False, "form"]],
            "target": "new",
        }


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def action_keycrm_explain(self):
        """Explain the quantity of the first variant of this product in KeyCRM.

        :return: an action
        """
        self.ensure_one()
        variants = self.with_context(active_test=False).product_variant_ids
        return variants[:1].with_env(self.env).action_keycrm_explain()
