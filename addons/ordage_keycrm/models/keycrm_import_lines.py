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


class KeycrmOrderImporter(models.AbstractModel):
    """Lines: goods with KeyCRM's prices, and the amounts that make up its total."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _new_line_commands(self, account, order, products):
        return [
            Command.create(vals)
            for vals in (
                *(self._line_vals(line, products[line.id]) for line in order.lines),
                *self._extra_vals(account, order).values(),
            )
        ]

    @api.model
    def _line_vals(self, line, product):
        """Values of a line of goods.

        Price, discount and taxes are always written together with the quantity: a quantity alone
        would bring the list price back.
        """
        price = money.unit_price(line)
        name = product_name(line.name, line.properties) or product.display_name
        return {
            "keycrm_id": line.id,
            "product_id": product.id,
            "name": f"{name}\n{line.comment}" if line.comment else name,
            "product_uom_qty": float(line.quantity),
            "product_uom_id": product.uom_id.id,
            "price_unit": float(price.price),
            "discount": float(price.discount),
            "tax_ids": [Command.clear()],
        }

    @api.model
    def _extra_vals(self, account, order):
        """Values of the lines for shipping, wrapping, taxes, discount and rounding, by kind."""
        found = {}
        for extra in money.extras(order):
            product = self.env.ref(EXTRA_PRODUCTS[extra.kind])
            found[extra.kind] = {
                "keycrm_extra": extra.kind,
                "product_id": product.id,
                "name": product.name,
                "product_uom_qty": 1,
                "product_uom_id": product.uom_id.id,
                "price_unit": float(extra.amount),
                "discount": 0,
                "tax_ids": [Command.clear()],
            }
        return found

    @api.model
    def _update_lines(self, record, order, products):
        """Bring the lines of a known order to what KeyCRM has now.

        What was delivered or invoiced is decided before anything is written: a quantity never goes
        below it, and a to-do tells a person what differs.
        """
        wanted = {("line", line.id): self._line_vals(line, products[line.id]) for line in order.lines}
        wanted.update(
            (("extra", kind), vals)
            for kind, vals in self._extra_vals(record.keycrm_account_id, order).items()
        )
        current = {}
        for line in record.order_line:
            if line.keycrm_id:
                current["line", line.keycrm_id] = line
            elif line.keycrm_extra:
                current["extra", line.keycrm_extra] = line
        commands, kept = [], []
        for key, line in current.items():
            vals = wanted.pop(key, None)
            if vals and line.product_id.id != vals["product_id"] and not line.product_updatable:
                # The goods of a line that was delivered cannot become other goods.
                wanted[key] = vals
                line.keycrm_id, line.keycrm_extra = False, False
                vals = None
            if vals is None:
                commands += self._removal_commands(line, kept)
            else:
                commands += self._change_commands(line, vals, kept)
        commands += [Command.create(vals) for vals in wanted.values()]
        if commands:
            # A locked order is written for KeyCRM's sake; unlocked, its procurement follows.
            locked = record.locked
            record.locked = False
            record.write({"order_line": commands})
            record.locked = locked
        if kept:
            self._tell_kept(record, kept)

    @api.model
    def _removal_commands(self, line, kept):
        """A line that KeyCRM does not have any more; of a confirmed order it stays with quantity 0."""
        if line.state in ("draft", "sent", "cancel"):
            return [Command.delete(line.id)]
        if not line.product_uom_qty:
            return []
        least = max(line.qty_delivered, line.qty_invoiced)
        if least:
            kept.append((line, 0.0, least))
        if float_compare(line.product_uom_qty, least, precision_digits=3) == 0:
            return []
        return [Command.update(line.id, self._with_quantity(line, least))]

    @api.model
    def _with_quantity(self, line, quantity):
        return {
            "product_uom_qty": quantity,
            "price_unit": line.price_unit,
            "discount": line.discount,
            "tax_ids": [Command.set(line.tax_ids.ids)],
        }

    @api.model
    def _change_commands(self, line, vals, kept):
        vals = dict(vals)
        least = max(line.qty_delivered, line.qty_invoiced) if line.state == "sale" else 0.0
        if float_compare(vals["product_uom_qty"], least, precision_digits=3) < 0:
            kept.append((line, vals["product_uom_qty"], least))
            vals["product_uom_qty"] = least
        differs = (
            line.product_id.id != vals["product_id"]
            or line.name != vals["name"]
            or bool(line.tax_ids)
            or any(
                abs(line[name] - vals[name]) > 1e-6
                for name in ("product_uom_qty", "price_unit", "discount")
            )
        )
        return [Command.update(line.id, vals)] if differs else []

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
        record._keycrm_todo(
            self.env._("KeyCRM changed what is already out"),
            rows,
        )
