"""A kit that is sold, shipped in parts and taken back: KeyCRM has it and its components exactly right."""

from __future__ import annotations

from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION, DELIVERING = 4, 6


class TestKits(StockCase):
    def setUp(self):
        super().setUp()
        name = self.id().rsplit(".", 1)[-1]
        self.cup, self.plate = self.goods(f"{name}-cup"), self.goods(f"{name}-plate")
        self.kit = self.goods(f"{name}-set", storable=False)
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": self.kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": self.cup.id, "product_qty": 2}),
                    Command.create({"product_id": self.plate.id, "product_qty": 1}),
                ],
            }
        )
        self.count(self.cup, 24)
        self.count(self.plate, 13)
        self.buyer = self.env["res.partner"].create({"name": "Neighbor"})

    def check(self, step, **expected):
        """Expect ``kit``, ``cup`` and ``plate`` in KeyCRM, each as (on hand, free, available)."""
        self.assert_each_kind(
            step, {getattr(self, name): three for name, three in expected.items()}
        )

    def ship(self, picking, kits=None):
        picking.action_assign()
        for move in picking.move_ids:
            if kits is not None:
                move.quantity = kits * (2 if move.product_id == self.cup else 1)
            move.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        self.assertEqual(picking.state, "done")

    def test_filter_of_different_stock_finds_kits_by_their_components(self):
        Report = self.env["keycrm.stock.report"]

        def different():
            self.env.flush_all()
            self.env.invalidate_all()
            found = Report.search([("is_different", "=", True)])
            self.assertEqual(found, Report.search([]).filtered("is_different"))
            return found.product_id

        # The kit has no stock of its own, and KeyCRM shows none.
        self.assertIn(self.kit, different())
        self.work()
        self.assertFalse(different())
        self.count(self.cup, 4)
        self.assertEqual(different(), self.kit | self.cup)

    def test_quantity_of_a_kit_is_exact_at_each_step(self):
        for rule, name, switches, status in (
            (
                "available",
                "reserves",
                {"status_reserve": "on", "status_write_off": "off"},
                PRODUCTION,
            ),
            (
                "free",
                "neither",
                {"status_reserve": "off", "status_write_off": "off"},
                PRODUCTION,
            ),
            (
                "on_hand",
                "writes off",
                {"status_reserve": "on", "status_write_off": "on"},
                DELIVERING,
            ),
        ):
            with self.subTest(keycrm=name), self.env.cr.savepoint() as savepoint:
                self.account.stock_quantity = rule
                self.keycrm.set_switches(**switches)
                self.check_each_step(status, written_off=5 if name == "writes off" else 0)
                savepoint.rollback()
            for product in (self.kit, self.cup, self.plate):
                self.keycrm.set_stock(self.number(product), 1, 0, reserve=0, webhook=False)

    def test_service_of_a_confirmed_order_that_becomes_a_kit_is_shipped(self):
        service = self.env["product.product"].create({"name": "Delivery", "type": "service"})
        offer = self.kit.keycrm_offer_ids
        offer.product_id = service
        number = self.new_order(
            [{"offer_id": offer.keycrm_id, "quantity": 2, "price": 100}], status_id=PRODUCTION
        )
        order = self.arrive(number)
        self.assertEqual((order.state, order.picking_ids.ids), ("sale", []))
        offer.product_id = self.kit
        self.arrive(number)
        moves = order.picking_ids.move_ids
        self.assertEqual(
            {move.product_id: move.product_uom_qty for move in moves}, {self.cup: 4, self.plate: 2}
        )

    def check_each_step(self, status, written_off):
        self.check("counted", kit=(12, 12, 12), cup=(24, 24, 24), plate=(13, 13, 13))
        order = self.arrive(
            self.new_order(
                [{"offer_id": self.number(self.kit), "quantity": 5, "price": 100}],
                status_id=status,
            )
        )
        order.picking_ids.action_assign()
        self.check(
            "five kits ordered in KeyCRM",
            kit=(12 - written_off, 7, 7),
            cup=(24, 14, 14),
            plate=(13, 8, 8),
        )
        other = self.env["sale.order"].create(
            {
                "partner_id": self.buyer.id,
                "order_line": [
                    Command.create({"product_id": self.kit.id, "product_uom_qty": 1}),
                    Command.create({"product_id": self.cup.id, "product_uom_qty": 3}),
                ],
            }
        )
        other.action_confirm()
        other.picking_ids.action_assign()
        self.check(
            "a kit and three cups for another buyer",
            kit=(12 - written_off, 4, 4),
            cup=(24, 9, 9),
            plate=(13, 7, 7),
        )
        self.ship(order.picking_ids, kits=2)
        written_off = max(0, written_off - 2)
        self.check(
            "two kits shipped",
            kit=(10 - written_off, 4, 4),
            cup=(20, 9, 9),
            plate=(11, 7, 7),
        )
        self.ship(order.picking_ids.filtered(lambda one: one.state != "done"))
        self.check("shipped", kit=(7, 4, 4), cup=(14, 9, 9), plate=(8, 7, 7))
        wizard = self.env["stock.return.picking"].create({"picking_id": order.picking_ids[0].id})
        for line in wizard.product_return_moves:
            line.quantity = 2 if line.product_id == self.cup else 1
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        self.ship(back)
        self.check("one kit taken back", kit=(8, 5, 5), cup=(16, 11, 11), plate=(9, 8, 8))
        self.ship(other.picking_ids)
        self.check("shipped to the other", kit=(5, 5, 5), cup=(11, 11, 11), plate=(8, 8, 8))
