from odoo import api, models
from odoo.fields import Command

from ....keycrm import order_totals
from ....keycrm.naming import are_same_words, product_name
from ....keycrm.stock_quantities import digits_of

#: Products of amounts that are no goods, by kind.
EXTRA_PRODUCTS = {
    order_totals.SHIPPING: "ordage_keycrm.product_shipping",
    order_totals.WRAP: "ordage_keycrm.product_wrap",
    order_totals.TAXES: "ordage_keycrm.product_taxes",
    order_totals.DISCOUNT: "ordage_keycrm.product_discount",
    order_totals.ROUNDING: "ordage_keycrm.product_rounding",
}
#: What Odoo computes for the lines of a quotation. Inserted with it, most lines need no update.
_COMPUTED_OF_QUOTATION = {
    "invoice_status": "no",
    "qty_invoiced": 0.0,
    "qty_to_invoice": 0.0,
    "untaxed_amount_invoiced": 0.0,
    "untaxed_amount_to_invoice": 0.0,
}
#: Kind of the line with cents that Odoo's taxes leave; separate from KeyCRM's rounding.
TAX_ROUNDING = "tax_rounding"


class KeycrmOrderImporter(models.AbstractModel):
    """Build the lines: goods with KeyCRM's prices, and further amounts of its total."""

    _inherit = "keycrm.order.importer"

    # === VALUES ===#

    @api.model
    def _new_line_commands(self, batch, order):
        first = {**_COMPUTED_OF_QUOTATION, "warehouse_id": self._warehouse(batch, order).id}
        # Odoo would not compute one that another module lets users change.
        line_fields = self.env["sale.order.line"]._fields
        first = {name: value for name, value in first.items() if line_fields[name].readonly}
        return [
            self._create_command(batch, {**first, **vals})
            for vals in (
                *(self._prepare_line_values(batch, line) for line in order.lines),
                *self._extra_vals(batch, order).values(),
            )
        ]

    @api.model
    def _create_command(self, batch, vals):
        """Return the command that creates a line.

        Where nothing sets an analytic distribution, it is explicitly empty. Otherwise Odoo searches for
        rules twice a line: seven queries for an order of three lines.
        """
        if not batch.has_analytic_rules:
            vals = {"analytic_distribution": False, **vals}
        return Command.create(vals)

    @api.model
    def _prepare_line_values(self, batch, line):
        """Return the values of a line of goods.

        Price, discount and taxes are always written together with the quantity: a quantity alone would
        restore the list price.

        :param batch: :class:`~.batch.Batch`
        :param line: :class:`~.keycrm.orders.Line`
        """
        product = batch.products[line.id]
        digits = self.env["decimal.precision"].precision_get("Discount")
        price = order_totals.unit_price(line, min(digits, 2))
        keycrm_name = product_name(line.name, line.properties) or product.display_name
        # Odoo's forms leave the product's name out of a description that begins with it.
        own_name = product.display_name.removeprefix(f"[{product.default_code}] ")
        name = product.display_name if are_same_words(keycrm_name, own_name) else keycrm_name
        if line.comment:
            name, keycrm_name = (f"{text}\n{line.comment}" for text in (name, keycrm_name))
        warehouse = line.warehouse and batch.warehouses.get(line.warehouse.id)
        to_make = line.shipment_type == "manufacturing"
        return {
            "keycrm_id": line.id,
            "product_id": product.id,
            "name": name,
            "keycrm_name": keycrm_name,
            "keycrm_sku": line.sku or False,
            "product_uom_qty": float(line.quantity),
            "product_uom_id": product.uom_id.id,
            **self._price_vals(batch, price.price, price.discount),
            "keycrm_stock_status": line.stock_status or False,
            "keycrm_quantity": float(line.quantity),
            "keycrm_warehouse_id": warehouse.id if warehouse else False,
            "keycrm_to_make": to_make,
            **(
                {"route_ids": [Command.set(self._production_routes(product).ids)]}
                if to_make
                else {}
            ),
        }

    @api.model
    def _extra_vals(self, batch, order):
        """Return the values of lines for shipping, wrapping, taxes, discount and rounding, by kind."""
        values = {}
        for extra in order_totals.extras(order):
            taxed = extra.kind != order_totals.ROUNDING
            values[extra.kind] = self._amount_vals(batch, extra.kind, extra.amount, taxed=taxed)
        return values

    @api.model
    def _amount_vals(self, batch, kind, amount, *, taxed):
        reference = EXTRA_PRODUCTS.get(kind, EXTRA_PRODUCTS[order_totals.ROUNDING])
        products = batch.look_up("product.product", "extra", self._extra_products)
        product = products.get(reference) or self.env.ref(reference)
        if taxed:
            prices = self._price_vals(batch, amount, 0)
        else:
            prices = {"price_unit": float(amount), "discount": 0.0, "tax_ids": [Command.clear()]}
        return {
            "keycrm_extra": kind,
            "product_id": product.id,
            "name": product.name,
            "keycrm_name": product.name,
            "product_uom_qty": 1.0,
            "product_uom_id": product.uom_id.id,
            **prices,
        }

    @api.model
    def _extra_products(self):
        """Return the products of amounts that are no goods, to be read all at once.

        :return: ``{external id: product.product}``, of those that nobody deleted
        """
        find = self.env["ir.model.data"]._xmlid_to_res_id
        ids = {one: number for one in EXTRA_PRODUCTS.values() if (number := find(one))}
        return dict(zip(ids, self.env["product.product"].browse(ids.values()), strict=True))

    @api.model
    def _price_vals(self, batch, price, discount):
        """Return the values of a price in KeyCRM, with the account's tax.

        With a tax that is included in prices, the price is KeyCRM's; with an excluded one it is the part
        without the tax, unrounded.
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
    def _production_routes(self, product):
        """Return the make-to-order route where the product has a bill of materials."""
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

    # === DIGITS ===#

    @api.model
    def _raise_quantity_digits(self, batch):
        """Raise Odoo's digits of quantities where the orders need it.

        :return: a message about it; None where nothing changed
        """
        return self.env["decimal.precision"]._keycrm_raise_digits(
            batch.account,
            [
                (line.quantity, line.name or line.sku)
                for order in batch.orders
                for line in order.lines
            ],
        )

    @api.model
    def _post_digits_note(self, batch, note):
        """Post the message on the order whose quantity needed the digits."""

        def digits(order):
            return max((digits_of(line.quantity) for line in order.lines), default=0)

        batch.record(max(batch.orders, key=digits)).message_post(body=note)

    # === ROUNDING ===#

    @api.model
    def _add_rounding_line(self, batch):
        """Add a line without tax for the cents by which Odoo's total differs.

        With a price-excluded tax, one total in six cannot be reached by any price. Without a tax, one
        side may round the sum and the other each line.
        """
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
