"""Many updates of orders leave KeyCRM's request limit to new orders."""

from ..keycrm import rate_limit_rules
from ..services.common.api_gateway import open_client
from ..services.orders.order_priorities import InboxState
from ..services.sending.order_update_sender import MOST_LIVE, BacklogSender, OrderUpdateSender
from ..services.workers.bulk_jobs import ALTERNATE_TURN
from ..services.workers.order_queue import BULK_TURN, OrderQueue
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
            self.receive_webhook(number)
            for _turn in range(3):
                queue.process()
        paths = [row["path"] for row in self.keycrm.requests()]
        self.assertIn(f"/v1/order/{number}", paths[before : before + 3])
        self.assertTrue(updates.filtered(lambda one: one.state == "pending"))

    def test_bulk_jobs_have_their_turn_despite_thousands_of_updates(self):
        self.due(2000)
        for number in range(120):
            self.keycrm.create_offer(name=f"Bulk {number}", sku=f"BULK-{number}")
        load = self.env["keycrm.product.import"].create({"account_id": self.account.id})
        load.action_start()
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.account.status_ids.ids}
        )
        sync.action_start()
        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            queue = OrderQueue(self.account, client)
            for _turn in range(40):
                queue.process()
                if load.state == sync.state == "done":
                    break
        self.assertEqual((load.state, sync.state), ("done", "done"))
        # Four pages, each in one of four turns; updates alternate with them.
        self.assertLessEqual(len(self.keycrm.requests()), 7 * ALTERNATE_TURN + 3)

    def test_bulk_work_has_its_turn_while_webhooks_keep_coming(self):
        self.keycrm.create_offer(name="Bulk", sku="BULK-W")
        load = self.env["keycrm.product.import"].create({"account_id": self.account.id})
        load.action_start()
        # It waits for its request as live work does, since it was deferred for seconds.
        InboxState.for_account(self.account).bulk_since = float("-inf")
        self.env.cr.flush()
        with self.committing(), open_client(self.account) as client:
            queue = OrderQueue(self.account, client)
            for _turn in range(BULK_TURN):
                self.receive_webhook(self.order.keycrm_id, status_id=1)
                queue.process()
        self.assertTrue(load.done_count)

    def test_many_updates_are_sent_as_bulk_work_newest_first(self):
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
