"""A tracking number that is written on a delivery goes to its order in KeyCRM, once."""

from contextlib import contextmanager

from odoo.exceptions import UserError, ValidationError

from odoo.addons.ordage_keycrm.services.common.api_gateway import open_client
from odoo.addons.ordage_keycrm.services.sending.order_update_sender import (
    BacklogSender,
    OrderUpdateSender,
)
from odoo.addons.ordage_keycrm.services.sending.preview_job import PreviewJob
from odoo.addons.ordage_keycrm.services.sending.tracking import TrackingKind
from odoo.addons.ordage_keycrm.tests.order_common import OrderCase

CODE = "20450001112223"


def typed(code):
    """Return what a person typed in KeyCRM: a number, and its delivery service."""
    return {"tracking_code": code, "delivery_service_id": 1}


class TestTracking(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.action_refresh_delivery_services()
        cls.post = cls.account.delivery_service_ids.filtered(lambda one: one.keycrm_id == 1)
        product = cls.env["product.product"].create({"name": "Доставка", "type": "service"})
        cls.carrier = cls.env["delivery.carrier"].create(
            {"name": "NP", "product_id": product.id, "delivery_type": "fixed"}
        )
        cls.post.carrier_ids = cls.carrier
        cls.account.send_tracking = True

    def setUp(self):
        super().setUp()
        self.keycrm.clear_faults()
        self.keycrm.set_switches(tracking_needs_service="no")

    def number(self, picking, code=CODE, carrier=None):
        picking.write({"carrier_tracking_ref": code, "carrier_id": (carrier or self.carrier).id})
        self.env.cr.flush()

    def send(self):
        """Let the worker send all that is due.

        :return: bodies of the requests that wrote
        """
        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            works = [
                work(self.account, client).process for work in (OrderUpdateSender, BacklogSender)
            ]
            while any(work() for work in works):
                pass
        return [row["body"] for row in self.keycrm.requests(method="PUT")]

    def updates(self, order):
        return self.env["keycrm.order.update"].search(
            [("sale_order_id", "in", order.ids), ("kind", "=", "tracking")]
        )

    def shipping(self, order):
        return self.keycrm.order(order.keycrm_id)["answer"]["shipping"] or {}

    def ordered(self, **fields):
        order = self.make(self.made, **fields)
        return order, order.picking_ids

    def test_archived_delivery_method_is_shown_on_the_account(self):
        self.assertFalse(self.account.reference_text)
        self.carrier.active = False
        self.account.invalidate_recordset()
        self.assertIn("NP", self.account.reference_text)

    # === SWITCHED OFF ===

    def test_switched_off_sends_no_request(self):
        self.account.send_tracking = False
        order, picking = self.ordered()
        self.number(picking)
        self.send()
        self.assertFalse(self.keycrm.requests())
        self.assertFalse(self.updates(order))

    def test_order_without_an_account_sends_no_request(self):
        picking = self.env["stock.picking"].create(
            {"picking_type_id": self.warehouse.out_type_id.id, "carrier_tracking_ref": CODE}
        )
        self.number(picking)
        self.send()
        self.assertFalse(self.keycrm.requests())

    # === THE RIGHT VALUES ===

    def test_number_and_matched_service_are_sent_once(self):
        order, picking = self.ordered()
        self.number(picking, "2045 0001112223")
        self.assertEqual(
            self.send(), [{"shipping": {"tracking_code": CODE, "delivery_service_id": 1}}]
        )
        self.assertEqual(self.shipping(order)["tracking_code"], CODE)
        self.assertEqual(self.updates(order).mapped("state"), ["done"])
        self.assertEqual(self.updates(order).sent_value, CODE)
        self.assertEqual(self.send(), [])
        self.assertFalse(self.keycrm.requests())

    def test_validated_delivery_sends_its_number(self):
        order, picking = self.ordered()
        self.deliver(order)
        self.number(picking)
        self.send()
        self.assertEqual(self.shipping(order)["tracking_code"], CODE)

    def test_carrier_without_a_service_sends_the_number_alone(self):
        _order, picking = self.ordered()
        other = self.carrier.copy({"name": "Own courier"})
        self.number(picking, carrier=other)
        self.assertEqual(self.send(), [{"shipping": {"tracking_code": CODE}}])

    def test_hundred_changes_are_one_request_with_the_last_number(self):
        order, picking = self.ordered()
        for index in range(100):
            self.number(picking, f"2045{index:04}")
        self.assertEqual(len(self.updates(order)), 100)
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.shipping(order)["tracking_code"], "20450099")
        self.assertEqual(self.updates(order).mapped("state"), ["done"])

    def test_several_changes_in_one_transaction_are_one_row(self):
        order, picking = self.ordered()
        for index in range(100):
            picking.carrier_tracking_ref = f"2045{index:04}"
        self.env.cr.flush()
        self.assertEqual(len(self.updates(order)), 1)

    def test_user_transaction_costs_one_query_more(self):
        self.account.send_tracking = False
        plain, sent = self.ordered()[1], self.ordered()[1]
        for picking in (plain, sent):
            picking.carrier_tracking_ref = "1"
        self.env.cr.flush()

        def count(picking, code):
            before = self.env.cr.sql_log_count
            picking.carrier_tracking_ref = code
            self.env.cr.flush()
            return self.env.cr.sql_log_count - before

        off = count(plain, "2")
        self.account.send_tracking = True
        self.env.cr.flush()
        self.env["keycrm.order.update"]._sending_accounts("send_tracking")
        # Switching it on cleared Odoo's caches.
        count(sent, "3")
        self.assertLessEqual(count(sent, "4") - off, 1)

    # === SEVERAL PARCELS ===

    def test_further_parcels_go_to_the_comment(self):
        self.account.tracking_others = "comment"
        order, picking = self.ordered(manager_comment="Подзвонити")
        self.number(picking, f"{CODE}, 20459")
        self.assertEqual(len(self.send()), 1)
        comment = self.keycrm.order(order.keycrm_id)["answer"]["manager_comment"]
        self.assertTrue(comment.startswith("Подзвонити\n"), comment)
        self.assertTrue(comment.endswith(" 20459"), comment)
        self.number(picking, f"20459, {CODE}")
        self.assertEqual(self.send(), [])

    def test_further_parcels_go_to_the_chosen_field(self):
        field = self.env["keycrm.custom.field"].search([("uuid", "=", "OR_1001")])
        self.account.write({"tracking_others": "field", "tracking_field_id": field.id})
        order, picking = self.ordered()
        self.number(picking, f"{CODE}+20459+20460")
        self.send()
        (row,) = self.keycrm.order(order.keycrm_id)["answer"]["custom_fields"]
        self.assertEqual((row["uuid"], row["value"]), ("OR_1001", "20459, 20460"))

    # === CONFLICT, ECHO, REFUSAL ===

    def test_other_number_in_keycrm_is_kept_and_both_are_shown(self):
        order, picking = self.ordered(shipping=typed("59000"))
        self.number(picking)
        self.assertEqual(self.send(), [])
        self.assertEqual(self.shipping(order)["tracking_code"], "59000")
        update = self.updates(order)
        self.assertEqual((update.state, update.next_try_at), ("failed", False))
        self.assertIn("59000", update.error)
        self.assertIn(CODE, self.activities(order))
        self.account.invalidate_recordset()
        self.assertEqual(self.account.overview_state, "decision")
        # The number in Odoo was wrong.
        self.number(picking, "59000")
        self.assertEqual(self.send(), [])
        self.assertEqual(self.updates(order).mapped("state"), ["done"])
        self.assertNotIn(CODE, self.activities(order))

    def test_echo_of_a_number_changes_nothing_in_the_order(self):
        order, picking = self.ordered()
        self.number(picking)
        self.send()
        self.assertEqual(order.keycrm_tracking_code, CODE)
        messages = len(order.message_ids)
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.message_ids), messages)
        self.assertFalse(self.updates(order).filtered(lambda one: one.state == "pending"))

    def test_refused_number_shows_the_reason_and_is_retried(self):
        self.keycrm.set_switches(tracking_needs_service="yes")
        order, picking = self.ordered()
        other = self.carrier.copy({"name": "Own courier"})
        self.number(picking, carrier=other)
        self.send()
        update = self.updates(order)
        self.assertEqual(update.state, "failed")
        self.assertIn("delivery_service_id", update.error)
        self.post.carrier_ids += other
        update.action_retry()
        self.send()
        self.assertEqual(update.state, "done")

    def test_lost_answer_sends_the_number_once(self):
        order, picking = self.ordered()
        self.number(picking)
        self.keycrm.add_fault("close", method="PUT", path="/order/*", executed=True)
        self.send()
        self.assertEqual(self.updates(order).state, "done")
        self.assertEqual(self.shipping(order)["tracking_code"], CODE)

    def test_number_corrected_in_keycrm_ends_the_conflict(self):
        order, picking = self.ordered(shipping=typed("59000"))
        self.number(picking)
        self.send()
        self.assertIn(CODE, self.activities(order))
        shipping = {**self.shipping(order), "tracking_code": CODE}
        self.keycrm.patch_order(order.keycrm_id, shipping=shipping, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(self.send(), [])
        self.assertEqual(self.updates(order).mapped("state"), ["done"])
        self.assertNotIn(CODE, self.activities(order))

    def test_service_matched_later_is_sent(self):
        self.post.carrier_ids = False
        order, picking = self.ordered()
        _other, other_picking = self.ordered()
        self.number(picking)
        self.number(other_picking, "7", self.carrier.copy({"name": "Own courier"}))
        self.send()
        self.assertFalse(self.shipping(order).get("delivery_service_id"))
        self.post.carrier_ids = self.carrier
        self.assertEqual(self.send(), [{"shipping": {"delivery_service_id": 1}}])
        self.post.carrier_ids = self.carrier
        self.assertEqual(self.send(), [])

    def test_delivery_method_chosen_after_the_number_is_sent(self):
        order, picking = self.ordered()
        picking.carrier_tracking_ref = CODE
        self.env.cr.flush()
        self.send()
        picking.carrier_id = self.carrier
        self.env.cr.flush()
        self.send()
        self.assertEqual(self.shipping(order)["delivery_service_id"], 1)

    # === DISABLED MEANWHILE ===

    def test_number_written_while_the_account_is_disabled_is_sent_later(self):
        same, same_picking = self.ordered()
        self.number(same_picking, "5")
        self.send()
        order, picking = self.ordered()
        self.account.enabled = False
        self.number(picking)
        self.account.enabled = True
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.shipping(order)["tracking_code"], CODE)
        self.assertEqual(len(self.updates(same)), 1)

    def test_full_export_enqueues_only_open_orders_that_differ(self):
        order, picking = self.ordered()
        same, same_picking = self.ordered(shipping=typed("5"))
        ended, ended_picking = self.ordered()
        self.account.send_tracking = False
        self.number(picking)
        self.number(same_picking, "5")
        self.number(ended_picking, "6")
        self.move(ended, self.done)
        self.account.send_tracking = True
        TrackingKind(self.account).enqueue_all()
        self.assertEqual(self.updates(order + same + ended).sale_order_id, order)

    # === PREVIEW ===

    @contextmanager
    def switched_off_and_on(self):
        self.account.send_tracking = False
        yield
        self.account.web_save({"send_tracking": True}, {})

    def preview(self):
        preview = self.env["keycrm.send.preview"].search(
            [("account_id", "=", self.account.id)], limit=1
        )
        with self.committing(), open_client(self.account) as client:
            while preview.state == "running":
                PreviewJob(self.account, client).process()
        return preview

    def test_switching_on_shows_a_preview_and_sends_nothing_before_the_choice(self):
        with self.switched_off_and_on():
            order, picking = self.ordered()
            _same, same_picking = self.ordered(shipping=typed("5"))
            other, other_picking = self.ordered(shipping=typed("6"))
            self.number(picking)
            self.number(same_picking, "5")
            self.number(other_picking, "7")
        preview = self.preview()
        self.assertEqual(preview.state, "ready")
        self.assertEqual(
            (preview.change_count, preview.same_count, preview.problem_count), (1, 1, 1)
        )
        self.assertEqual(preview.line_ids.sale_order_id, other + order)
        self.number(picking, "8")
        self.assertEqual(self.send(), [])
        preview.action_send()
        self.assertEqual([body["shipping"]["tracking_code"] for body in self.send()], ["8"])
        self.assertFalse(self.account.kinds_to_preview)
        with self.assertRaises(UserError):
            preview.action_send()

    def test_button_not_now_switches_sending_off(self):
        with self.switched_off_and_on():
            _order, picking = self.ordered()
            self.number(picking)
        self.preview().action_not_now()
        self.assertFalse(self.account.send_tracking)
        self.assertFalse(self.account.kinds_to_preview)
        self.assertEqual(self.send(), [])

    def test_preview_recognizes_numbers_sent_to_the_custom_field(self):
        field = self.env["keycrm.custom.field"].search([("uuid", "=", "OR_1001")])
        self.account.write({"tracking_others": "field", "tracking_field_id": field.id})
        _order, picking = self.ordered()
        self.number(picking, f"{CODE}, 20459")
        self.send()
        with self.switched_off_and_on():
            pass
        preview = self.preview()
        self.assertEqual((preview.change_count, preview.same_count), (0, 1))

    # === MATCHING ===

    def test_delivery_method_has_one_service_of_an_account(self):
        other = self.account.delivery_service_ids - self.post
        with self.assertRaises(ValidationError):
            other[:1].carrier_ids = self.carrier

    def test_new_service_is_matched_by_name(self):
        self.company.partner_id.lang = "uk_UA"
        carrier = self.carrier.copy({"name": "Courier"})
        carrier.with_context(lang="uk_UA").name = "Кур’єр"
        self.keycrm.put_delivery_service(name="кур’єр")
        self.account.action_refresh_delivery_services()
        found = self.account.delivery_service_ids.filtered(lambda one: one.name == "кур’єр")
        self.assertEqual(found.carrier_ids, carrier)
