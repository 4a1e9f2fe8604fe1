"""A validated delivery sets a status in KeyCRM, where that is wished."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from ..keycrm.order_update_rules import Decision
from ..services.common.api_gateway import open_client
from ..services.common.service import Options
from ..services.sending.order_update_sender import OrderUpdateSender
from .order_common import OrderCase

OUTCOME = "odoo.addons.ordage_keycrm.services.orders.order_import"


class TestOrderUpdate(OrderCase):
    def push(self):
        with self.committing(), open_client(self.account) as client:
            while OrderUpdateSender(self.account, client).process():
                pass

    def status_in_keycrm(self, order):
        return self.keycrm.order(order.keycrm_id)["answer"]["status_id"]

    def test_validated_delivery_sets_the_chosen_status_once(self):
        order = self.make(self.made)
        self.deliver(order)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.made.keycrm_id)
        self.account.delivered_status_id = self.sent
        second = self.make(self.made)
        self.deliver(second)
        self.push()
        self.assertEqual(self.status_in_keycrm(second), self.sent.keycrm_id)
        self.keycrm.clear_log()
        self.push()
        self.assertFalse(self.keycrm.requests())

    def test_status_of_a_delivery_validated_while_disabled_is_sent_later(self):
        self.account.delivered_status_id = self.sent
        former, order = self.make(self.made), self.make(self.made)
        self.account.delivered_status_id = False
        self.deliver(former)
        former.picking_ids.date_done -= timedelta(hours=1)
        self.account.delivered_status_id = self.sent
        self.account.polled_at = self.env.cr.now() - timedelta(minutes=1)
        self.account.enabled = False
        self.deliver(order)
        self.account.enabled = True
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.sent.keycrm_id)
        self.assertEqual(self.status_in_keycrm(former), self.made.keycrm_id)

    def test_pending_status_is_not_sent_after_the_setting_is_removed(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        self.account.delivered_status_id = False
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.made.keycrm_id)

    def test_status_set_meanwhile_in_keycrm_is_kept(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        self.keycrm.set_status(order.keycrm_id, self.done.keycrm_id, webhook=False)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.done.keycrm_id)
        push = self.env["keycrm.order.update"].search([("sale_order_id", "=", order.id)])
        self.assertEqual(push.state, "ignored")

    def test_status_set_by_a_manager_before_the_update_is_kept(self):
        """Inbox before sending: Odoo has the manager's status before it sends its own."""
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.done)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.done.keycrm_id)

    def test_delivery_validated_after_completion_sends_no_earlier_status(self):
        self.account.delivered_status_id = self.sent
        for status in (self.done, self.canceled):
            with self.subTest(status.name):
                order = self.make(self.made)
                self.canceled.order_action = "quotation"
                order.keycrm_status_id = status
                self.keycrm.set_status(order.keycrm_id, status.keycrm_id, webhook=False)
                self.deliver(order)
                self.push()
                self.assertEqual(self.status_in_keycrm(order), status.keycrm_id)

    def test_delivery_validated_by_archiving_sets_no_status(self):
        self.account.write(
            {
                "archive_status_ids": self.done.ids,
                "archive_validates": True,
                "delivered_status_id": self.sent.id,
            }
        )
        order = self.make(self.made)
        self.move(order, self.done)
        self.assertEqual(order.picking_ids.state, "done")
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.done.keycrm_id)

    def test_new_archive_status_reverts_no_status_in_keycrm(self):
        """Also where it is not later than what a validated delivery would set."""
        self.account.write({"archive_validates": True, "delivered_status_id": self.done.id})
        orders = self.make(self.done) | self.make(self.sent)
        self.account.archive_status_ids = self.sent | self.done
        self.assertEqual(set(orders.picking_ids.mapped("state")), {"done"})
        self.push()
        self.assertEqual(
            [self.status_in_keycrm(order) for order in orders],
            orders.keycrm_status_id.mapped("keycrm_id"),
        )

    def test_each_delivery_sends_its_status_once(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order, quantity=2)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.sent.keycrm_id)
        # A manager puts it back; the same delivery does not set it once more.
        self.move(order, self.made)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.made.keycrm_id)
        self.deliver(order)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.sent.keycrm_id)

    def test_a_status_that_keycrm_refuses_is_shown_and_can_be_retried(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        self.keycrm.add_fault("status", method="PUT", path="/order/*", status=422, times=1)
        self.push()
        push = self.env["keycrm.order.update"].search([("sale_order_id", "=", order.id)])
        self.assertEqual(push.state, "failed")
        self.assertTrue(push.error)
        push.action_retry()
        self.push()
        self.assertEqual(push.state, "done")
        self.assertEqual(self.status_in_keycrm(order), self.sent.keycrm_id)

    # === ONE UPDATE FAILS ===#

    def two_updates(self):
        """:return: two orders whose deliveries wait to set a status"""
        self.account.delivered_status_id = self.sent
        orders = [self.make(self.made), self.make(self.made)]
        for order in orders:
            self.deliver(order)
        return orders

    def update_of(self, order):
        return self.env["keycrm.order.update"].search([("sale_order_id", "=", order.id)])

    def failing(self, name, order, error):
        """Let a method of the updates of one order fail."""
        model = type(self.env["keycrm.order.update"])
        real = getattr(model, name)

        def fail(update, *args):
            if update.sale_order_id == order:
                raise error
            return real(update, *args)

        return patch.object(model, name, fail)

    def test_an_update_that_fails_unexpectedly_fails_alone(self):
        for name in ("_plan", "_record"):
            with self.subTest(name):
                bad, good = self.two_updates()
                with self.failing(name, bad, ValueError("odd")), mute_logger(OUTCOME):
                    self.push()
                update = self.update_of(bad)
                self.assertEqual((update.state, update.error_code), ("failed", "unexpected"))
                self.assertGreater(update.next_try_at, self.env.cr.now())
                self.assertEqual(self.status_in_keycrm(good), self.sent.keycrm_id)
                self.assertEqual(self.update_of(good).state, "done")
                update.action_retry()
                self.push()
                self.assertEqual(self.status_in_keycrm(bad), self.sent.keycrm_id)
                self.assertEqual(update.state, "done")

    def test_update_of_any_field_of_keycrm_is_done(self):
        order, _other = self.two_updates()
        update = self.update_of(order)
        plan = SimpleNamespace(
            includes="",
            decide=lambda _order: Decision(
                {"manager_comment": "Odoo"}, values={"manager_comment": "Odoo"}
            ),
        )
        with patch.object(type(update), "_plan", lambda _update: plan):
            self.push()
        self.assertEqual((update.state, update.error), ("done", False))

    def test_only_a_payment_can_be_sent_anyway(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        with self.assertRaisesRegex(UserError, "payments"):
            self.update_of(order).action_send_anyway()

    def test_each_kind_of_update_has_a_filter(self):
        updates = self.env["keycrm.order.update"]
        search = updates.get_view(view_type="search")["arch"]
        kinds = [kind for kind, _label in updates._fields["kind"].selection]
        self.assertEqual(kinds, [kind for kind in kinds if f"('kind', '=', '{kind}')" in search])

    def test_update_of_a_locked_order_is_deferred_alone(self):
        bad, good = self.two_updates()
        with self.failing("_record", bad, LockNotAvailable("held by a user")):
            self.push()
        update = self.update_of(bad)
        self.assertEqual((update.state, update.attempts), ("pending", 0))
        self.assertGreater(update.next_try_at, self.env.cr.now())
        self.assertEqual(self.update_of(good).state, "done")
        update.next_try_at = self.env.cr.now()
        self.keycrm.clear_log()
        self.push()
        self.assertIn(update.state, ("done", "ignored"))
        self.assertFalse(self.keycrm.requests(method="PUT"), "the status was sent before")

    def test_update_that_ends_the_process_is_not_retried_for_ever(self):
        bad, good = self.two_updates()
        alone = Options(single_item=True)
        with (
            self.failing("_plan", bad, SystemExit()),
            self.committing(),
            open_client(self.account) as client,
        ):
            # Odoo's ``assertRaises`` would undo what was stored before.
            with contextlib.suppress(SystemExit):
                OrderUpdateSender(self.account, client, alone).process()
            # The next run begins with the other one.
            OrderUpdateSender(self.account, client, alone).process()
        self.assertEqual(self.update_of(bad).error_code, "worker_died")
        self.assertGreater(self.update_of(bad).next_try_at, self.env.cr.now())
        self.assertEqual(self.update_of(good).state, "done")
