"""The hourly comparison finds orders without a webhook and without a new update time."""

from datetime import timedelta

from odoo import fields

from ..services.common.api_gateway import open_client
from ..services.orders.order_reconciliation import LISTS
from ..services.workers.order_queue import OrderQueue
from .order_common import OrderCase


class TestOpenOrders(OrderCase):
    # Odoo lacks the orders of other tests, which the comparison would find.
    forget = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.enabled_since = fields.Datetime.now() - timedelta(days=2)
        cls.Event = cls.env["keycrm.event"]

    def setUp(self):
        super().setUp()
        self.account.polled_at = fields.Datetime.now()
        self.offer = self.keycrm.create_offer(sku="KUHOL-1", price=100, name="Кухоль")["id"]
        # A status change leaves no other trace.
        self.keycrm.set_switches(updated_at_on_status="not")
        self.addCleanup(self.keycrm.set_switches, updated_at_on_status="bumped")

    def compare(self):
        """Compare, and work what was found.

        :return: numbers of the orders that were found
        """
        for name in LISTS:
            self.cursor(name).read_until = fields.Datetime.now() - timedelta(hours=2)
        last = self.Event.search([], limit=1).id or 0
        with self.committing(), open_client(self.account) as client:
            while OrderQueue(self.account, client).process():
                pass
        found = self.Event.search([("event", "=", "odoo.reconcile"), ("id", ">", last)])
        return sorted(found.mapped("keycrm_order_id"))

    def order(self, number):
        return self.env["sale.order"].search(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "=", number)]
        )

    def number(self, status, days=0, **fields_):
        """An order without a webhook, in its status since so many days."""
        at = (fields.Datetime.now() - timedelta(days=days)).isoformat() + "Z"
        return self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": 5}],
            status_id=status.keycrm_id,
            **{
                "created_at": at,
                "ordered_at": at,
                "updated_at": at,
                "status_changed_at": at,
                **fields_,
            },
        )

    def test_new_order_without_webhook_or_update_arrives(self):
        for status, state in ((self.new, "draft"), (self.agreed, "draft"), (self.made, "sale")):
            number = self.number(status)
            self.assertEqual(self.compare(), [number])
            self.assertEqual(self.order(number).state, state)
        self.assertEqual(self.compare(), [])

    def test_new_order_missing_in_the_update_list_arrives(self):
        self.keycrm.set_switches(new_in_updated="edit")
        self.addCleanup(self.keycrm.set_switches, new_in_updated="yes")
        self.account.polled_at = False
        number = self.number(self.made)
        self.assertEqual(self.compare(), [number])
        self.assertEqual(self.order(number).state, "sale")

    def test_new_order_in_a_completed_status_arrives_without_a_webhook(self):
        self.keycrm.set_switches(new_in_updated="edit")
        self.addCleanup(self.keycrm.set_switches, new_in_updated="yes")
        for archived in (False, True):
            self.account.archive_status_ids = self.done if archived else False
            number = self.number(self.done)
            self.assertEqual(self.compare(), [number])
            self.assertEqual(self.order(number).keycrm_archived, archived)
        self.assertEqual(self.compare(), [])

    def test_history_of_completed_orders_is_not_listed_every_hour(self):
        self.arrive(self.number(self.done, days=300))
        recent = self.arrive(self.number(self.done, days=3))
        self.keycrm.clear_log()
        self.assertEqual(self.compare(), [])
        queries = [row["query"] for row in self.keycrm.requests(path="/order")]
        done = [
            query
            for query in queries
            if str(self.done.keycrm_id) in query.get("filter[status_id]", "").split(",")
        ]
        self.assertEqual(len(done), 1)
        self.assertIn("filter[created_between]", done[0])
        self.keycrm.set_status(recent.keycrm_id, self.canceled.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [recent.keycrm_id])

    def test_order_deleted_on_a_later_page_is_found(self):
        numbers = [self.number(self.new) for _ in range(60)]
        self.arrive(*numbers)
        self.assertEqual(self.compare(), [])
        self.keycrm.delete_order(numbers[55])
        self.keycrm.delete_order(numbers[3])
        self.assertEqual(self.compare(), [numbers[3], numbers[55]])
        self.assertTrue(all(self.order(numbers[n]).keycrm_deleted for n in (3, 55)))

    def test_order_that_leaves_a_skipped_status_arrives(self):
        self.agreed.order_action = "skip"
        number = self.number(self.agreed, days=300)
        self.assertEqual(self.compare(), [])
        self.keycrm.set_status(number, self.made.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [number])
        self.assertEqual(self.order(number).state, "sale")

    def test_known_order_that_leaves_a_skipped_status_is_followed(self):
        self.agreed.order_action = "skip"
        order = self.make(self.new)
        self.move(order, self.agreed)
        self.keycrm.set_status(order.keycrm_id, self.made.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertEqual(order.state, "sale")

    def test_order_comes_back_from_the_archive(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.made)
        self.move(order, self.done)
        self.assertTrue(order.keycrm_archived)
        self.assertEqual(self.compare(), [])
        self.keycrm.set_status(order.keycrm_id, self.sent.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertFalse(order.keycrm_archived or order.locked)

    def test_order_is_revived_after_a_cancellation(self):
        order = self.make(self.made)
        self.move(order, self.canceled)
        self.assertEqual(order.state, "cancel")
        self.assertEqual(self.compare(), [])
        self.keycrm.set_status(order.keycrm_id, self.made.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertEqual(order.state, "sale")

    def test_restored_order_is_imported_again(self):
        order = self.make(self.made)
        order._keycrm_mark_deleted()
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertFalse(order.keycrm_deleted)
        # One that the list shows as deleted is marked, and not read every hour.
        deleted = fields.Datetime.now().isoformat() + "Z"
        self.keycrm.patch_order(order.keycrm_id, deleted_at=deleted, webhook=False)
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertTrue(order.keycrm_deleted)
        self.assertEqual(self.compare(), [])

    def test_revived_order_is_found_in_an_archive_status(self):
        self.account.archive_status_ids = self.done
        order = self.arrive(self.number(self.made, days=1))
        self.move(order, self.canceled)
        self.assertEqual(self.compare(), [])
        self.keycrm.set_status(order.keycrm_id, self.done.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertTrue(order.state == "sale" and order.keycrm_archived)

    def test_orders_of_a_skipped_status_are_found_in_an_archive_status(self):
        self.account.archive_status_ids = self.done
        self.agreed.order_action = "skip"
        known = self.arrive(self.number(self.new, days=1))
        unknown = self.number(self.agreed, days=1)
        self.move(known, self.agreed)
        self.assertEqual(self.compare(), [])
        self.keycrm.set_statuses([known.keycrm_id, unknown], self.done.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [known.keycrm_id, unknown])
        self.assertTrue(known.keycrm_archived and self.order(unknown).keycrm_archived)

    def test_revived_order_is_found_in_a_completed_status_of_no_other_order(self):
        order = self.arrive(self.number(self.made, days=1))
        self.move(order, self.canceled)
        self.keycrm.set_status(order.keycrm_id, self.done.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertEqual(order.state, "sale")

    def test_archive_of_any_size_costs_one_request_an_hour(self):
        self.account.archive_status_ids = self.done
        order = self.arrive(self.number(self.made, days=1))
        self.move(order, self.canceled)
        self.arrive(*(self.number(self.done, days=1) for _ in range(60)))
        self.keycrm.set_status(order.keycrm_id, self.done.keycrm_id, webhook=False)
        found = []
        for _hour in range(2):
            self.keycrm.clear_log()
            found.append(self.compare())
            sorts = [row["query"]["sort"] for row in self.keycrm.requests(path="/order")]
            # Open, new and archived orders.
            self.assertEqual(sorted(sorts), ["-id", "id", "id"])
        self.assertEqual(found, [[], [order.keycrm_id]])

    # === PARCELS, PAYMENTS AND TOTALS ===

    def with_parcel(self, **shipping):
        """Return a shipped order whose parcel's status leaves no other trace."""
        self.keycrm.set_switches(updated_at_on_parcel="not")
        self.addCleanup(self.keycrm.set_switches, updated_at_on_parcel="bumped")
        parcel = {"tracking_code": "2045", "shipping_status": "transit", **shipping}
        order = self.arrive(self.number(self.made, days=1, shipping=parcel))
        self.deliver(order)
        self.assertEqual(self.compare(), [])
        return order

    def test_refused_parcel_that_nothing_reports_is_found(self):
        order = self.with_parcel()
        self.keycrm.set_parcel(order.keycrm_id, shipping_status="refused")
        self.assertEqual(self.compare(), [order.keycrm_id])
        back = order.picking_ids.filtered("keycrm_expected_return")
        self.assertEqual((len(back), back.move_ids.product_uom_qty), (1, 5))
        self.assertEqual(self.compare(), [])
        self.assertEqual(order.picking_ids.filtered("keycrm_expected_return"), back)

    def test_refused_parcel_of_an_archived_order_is_found(self):
        self.account.archive_status_ids = self.sent
        order = self.with_parcel()
        self.move(order, self.sent)
        self.assertTrue(order.keycrm_archived)
        self.keycrm.set_parcel(order.keycrm_id, shipping_status="refused")
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertTrue(order.picking_ids.filtered("keycrm_expected_return"))

    def test_other_tracking_number_that_nothing_reports_is_found(self):
        order = self.with_parcel()
        self.keycrm.set_parcel(order.keycrm_id, tracking_code="2046")
        self.assertEqual(self.compare(), [order.keycrm_id])
        self.assertEqual(order.keycrm_tracking_code, "2046")
        self.assertEqual(self.compare(), [])

    def test_list_without_parcels_has_no_order_read_again(self):
        self.keycrm.set_switches(list_shipping="missing")
        self.addCleanup(self.keycrm.set_switches, list_shipping="included")
        order = self.with_parcel()
        for _hour in range(2):
            self.assertEqual(self.compare(), [])
        self.keycrm.patch_order(order.keycrm_id, raw={"shipping": None}, webhook=False)
        self.assertEqual(self.compare(), [])
        self.assertEqual(order.keycrm_tracking_code, "2045")

    def test_unknown_statuses_have_no_order_read_again(self):
        order = self.with_parcel(shipping_status="teleported")
        self.assertFalse(order.keycrm_shipping_status)
        raw = {"payment_status": "promised", "grand_total": None, "payments_total": "much"}
        self.keycrm.patch_order(order.keycrm_id, raw=raw, bump=False, webhook=False)
        self.assertEqual(self.compare(), [])

    def test_payment_and_total_that_nothing_reports_are_found(self):
        order = self.make(self.made)
        number, silent = order.keycrm_id, {"bump": False, "webhook": False}
        self.keycrm.add_payment(number, amount=200, **silent)
        self.assertEqual(self.compare(), [number])
        self.assertEqual(
            (order.keycrm_payment_status, order.keycrm_amount_paid), ("part_paid", 200)
        )
        self.keycrm.add_payment(number, amount="0.01", **silent)
        self.assertEqual(self.compare(), [number])
        self.assertEqual(order.keycrm_amount_paid, 200.01)
        self.keycrm.patch_line(number, self.line_id(order), quantity=4, **silent)
        self.assertEqual(self.compare(), [number])
        self.assertEqual((order.keycrm_total, order.amount_total), (400, 400))
        self.assertEqual(self.compare(), [])

    def test_changed_order_that_failed_waits_for_a_user(self):
        order = self.make(self.made)
        self.env["product.product"].create(
            [{"name": name, "default_code": "THRICE"} for name in ("А", "Б")]
        )
        self.keycrm.add_line(
            order.keycrm_id, name="Глек", sku="THRICE", price=9, bump=False, webhook=False
        )
        self.assertEqual(self.compare(), [order.keycrm_id])
        event = self.Event.search([("keycrm_order_id", "=", order.keycrm_id)], limit=1)
        self.assertEqual(event.state, "failed")
        event.next_try_at = False
        self.assertEqual(self.compare(), [])

    def test_order_of_a_skipped_status_is_read_for_its_status_alone(self):
        self.agreed.order_action = "skip"
        order = self.with_parcel()
        self.move(order, self.agreed)
        self.keycrm.set_parcel(order.keycrm_id, shipping_status="refused")
        self.assertEqual(self.compare(), [])

    def test_orders_from_before_enabling_are_left_to_a_synchronization(self):
        old = self.number(self.new, days=30)
        moved = self.number(self.new, days=30)
        self.keycrm.set_status(moved, self.made.keycrm_id, webhook=False)
        self.assertEqual(self.compare(), [moved])
        self.assertFalse(self.order(old))

    def test_order_waiting_for_a_user_is_not_imported_every_hour(self):
        canceled = self.make(self.made)
        canceled._action_cancel()
        twins = self.env["product.product"].create(
            [{"name": name, "default_code": "TWICE"} for name in ("А", "Б")]
        )
        failing = self.new_order(
            [{"sku": "TWICE", "name": "Кухоль", "price": 1}], status_id=self.new.keycrm_id
        )
        self.assertEqual(self.compare(), [failing])
        self.assertFalse(self.order(failing))
        self.Event.search([("keycrm_order_id", "=", failing)]).next_try_at = False
        self.assertEqual(self.compare(), [])
        self.assertEqual(canceled.state, "cancel")
        twins[1].default_code = "ONCE"

    def test_orders_of_several_pages_are_all_compared(self):
        numbers = [self.number(self.new) for _ in range(60)]
        found = []
        for _turn in range(2):
            found += self.compare()
        self.assertEqual(sorted(found), numbers)
        self.assertEqual(self.compare(), [])
