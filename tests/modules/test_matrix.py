"""One scenario of goods in many configurations of Odoo: KeyCRM's quantities are exact after each step.

Each configuration differs from the plainest one in a few of :data:`AXES`. The scenario receives 24 pieces,
sells five of them in KeyCRM and three to another buyer, ships in parts or without a backorder, invoices,
takes one back, and ships the other buyer's in a batch. All expected numbers are in
:meth:`TestMatrix.check_scenario`. Nothing of it may be refused, as Odoo alone refuses none of it.
``SLOW=1`` runs many more combinations, and all three kinds of quantity in each.
"""

from __future__ import annotations

import os
import random

from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.stock_common import RULES, StockCase

PRODUCTION, DELIVERING = 4, 6
RECEIVED, ORDERED, OTHERS, FIRST = 24, 5, 3, 2

#: What Odoo can be set to; the first value of each is how it comes.
AXES = {
    "delivery": ("ship_only", "pick_ship", "pick_pack_ship"),
    "reception": ("one_step", "two_steps", "three_steps"),
    "tracking": ("none", "lot", "serial"),
    "place": ("shelf", "package", "consignment", "sublocation"),
    "unit": ("pieces", "dozens"),
    "cost": ("standard", "fifo", "average"),
    "valuation": ("periodic", "real_time"),
    "keycrm": ("reserves", "writes off", "neither"),
    "invoice": ("order", "delivery", "down payment", "credit note"),
    "tax": ("none", "included", "excluded"),
    "currency": ("company's", "another"),
    "back": ("return", "exchange"),
    "rest": ("one", "several", "none"),
    "company": ("one", "two"),
}
PLAIN = {axis: values[0] for axis, values in AXES.items()}
SLOW = bool(os.environ.get("SLOW"))
#: Combinations that are tested in addition to each value alone.
COMBINATIONS = 60 if SLOW else 3


def configurations():
    """:return: ``{name: configuration}``: each value of each axis, then combinations of chance

    Without ``SLOW`` values that change the same part of the scenario go together.
    """
    found = {}
    if SLOW:
        for axis, values in AXES.items():
            found |= {f"{axis} {value}": {**PLAIN, axis: value} for value in values[1:]}
    else:
        for number in range(1, max(map(len, AXES.values()))):
            chosen = {axis: values[min(number, len(values) - 1)] for axis, values in AXES.items()}
            found[f"values {number}"] = chosen
        found["plain"] = PLAIN
    chance = random.Random(19)
    for number in range(COMBINATIONS):
        found[f"combination {number}"] = {
            axis: chance.choice(values) for axis, values in AXES.items()
        }
    return found


class TestMatrix(StockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company, False)
        cls.buyer = cls.env["res.partner"].create({"name": "Neighbor"})

    def setUp(self):
        super().setUp()
        self.keycrm.clear_log()

    # === THE SCENARIO ===#

    def check_scenario(self, config):
        """Run the scenario; ``check`` has on hand, free and available after each step."""
        self.configure(config)
        for is_last in self.receive():
            # Until then Odoo reserves all of it for the next step.
            free = RECEIVED if is_last else 0
            self.check(RECEIVED, free, free, "received")
        order = self.order(ORDERED)
        written_off = ORDERED if config["keycrm"] == "writes off" else 0
        self.check(24 - written_off, 19, 19, "ordered in KeyCRM")
        others = self.sell(OTHERS)
        self.check(24 - written_off, 16, 16, "reserved for another buyer")
        if config["invoice"] == "down payment":
            self.invoice(order, advance_payment_method="percentage", amount=30)
        first = ORDERED if config["rest"] == "one" else FIRST
        # Without a backorder the rest stays in stock, and nothing of it is to be shipped.
        kept = ORDERED - FIRST if config["rest"] == "none" else 0
        self.deliver(order, first, backorder=not kept)
        written_off = max(0, written_off - first - kept)
        self.check(24 - first - written_off, 16 + kept, 16 + kept, "shipped in part")
        if kept:
            self.keycrm.patch_order(order.keycrm_id, manager_comment="Later", webhook=False)
            self.arrive(order.keycrm_id)
            self.check(19 + kept, 16 + kept, 16 + kept, "edited in KeyCRM")
        if config["invoice"] == "order":
            self.invoice(order)
        if config["rest"] == "several":
            self.deliver(order, ORDERED - first)
            self.check(19, 16, 16, "shipped")
        if config["invoice"] != "order":
            invoice = self.invoice(order)
            if config["invoice"] == "credit note":
                invoice._reverse_moves(cancel=True)
        self.check(19 + kept, 16 + kept, 16 + kept, "invoiced")
        again = 1 if config["back"] == "exchange" else 0
        self.take_back(order, exchange=bool(again))
        held = again if config["keycrm"] == "writes off" else 0
        self.check(20 + kept - held, 17 + kept - again, 17 + kept - again, "taken back")
        if again:
            self.deliver(order, 1)
            self.check(19 + kept, 16 + kept, 16 + kept, "exchanged")
        self.ship_batch(others)
        left = 17 + kept - again
        self.check(left, left, left, "shipped in a batch")

    def check(self, on_hand, free, available, step):
        """KeyCRM has each kind of quantity, less what it holds in reserve itself where that counts."""
        expected = {self.thing: (on_hand, free, available)}
        (self.assert_each_kind if SLOW else self.assert_kind)(step, expected)
        offered = self.offered(self.thing)
        stock = self.keycrm.stock(self.number(self.thing))["warehouses"]["1"]
        offered["available"] -= float(stock["reserve"])
        self.assertEqual(tuple(offered.values()), expected[self.thing], step)

    # === SETTING UP ===#

    def configure(self, config):
        self.config = config
        self.warehouse.write(
            {"delivery_steps": config["delivery"], "reception_steps": config["reception"]}
        )
        name = self.id().rsplit(".", 1)[-1]
        category = self.env["product.category"].create(
            {
                "name": name,
                "property_cost_method": config["cost"],
                "property_valuation": config["valuation"],
            }
        )
        policy = "delivery" if config["invoice"] == "delivery" else "order"
        self.thing = self.goods(
            f"THING-{name}-{random.random()}",
            tracking=config["tracking"],
            categ_id=category.id,
            invoice_policy=policy,
            standard_price=40,
        )
        self.keycrm.set_switches(
            status_reserve="off" if config["keycrm"] == "neither" else "on",
            status_write_off="on" if config["keycrm"] == "writes off" else "off",
        )
        if config["tax"] != "none":
            self.account.tax_id = self.env["account.tax"].create(
                {
                    "name": f"VAT {name}",
                    "amount": 20,
                    "price_include_override": f"tax_{config['tax']}",
                }
            )
        if config["company"] == "two":
            other = self.env["res.company"].create({"name": f"Other {name}"})
            place = self.env["stock.warehouse"].search([("company_id", "=", other.id)])
            lot = {}
            if config["tracking"] != "none":
                lot = {"lot_id": self.lots(1, company_id=other.id).id}
            self.count(self.thing, 1, place.lot_stock_id, **lot)

    def lots(self, count, **vals):
        return self.env["stock.lot"].create(
            [
                {"name": f"L{number}-{random.random()}", "product_id": self.thing.id, **vals}
                for number in range(count)
            ]
        )

    # === STEPS ===#

    def receive(self):
        """Receive all, in dozens or pieces, through all steps of the reception.

        :return: iterator of steps that are done: whether it is the last one
        """
        kind, unit, quantity = self.warehouse.in_type_id, self.thing.uom_id, RECEIVED
        if self.config["unit"] == "dozens":
            unit, quantity = self.env.ref("uom.product_uom_dozen"), RECEIVED / 12
        places = {
            "location_id": self.suppliers.id,
            "location_dest_id": kind.default_location_dest_id.id,
        }
        owner = self.config["place"] == "consignment"
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                **places,
                "owner_id": self.buyer.id if owner else False,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.thing.id,
                            "product_uom_qty": quantity,
                            "product_uom": unit.id,
                            **places,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        if self.config["tracking"] != "none":
            serial = self.config["tracking"] == "serial"
            lots = self.lots(RECEIVED if serial else 2)
            picking.move_ids.move_line_ids.unlink()
            picking.move_ids.move_line_ids = [
                Command.create(
                    {
                        "product_id": self.thing.id,
                        "product_uom_id": self.thing.uom_id.id,
                        "quantity": RECEIVED / len(lots),
                        "lot_id": lot.id,
                        "picking_id": picking.id,
                        **places,
                    }
                )
                for lot in lots
            ]
        elif not picking.move_ids.quantity:
            picking.move_ids.quantity = quantity
        if self.config["place"] == "package":
            package = self.env["stock.package"].create({"name": f"BOX-{random.random()}"})
            picking.move_ids.move_line_ids.result_package_id = package
        while picking:
            picking.move_ids.picked = True
            picking.button_validate()
            self.assertEqual(picking.state, "done")
            picking = picking.move_ids.move_dest_ids.picking_id
            if picking:
                picking.action_assign()
            yield not picking
        if self.config["place"] == "sublocation":
            shelf = self.env["stock.location"].create(
                {"name": "Shelf", "location_id": self.warehouse.lot_stock_id.id}
            )
            quants = self.env["stock.quant"].search(
                [
                    ("product_id", "=", self.thing.id),
                    ("location_id", "=", self.warehouse.lot_stock_id.id),
                ]
            )
            quants.move_quants(location_dest_id=shelf)

    def order(self, quantity):
        """Sell in KeyCRM."""
        status = DELIVERING if self.config["keycrm"] == "writes off" else PRODUCTION
        source = {}
        if self.config["currency"] == "another":
            source["source_id"] = self.keycrm.put_source(name="Abroad", currency_code="USD")["id"]
        number = self.new_order(
            [{"offer_id": self.number(self.thing), "quantity": quantity, "price": 99.9}],
            status_id=status,
            **source,
        )
        order = self.arrive(number)
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.keycrm_total_differs)
        order.picking_ids.action_assign()
        return order

    def sell(self, quantity):
        """Sell to another buyer, twice, for a batch of two pickings."""
        orders = self.env["sale.order"].create(
            [
                {
                    "partner_id": self.buyer.id,
                    "order_line": [
                        Command.create({"product_id": self.thing.id, "product_uom_qty": part})
                    ],
                }
                for part in (1, quantity - 1)
            ]
        )
        orders.action_confirm()
        orders.picking_ids.action_assign()
        return orders

    def steps(self, orders):
        """:return: iterator of what is to be validated now, until the goods are with the buyer"""
        for _step in range(AXES["delivery"].index(self.config["delivery"]) + 1):
            ready = orders.picking_ids.filtered(
                lambda picking: (
                    picking.picking_type_code != "incoming"
                    and picking.state in ("confirmed", "assigned")
                )
            ).sorted("id", reverse=True)
            self.assertTrue(ready)
            ready.action_assign()
            yield ready

    def deliver(self, order, quantity, *, backorder=True):
        for ready in self.steps(order):
            # A backorder of an earlier step waits beside the step that goes on.
            picking = ready.filtered(lambda p: p.move_ids.move_orig_ids)[:1] or ready[:1]
            picking.move_ids.quantity = quantity
            picking.move_ids.picked = True
            picking.with_context(
                skip_backorder=True,
                picking_ids_not_to_backorder=[] if backorder else picking.ids,
            ).button_validate()
            self.assertEqual(picking.state, "done")

    def ship_batch(self, orders):
        for ready in self.steps(orders):
            batch = self.env["stock.picking.batch"].create(
                {"picking_ids": [Command.set(ready.ids)], "is_wave": len(ready) > 1}
            )
            batch.action_confirm()
            ready.move_ids.picked = True
            batch.action_done()
            self.assertEqual(batch.state, "done")

    def take_back(self, order, exchange):
        delivery = order.picking_ids.filtered(
            lambda p: p.state == "done" and p.move_ids.location_dest_id.usage == "customer"
        )[:1]
        wizard = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        line = wizard.product_return_moves
        line.quantity = 1
        if exchange:
            wizard.action_create_exchanges()
        else:
            wizard.action_create_returns()
        back = order.picking_ids.filtered(
            lambda p: p.picking_type_code == "incoming" and p.state not in ("done", "cancel")
        )
        while back:
            back.move_ids.write({"quantity": 1, "picked": True})
            back.button_validate()
            self.assertEqual(back.state, "done")
            back = back.move_ids.move_dest_ids.filtered(
                lambda move: move.location_dest_id.usage != "customer"
            ).picking_id
        waiting = order.picking_ids.filtered(lambda p: p.state == "confirmed")
        if waiting:
            waiting.action_assign()

    def invoice(self, order, **vals):
        """Invoice with the wizard, as people do.

        :return: the posted ``account.move``
        """
        before = order.invoice_ids
        wizard = self.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=order.ids
        )
        wizard.create(vals or {"advance_payment_method": "delivered"}).create_invoices()
        invoice = order.invoice_ids - before
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")
        return invoice


def _case(number, config):
    def test(self):
        self.account.stock_quantity = RULES[number % 3]
        self.check_scenario(config)

    return test


for _number, (_name, _config) in enumerate(configurations().items()):
    setattr(TestMatrix, f"test_{_name.replace(' ', '_')}", _case(_number, _config))
