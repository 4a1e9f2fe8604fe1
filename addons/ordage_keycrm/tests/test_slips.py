from lxml import html

from odoo.tests import tagged

from .order_common import OrderCase

SLIPS = ("stock.report_picking", "stock.report_deliveryslip")
FACTS = (
    "KEY-77",
    "20450000000077",
    "Нова Пошта",
    "500",
    "Литвин Оксана",
    "+380671234567",
    "Львів",
    "Відділення №5",
    "Дзвоніть після 18",
    "З днем народження",
)
LABELS = {
    "en_US": (
        "KeyCRM order",
        "Tracking number",
        "Delivery service",
        "To collect on delivery",
        "Buyer's comment",
        "Gift: enclose no payment documents",
        "Gift message",
    ),
    "uk_UA": (
        "Замовлення KeyCRM",
        "ТТН",
        "Служба доставки",
        "До сплати при отриманні",
        "Коментар покупця",
        "Подарунок: не вкладати платіжних документів",
        "Вітальне повідомлення",
    ),
}


@tagged("-at_install", "post_install")
class TestSlips(OrderCase):
    def ship(self):
        return self.make(
            self.made,
            source_uuid="KEY-77",
            buyer={"full_name": "Коваль Марія", "phone": "+380501112233"},
            buyer_comment="Дзвоніть після 18",
            is_gift=True,
            gift_message="З днем народження",
            shipping={
                "recipient_full_name": "Литвин Оксана",
                "recipient_phone": "+380671234567",
                "shipping_address_city": "Львів",
                "shipping_receive_point": "Відділення №5",
                "tracking_code": "20450000000077",
                "delivery_service_id": 1,
            },
        )

    def text(self, slip, pickings, lang="en_US"):
        pickings.partner_id.lang = lang
        Report = self.env["ir.actions.report"].with_context(lang=lang)
        page, _kind = Report._render_qweb_html(slip, pickings.ids)
        # Numbers and the recipient's phone are set with no-break spaces.
        return " ".join(html.fromstring(page).text_content().split()).replace("\u2060", "")

    def test_both_slips_show_what_the_storekeeper_needs(self):
        self.env["res.lang"]._activate_lang("uk_UA")
        pickings = self.ship().picking_ids
        for lang, labels in LABELS.items():
            for slip in SLIPS:
                text = self.text(slip, pickings, lang)
                for word in (*labels, *FACTS):
                    with self.subTest(word, slip=slip, lang=lang):
                        self.assertIn(word, text)

    def test_slips_of_a_pick_step_show_the_recipient(self):
        self.env["stock.warehouse"].search([]).delivery_steps = "pick_ship"
        pick = self.ship().picking_ids.filtered(lambda p: p.picking_type_code == "internal")
        self.assertTrue(pick)
        for slip in SLIPS:
            text = self.text(slip, pick)
            for fact in FACTS:
                with self.subTest(fact, slip=slip):
                    self.assertIn(fact, text)

    def test_slips_of_other_transfers_show_nothing_of_keycrm(self):
        pickings = self.ship().picking_ids.copy()
        pickings.move_ids.sale_line_id = False
        for slip in SLIPS:
            with self.subTest(slip):
                self.assertNotIn("KEY-77", self.text(slip, pickings))

    def test_a_slip_prints_large_order_numbers_without_separators(self):
        order = self.make(self.made)
        order.keycrm_id = 1234567
        for slip in SLIPS:
            with self.subTest(slip):
                self.assertIn("1234567", self.text(slip, order.picking_ids))
