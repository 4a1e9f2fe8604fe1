from unittest.mock import patch

from odoo.fields import Command

from ..hooks import post_init_hook
from .stock_common import StockCase


class TestStockChanges(StockCase):
    """Every way a quantity changes reaches KeyCRM."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shirt = cls.goods("SHIRT")
        cls.stock = cls.warehouse.lot_stock_id
        cls.shelf = cls.env["stock.location"].create(
            {"name": "Shelf", "location_id": cls.stock.id, "usage": "internal"}
        )
        cls.keycrm.clear_log()

    def setUp(self):
        super().setUp()
        # KeyCRM is not rolled back with the database.
        self.keycrm.set_stock(self.number(self.shirt), 1, 0)
        self.keycrm.set_stock(self.number(self.shirt), 2, 0)
        self.count(self.shirt, 10)
        self.assert_sent((self.shirt, 10))

    def picking(self, kind, quantity, source, goal):
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                "location_id": source.id,
                "location_dest_id": goal.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.shirt.id,
                            "product_uom_qty": quantity,
                            "location_id": source.id,
                            "location_dest_id": goal.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.action_assign()
        picking.move_ids.quantity = quantity
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        return picking

    def test_change_right_after_enabling_is_sent_despite_stale_caches(self):
        Change = self.env["keycrm.stock.change"]
        self.env.cr.postcommit.clear()
        Change._clear_sending_accounts()
        # Before the commit another thread looks, and sees the account as it was.
        with patch.object(
            type(self.account), "search_fetch", lambda *_args, **_kw: self.account[:0]
        ):
            self.assertFalse(Change._sending_accounts("push_stock"))
        with patch.object(self.env.registry, "signal_changes") as signal:
            self.env.cr.postcommit.run()
        signal.assert_called_once_with()
        self.count(self.shirt, 12)
        self.assert_sent((self.shirt, 12))

    def test_receipt_is_sent(self):
        self.picking(self.warehouse.in_type_id, 5, self.suppliers, self.stock)
        self.assert_sent((self.shirt, 15))

    def test_delivery_and_its_return_are_sent(self):
        picking = self.picking(self.warehouse.out_type_id, 4, self.stock, self.customers)
        self.assert_sent((self.shirt, 6))
        back = self.env["stock.return.picking"].create({"picking_id": picking.id})
        back.product_return_moves.quantity = 1
        returned = self.env["stock.picking"].browse(back.action_create_returns()["res_id"])
        returned.move_ids.quantity = 1
        returned.button_validate()
        self.assert_sent((self.shirt, 7))

    def test_transfer_between_warehouses_is_sent(self):
        self.kw2.warehouse_ids = self.second
        self.account.push_stock = False
        self.account.push_stock = True
        self.picking(self.warehouse.int_type_id, 3, self.stock, self.second.lot_stock_id)
        self.assert_sent((self.shirt, 7, 1), (self.shirt, 3, 2))

    def test_a_transfer_inside_a_warehouse_sends_nothing(self):
        self.picking(self.warehouse.int_type_id, 3, self.stock, self.shelf)
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.read_requests, [])

    def test_inventory_count_is_sent(self):
        self.count(self.shirt, 12)
        self.assert_sent((self.shirt, 12))

    def test_edited_on_hand_quantity_is_sent(self):
        quant = self.env["stock.quant"].search(
            [("product_id", "=", self.shirt.id), ("location_id", "=", self.stock.id)]
        )
        quant.with_context(inventory_mode=True).inventory_quantity_auto_apply = 8
        self.assert_sent((self.shirt, 8))

    def test_scrap_is_sent(self):
        scrap = self.env["stock.scrap"].create({"product_id": self.shirt.id, "scrap_qty": 2})
        scrap.action_validate()
        self.assert_sent((self.shirt, 8))

    def test_lots_and_packages_are_summed(self):
        milk = self.goods("MILK", tracking="lot")
        lots = self.env["stock.lot"].create(
            [{"name": name, "product_id": milk.id} for name in ("L1", "L2")]
        )
        self.count(milk, 4, lot_id=lots[0].id)
        self.count(milk, 5, lot_id=lots[1].id)
        self.assert_sent((milk, 9))
        box = self.env["stock.package"].create({"name": "Box"})
        self.count(self.shirt, 3, package_id=box.id)
        self.assert_sent((self.shirt, 13))

    def test_negative_stock_is_sent(self):
        self.move(self.shirt, 14, self.stock, self.customers)
        self.assert_sent((self.shirt, -4))

    def test_imported_quants_are_sent(self):
        result = (
            self.env["stock.quant"]
            .with_context(inventory_mode=True, import_file=True)
            .load(
                ["product_id/.id", "location_id/.id", "inventory_quantity"],
                [[str(self.shirt.id), str(self.shelf.id), "6"]],
            )
        )
        self.assertFalse(result["messages"])
        self.env["stock.quant"].browse(result["ids"]).action_apply_inventory()
        self.assert_sent((self.shirt, 16))

    def test_location_moved_to_another_warehouse_is_sent(self):
        self.move(self.shirt, 4, self.stock, self.shelf)
        self.assertEqual(self.sent(), [])
        self.shelf.location_id = self.second.lot_stock_id
        self.assert_sent((self.shirt, 6))

    def bin_on_shelf(self):
        """Make a bin on the shelf that holds 4 of the 10 shirts; both warehouses are sent."""
        self.kw2.warehouse_ids = self.second
        self.kw2._allow_sending()
        box = self.shelf.create({"name": "Bin", "location_id": self.shelf.id})
        self.move(self.shirt, 4, self.stock, box)
        self.work()
        self.sent()
        return box

    def test_bin_on_a_shelf_moved_to_another_warehouse_is_sent(self):
        box = self.bin_on_shelf()
        self.shelf.location_id = self.second.lot_stock_id
        self.assert_sent((self.shirt, 6), (self.shirt, 4, 2))
        self.assertEqual(box.warehouse_id, self.second)

    def test_bin_moved_before_the_installation_is_counted_where_it_is(self):
        box = self.bin_on_shelf()
        self.env.cr.execute(
            "UPDATE stock_location SET warehouse_id = %s WHERE id = %s", [self.second.id, box.id]
        )
        self.env.invalidate_all()
        self.assertEqual(self.offered(self.shirt)["on_hand"], 6)
        post_init_hook(self.env)
        self.assertEqual(self.offered(self.shirt)["on_hand"], 10)

    def test_quants_moved_to_another_kind_of_location_are_sent(self):
        self.move(self.shirt, 4, self.stock, self.shelf)
        self.sent()
        quants = self.env["stock.quant"].search([("location_id", "=", self.shelf.id)])
        quants.sudo().write({"location_id": self.suppliers.id})
        self.assert_sent((self.shirt, 6))

    def test_removed_quants_send_zero(self):
        quants = self.env["stock.quant"].search([("product_id", "=", self.shirt.id)])
        quants.filtered(lambda q: q.location_id == self.stock).sudo().unlink()
        self.assert_sent((self.shirt, 0))

    def test_only_internal_locations_of_the_warehouse_count(self):
        transit = self.env["stock.location"].create(
            {
                "name": "On the way",
                "usage": "transit",
                "location_id": self.warehouse.view_location_id.id,
            }
        )
        self.move(self.shirt, 1, self.stock, transit)
        self.assert_sent((self.shirt, 9))

    def test_several_odoo_warehouses_are_summed(self):
        self.count(self.shirt, 7, self.second.lot_stock_id)
        self.assertEqual(self.sent(), [])
        self.kw1.warehouse_ids |= self.second
        self.kw1._allow_sending()
        self.account.action_push_all_stock()
        self.assert_sent((self.shirt, 17))
