"""Goods that Odoo leaves out of its own free quantity are not offered in KeyCRM either."""

from __future__ import annotations

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase


class TestExpiry(StockCase):
    def setUp(self):
        super().setUp()
        self.keycrm.clear_log()
        name = self.id().rsplit(".", 1)[-1]
        self.milk = self.goods(f"MILK-{name}", tracking="lot", use_expiration_date=True)
        self.now = fields.Datetime.now()
        self.fresh = self.lot("FRESH", 30)
        self.old = self.lot("OLD", 20)
        # The old one first: it is also reserved first.
        self.count(self.milk, 5, lot_id=self.old.id)
        self.count(self.milk, 10, lot_id=self.fresh.id)

    def lot(self, name, days):
        date = self.now + timedelta(days=days)
        return self.env["stock.lot"].create(
            {"name": name, "product_id": self.milk.id, "expiration_date": date}
        )

    def expire(self, lot, days=-2):
        """Let a lot expire by time alone: without a move and without a write."""
        self.env.flush_all()
        # From midnight, as Odoo's days are: whatever the hour of the test is.
        date = fields.Datetime.to_datetime(self.now.date()) + timedelta(days=days)
        for table, column in (("stock_lot", "id"), ("stock_quant", "lot_id")):
            self.env.cr.execute(
                f"UPDATE {table} SET removal_date = %s WHERE {column} = %s", [date, lot.id]
            )
        self.env.invalidate_all()

    def odoo_free(self):
        self.env.invalidate_all()
        return self.milk.with_context(warehouse_id=self.warehouse.id).free_qty

    def test_expired_lot_counts_in_no_kind_of_quantity(self):
        self.assertEqual(set(self.offered(self.milk).values()), {15})
        self.expire(self.old)
        self.assertEqual(self.odoo_free(), 10)
        self.assertEqual(set(self.offered(self.milk).values()), {10})

    def test_lot_that_expires_without_a_move_is_sent_once_a_day(self):
        self.assert_sent((self.milk, 15))
        self.assertEqual(self.account.stock_expiry_on, fields.Date.today())
        self.expire(self.old, days=1)
        self.assertFalse(self.sent())
        with freeze_time(self.now + timedelta(days=1)):
            self.assert_sent((self.milk, 10))
            self.assertFalse(self.sent())
        self.expire(self.fresh, days=2)
        with freeze_time(self.now + timedelta(days=2)):
            self.assert_sent((self.milk, 0))

    def test_many_lots_that_expire_together_are_sent(self):
        offers = self.many(30, "EXPIRES-")
        offers.product_tmpl_id.write({"tracking": "lot", "use_expiration_date": True})
        for product in offers:
            lot = self.env["stock.lot"].create(
                {
                    "name": product.name,
                    "product_id": product.id,
                    "expiration_date": self.now + timedelta(days=9),
                }
            )
            self.count(product, 5, lot_id=lot.id)
        self.work()
        self.sent()
        with freeze_time(self.now + timedelta(days=11)):
            self.assert_sent(*((product, 0) for product in offers))

    def test_changed_expiration_date_is_sent_at_once(self):
        self.sent()
        self.old.removal_date = self.now - timedelta(days=2)
        self.assert_sent((self.milk, 10))
        self.old.expiration_date = self.now + timedelta(days=40)
        self.old.removal_date = self.now + timedelta(days=39)
        self.assert_sent((self.milk, 15))

    def reserve(self, quantity, lot=None, order=None):
        """Reserve for another buyer."""
        kind = self.warehouse.out_type_id
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "location_dest_id": self.customers.id,
                "move_ids": [
                    fields.Command.create(
                        {
                            "product_id": self.milk.id,
                            "product_uom_qty": quantity,
                            "location_id": self.warehouse.lot_stock_id.id,
                            "location_dest_id": self.customers.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.action_assign()
        return picking

    def test_reservation_of_a_lot_that_expired_since_is_subtracted_once(self):
        self.reserve(7)
        self.assertEqual(self.odoo_free(), 8)
        # All of the old lot and two of the fresh one are reserved.
        self.expire(self.old)
        self.assertEqual(self.odoo_free(), 8)
        offered = self.offered(self.milk)
        self.assertEqual((offered["free"], offered["available"]), (8, 8))
        self.assertEqual(offered["on_hand"], 10)

    def test_own_order_that_reserved_an_expired_lot_is_subtracted_once(self):
        self.keycrm.set_switches(status_reserve="off", status_write_off="on")
        self.addCleanup(self.keycrm.set_switches, status_reserve="on")
        for status, rule, expected in ((4, "available", 8), (6, "on_hand", 8)):
            number = self.new_order(
                [{"offer_id": self.number(self.milk), "quantity": 7}], status_id=status
            )
            order = self.arrive(number)
            order.picking_ids.action_assign()
            self.assertEqual(self.offered(self.milk)[rule], 8)
            self.expire(self.old)
            self.assertEqual(self.offered(self.milk)[rule], expected)
            self.expire(self.old, days=20)
            order._action_cancel()

    def test_owners_packages_and_locations_count_as_in_odoo(self):
        shelf = self.warehouse.lot_stock_id
        quarantine = self.env["stock.location"].create(
            {"name": "Quarantine", "location_id": self.warehouse.view_location_id.id}
        )
        scrap = self.env["stock.location"].create(
            {
                "name": "Scrap",
                "location_id": self.warehouse.view_location_id.location_id.id,
                "usage": "inventory",
            }
        )
        owner = self.env["res.partner"].create({"name": "Consignor"})
        package = self.env["stock.package"].create({"name": "PACK-7"})
        lot = self.fresh.id
        for vals in ({"owner_id": owner.id}, {"package_id": package.id}):
            self.count(self.milk, 3, lot_id=lot, **vals)
        self.move(self.milk, 2, shelf, quarantine)
        self.move(self.milk, 1, shelf, scrap)
        self.reserve(4)
        self.assertEqual(self.odoo_free(), 16)
        self.assertEqual(self.offered(self.milk), {"on_hand": 20, "free": 16, "available": 16})
        self.expire(self.fresh)
        self.assertEqual(self.offered(self.milk)["free"], self.odoo_free())
