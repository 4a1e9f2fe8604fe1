from odoo import api, models
from odoo.fields import Command

from ....const import NOTHING_RESERVED
from ....keycrm import line_edits
from ....keycrm.line_edits import Conflict
from ....keycrm.line_matching import line_name, match_lines, may_be_same_goods
from ....keycrm.parcels import COMING_BACK
from ....services.common.values import changed_values, is_equal
from .lines import TAX_ROUNDING

#: Fields whose difference makes a price conflict.
_UNIT_PRICE = ("price_unit", "discount")


class KeycrmOrderImporter(models.AbstractModel):
    """Update the lines of known orders; ``keycrm/line_edits.py`` decides."""

    _inherit = "keycrm.order.importer"

    # === MATCHING ===#

    @api.model
    def _match_lines(self, batch):
        """Match the lines of all known orders before any line changes."""
        for order in batch.orders:
            if order.id in batch.known:
                batch.matches[order.id] = self._matched_lines(batch, order)

    @api.model
    def _matched_lines(self, batch, order):
        """Return the lines of a known order by KeyCRM's id; lines without one are new.

        :return: ``{KeyCRM line: sale.order.line}``
        """
        # Includes lines whose goods KeyCRM replaced: the former goods may be added again.
        records = batch.known[order.id].order_line.filtered(
            lambda line: line.keycrm_id or (line.keycrm_name and not line.keycrm_extra)
        )
        by_number = {line.keycrm_id: line for line in records if line.keycrm_id}
        if all(self._is_unchanged(by_number.get(line.id), line) for line in order.lines):
            # True of almost every order, so that offers and prices need no comparison.
            return {line.id: by_number[line.id] for line in order.lines}
        matches = match_lines([record._keycrm_known_line() for record in records], order.lines)
        by_id = {line.id: line for line in records}
        return {number: by_id[line_id] for number, line_id in matches.items()}

    @api.model
    def _is_unchanged(self, record, line):
        return (
            bool(record)
            and (record.keycrm_sku or "") == line.sku
            and record._keycrm_goods_name() == line_name(line)
        )

    # === EDITS ===#

    @api.model
    def _update_lines(self, batch, order):
        """Update the lines of a known order.

        Deliveries and invoices are considered before anything is written: a quantity does not fall below
        them, a return is expected, and an activity shows the difference.
        """
        record = batch.known[order.id]
        wanted = {("line", line.id): self._prepare_line_values(batch, line) for line in order.lines}
        wanted.update((("extra", kind), v) for kind, v in self._extra_vals(batch, order).items())
        is_canceled = batch.action(order) == "cancel" and record.state == "sale"
        is_canceled = is_canceled and record._keycrm_is_shipped_or_invoiced()
        if is_canceled:
            # The open quantities are not shipped; the cancellation reports the others.
            wanted = {key: {**vals, "product_uom_qty": 0.0} for key, vals in wanted.items()}
        numbers = set(record.order_line.mapped("keycrm_id"))
        commands, conflicts, kept = [], [], {}
        for key, line in self._current_lines(batch, order):
            vals = wanted.pop(key, None)
            if vals and self._needs_new_line(line, vals):
                wanted[key] = vals
                commands.append(Command.update(line.id, {"keycrm_id": 0, "keycrm_extra": False}))
                vals = None
            self._enqueue_affected_products(batch, line, vals)
            if vals is None:
                commands += self._removal_commands(line, conflicts)
            else:
                commands += self._change_commands(line, vals, conflicts)
                # By its key: goods that KeyCRM adds again match a line that has lost its id.
                if key[0] == "line":
                    kept[line] = vals["keycrm_quantity"]
        commands += [self._create_command(batch, vals) for vals in wanted.values()]
        if not {line.id for line in order.lines} <= numbers:
            batch.changed_orders.add(order.id)
        batch.affected_products.update(
            vals["product_id"] for vals in wanted.values() if vals.get("keycrm_stock_status")
        )
        is_refused = record.keycrm_shipping_status in COMING_BACK
        if record.state == "sale" and not (is_canceled or is_refused):
            # Before the write, in which Odoo ships again what is expected back.
            record._keycrm_reduce_returns(kept)
        if commands:
            self._write_lines(record, commands, adjusts_transfers=is_canceled or not is_refused)
        if not is_canceled:
            self._report_conflicts(record, conflicts)
            record._keycrm_leave_archived_warehouse()

    @api.model
    def _write_lines(self, record, commands, *, adjusts_transfers):
        """Write the lines of an order, and let Odoo procure what they need now.

        :param record: ``sale.order``
        :param commands: commands of its lines
        :param adjusts_transfers: whether goods that KeyCRM has removed or added again change the transfers
        """
        # Unlocked for the write, so that Odoo updates its procurement too.
        locked, warehouses = record.locked, self._warehouses_of(record)
        excess = {line: line.keycrm_excess for line in record.order_line}
        to_make = record.order_line.filtered("keycrm_to_make")
        record.locked = False
        record.write({"order_line": commands})
        record._keycrm_change_warehouse(warehouses)
        if adjusts_transfers:
            # Odoo procures changed quantities alone, and the line's may have stayed.
            record.order_line.filtered(
                lambda line: line.keycrm_excess != excess.get(line, 0.0)
            )._action_launch_stock_rule()
        record.locked = locked
        if record.state == "sale":
            record._keycrm_request_production(
                record.order_line.filtered("keycrm_to_make") - to_make
            )

    @api.model
    def _warehouses_of(self, record):
        """Return the warehouses of a confirmed order's lines.

        :return: ``{sale.order.line: stock.warehouse}``
        """
        if record.state != "sale":
            return {}
        return {line: line.warehouse_id for line in record.order_line}

    @api.model
    def _current_lines(self, batch, order):
        """Return the imported lines of a known order.

        :return: list of (``("line", KeyCRM's id)`` or ``("extra", kind)``, ``sale.order.line``); the id of a
            line that KeyCRM has removed is None
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
    def _enqueue_affected_products(self, batch, line, vals):
        """Record products whose stock KeyCRM itself changed by a reserve, write-off or return."""
        if line.keycrm_extra:
            return
        moved = vals is None or any(
            (line[name].id if name.endswith("_id") else line[name] or False)
            != (vals[name] or False)
            for name in ("keycrm_stock_status", "keycrm_warehouse_id", "keycrm_quantity")
        )
        if moved:
            batch.affected_products.add(line.product_id.id)

    @api.model
    def _update_reserved(self, batch, record, order):
        """Record the stock that KeyCRM holds for an order in a skipped status.

        Other values of its lines are not updated. The quantities to send depend on KeyCRM's reserves
        and write-offs.
        """
        lines = {line.id: line for line in order.lines}
        matched = {line: lines[number] for number, line in batch.matches[order.id].items()}
        for line in record.order_line.filtered("keycrm_id"):
            now = matched.get(line)
            if now and not may_be_same_goods(line._keycrm_known_line(), now):
                now = None
            vals = {**NOTHING_RESERVED, "keycrm_warehouse_id": line.keycrm_warehouse_id.id}
            if now:
                warehouse = now.warehouse and batch.warehouses.get(now.warehouse.id)
                vals = {
                    "keycrm_id": now.id,
                    "keycrm_stock_status": now.stock_status or False,
                    "keycrm_quantity": float(now.quantity),
                    "keycrm_warehouse_id": warehouse.id if warehouse else False,
                }
            changed = changed_values(line, vals)
            if changed.keys() - {"keycrm_id"}:
                batch.affected_products.add(line.product_id.id)
            if changed:
                line.write(changed)

    @api.model
    def _removal_commands(self, line, conflicts):
        """Return the commands for a line that KeyCRM has removed.

        :param line: ``sale.order.line``
        :param conflicts: list of (line, quantity in KeyCRM, (facts, sentence)), extended
        """
        edit = line_edits.remove(_odoo_line(line), NOTHING_RESERVED)
        if edit.is_removal:
            return [Command.delete(line.id)]
        conflicts += self._conflict_rows(line, edit, {"product_uom_qty": 0.0})
        return self._update_commands(line, edit.vals)

    @api.model
    def _needs_new_line(self, line, wanted):
        """Return whether another product needs a line of its own.

        A line that was delivered keeps its product. Goods that replace a service or a combo of a confirmed
        order would not be shipped: Odoo procures new lines and changed quantities alone.

        :param line: ``sale.order.line``
        :param wanted: values of the line as KeyCRM has it
        """
        product = self.env["product.product"].browse(wanted["product_id"])
        if product == line.product_id:
            return False
        return not line.product_updatable or (line.state == "sale" and product.type == "consu")

    @api.model
    def _change_commands(self, line, wanted, conflicts):
        """Return the commands for a line that KeyCRM still has.

        :param line: ``sale.order.line``
        :param wanted: values of the line as KeyCRM has it
        :param conflicts: list of (line, quantity in KeyCRM, (facts, sentence)), extended
        """
        is_same_price = all(is_equal(line, name, wanted[name]) for name in _UNIT_PRICE)
        edit = line_edits.change(_odoo_line(line), wanted, is_same_price)
        conflicts += self._conflict_rows(line, edit, wanted)
        vals = dict(edit.vals)
        self._keep_user_changes(line, vals)
        return self._update_commands(line, vals)

    @api.model
    def _update_commands(self, line, vals):
        """Return the command for the values of a line that differ, and those that depend on them."""
        changed = line_edits.with_dependent(set(changed_values(line, vals)), vals)
        return [Command.update(line.id, {name: vals[name] for name in changed})] if changed else []

    @api.model
    def _keep_user_changes(self, line, vals):
        """Remove values that a user may have changed in Odoo, unless KeyCRM changed them too."""
        if vals["keycrm_name"] == line.keycrm_name and vals["product_id"] == line.product_id.id:
            del vals["name"]
        vals.pop("route_ids", None)
        to_make = vals.get("keycrm_to_make")
        if line.keycrm_id and to_make != line.keycrm_to_make:
            making = self._production_routes(self.env["product.product"].browse(vals["product_id"]))
            routes = line.route_ids | making if to_make else line.route_ids - making
            vals["route_ids"] = [Command.set(routes.ids)]

    @api.model
    def _conflict_rows(self, line, edit, wanted):
        """Describe the parts of an edit in KeyCRM that are not applied.

        :param edit: :class:`~.keycrm.line_edits.Edit`
        :param wanted: values of the line as KeyCRM has it
        :return: list of (line, quantity in KeyCRM, (facts, sentence)); the quantity is None for another
            price, and the facts are the sentence's numbers in all languages
        """
        rows = []
        if Conflict.QUANTITY in edit.conflicts:
            sentence = self._quantity_conflict(line, wanted)
            rows.append((line, wanted["product_uom_qty"], sentence))
        if Conflict.PRICE in edit.conflicts:
            rows.append((line, None, self._price_conflict(line, wanted)))
        return rows

    @api.model
    def _quantity_conflict(self, line, wanted):
        numbers = (
            f"{wanted['product_uom_qty']:g}",
            f"{max(line.qty_delivered, line.qty_invoiced):g}",
        )
        return [line.id, *numbers], self.env._(
            "%(product)s: %(wanted)s in KeyCRM, %(kept)s already delivered or invoiced",
            product=line.product_id.display_name,
            wanted=numbers[0],
            kept=numbers[1],
        )

    @api.model
    def _price_conflict(self, line, wanted):
        currency = line.order_id.currency_id
        prices = [
            currency.round(values["price_unit"] * (1 - values["discount"] / 100))
            for values in (wanted, line)
        ]
        return [line.id, "price", *prices], self.env._(
            "%(product)s: the price in KeyCRM is %(wanted)s, but it was invoiced at %(kept)s",
            product=line.product_id.display_name,
            wanted=currency.format(prices[0]),
            kept=currency.format(prices[1]),
        )

    @api.model
    def _report_conflicts(self, record, conflicts):
        """Report to a user the parts of KeyCRM's edits that are not applied.

        :param conflicts: see :meth:`_conflict_rows`; empty where nothing differs any more
        """
        if not conflicts:
            record._keycrm_unlink_activity("shipped_changed")
            return
        if record.state == "sale":
            record._keycrm_expect_return(
                {line: wanted for line, wanted, _row in conflicts if wanted is not None}
            )
        record._keycrm_schedule_activity(
            "shipped_changed",
            self.env._("KeyCRM changed items that are already shipped"),
            [sentence for _line, _wanted, (_facts, sentence) in conflicts],
            facts=[facts for _line, _wanted, (facts, _sentence) in conflicts],
            lasting=True,
        )


def _odoo_line(line):
    """Describe a line for :mod:`~.keycrm.line_edits`."""
    return line_edits.OdooLine(
        is_confirmed=line.state == "sale",
        quantity=line.product_uom_qty,
        delivered=line.qty_delivered,
        invoiced=line.qty_invoiced,
        price={
            "price_unit": line.price_unit,
            "discount": line.discount,
            "tax_ids": [Command.set(line.tax_ids.ids)],
        },
    )
