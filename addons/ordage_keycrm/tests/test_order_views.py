"""What the screens of orders and deliveries show to a salesperson and to a packer."""

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import new_test_user
from odoo.tools.safe_eval import safe_eval

from .order_common import OrderCase

NODES = "//*[@name=$name and not(ancestor::field)]"
ALERTS = "//div[contains(@class,'alert-warning')]//*[@name=$name]"


#: Where a packer's form has its facts: above the notebook.
ABOVE = "//notebook/preceding-sibling::group//*[@name=$name]"
#: The page of an order with what KeyCRM sent.
PAGE = "//page[@name='keycrm']//*[@name=$name]"


class TestDecisionsOnScreens(OrderCase):
    def arch(self, name):
        """Return a view of the addon."""
        return etree.fromstring(self.env.ref(f"ordage_keycrm.{name}").get_combined_arch())

    def shows(self, record, name, path=NODES):
        """Return whether the form shows a node, by its conditions and those of its parents."""
        arch = etree.fromstring(record.get_view(view_type="form")["arch"])
        values = {node.get("name") for node in arch.iter("field")} & set(record._fields)
        values = {name: record[name] for name in values}
        return any(
            not any(
                safe_eval(one.get("invisible"), dict(values))
                for one in (node, *node.iterancestors())
                if one.get("invisible")
            )
            for node in arch.xpath(path, name=name)
        )

    def test_screens_show_what_a_shop_looks_for_first(self):
        order = self.make(
            self.made,
            source_uuid="LM-1042",
            buyer_comment="Подзвоніть",
            shipping={
                "tracking_code": "20450000000123",
                "recipient_full_name": "Марія",
                "recipient_phone": "+380671112233",
                "shipping_address_city": "Одеса",
                "shipping_receive_point": "Відділення №5",
            },
        )
        recipient = ("keycrm_recipient_phone", "keycrm_recipient_address")
        parcel = ("keycrm_number", "keycrm_tracking_code", "keycrm_amount_due")
        for record, path, names in (
            (order.picking_ids, ABOVE, (*parcel, *recipient, "keycrm_buyer_comment")),
            (order, PAGE, ("partner_shipping_id", *recipient)),
        ):
            for name in names:
                with self.subTest(record._name, name=name):
                    self.assertTrue(record[name])
                    self.assertTrue(self.shows(record, name, path))
        board = self.arch("keycrm_order_view_kanban")
        self.assertEqual(board.get("default_group_by"), "keycrm_status_id")
        self.assertTrue(board.xpath("//t[@t-name='card']//*[contains(@t-value, 'keycrm_id')]"))
        # A click on an offer opens it, instead of editing to which product it belongs.
        self.assertFalse(self.arch("keycrm_offer_view_list").get("editable"))
        self.assertEqual(
            self.arch("keycrm_account_view_form").xpath("//header/button/@name"),
            [
                *("action_open_setup", "action_test_connection"),
                *("action_load_products", "action_synchronize_orders"),
            ],
        )

    def test_pivot_and_graph_sum_the_revenue_by_status_source_and_day(self):
        made = [
            self.make(status, quantity, source_id=source)
            for source, status, quantity in (
                *((1, self.made, 5), (1, self.made, 1), (2, self.made, 2), (2, self.sent, 3)),
            )
        ]
        shop, fair = (order.keycrm_source_id.id for order in made[1:3])
        day = f"{made[0].date_order.date()} 00:00:00"
        done = self.made.id
        for kind, groups, expected in (
            (
                *("pivot", ["keycrm_status_id", "keycrm_source_id"]),
                {(done, shop): 600, (done, fair): 200, (self.sent.id, fair): 300},
            ),
            (
                *("graph", ["date_order:day", "keycrm_source_id"]),
                {(day, shop): 600, (day, fair): 500},
            ),
        ):
            with self.subTest(kind):
                arch = self.arch(f"keycrm_order_view_{kind}")
                fields = [(one.get("name"), one.get("interval")) for one in arch.iter("field")]
                found = [":".join(filter(None, one)) for one in fields]
                self.assertEqual(found, [*groups, "amount_total"])
                self.assertEqual(arch.xpath("//field[@type='measure']/@name"), ["amount_total"])
                rows = self.env["sale.order"].formatted_read_group(
                    [("keycrm_account_id", "=", self.account.id)], groups, ["amount_total:sum"]
                )
                sums = {
                    tuple(row[group][0] for group in groups): row["amount_total:sum"]
                    for row in rows
                }
                self.assertEqual(sums, expected)

    def test_packer_sees_which_parcel_must_not_be_shipped(self):
        packer = new_test_user(self.env, "packer", groups="stock.group_stock_user")
        order = self.make(self.made)
        picking = order.picking_ids.with_user(packer)
        self.assertFalse(self.shows(picking, "keycrm_do_not_ship"))
        order._keycrm_mark_deleted()
        picking.invalidate_recordset()
        self.assertTrue(self.shows(picking, "keycrm_do_not_ship"))
        self.assertEqual(picking.keycrm_decision, "deleted")
        for view in ("list", "kanban"):
            arch = self.env.ref(f"ordage_keycrm.keycrm_pack_view_{view}").arch
            self.assertIn("keycrm_decision", arch)
        order.action_keycrm_accept()
        picking.invalidate_recordset()
        self.assertFalse(self.shows(picking, "keycrm_do_not_ship"))

    def test_return_can_be_received_despite_an_open_decision(self):
        order = self.make(self.made)
        self.deliver(order)
        back = order._keycrm_expect_return(dict.fromkeys(order.order_line, 0.0))
        order._keycrm_mark_deleted()
        self.assertTrue(back.keycrm_needs_decision)
        self.assertFalse(self.shows(back, "keycrm_do_not_ship"))

    def test_accepted_difference_is_no_longer_a_warning(self):
        order = self.make(self.made)
        self.assertFalse(self.shows(order, "action_keycrm_accept"))
        self.keycrm.patch_order(order.keycrm_id, grand_total=778, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_decision, "total_differs")
        self.assertTrue(self.shows(order, "action_keycrm_accept"))
        order.action_keycrm_accept()
        self.assertTrue(order.keycrm_total_differs)
        self.assertFalse(self.shows(order, "action_keycrm_accept"))
        self.assertFalse(self.shows(order, "keycrm_total", ALERTS))

    def test_quotation_with_differing_total_cannot_be_accepted(self):
        order = self.make(self.made, grand_total=777)
        self.assertEqual(order.keycrm_decision, "total_differs")
        self.assertFalse(self.shows(order, "action_keycrm_accept"))

    def test_deleted_order_is_canceled_or_kept_on_its_form(self):
        order = self.make(self.made)
        self.assertFalse(self.shows(order, "action_cancel", ALERTS))
        order._keycrm_mark_deleted()
        self.assertTrue(self.shows(order, "action_cancel", ALERTS))
        self.assertTrue(self.shows(order, "action_keycrm_accept", ALERTS))

    def test_several_orders_are_accepted_at_once_with_a_summary(self):
        deleted = self.make(self.made) | self.make(self.made)
        deleted._keycrm_mark_deleted()
        waiting = self.make(self.made, grand_total=777)
        answer = (deleted | waiting).action_keycrm_accept()["params"]
        self.assertEqual(answer["type"], "warning")
        self.assertEqual(
            answer["message"],
            "Left as they are: 2. Not changed: 1. They need a different decision, or no decision.",
        )
        self.assertFalse(any(deleted.mapped("keycrm_needs_decision")))
        self.assertTrue(waiting.keycrm_needs_decision)
        with self.assertRaises(UserError):
            waiting.action_keycrm_accept()

    def test_cancellation_of_a_selection_names_keycrm(self):
        Wizard = self.env["sale.mass.cancel.orders"]
        order = self.make(self.made)
        other = self.env["sale.order"].create({"partner_id": order.partner_id.id})
        arch = etree.fromstring(Wizard.get_view(view_type="form")["arch"])
        for orders, expected in ((order | other, True), (other, False)):
            wizard = Wizard.create({"sale_order_ids": orders.ids})
            self.assertEqual(wizard.keycrm_is_locked, expected)
        self.assertTrue(arch.xpath("//div[@name='keycrm_is_locked']"))


class TestParcels(OrderCase):
    def open(self, code):
        return self.env["stock.picking"].action_keycrm_open_parcel(code)

    def test_a_scanned_product_opens_the_parcels_that_still_need_it(self):
        order, other = self.make(self.made), self.make(self.made)
        product = order.order_line.product_id
        product.barcode = "4820000000017"
        pickings = order.picking_ids | other.picking_ids
        for code in ("4820000000017", "kuhol-1"):
            ((_field, _operator, ids),) = self.open(code)["domain"]
            self.assertCountEqual(ids, pickings.ids)
        self.deliver(order)
        self.assertEqual(self.open("4820000000017")["res_id"], other.picking_ids.id)
        self.deliver(other)
        with self.assertRaises(UserError):
            self.open("4820000000017")

    def test_scanned_number_has_priority_over_a_product(self):
        first, second = self.make(self.made), self.make(self.made)
        second.order_line.product_id.barcode = first.name
        self.assertEqual(self.open(first.name)["res_id"], first.picking_ids.id)

    def test_address_is_short_and_phone_falls_back_to_the_buyers(self):
        self.company.country_id = self.env.ref("base.ua")
        order = self.make(
            self.made,
            buyer={"full_name": "Оля", "phone": "+380671112233"},
            shipping={
                "recipient_full_name": "Марія",
                "shipping_address_city": "Одеса",
                "shipping_receive_point": "Відділення №5",
            },
        )
        self.assertEqual(order.keycrm_recipient_address, "Відділення №5, Одеса")
        self.assertEqual(order.keycrm_recipient_phone, "+380671112233")
        order.partner_shipping_id.country_id = self.env.ref("base.pl")
        self.assertEqual(order.keycrm_recipient_address, "Відділення №5, Одеса, Poland")
