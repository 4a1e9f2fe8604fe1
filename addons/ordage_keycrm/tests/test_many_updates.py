"""Many updates of orders leave KeyCRM's request limit to new orders."""

from ..keycrm import rate_limit_rules
from ..services.common.api_gateway import open_client
from ..services.sending.order_update_sender import MOST_LIVE, BacklogSender, OrderUpdateSender
from ..services.workers.order_queue import OrderQueue
from .order_common import OrderCase


class TestManyUpdates(OrderCase):
    def setUp(self):
        super().setUp()
        self.account.send_payments = True
        self.stop_polling()
        self.order = self.make(self.made)

    def due(self, count):
        """Enqueue updates, each of which reads its order and sends nothing."""
        vals = {
            "account_id": self.account.id,
            "sale_order_id": self.order.id,
            "kind": "payment",
        }
        return self.env["keycrm.order.update"].create([dict(vals) for _ in range(count)])

    def test_new_order_is_read_between_two_hundred_updates(self):
        updates = self.due(200)
        number = self.new_order([{"offer_id": self.offer, "price": 100, "quantity": 1}])
        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            queue = OrderQueue(self.account, client)
            for _turn in range(5):
                self.assertTrue(queue.process())
            before = len(self.keycrm.requests())
            self.assertEqual(before, 5, "one request a turn")
            self.tell(number)
            for _turn in range(3):
                queue.process()
        paths = [row["path"] for row in self.keycrm.requests()]
        self.assertIn(f"/v1/order/{number}", paths[before : before + 3])
        self.assertTrue(updates.filtered(lambda one: one.state == "pending"))

    def test_updates_beyond_a_few_are_paced_and_begin_with_the_newest(self):
        updates = self.due(MOST_LIVE + 2)
        with self.committing(), open_client(self.account) as client:
            live = OrderUpdateSender(self.account, client)
            self.assertFalse(live.process())
            with open_client(self.account, rate_limit_rules.BULK) as bulk:
                many = BacklogSender(self.account, bulk)
                self.assertTrue(many.process())
                self.assertEqual(updates[-1].state, "ignored")
                self.assertTrue(many.process())
                self.assertFalse(many.process(), "the others are few")
            self.assertTrue(live.process())
        self.assertEqual(updates[0].state, "ignored")
