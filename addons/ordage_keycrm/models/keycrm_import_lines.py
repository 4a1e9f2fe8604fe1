from odoo import api, models
from odoo.fields import Command
from odoo.tools import float_compare

from ..keycrm import money
from ..keycrm.naming import product_name

#: Products that stand for amounts which are no goods, by their kind.
EXTRA_PRODUCTS = {
    money.SHIPPING: "ordage_keycrm.product_shipping",
    money.WRAP: "ordage_keycrm.product_wrap",
    money.TAXES: "ordage_keycrm.product_taxes",
    money.DISCOUNT: "ordage_keycrm.product_discount",
    money.ROUNDING: "ordage_keycrm.product_rounding",
    money.LUMP: "ordage_keycrm.product_lump",
}
#: The cents that Odoo's own taxes left over; kept apart from KeyCRM's rounding.
TAX_ROUNDING = "tax_rounding"
#: Digits in which quantities are compared; KeyCRM's have at most three.
DIGITS = 3


class KeycrmOrderImporter(models.AbstractModel):
    """Lines: goods with KeyCRM's prices, and the amounts that make up its total."""

    _inherit = "keycrm.order.importer"

    # === VALUES ===#

    @api.model
    def _new_line_commands(self, batch, order):
        return [
            self._create_command(vals)
            for vals in (
                *(self._line_vals(batch, line) for line in order.lines),
                *self._extra_vals(batch, order).values(),
            )
        ]

    @api.model
    def _create_command(self, vals):
        """Make a line; the analytic distribution is said where no rule could give one.

        Left out, Odoo looks for rules twice a line: seven queries an order of three lines.
        """
        if not self.env.context.get("keycrm_analytic_rules"):
            vals = {"analytic_distribution": False, **vals}
        return Command.create(vals)

    @api.model
    def _line_vals(self, batch, line):
        """Values of a line of goods.

        Price, discount and taxes are always written together with the quantity: a quantity alone
        would bring the list price back.
        """
        product = batch.products[line.id]
        price = money.unit_price(line)
        name = product_name(line.name, line.properties) or product.display_name
        warehouse = line.warehouse and batch.warehouses.get(line.warehouse.id)
        to_make = line.shipment_type == "manufacturing"
        return {
            "keycrm_id": line.id,
            "product_id": product.id,
            "name": f"{name}\n{line.comment}" if line.comment else name,
            "product_uom_qty": float(line.quantity),
            "product_uom_id": product.uom_id.id,
            **self._price_vals(batch, price.price, price.discount),
            "keycrm_stock_status": line.stock_status or False,
            "keycrm_quantity": float(line.quantity),
            "keycrm_warehouse_id": warehouse.id if warehouse else False,
            "keycrm_to_make": to_make,
            **({"route_ids": [Command.set(self._routes_to_make(product).ids)]} if to_make else {}),
        }

    @api.model
    def _extra_vals(self, batch, order):
        """Values of the lines for shipping, wrapping, taxes, discount and rounding, by kind."""
        found = {}
        for extra in money.extras(order):
            taxed = extra.kind != money.ROUNDING
            found[extra.kind] = self._amount_vals(batch, extra.kind, extra.amount, taxed=taxed)
        return found

    @api.model
    def _amount_vals(self, batch, kind, amount, *, taxed):
        product = self.env.ref(EXTRA_PRODUCTS.get(kind, EXTRA_PRODUCTS[money.ROUNDING]))
        if taxed:
            prices = self._price_vals(batch, amount, 0)
        else:
            prices = {"price_unit": float(amount), "discount": 0.0, "tax_ids": [Command.clear()]}
        return {
            "keycrm_extra": kind,
            "product_id": product.id,
            "name": product.name,
            "product_uom_qty": 1.0,
            "product_uom_id": product.uom_id.id,
            **prices,
        }

    @api.model
    def _price_vals(self, batch, price, discount):
        """Write a price of KeyCRM, which is what the buyer pays, under the account's tax.

        A tax that is included in prices takes it as it is; for one that comes on top the price is the
        part without it, unrounded.
        """
        taxes = batch.account.tax_id
        unit = float(price)
        if taxes and not all(taxes.flatten_taxes_hierarchy().mapped("price_include")):
            unit = taxes._get_tax_details(
                unit, 1.0, rounding_method="round_globally", special_mode="total_included"
            )["total_excluded"]
        return {
            "price_unit": unit,
            "discount": float(discount),
            "tax_ids": [Command.set(taxes.ids)],
        }

    @api.model
    def _routes_to_make(self, product):
        """Give make-to-order's route where Odoo can make the product: it has a bill of materials."""
        none = self.env["stock.route"]
        if "mrp.bom" not in self.env:
            return none
        bom = self.env["mrp.bom"]._bom_find(product, company_id=self.env.company.id)[product]
        route = self.env.ref("stock.route_warehouse0_mto", raise_if_not_found=False)
        if not bom or not route:
            return none
        if not route.active:
            route.active = True
        return route

    # === KNOWN ORDERS ===#

    @api.model
    def _update_lines(self, batch, order):
        """Bring the lines of a known order to what KeyCRM has now.

        What was delivered or invoiced is decided before anything is written: a quantity never goes
        below it, an expected return waits for the goods, and a to-do tells a person what differs.
        """
        record = batch.known[order.id]
        wanted = {("line", line.id): self._line_vals(batch, line) for line in order.lines}
        wanted.update((("extra", kind), v) for kind, v in self._extra_vals(batch, order).items())
        cancelling = batch.action(order) == "cancel" and record.state == "sale"
        cancelling = cancelling and record._keycrm_is_out()
        if cancelling:
            # What was not shipped yet stays here; the rest is told when the order is cancelled.
            wanted = {key: {**vals, "product_uom_qty": 0.0} for key, vals in wanted.items()}
        commands, kept = [], []
        for key, line in self._current_lines(record).items():
            vals = wanted.pop(key, None)
            if vals and line.product_id.id != vals["product_id"] and not line.product_updatable:
                # The goods of a line that was delivered cannot become other goods.
                wanted[key] = vals
                commands.append(Command.update(line.id, {"keycrm_id": 0, "keycrm_extra": False}))
                vals = None
            self._note_touched(batch, line, vals)
            if vals is None:
                commands += self._removal_commands(line, kept)
            else:
                commands += self._change_commands(line, vals, kept)
        commands += [self._create_command(vals) for vals in wanted.values()]
        batch.touched.update(
            vals["product_id"] for vals in wanted.values() if vals.get("keycrm_stock_status")
        )
        if commands:
            # A locked order is written for KeyCRM's sake; unlocked, its procurement follows.
            locked = record.locked
            record.locked = False
            wanted = {line.id: wish for line, wish, _least in kept if wish < line.qty_delivered}
            record.with_context(keycrm_wanted=wanted).write({"order_line": commands})
            record.locked = locked
        if kept and not cancelling:
            self._tell_kept(record, kept)

    @api.model
    def _current_lines(self, record):
        """:return: the lines that came from KeyCRM, by what they stand for"""
        current = {}
        for line in record.order_line:
            if line.keycrm_id:
                current["line", line.keycrm_id] = line
            elif line.keycrm_extra and line.keycrm_extra != TAX_ROUNDING:
                current["extra", line.keycrm_extra] = line
        return current

    @api.model
    def _note_touched(self, batch, line, vals):
        """Note products whose stock KeyCRM moved by itself: reserve, write-off, return."""
        if not line.keycrm_id:
            return
        moved = vals is None or any(
            (line[name].id if name.endswith("_id") else line[name] or False)
            != (vals[name] or False)
            for name in ("keycrm_stock_status", "keycrm_warehouse_id", "keycrm_quantity")
        )
        if moved:
            batch.touched.add(line.product_id.id)

    @api.model
    def _update_holds(self, batch, order):
        """Note what KeyCRM holds of its stock for a known order, and nothing else of its lines."""
        lines = {line.id: line for line in order.lines}
        for record in batch.known[order.id].order_line.filtered("keycrm_id"):
            line = lines.get(record.keycrm_id)
            warehouse = line and line.warehouse and batch.warehouses.get(line.warehouse.id)
            vals = {
                "keycrm_stock_status": (line and line.stock_status) or False,
                "keycrm_quantity": float(line.quantity) if line else 0.0,
                "keycrm_warehouse_id": warehouse.id if warehouse else False,
            }
            self._note_touched(batch, record, vals)
            if any(not _same_value(record, name, value) for name, value in vals.items()):
                record.write(vals)

    @api.model
    def _removal_commands(self, line, kept):
        """A line that KeyCRM does not have any more; of a confirmed order it stays with quantity 0."""
        if line.state in ("draft", "sent", "cancel"):
            return [Command.delete(line.id)]
        least = max(line.qty_delivered, line.qty_invoiced)
        if least:
            kept.append((line, 0.0, least))
        # KeyCRM has given back what it held for the line.
        gone = {"keycrm_stock_status": False, "keycrm_quantity": 0.0}
        if not float_compare(line.product_uom_qty, least, precision_digits=DIGITS):
            return [Command.update(line.id, gone)] if line.keycrm_quantity else []
        return [
            Command.update(
                line.id,
                {
                    **gone,
                    "product_uom_qty": least,
                    "price_unit": line.price_unit,
                    "discount": line.discount,
                    "tax_ids": [Command.set(line.tax_ids.ids)],
                },
            )
        ]

    @api.model
    def _change_commands(self, line, vals, kept):
        vals = dict(vals)
        if line.state == "sale":
            least = max(line.qty_delivered, line.qty_invoiced)
            if float_compare(vals["product_uom_qty"], least, precision_digits=DIGITS) < 0:
                kept.append((line, vals["product_uom_qty"], least))
                vals["product_uom_qty"] = least
            if line.qty_invoiced and not self._same_price(line, vals):
                # An invoice was made at the old price; changing it here would hide the difference.
                kept.append((line, vals["product_uom_qty"], line.product_uom_qty))
                vals = {
                    key: value
                    for key, value in vals.items()
                    if key not in ("price_unit", "discount", "tax_ids")
                }
                vals.update(price_unit=line.price_unit, discount=line.discount)
        changed = {name for name, value in vals.items() if not _same_value(line, name, value)}
        if not changed:
            return []
        if not changed & {"product_id", "product_uom_qty", "price_unit", "discount", "tax_ids"}:
            return [Command.update(line.id, {name: vals[name] for name in changed})]
        if line.state == "sale":
            # Odoo tells the warehouse of every quantity that is written, also of the same one.
            for name in ("product_id", "product_uom_id"):
                if name not in changed:
                    vals.pop(name)
        return [Command.update(line.id, vals)]

    @api.model
    def _same_price(self, line, vals):
        return all(_same_value(line, name, vals[name]) for name in ("price_unit", "discount"))

    @api.model
    def _tell_kept(self, record, kept):
        """Tell a person what KeyCRM wants and what was kept, because goods or invoices are out."""
        rows = [
            self.env._(
                "%(product)s: %(wanted)s in KeyCRM, %(kept)s already delivered or invoiced",
                product=line.product_id.display_name,
                wanted=f"{wanted:g}",
                kept=f"{least:g}",
            )
            for line, wanted, least in kept
        ]
        record._keycrm_expect_return({line: wanted for line, wanted, _least in kept})
        record._keycrm_todo(self.env._("KeyCRM changed what is already out"), rows)

    # === THE CENT ===#

    @api.model
    def _balance(self, batch):
        """Carry the cents that Odoo's taxes left over on a line without tax.

        With a tax on top of prices one total in six cannot be reached by any price.
        """
        if not batch.account.tax_id:
            return
        for order in batch.orders:
            record = batch.record(order)
            if order.grand_total is None or record.invoice_ids:
                continue
            line = record.order_line.filtered(lambda line: line.keycrm_extra == TAX_ROUNDING)
            rest = record.currency_id.round(
                record.keycrm_total - record.amount_total + sum(line.mapped("price_total"))
            )
            if abs(rest) > 0.01 * (len(record.order_line) + 1):
                rest = 0.0
            if not record.currency_id.compare_amounts(rest, sum(line.mapped("price_total"))):
                continue
            if line:
                command = Command.update(
                    line.id, {"price_unit": rest, "product_uom_qty": 1.0 if rest else 0.0}
                )
            else:
                command = Command.create(self._amount_vals(batch, TAX_ROUNDING, rest, taxed=False))
            locked = record.locked
            record.locked = False
            record.write({"order_line": [command]})
            record.locked = locked


def _same_value(line, name, value):
    field = line._fields[name]
    if field.type == "float":
        return abs(line[name] - value) < 1e-6
    if field.type == "many2one":
        return line[name].id == (value or False)
    if field.type == "many2many":
        return set(line[name].ids) == set(value[0][2] if value[0][0] == Command.SET else ())
    return (line[name] or False) == (value or False)
