from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase


class TestStockMrp(StockCase):
    """Manufacturing changes stock, and kits follow their components."""

    def setUp(self):
        super().setUp()
        name = self.id().rsplit(".", 1)[-1]
        self.cup, self.plate = self.goods(f"{name}-cup"), self.goods(f"{name}-plate")
        self.set = self.goods(f"{name}-set", storable=False)
        self.keycrm.set_switches(status_reserve="on", status_write_off="on")

    def bom(self, product, kind, cups=2, plates=1, **vals):
        parts = ((self.cup, cups), (self.plate, plates))
        return self.env["mrp.bom"].create(
            {
                "product_tmpl_id": product.product_tmpl_id.id,
                "type": kind,
                "bom_line_ids": [
                    Command.create({"product_id": part.id, "product_qty": quantity})
                    for part, quantity in parts
                ],
                **vals,
            }
        )

    def sells(self, product):
        """:return: what KeyCRM still sells of a product: what it has without its own reserve"""
        stock = self.keycrm.stock(self.number(product))["warehouses"]["1"]
        return float(stock["quantity"]) - float(stock["reserve"])

    def test_manufacturing_and_unbuilding_are_sent(self):
        made = self.goods(f"{self.id()}-made")
        bom = self.bom(made, "normal")
        self.count(self.cup, 10)
        self.count(self.plate, 10)
        self.work()
        self.sent()
        order = self.env["mrp.production"].create(
            {"product_id": made.id, "product_qty": 3, "bom_id": bom.id}
        )
        order.action_confirm()
        order.action_assign()
        order.qty_producing = 3
        order._set_qty_producing()
        order.move_raw_ids.picked = True
        order.button_mark_done()
        self.assertEqual(order.state, "done")
        self.assert_sent((self.cup, 4), (self.plate, 7), (made, 3))
        unbuild = self.env["mrp.unbuild"].create(
            {"product_id": made.id, "product_qty": 1, "mo_id": order.id, "bom_id": bom.id}
        )
        unbuild.action_unbuild()
        self.assert_sent((self.cup, 6), (self.plate, 8), (made, 2))

    def test_quantity_of_a_kit_follows_its_components(self):
        self.bom(self.set, "phantom")
        self.count(self.cup, 9)
        self.count(self.plate, 10)
        self.assert_sent((self.cup, 9), (self.plate, 10), (self.set, 4))
        self.count(self.plate, 3)
        self.assert_sent((self.plate, 3), (self.set, 3))

    def test_quantity_of_kits_of_a_batch_is_not_too_low(self):
        self.bom(self.set, "phantom", cups=1, plates=5, product_qty=12)
        self.count(self.cup, 100)
        self.count(self.plate, 400)
        self.work()
        self.assertEqual(self.sells(self.set), 960)
        self.count(self.plate, 1000)
        self.work()
        self.assertEqual(self.sells(self.set), 1200)

    def test_explanation_of_a_kit_opens_its_components(self):
        self.bom(self.set, "phantom")
        self.count(self.cup, 9)
        self.count(self.plate, 10)
        self.work()
        why = self.env["keycrm.stock.explanation"].browse(
            self.set.action_keycrm_explain()["res_id"]
        )
        line = why.line_ids.filtered(
            lambda line: line.kind == "on_hand" and line.keycrm_warehouse_id == self.kw1
        )
        self.assertEqual(line.quantity, 4)
        action = line.action_open()
        shelves = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(shelves.product_id, self.cup + self.plate)

    def test_changed_bill_of_materials_changes_the_kit(self):
        bom = self.bom(self.set, "phantom")
        self.count(self.cup, 9)
        self.count(self.plate, 10)
        self.sent()
        bom.bom_line_ids[0].product_qty = 3
        self.assert_sent((self.set, 3))

    def test_components_of_an_unconfirmed_kit_are_not_sold_twice(self):
        self.account.status_ids.filtered(lambda s: s.keycrm_id == 4).order_action = "quotation"
        self.bom(self.set, "phantom")
        self.account.stock_quantity = "available"
        self.count(self.cup, 20)
        self.count(self.plate, 10)
        self.work()
        number = self.new_order([{"offer_id": self.number(self.set), "quantity": 2}], status_id=4)
        order = self.arrive(number)
        self.assertEqual(order.state, "draft")
        self.work()
        self.assertEqual(
            [self.sells(product) for product in (self.set, self.cup, self.plate)], [8, 16, 8]
        )

    def test_a_kit_that_keycrm_sold_is_not_sold_twice(self):
        self.bom(self.set, "phantom")
        for rule, status in (("on_hand", 6), ("available", 4)):
            self.account.stock_quantity = rule
            self.count(self.cup, 20)
            self.count(self.plate, 10)
            self.work()
            number = self.new_order(
                [{"offer_id": self.number(self.set), "quantity": 2}], status_id=status
            )
            order = self.arrive(number)
            self.work()
            self.assertEqual(self.sells(self.set), 8)
            picking = order.picking_ids
            picking.action_assign()
            picking.move_ids.picked = True
            picking.button_validate()
            self.assertEqual(picking.state, "done")
            self.work()
            self.assertEqual(self.sells(self.set), 8)

    def test_kit_that_is_archived_or_has_no_bill_is_zero(self):
        bom = self.bom(self.set, "phantom")
        self.count(self.cup, 9)
        self.count(self.plate, 10)
        self.work()
        self.sent()
        self.set.action_archive()
        self.assert_sent((self.set, 0))
        self.count(self.cup, 5)
        self.assert_sent((self.cup, 5))
        self.set.action_unarchive()
        self.assert_sent((self.set, 2))
        bom.unlink()
        self.assert_sent((self.set, 0))

    def test_archived_component_does_not_zero_its_kit(self):
        self.bom(self.set, "phantom")
        self.count(self.cup, 9)
        self.count(self.plate, 10)
        self.work()
        self.sent()
        self.cup.action_archive()
        self.assert_sent((self.cup, 0))
        self.assertEqual(self.shown(self.set), 4)

    def kits_of_the_cup(self):
        """Make thirty products that KeyCRM shows, four of them kits of the cup."""
        others = self.many(25, "shelf-")
        self.count_all(others, 5)
        kits = [self.set] + [self.goods(f"{self.id()}-{n}", storable=False) for n in range(3)]
        for kit in kits:
            self.bom(kit, "phantom", cups=1)
        self.count(self.cup, 4)
        self.count(self.plate, 4)
        self.work()
        self.sent()
        self.assertEqual([self.shown(kit) for kit in kits], [4.0] * 4)
        return kits

    def test_kits_whose_component_is_sold_out_are_never_held(self):
        kits = self.kits_of_the_cup()
        self.move(self.cup, 4, self.warehouse.lot_stock_id, self.customers)
        self.assert_sent((self.cup, 0), *((kit, 0) for kit in kits))
        self.assertFalse(self.account.stock_held_zeros)

    def test_kits_whose_bill_lost_its_stock_are_held(self):
        kits = self.kits_of_the_cup()
        # A bill of materials is a setting: a mistake in it empties the shop without a movement.
        empty = self.goods(f"{self.id()}-empty")
        self.count(empty, 1)
        self.count(empty, 0)
        self.work()
        self.sent()
        self.env["mrp.bom"].search(
            [("product_tmpl_id", "in", [k.product_tmpl_id.id for k in kits])]
        ).bom_line_ids.filtered(lambda line: line.product_id == self.cup).product_id = empty
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.account.stock_held_zeros, 4)
