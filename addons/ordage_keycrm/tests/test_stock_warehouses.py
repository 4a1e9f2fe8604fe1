from psycopg2.errors import CheckViolation

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tools import mute_logger

from ..services.workers.bulk_jobs import BulkJobs
from .stock_common import StockCase


class TestWarehouses(StockCase):
    """KeyCRM has no list of warehouses: they are recorded from answers, or entered by a user."""

    def setUp(self):
        super().setUp()
        self.keycrm.reset(keep_switches=True)

    def known(self):
        self.account.invalidate_recordset()
        return {w.keycrm_id: w.name for w in self.account.warehouse_ids}

    def offers_in(self, count, *warehouses):
        tag = self.id().rsplit(".", 1)[-1]
        for number in range(count):
            self.keycrm.create_offer(
                sku=f"{tag}-{number}-{warehouses}", stock=dict.fromkeys(warehouses, 1)
            )

    def made(self, name):
        """:return: number of a new warehouse in KeyCRM"""
        return self.keycrm.put_warehouse(name=name)["id"]

    # === RECORDED ===#

    def test_warehouses_of_the_first_page_are_shown_before_the_rest(self):
        third, fourth = (self.made(name) for name in ("Далекий", "Новий"))
        self.offers_in(49, 1)
        self.offers_in(1, third)
        self.offers_in(60, 1)
        self.offers_in(1, fourth)
        self.keycrm.clear_log()
        self.account.action_refresh_warehouses()
        self.assertEqual(len(self.keycrm.requests(path="/offers/stocks")), 1)
        self.assertEqual(self.known()[third], "Далекий")
        self.assertNotIn(fourth, self.known())
        self.assertTrue(self.cursor("warehouses").page)
        with self.committing():
            while self.cursor("warehouses").page:
                BulkJobs(self.account).process()
        self.assertEqual(self.known()[fourth], "Новий")
        self.assertEqual(len(self.keycrm.requests(path="/offers/stocks")), 3)
        self.assertEqual(self.keycrm.requests(path="/warehouses"), [])

    def test_interrupted_search_for_warehouses_resumes(self):
        far = self.made("Далекий")
        self.offers_in(110, 1)
        self.offers_in(1, far)
        self.account.action_refresh_warehouses()
        self.keycrm.add_fault("status", status=500, path="/offers/stocks", page=3, times=3)
        with self.committing():
            while not self.account.sudo().work_circuits:
                BulkJobs(self.account).process()
            self.assertNotIn(far, self.known())
            self.account.sudo().work_circuits = False  # the pause is over
            while self.cursor("warehouses").page:
                BulkJobs(self.account).process()
        self.assertEqual(self.known()[far], "Далекий")

    def test_warehouse_is_recorded_from_an_order(self):
        empty = self.made("Порожній")
        offer = self.keycrm.create_offer(sku=self.id(), stock={1: 1})["id"]
        self.account.action_refresh_warehouses()
        self.assertNotIn(empty, self.known())
        order = self.arrive(
            self.new_order([{"offer_id": offer, "quantity": 1, "warehouse_id": empty}])
        )
        self.assertEqual(self.known()[empty], "Порожній")
        self.assertEqual(order.order_line[:1].keycrm_warehouse_id.keycrm_id, empty)

    def test_new_name_in_keycrm_is_taken_and_the_match_is_kept(self):
        self.keycrm.put_warehouse(id=1, name="Головний склад")
        self.offers_in(1, 1)
        self.account.action_refresh_warehouses()
        self.assertEqual(self.kw1.name, "Головний склад")
        self.assertEqual(self.kw1.warehouse_ids, self.warehouse)
        self.assertEqual(self.kw1.send_state, "sending")

    # === TYPED IN ===#

    def test_warehouse_without_stock_can_be_entered_by_its_number(self):
        number = self.made("Порожній")
        self.env["keycrm.warehouse"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": number,
                "name": "typed",
                "warehouse_ids": [Command.set(self.second.ids)],
            }
        )
        sock = self.goods("TYPED-SOCK")
        self.count(sock, 4, self.second.lot_stock_id)
        self.assert_sent((sock, 4, number))

    @mute_logger("odoo.sql_db")
    def test_a_warehouse_needs_a_number(self):
        for number in (0, -1):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.env["keycrm.warehouse"].create(
                    {"account_id": self.account.id, "keycrm_id": number, "name": "x"}
                )

    # === MATCHED ===#

    def test_odoo_warehouse_matched_twice_is_refused_with_both_names(self):
        with self.assertRaises(ValidationError) as refusal:
            self.kw2.warehouse_ids = [Command.link(self.warehouse.id)]
        for name in (self.warehouse.name, self.kw1.name):
            self.assertIn(name, str(refusal.exception))

    def test_two_accounts_may_match_the_same_warehouse(self):
        other = self.account.copy({"name": "Second shop"})
        self.env["keycrm.warehouse"].create(
            {
                "account_id": other.id,
                "keycrm_id": 1,
                "name": "Same",
                "warehouse_ids": [Command.set(self.warehouse.ids)],
            }
        )

    def test_warehouse_that_loses_its_match_notifies_a_user_of_its_quantities(self):
        sock = self.goods("UNMATCHED-SOCK")
        self.count(sock, 5)
        self.assert_sent((sock, 5))
        self.kw1.warehouse_ids = False
        activity = self.account.activity_ids.filtered(lambda one: "remains" in one.summary)
        self.assertIn(self.kw1.name, activity.note)
        self.assertIn("1", activity.note)
        self.assertDecisions(self.account)
        self.kw1.warehouse_ids = self.warehouse
        self.assertFalse(activity.exists())
        self.kw1._allow_sending()
        self.count(sock, 6)
        self.work()
        self.kw1.unlink()
        self.assertTrue(self.account.activity_ids.filtered(lambda one: "remains" in one.summary))

    def test_warehouse_without_sent_stock_loses_its_match_silently(self):
        self.kw1.warehouse_ids = False
        self.assertFalse(self.account.activity_ids)

    # === WHAT COUNTS ===#

    def test_only_internal_locations_of_matched_warehouses_count(self):
        sock = self.goods("KIND-SOCK")
        self.count(sock, 50)
        self.assert_sent((sock, 50))
        below = self.warehouse.view_location_id
        places = self.env["stock.location"].create(
            [
                {"name": usage, "usage": usage, "location_id": below.id}
                for usage in ("transit", "customer", "supplier", "inventory", "production")
            ]
            + [
                {"name": "Outside", "usage": "internal", "location_id": False},
                {"name": "Room", "usage": "internal", "location_id": below.id},
                {
                    "name": "Box",
                    "usage": "internal",
                    "location_id": self.warehouse.lot_stock_id.id,
                },
            ]
        )
        left = 50
        for place in places:
            self.move(sock, 2, self.warehouse.lot_stock_id, place)
            if place.name in ("Room", "Box"):
                self.assertEqual(self.sent(), [], place.name)
            else:
                left -= 2
                self.assert_sent((sock, left))
