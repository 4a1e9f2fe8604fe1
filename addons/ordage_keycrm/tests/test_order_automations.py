"""Odoo's own automations: nothing is mailed to a buyer or added to an order, and none fails an import."""

from unittest.mock import patch

from odoo.fields import Command

from ..services.orders.order_writer import OrderWriter
from .order_common import OrderCase


class AutomationCase(OrderCase):
    def setUp(self):
        super().setUp()
        self.mail = self.env["mail.template"].create(
            {
                "name": "Дякуємо",
                "model_id": self.env["ir.model"]._get_id("sale.order"),
                "subject": "Дякуємо за замовлення",
                "body_html": "<p>Замовлення <t t-out='object.name'/></p>",
                "partner_to": "{{ object.partner_id.id }}",
            }
        )
        present = self.env["product.product"].create({"name": "Подарунок"})
        self.company.sale_order_template_id = self.env["sale.order.template"].create(
            {
                "name": "Типова",
                "mail_template_id": self.mail.id,
                "note": "<p>Умови</p>",
                "sale_order_template_line_ids": [Command.create({"product_id": present.id})],
            }
        )

    def mails_to(self, order):
        return self.env["mail.mail"].search(
            [("recipient_ids", "in", (order.partner_id | order.partner_shipping_id).ids)]
        )

    def notified(self, order):
        """:return: messages to the buyer, on the order or its transfers"""
        partners = order.partner_id | order.partner_shipping_id
        return self.env["mail.message"].search([("notified_partner_ids", "in", partners.ids)])


class TestMails(AutomationCase):
    def test_buyer_of_an_imported_order_gets_no_mail(self):
        order = self.make(self.made)
        self.assertEqual(order.state, "sale")
        self.assertFalse(self.notified(order) or self.mails_to(order))
        self.assertFalse(order.sale_order_template_id)
        self.assertEqual(order.order_line.product_id.name, "Кухоль")

    def test_order_of_odoo_itself_still_gets_its_mail(self):
        order = self.env["sale.order"].create(
            {"partner_id": self.env["res.partner"].create({"name": "К", "email": "k@x.ua"}).id}
        )
        order.action_confirm()
        self.assertTrue(self.notified(order))

    def test_quotation_template_sends_nothing_when_keycrm_confirms(self):
        order = self.make(self.new)
        order.sale_order_template_id = self.company.sale_order_template_id
        self.move(order, self.made)
        self.assertEqual(order.state, "sale")
        self.assertFalse(self.notified(order))

    def test_account_may_allow_mails_to_buyers(self):
        self.account.notify_buyers = True
        order = self.make(self.made)
        self.assertTrue(self.notified(order))
        self.assertEqual(order.order_line.product_id.name, "Кухоль", "no line of the template")
        self.assertEqual(order.amount_total, 500)
        self.assertFalse(order.keycrm_total_differs)

    def test_old_order_sends_no_mail_to_its_buyer(self):
        self.account.notify_buyers = True
        self.account.archive_status_ids = self.done
        order = self.make(self.done, created_at="2025-01-01T10:00:00.000000Z")
        self.assertTrue(order.keycrm_skip_delivery)
        self.assertEqual(order.state, "sale")
        self.assertFalse(self.notified(order))

    def test_mail_that_fails_does_not_fail_the_import(self):
        self.account.notify_buyers = True
        self.mail.body_html = "<p><t t-out='object.no_such_field'/></p>"
        with self.assertLogs("odoo.addons.ordage_keycrm.models.orders.sale_order_lifecycle"):
            order = self.make(self.made)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.picking_ids)
        self.assertIn("Дякуємо", self.activities(order))
        self.assertDecisions(order)

    def test_missing_pdf_program_does_not_fail_the_import(self):
        self.account.notify_buyers = True
        self.mail.report_template_ids = self.env.ref("sale.action_report_saleorder")
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100}], status_id=self.made.keycrm_id
        )
        # In tests Odoo would render HTML instead.
        writer = OrderWriter(self.account.with_context(force_report_rendering=True))
        with (
            patch.object(
                self.env.registry["ir.actions.report"],
                "get_wkhtmltopdf_state",
                lambda _self: "install",
            ),
            self.assertLogs("odoo.addons.ordage_keycrm.models.orders.sale_order_lifecycle"),
        ):
            result = writer.import_orders([self.read_order(number)])[number]
        order = self.env["sale.order"].browse(result.order_id)
        self.assertEqual((order.state, order.keycrm_problem), ("sale", False))
        self.assertTrue(order.picking_ids)
        self.assertIn("Wkhtmltopdf", self.activities(order))

    def test_delivery_sends_no_mail_to_the_buyer(self):
        self.company.stock_move_email_validation = True
        template = self.company.stock_mail_confirmation_template_id
        self.assertTrue(template)
        order = self.make(self.made)
        self.assertEqual(self.deliver(order).state, "done")
        self.assertFalse(self.notified(order))
        self.account.notify_buyers = True
        self.assertEqual(self.deliver(other := self.make(self.made)).state, "done")
        self.assertTrue(self.notified(other))


class TestRefusedConfirmation(AutomationCase):
    def test_order_that_odoo_cannot_confirm_is_imported_and_shows_why(self):
        self.env.flush_all()
        self.env.cr.execute(
            "ALTER TABLE stock_picking ADD CONSTRAINT strict CHECK (id < 0) NOT VALID"
        )
        good = self.new_order([{"name": "Разове", "price": 1}], status_id=self.new.keycrm_id)
        bad = self.new_order(
            [{"offer_id": self.offer, "price": 100}], status_id=self.made.keycrm_id
        )
        orders = self.arrive(good, bad)
        self.assertEqual(orders.mapped("state"), ["draft", "draft"])
        self.assertIn("strict", orders[1].keycrm_problem)
        self.assertTrue(orders[1].keycrm_needs_decision)
        self.assertIn("strict", self.activities(orders[1]))
        self.env.cr.execute("ALTER TABLE stock_picking DROP CONSTRAINT strict")
        self.arrive(bad)
        self.assertEqual(orders[1].state, "sale")
        self.assertFalse(orders[1].keycrm_problem or orders[1].activity_ids)

    def test_any_error_of_the_confirmation_is_shown(self):
        self.env.flush_all()
        self.env.cr.execute(
            "ALTER TABLE stock_picking ADD CONSTRAINT broken CHECK (1 / (id * 0) > 0) NOT VALID"
        )
        with self.assertLogs("odoo.addons.ordage_keycrm.services.orders.contacts", "WARNING"):
            order = self.make(self.made)
        self.assertEqual(order.state, "draft")
        self.assertIn("division by zero", order.keycrm_problem)
        self.assertIn("division by zero", self.activities(order))
        self.env.cr.execute("ALTER TABLE stock_picking DROP CONSTRAINT broken")
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")


class TestCombo(AutomationCase):
    def setUp(self):
        super().setUp()
        cup = self.env["product.product"].create({"name": "Чашка", "is_storable": True})
        combo = self.env["product.combo"].create(
            {"name": "Вибір", "combo_item_ids": [Command.create({"product_id": cup.id})]}
        )
        self.combo = self.env["product.product"].create(
            {
                "name": "Набір",
                "default_code": "NABIR",
                "type": "combo",
                "combo_ids": [Command.set(combo.ids)],
            }
        )
        self.set = self.keycrm.create_offer(sku="NABIR", price=250, name="Набір")["id"]

    def choose_another_product(self):
        """Do what the sentence on the order says.

        :return: the product
        """
        kit = self.env["product.product"].create({"name": "Комплект", "is_storable": True})
        self.env["keycrm.offer"].search([("keycrm_id", "=", self.set)]).product_id = kit
        return kit

    def test_order_with_a_combo_waits_and_another_product_confirms_it(self):
        number = self.new_order(
            [{"offer_id": self.set, "price": 250}], status_id=self.made.keycrm_id
        )
        order = self.arrive(number)
        self.assertEqual((order.state, order.order_line.product_id), ("draft", self.combo))
        self.assertIn("Набір", order.keycrm_problem)
        self.assertTrue(order.keycrm_needs_decision)
        self.assertIn("“Offers”", self.activities(order))
        kit = self.choose_another_product()
        self.arrive(number)
        self.assertEqual((order.state, order.order_line.product_id), ("sale", kit))
        self.assertFalse(order.keycrm_problem or order.activity_ids)
        self.assertEqual(order.picking_ids.move_ids.product_id, kit)

    def test_combo_in_confirmed_order_schedules_activity_replacement_ships(self):
        order = self.make(self.made)
        self.keycrm.add_line(order.keycrm_id, offer_id=self.set, quantity=2)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")
        self.assertIn("Набір", self.activities(order))
        self.assertDecisions(order)
        kit = self.choose_another_product()
        self.arrive(order.keycrm_id)
        moves = order.picking_ids.move_ids.filtered(lambda move: move.product_id == kit)
        self.assertEqual(moves.product_uom_qty, 2)
        self.assertFalse(order.activity_ids)

    def test_service_replaced_by_goods_in_confirmed_order_is_shipped(self):
        self.combo.write({"type": "service", "combo_ids": False})
        number = self.new_order(
            [{"offer_id": self.set, "price": 250, "quantity": 3}], status_id=self.made.keycrm_id
        )
        order = self.arrive(number)
        self.assertEqual((order.state, order.picking_ids.ids), ("sale", []))
        goods = self.choose_another_product()
        self.arrive(number)
        self.assertEqual(order.picking_ids.move_ids.product_id, goods)
        self.assertEqual(order.picking_ids.move_ids.product_uom_qty, 3)
        self.assertEqual(order.amount_total, 750)
        self.arrive(number)
        self.assertEqual(len(order.picking_ids.move_ids), 1)

    def test_combo_confirmed_by_a_user_schedules_an_activity(self):
        number = self.new_order(
            [{"offer_id": self.set, "price": 250}], status_id=self.made.keycrm_id
        )
        order = self.arrive(number)
        order.action_confirm()
        self.arrive(number)
        self.assertIn("Набір", self.activities(order))
        self.assertEqual(order.activity_ids.summary, "A combo of the order is not delivered")
