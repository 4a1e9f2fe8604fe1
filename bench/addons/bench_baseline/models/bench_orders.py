import time

from odoo import api, models
from odoo.fields import Command


class BenchBaseline(models.Model):
    """Orders by bare ``create()``: copies of the records of an import."""

    _inherit = "bench.baseline"

    @api.model
    def map_buyers(self, account_id, buyers):
        """Create contacts of KeyCRM buyers, as earlier orders did: people may not write these fields.

        :param account_id: id of a ``keycrm.account``
        :param buyers: list of ``(KeyCRM's number, {"name", "phone", "email"})``
        :return: True
        """
        self = self.sudo()
        account = self.env["keycrm.account"].browse(account_id)
        partners = self.env["res.partner"].create(
            [{**vals, "company_id": account.company_id.id} for _number, vals in buyers]
        )
        self.env["keycrm.buyer"].create(
            [
                {
                    "account_id": account.id,
                    "keycrm_id": number,
                    "partner_id": partner.id,
                    "given": {name: value or "" for name, value in vals.items()},
                    **vals,
                }
                for (number, vals), partner in zip(buyers, partners, strict=True)
            ]
        )
        return True

    @api.model
    def last_ids(self):
        """Return the highest ids, by which the records of a later import are found."""
        found = {}
        for name in ("res.partner", "product.product", "sale.order"):
            everything = self.env[name].with_context(active_test=False)
            found[name] = everything.search([], order="id desc", limit=1).id or 0
        return found

    @api.model
    def repeat_orders(self, last_ids, batch, limit=None, confirm=False):
        """Copy the contacts, products and orders created after ``last_ids``.

        The values are read before the clock starts, so only writing is measured.

        :param last_ids: the result of :meth:`last_ids`
        :param batch: orders per ``create()``
        :param limit: maximum number of orders
        :param confirm: whether the orders are confirmed, each batch at once
        :return: orders, seconds, queries
        """
        orders = self.env["sale.order"].search(
            [("id", ">", last_ids["sale.order"])], order="id", limit=limit
        )
        plan = self._plan(orders, last_ids)
        self.env.flush_all()
        self.env.cr.commit()
        self.env.invalidate_all()
        queries, begun = self.env.cr.sql_log_count, time.monotonic()
        made = {}
        for start in range(0, len(plan), batch):
            created = self._create_batch(plan[start : start + batch], made)
            if confirm:
                created.action_confirm()
            self.env.cr.commit()
            self.env.invalidate_all()
        return {
            "orders": len(plan),
            "seconds": time.monotonic() - begun,
            "queries": self.env.cr.sql_log_count - queries,
        }

    @api.model
    def _plan(self, orders, last_ids):
        """Read orders into plain values, with those of new contacts and products."""

        def partner(record):
            if record.id <= last_ids["res.partner"]:
                return record.id, None
            parent, _vals = partner(record.parent_id) if record.parent_id else (False, None)
            names = ("name", "phone", "email", "street", "street2", "city", "zip", "type", "lang")
            vals = {name: record[name] for name in names}
            vals["company_id"] = record.company_id.id
            vals["country_id"] = record.country_id.id
            return record.id, {**vals, "parent": (parent, _vals) if parent else None}

        def product(record):
            if record.id <= last_ids["product.product"]:
                return record.id, None
            return record.id, {
                "name": record.name,
                "is_storable": record.is_storable,
                "list_price": record.list_price,
                "taxes_id": [Command.clear()],
            }

        return [
            {
                "partner": partner(order.partner_id),
                "delivery": partner(order.partner_shipping_id),
                "vals": {
                    "client_order_ref": order.client_order_ref,
                    "origin": order.origin,
                    "date_order": order.date_order,
                },
                "lines": [
                    (
                        product(line.product_id),
                        {
                            "name": line.name,
                            "product_uom_qty": line.product_uom_qty,
                            "price_unit": line.price_unit,
                            "discount": line.discount,
                        },
                    )
                    for line in order.order_line
                ],
            }
            for order in orders
        ]

    @api.model
    def _create_batch(self, plan, made):
        """Create contacts, then products, then orders, each with one ``create()``."""
        contacts = [order[kind] for order in plan for kind in ("partner", "delivery")]
        self._create_partners(contacts, made)
        goods = {
            number: vals
            for order in plan
            for (number, vals), _line in order["lines"]
            if vals and ("product", number) not in made
        }
        products = self.env["product.product"].create(list(goods.values()))
        made.update({("product", n): p.id for n, p in zip(goods, products, strict=True)})
        return self.env["sale.order"].create(
            [
                {
                    **order["vals"],
                    "partner_id": self._id_of(made, "partner", order["partner"]),
                    "partner_shipping_id": self._id_of(made, "partner", order["delivery"]),
                    "order_line": [
                        Command.create(
                            {**vals, "product_id": self._id_of(made, "product", product)}
                        )
                        for product, vals in order["lines"]
                    ],
                }
                for order in plan
            ]
        )

    @api.model
    def _create_partners(self, contacts, made):
        """Create contacts: companies before persons, persons before addresses."""
        parents = [vals["parent"] for _number, vals in contacts if vals and vals["parent"]]
        if any(vals for _number, vals in parents):
            self._create_partners(parents, made)
        wanted = {
            number: vals for number, vals in contacts if vals and ("partner", number) not in made
        }
        created = self.env["res.partner"].create(
            [
                {
                    **{name: value for name, value in vals.items() if name != "parent"},
                    "parent_id": self._id_of(made, "partner", vals["parent"])
                    if vals["parent"]
                    else False,
                }
                for vals in wanted.values()
            ]
        )
        made.update({("partner", n): p.id for n, p in zip(wanted, created, strict=True)})

    @api.model
    def _id_of(self, made, kind, record):
        number, vals = record
        return made[kind, number] if vals else number
