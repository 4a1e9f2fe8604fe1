"""The chatter of an order lists what KeyCRM changed; forms ask before an action contradicts KeyCRM."""

from datetime import datetime

from lxml import etree

from odoo.exceptions import UserError
from odoo.tools import html2plaintext

from .order_common import OrderCase


class TestOrderChanges(OrderCase):
    def log(self, order):
        """Return the newest entry of the chatter as text."""
        return html2plaintext(order.message_ids[:1].body)

    def test_each_change_of_keycrm_is_one_line_in_the_chatter(self):
        order = self.make(self.made)
        self.keycrm.patch_line(
            order.keycrm_id, self.line_id(order), quantity=7, price=90, webhook=False
        )
        self.keycrm.patch_order(
            order.keycrm_id,
            manager_comment="Дзвонити ввечері",
            shipping={"tracking_code": "20450000000001"},
            webhook=False,
        )
        self.arrive(order.keycrm_id)
        entry = order.message_ids[0]
        self.assertTrue(entry.subtype_id.internal, "buyers read the portal's messages")
        text = self.log(order).replace("\N{NO-BREAK SPACE}", " ")
        for line in (
            "Кухоль",
            "7 × 90.00",
            "Дзвонити ввечері",
            "Tracking number: – → 20450000000001",
        ):
            self.assertIn(line, text)
        self.assertNotIn("KeyCRM status", text)

    def test_order_that_arrives_unchanged_adds_nothing_to_the_chatter(self):
        order = self.make(self.made)
        before = order.message_ids
        self.arrive(order.keycrm_id)
        self.assertEqual(order.message_ids, before)

    def test_status_and_cancellation_in_keycrm_are_logged(self):
        order = self.make(self.made)
        old, new = order.keycrm_status_id.display_name, self.canceled.display_name
        self.keycrm.set_status(order.keycrm_id, self.canceled.keycrm_id, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "cancel")
        self.assertIn(f"KeyCRM status: {old} → {new}", self.log(order))
        self.assertIn("→ Cancelled", self.log(order))


class TestOrderQuestions(OrderCase):
    def buttons(self, name):
        """Return ``[(invisible, question)]`` of the buttons in the header of the order form."""
        arch = etree.fromstring(self.env["sale.order"].get_view(view_type="form")["arch"])
        return [
            (button.get("invisible"), button.get("confirm"))
            for button in arch.xpath("//header/button[@name=$name]", name=name)
        ]

    def test_canceling_an_order_of_keycrm_names_keycrm(self):
        (plain, _question), (asking, question) = self.buttons("action_cancel")
        self.assertTrue(plain.endswith("or keycrm_is_locked"))
        self.assertTrue(asking.endswith("or not keycrm_is_locked"))
        self.assertIn("KeyCRM still has this order", question)

    def test_confirming_an_order_with_differing_total_needs_an_answer(self):
        found = self.buttons("action_confirm")
        self.assertEqual(len(found), 4)
        for invisible, question in found:
            asks = invisible.endswith("or not keycrm_total_differs")
            self.assertEqual(bool(question), asks)

    def test_confirming_by_hand_keeps_the_date_of_the_order_in_keycrm(self):
        order = self.make(self.made)
        order._action_cancel()
        order.action_draft()
        placed = datetime(2026, 3, 1, 10, 0)
        order.env.cr.execute(
            "UPDATE sale_order SET date_order = %s WHERE id = %s", (placed, order.id)
        )
        order.invalidate_recordset()
        other = self.env["sale.order"].create(
            {"partner_id": order.partner_id.id, "date_order": placed}
        )
        (order | other).action_confirm()
        self.assertEqual((order.state, other.state), ("sale", "sale"))
        self.assertEqual(order.date_order, placed)
        self.assertGreater(other.date_order, placed)


class TestPacking(OrderCase):
    def test_a_scanned_number_opens_its_delivery(self):
        order = self.make(self.made)
        other = self.make(self.made)
        shipping = {"tracking_code": "20450000000777"}
        self.keycrm.patch_order(order.keycrm_id, shipping=shipping, webhook=False)
        self.arrive(order.keycrm_id)
        Picking = self.env["stock.picking"]
        for code in (
            *("20450000000777", " 20450000000777 ", str(order.keycrm_id), order.keycrm_number),
            *(order.name, order.picking_ids.name),
        ):
            with self.subTest(code):
                action = Picking.action_keycrm_open_parcel(code)
                self.assertEqual(action["res_id"], order.picking_ids.id)
                self.assertEqual(action["views"], [(False, "form")])
        for code in ("2045", "%", "_", "99999999999999999999"):
            with self.subTest(code), self.assertRaises(UserError):
                Picking.action_keycrm_open_parcel(code)
        self.keycrm.patch_order(other.keycrm_id, shipping=shipping, webhook=False)
        self.arrive(other.keycrm_id)
        found = Picking.action_keycrm_open_parcel("20450000000777")
        self.assertEqual(
            Picking.search(found["domain"]), order.picking_ids | other.picking_ids, "one parcel"
        )

    def test_labels_of_several_deliveries_are_one_file(self):
        orders = self.make(self.made) | self.make(self.made)
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "ordage_keycrm.action_report_parcel", orders.picking_ids.ids
        )
        text = html2plaintext(html.decode())
        for order in orders:
            self.assertIn(order.keycrm_number, text)
        self.assertIn("500.00", text)
