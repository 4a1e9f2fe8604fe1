from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from ..keycrm.outbox import HIGH_LOAD_COMMITS
from ..services.common import cron_notify
from ..services.stock.stock_exporter import StockExporter
from .stock_common import StockCase


@tagged("post_install", "-at_install")
class TestDebounce(StockCase):
    """Changes that come faster than they can be sent are debounced; a single one is sent at once."""

    def setUp(self):
        super().setUp()
        self.one, self.other = self.goods("DEBOUNCE-1"), self.goods("DEBOUNCE-2")
        self.cron = self.account.stock_cron_id
        self.triggers().unlink()

    def triggers(self):
        return self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])

    def later_triggers(self):
        return self.triggers().filtered(lambda trigger: trigger.call_at > self.env.cr.now())

    def commit_apart(self, product):
        """Let the recorded change of a product be of a transaction of its own."""
        self.env.cr.flush()
        self.env.cr.execute(
            "UPDATE keycrm_stock_change SET changed_at = changed_at - interval '1 s'"
            " WHERE product_id = %s",
            [product.id],
        )

    def test_successive_moves_are_each_sent_at_once(self):
        for quantity in (5, 6):
            self.count(self.one, quantity)
            self.count(self.other, quantity)
            self.assertEqual(len(self.sent()), 1)
            self.assertFalse(self.later_triggers())

    def test_moves_under_high_load_are_sent_together(self):
        self.count(self.one, 5)
        self.commit_apart(self.one)
        self.count(self.other, 5)
        self.assertEqual(len(self.sent()), 1)
        self.assertTrue(self.later_triggers())
        self.set_trigger_times(1)
        self.count(self.one, 6)
        self.count(self.one, 7)
        self.assertFalse(self.sent())
        self.set_trigger_times(0)
        self.assertEqual([list(rows.values()) for _warehouse, rows in self.sent()], [[7.0]])

    def test_a_retry_that_is_due_soon_does_not_delay_fresh_changes(self):
        self.count(self.one, 5)
        self.cron._keycrm_trigger(60)
        self.set_trigger_times(3, ago=57)
        self.assertEqual([list(rows.values()) for _warehouse, rows in self.sent()], [[5.0]])

    def test_change_notifies_at_once_despite_a_scheduled_retry(self):
        notifier = cron_notify.CronNotifier(lambda *_args: None)
        notifier._start = lambda: None
        for delay, is_left_out in ((60.0, False), (4.0, True)):
            notifier.notify("db", delay, (1,))
            due = notifier._waiting[0][0]
            with patch.object(cron_notify.time, "monotonic", return_value=due - 3):
                self.assertEqual(notifier._will_notify("db", (1,)), is_left_out)
            notifier._waiting.clear()

    def test_move_during_sending_needs_no_notification(self):
        self.count(self.one, 5)
        self.commit_apart(self.one)
        self.count(self.other, 5)
        triggers_seen, request = [], StockExporter._request

        def count_triggers(*args):
            triggers_seen.append(len(self.later_triggers()))
            return request(*args)

        with patch.object(StockExporter, "_request", count_triggers):
            self.sent()
        self.assertEqual(triggers_seen, [1])
        self.assertEqual(len(self.later_triggers()), 1)

    def test_batch_window_grows_under_high_load(self):
        products = [self.goods(f"HIGH-LOAD-{number}") for number in range(HIGH_LOAD_COMMITS)]
        for product in products:
            self.count(product, 5)
            self.env.cr.flush()
            self.env.cr.execute(
                "UPDATE keycrm_stock_change SET changed_at = changed_at - %s * interval '1 ms'",
                [product.id],
            )
        self.triggers().unlink()
        self.assertEqual(len(self.sent()), 1)
        (trigger,) = self.later_triggers()
        self.assertGreater(trigger.call_at - self.env.cr.now(), timedelta(seconds=3))
        # Moves of that time need no trigger of their own.
        self.assertLessEqual(
            trigger.call_at - self.env.cr.now(), timedelta(seconds=cron_notify.SOON_SECONDS)
        )
