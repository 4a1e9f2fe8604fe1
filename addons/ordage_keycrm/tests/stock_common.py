"""Base class of the stock tests: an account that sends stock, verified by the sandbox's request log."""

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from ..keycrm.errors import KeyCrmError
from ..keycrm.stock_quantities import target
from ..services.common.api_gateway import open_client
from ..services.workers.stock_queue import StockQueue
from .common import KeycrmCase

#: The kinds of quantity that an account can send.
RULES = ("on_hand", "free", "available")


class StockCase(KeycrmCase):
    """Two Odoo warehouses; KeyCRM's first warehouse shows the first of them, and stock is sent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.env["stock.warehouse"].create(
            {"name": "Second", "code": "SEC", "company_id": cls.company.id}
        )
        cls.kw1, cls.kw2 = cls.env["keycrm.warehouse"].create(
            [
                {
                    "account_id": cls.account.id,
                    "keycrm_id": 1,
                    "name": "Main",
                    "warehouse_ids": [Command.set(cls.warehouse.ids)],
                },
                {"account_id": cls.account.id, "keycrm_id": 2, "name": "Other"},
            ]
        )
        cls.account.push_stock = True
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.suppliers = cls.env.ref("stock.stock_location_suppliers")

    # === GOODS ===#

    @classmethod
    def goods(cls, sku, *, keycrm=None, storable=True, **vals):
        """Make a product that both sides have, mapped.

        :param keycrm: KeyCRM's quantity by warehouse number
        :return: the product; its KeyCRM number is ``product.keycrm_offer_ids.keycrm_id``
        """
        offer = cls.keycrm.create_offer(sku=sku, name=sku, stock=keycrm or {1: 0})
        product = cls.env["product.product"].create(
            {
                "name": sku,
                "default_code": sku,
                "type": "consu",
                "is_storable": storable,
                **vals,
            }
        )
        cls.env["keycrm.offer"].create(
            {
                "account_id": cls.account.id,
                "keycrm_id": offer["id"],
                "sku": sku,
                "product_id": product.id,
            }
        )
        return product

    @classmethod
    def count(cls, product, quantity, location=None, **vals):
        """Count a product, as the inventory does."""
        quant = (
            cls.env["stock.quant"]
            .with_context(inventory_mode=True)
            .create(
                {
                    "product_id": product.id,
                    "location_id": (location or cls.warehouse.lot_stock_id).id,
                    "inventory_quantity": quantity,
                    **vals,
                }
            )
        )
        quant.action_apply_inventory()
        return quant

    @classmethod
    def move(cls, product, quantity, source, goal, **vals):
        """Move goods from place to place, done."""
        move = cls.env["stock.move"].create(
            {
                "product_id": product.id,
                "product_uom_qty": quantity,
                "product_uom": product.uom_id.id,
                "location_id": source.id,
                "location_dest_id": goal.id,
                **vals,
            }
        )
        move._action_confirm()
        move._action_assign()
        move.quantity = quantity
        move.picked = True
        move._action_done()
        return move

    def queries_of_validating(self, make):
        """Validate a picking in the second in which it was made.

        The clock stands still: where the second changes in between, Odoo itself writes the dates
        of moves and of their lines once more, and that would be counted with what is compared.

        :param make: callable that makes the picking, ready to be validated
        :return: queries of the button and of the commit
        """
        with freeze_time(fields.Datetime.now()):
            picking = make()
            self.env.cr.flush()
            self.env.invalidate_all()
            picking.move_ids.read()
            # Odoo keeps this until something clears its caches, as switching an account does.
            self.env.user._get_company_ids()
            before = self.env.cr.sql_log_count
            picking.button_validate()
            self.env.cr.flush()
            self.assertEqual(picking.state, "done")
            return self.env.cr.sql_log_count - before

    def many(self, quantity, prefix):
        """Make products that both sides have, with stock in both."""
        offers = [
            self.keycrm.create_offer(sku=f"{prefix}{n}", stock={1: 5}) for n in range(quantity)
        ]
        products = self.env["product.product"].create(
            [
                {"name": o["sku"], "default_code": o["sku"], "type": "consu", "is_storable": True}
                for o in offers
            ]
        )
        self.env["keycrm.offer"].create(
            [
                {
                    "account_id": self.account.id,
                    "keycrm_id": offer["id"],
                    "sku": offer["sku"],
                    "product_id": product.id,
                }
                for offer, product in zip(offers, products, strict=True)
            ]
        )
        return products

    def count_all(self, products, quantity):
        self.env["stock.quant"].with_context(inventory_mode=True).create(
            [
                {
                    "product_id": product.id,
                    "location_id": self.warehouse.lot_stock_id.id,
                    "inventory_quantity": quantity,
                }
                for product in products
            ]
        ).action_apply_inventory()

    # === SENDING ===#

    def work(self, most=60):
        """Run the stock worker until nothing is left to do, as its scheduled action does."""
        with self.committing(), open_client(self.account) as client:
            self.env.cr.flush()
            for _ in range(most):
                if not StockQueue(self.account, client).process():
                    return
        raise AssertionError("the stock worker does not end")

    def breaks(self):
        """Run the stock worker and expect an error of KeyCRM; what it committed is kept."""
        try:
            self.work()
        except KeyCrmError as error:
            return error
        raise AssertionError("no error occurred")

    def settle(self):
        """Make earlier writes older than any write that may still take effect."""
        self.env.cr.execute(
            "UPDATE keycrm_stock_level SET sent_at = sent_at - interval '5 min'"
            " WHERE account_id = %s",
            [self.account.id],
        )
        self.env["keycrm.stock.level"].invalidate_model()

    def set_trigger_times(self, seconds, ago=0):
        """Make the worker's triggers due in so many seconds.

        :param ago: seconds since they were created
        """
        self.env.cr.execute(
            "UPDATE ir_cron_trigger SET call_at = now + make_interval(secs => %s),"
            " create_date = now - make_interval(secs => %s)"
            " FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now) clock WHERE cron_id = %s",
            [seconds, ago, self.account.stock_cron_id.id],
        )

    def sent(self, work=True):
        """Run the worker; return what it sent to KeyCRM since the last call.

        :return: list of ``(warehouse, {offer number: quantity})``, one a request
        """
        if work:
            self.work()
        rows = self.keycrm.requests(method="PUT", path="/offers/stocks")
        self.read_requests = list(self.keycrm.requests(method="GET"))
        self.keycrm.clear_log()
        return [
            (
                row["body"]["warehouse_id"],
                {entry["id"]: entry["quantity"] for entry in row["body"]["stocks"]},
            )
            for row in rows
        ]

    @classmethod
    def number(cls, product):
        """:return: KeyCRM's number of the product's offer"""
        return product.keycrm_offer_ids.keycrm_id

    def shown(self, product, warehouse=1):
        """:return: what KeyCRM shows of a product in a warehouse"""
        stock = self.keycrm.stock(self.number(product))["warehouses"]
        return float(stock.get(str(warehouse), {"quantity": 0})["quantity"])

    def offered(self, product):
        """:return: quantity that each choice of the account would send to the first warehouse"""
        self.env.flush_all()
        terms = self.env["keycrm.stock.calculator"]._terms(self.kw1, product, all_terms=True)[
            product.id
        ]
        return {rule: target(rule, terms) for rule in RULES}

    def assert_kind(self, step, expected):
        """Expect KeyCRM to show exactly the kind of quantity that the account sends.

        Of ``available`` KeyCRM subtracts its own reserve.

        :param step: what happened before, for the message
        :param expected: ``{product: (on hand, free, available)}``
        """
        self.work()
        rule, shown, wanted = self.account.stock_quantity, {}, {}
        for product, quantities in expected.items():
            stock = self.keycrm.stock(self.number(product))["warehouses"]["1"]
            reserve = float(stock["reserve"]) if rule == "available" else 0.0
            shown[product.default_code] = float(stock["quantity"]) - reserve
            wanted[product.default_code] = quantities[RULES.index(rule)]
        self.assertEqual(shown, wanted, f"{rule}: {step}")

    def assert_each_kind(self, step, expected):
        """Expect KeyCRM to show exactly these quantities, whichever kind the account sends.

        The kind that is set comes first, and is set again: setting another one sends all products, which
        hides a change that was not enqueued.

        :param step: as for :meth:`assert_kind`
        :param expected: as for :meth:`assert_kind`
        """
        first = self.account.stock_quantity
        self.assert_kind(step, expected)
        for rule in RULES:
            if rule != first:
                self.account.stock_quantity = rule
                self.assert_kind(step, expected)
        self.account.stock_quantity = first
        self.work()

    def assert_sent(self, *expected):
        """Expect exactly these quantities to be sent: ``(product, quantity)`` or with the warehouse."""
        sent = {}
        for warehouse, rows in self.sent():
            sent.update({(warehouse, number): float(q) for number, q in rows.items()})
        self.assertEqual(
            sent,
            {
                (row[2] if len(row) > 2 else 1, self.number(row[0])): float(row[1])
                for row in expected
            },
        )
