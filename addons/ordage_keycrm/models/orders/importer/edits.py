from odoo import api, models
from odoo.fields import Command
from odoo.tools import float_compare

from ....const import COMING_BACK, HELD_NOTHING, QUANTITY_DIGITS
from ....keycrm.line_matching import may_be_same_goods
from .lines import TAX_ROUNDING

#: What is always written together: price, discount and taxes.
_PRICE = ("price_unit", "discount", "tax_ids")


class KeycrmOrderImporter(models.AbstractModel):
    """Lines of known orders follow KeyCRM; what was delivered or invoiced is not undone silently."""

    _inherit = "keycrm.order.importer"

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
        numbers = set(record.order_line.mapped("keycrm_id"))
        commands, kept = [], []
        for key, line in self._current_lines(batch, order):
            vals = wanted.pop(key, None)
            if vals and line.product_id.id != vals["product_id"] and not line.product_updatable:
                # The goods of a line that was delivered cannot become other goods.
                wanted[key] = vals
                commands.append(Command.update(line.id, {"keycrm_id": 0, "keycrm_extra": False}))
                vals = None
            self._queue_affected_products(batch, line, vals)
            if vals is None:
                commands += self._removal_commands(line, kept)
            else:
                commands += self._change_commands(line, vals, kept)
        commands += [self._create_command(vals) for vals in wanted.values()]
        if not {line.id for line in order.lines} <= numbers:
            batch.grown.add(order.id)
        batch.touched.update(
            vals["product_id"] for vals in wanted.values() if vals.get("keycrm_stock_status")
        )
        if commands:
            # A locked order is written for KeyCRM's sake; unlocked, its procurement follows.
            locked, warehouses = record.locked, self._warehouses_of(record)
            to_make = record.order_line.filtered("keycrm_to_make")
            record.locked = False
            less = {line.id: wish for line, wish, _row in kept if wish < line.qty_delivered}
            record.with_context(keycrm_wanted=less).write({"order_line": commands})
            record._keycrm_ship_from_elsewhere(warehouses)
            record.locked = locked
            if record.state == "sale":
                record._keycrm_request_production(
                    record.order_line.filtered("keycrm_to_make") - to_make
                )
        if not cancelling:
            self._report_conflicts(record, kept)
            if record.state == "sale" and record.keycrm_shipping_status not in COMING_BACK:
                record._keycrm_expect_no_return(
                    {line: line.keycrm_quantity for line in record.order_line if line.keycrm_id}
                )

    @api.model
    def _warehouses_of(self, record):
        """:return: ``{sale.order.line: stock.warehouse}`` of a confirmed order"""
        if record.state != "sale":
            return {}
        return {line: line.warehouse_id for line in record.order_line}

    @api.model
    def _current_lines(self, batch, order):
        """:return: list of (what it stands for in KeyCRM, line) of the lines that came from there; one
        that KeyCRM does not have any more stands for nothing
        """
        numbers = {line: number for number, line in batch.matches[order.id].items()}
        current = []
        for line in batch.known[order.id].order_line:
            if line in numbers:
                current.append((("line", numbers[line]), line))
            elif line.keycrm_id:
                current.append((("line", None), line))
            elif line.keycrm_extra and line.keycrm_extra != TAX_ROUNDING:
                current.append((("extra", line.keycrm_extra), line))
        return current

    @api.model
    def _queue_affected_products(self, batch, line, vals):
        """Record products whose stock KeyCRM moved by itself: reserve, write-off, return."""
        if line.keycrm_extra:
            return
        moved = vals is None or any(
            (line[name].id if name.endswith("_id") else line[name] or False)
            != (vals[name] or False)
            for name in ("keycrm_stock_status", "keycrm_warehouse_id", "keycrm_quantity")
        )
        if moved:
            batch.touched.add(line.product_id.id)

    @api.model
    def _update_held(self, batch, record, order):
        """Record what KeyCRM holds of stock for an order that is not followed any more.

        Its lines stay as they are; but what KeyCRM reserves or has written off decides what it is to
        be told of these products, and must not be what it was some time ago.
        """
        lines = {line.id: line for line in order.lines}
        matched = {line: lines[number] for number, line in batch.matches[order.id].items()}
        for line in record.order_line.filtered("keycrm_id"):
            now = matched.get(line)
            if now and not may_be_same_goods(self._known_line(batch, line), now):
                now = None
            vals = {**HELD_NOTHING, "keycrm_warehouse_id": line.keycrm_warehouse_id.id}
            if now:
                warehouse = now.warehouse and batch.warehouses.get(now.warehouse.id)
                vals = {
                    "keycrm_id": now.id,
                    "keycrm_stock_status": now.stock_status or False,
                    "keycrm_quantity": float(now.quantity),
                    "keycrm_warehouse_id": warehouse.id if warehouse else False,
                }
            changed = {name: vals[name] for name in vals if not _same_value(line, name, vals[name])}
            if changed.keys() - {"keycrm_id"}:
                batch.touched.add(line.product_id.id)
            if changed:
                line.write(changed)

    @api.model
    def _removal_commands(self, line, kept):
        """A line that KeyCRM does not have any more; of a confirmed order it stays with quantity 0."""
        if line.state in ("draft", "sent", "cancel"):
            return [Command.delete(line.id)]
        least = max(line.qty_delivered, line.qty_invoiced)
        if least:
            kept.append((line, 0.0, self._quantity_kept(line, 0.0, least)))
        # KeyCRM has given back what it held for the line.
        gone = HELD_NOTHING
        if not float_compare(line.product_uom_qty, least, precision_digits=QUANTITY_DIGITS):
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
            wanted = vals["product_uom_qty"]
            # Somebody shipped more than was ordered: what KeyCRM says has not changed.
            changes = float_compare(wanted, line.product_uom_qty, precision_digits=QUANTITY_DIGITS)
            if changes and float_compare(wanted, least, precision_digits=QUANTITY_DIGITS) < 0:
                kept.append((line, wanted, self._quantity_kept(line, wanted, least)))
                vals["product_uom_qty"] = least
            if line.qty_invoiced and not self._same_price(line, vals):
                # An invoice was made at the old price; changing it here would hide the difference.
                kept.append((line, wanted, self._price_kept(line, vals)))
                vals.update(
                    price_unit=line.price_unit,
                    discount=line.discount,
                    tax_ids=[Command.set(line.tax_ids.ids)],
                )
        self._keep_what_odoo_decides(line, vals)
        changed = {name for name, value in vals.items() if not _same_value(line, name, value)}
        if changed & {"product_id", "product_uom_id", "product_uom_qty", *_PRICE}:
            # A quantity alone would bring the list price back.
            changed.update(name for name in _PRICE if name in vals)
        if "product_id" in changed:
            changed.add("name")
        return [Command.update(line.id, {name: vals[name] for name in changed})] if changed else []

    @api.model
    def _keep_what_odoo_decides(self, line, vals):
        """Take out what a person may have changed here, unless KeyCRM changed its side of it."""
        if vals["keycrm_name"] == line.keycrm_name and vals["product_id"] == line.product_id.id:
            del vals["name"]
        vals.pop("route_ids", None)
        to_make = vals.get("keycrm_to_make")
        if line.keycrm_id and to_make != line.keycrm_to_make:
            making = self._routes_to_make(self.env["product.product"].browse(vals["product_id"]))
            routes = line.route_ids | making if to_make else line.route_ids - making
            vals["route_ids"] = [Command.set(routes.ids)]

    @api.model
    def _same_price(self, line, vals):
        return all(_same_value(line, name, vals[name]) for name in ("price_unit", "discount"))

    @api.model
    def _quantity_kept(self, line, wanted, least):
        return self.env._(
            "%(product)s: %(wanted)s in KeyCRM, %(kept)s already delivered or invoiced",
            product=line.product_id.display_name,
            wanted=f"{wanted:g}",
            kept=f"{least:g}",
        )

    @api.model
    def _price_kept(self, line, vals):
        currency = line.order_id.currency_id
        return self.env._(
            "%(product)s: the price in KeyCRM is %(wanted)s, but it was invoiced at %(kept)s",
            product=line.product_id.display_name,
            wanted=currency.format(vals["price_unit"] * (1 - vals["discount"] / 100)),
            kept=currency.format(line.price_unit * (1 - line.discount / 100)),
        )

    @api.model
    def _report_conflicts(self, record, kept):
        """Tell a person what KeyCRM wants and what was kept, because goods or invoices are out.

        :param kept: list of (line, quantity that KeyCRM wants, what to tell); empty where nothing
            differs any more
        """
        summary = self.env._("KeyCRM changed items that are already shipped")
        if not kept:
            record._keycrm_unlink_activity(summary)
            return
        record._keycrm_expect_return({line: wanted for line, wanted, _row in kept})
        record._keycrm_schedule_activity(
            summary, [row for _line, _wanted, row in kept], lasting=True
        )


def _same_value(line, name, value):
    field = line._fields[name]
    if field.type == "float":
        return abs(line[name] - value) < 1e-6
    if field.type == "many2one":
        return line[name].id == (value or False)
    if field.type == "many2many":
        return set(line[name].ids) == set(value[0][2] if value[0][0] == Command.SET else ())
    return (line[name] or False) == (value or False)
