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
