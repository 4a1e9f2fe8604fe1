"""Recipients and parcel offices become delivery addresses."""

from ..services.orders.order_writer import OrderWriter
from .buyer_common import OFFICE, BuyerCase


class TestRecipients(BuyerCase):
    def test_recipient_and_parcel_office_become_the_delivery_address(self):
        order = self.arrive(self.new_order([], client_id=self.buyer(), shipping=OFFICE))
        address = order.partner_shipping_id
        self.assertRecordValues(
            address,
            [
                {
                    "type": "delivery",
                    "parent_id": order.partner_id.id,
                    "name": "Марія Коваль",
                    "phone": "+380509998877",
                    "street": "Відділення №5: вул. Данилишина, 6",
                    "city": "Львів",
                }
            ],
        )

    def test_same_recipient_is_not_created_again(self):
        client = self.buyer()
        first, second = self.arrive(
            self.new_order([], client_id=client, shipping=OFFICE),
            self.new_order(
                [],
                client_id=client,
                shipping={
                    **OFFICE,
                    "recipient_full_name": " марія  КОВАЛЬ",
                    "recipient_phone": "+38 (050) 999-88-77",
                },
            ),
        )
        first.partner_shipping_id.street = "Відділення 5 (виправлено)"
        third = self.arrive(self.new_order([], client_id=client, shipping=OFFICE))
        self.assertEqual(first.partner_shipping_id, second.partner_shipping_id)
        self.assertEqual(first.partner_shipping_id, third.partner_shipping_id)
        self.assertEqual(len(first.partner_id.child_ids), 1)

    def test_address_gets_the_buyers_terms_in_each_company(self):
        client = self.buyer()
        partner = self.arrive(self.new_order([], client_id=client)).partner_id
        here, there = self.env["account.payment.term"].create([{"name": "Here"}, {"name": "There"}])
        partner.property_payment_term_id = here
        first = self.arrive(self.new_order([], client_id=client, shipping=OFFICE))
        self.assertEqual(first.partner_shipping_id.property_payment_term_id, here)

        other = self.env["res.company"].create({"name": "Other"})
        partner.with_company(other).property_payment_term_id = there
        office = {**OFFICE, "recipient_full_name": "Ганна Коваль"}
        second = self.arrive(self.new_order([], client_id=client, shipping=office))
        address = second.partner_shipping_id
        self.assertNotEqual(address, first.partner_shipping_id)
        self.assertEqual(address.property_payment_term_id, here)
        self.assertEqual(address.with_company(other).property_payment_term_id, there)

    def test_address_of_another_company_is_kept_and_the_order_arrives(self):
        """A contact may be shared by companies; the address that one of them made of it is its own."""
        self.env["res.partner"].create({"name": "Спільна Оля", "phone": "0671110001"})
        client = self.buyer(full_name="Спільна Оля", phone="0671110001")
        number = self.new_order([], client_id=client, shipping=OFFICE)
        first = self.arrive(number)
        self.assertFalse(first.partner_id.company_id)
        books = self.env["res.partner"].create(
            {
                "name": "Бухгалтерія",
                "type": "invoice",
                "parent_id": first.partner_id.id,
                "company_id": self.company.id,
            }
        )
        other = self.env["res.company"].create({"name": "Друга"})
        env = self.env(context={**self.env.context, "allowed_company_ids": other.ids})
        account = self.account.with_env(env).copy(
            {"name": "Друга", "company_id": other.id, "warehouse_id": False}
        )
        account.write({"api_key": self.second_key(), "api_url": self.sandbox.api_url})
        account.enabled = True
        account.action_refresh_statuses()
        (outcome,) = OrderWriter(account).import_orders([self.read_order(number)]).values()
        self.assertFalse(outcome.code, outcome.params)
        second = env["sale.order"].browse(outcome.order_id)
        self.assertEqual(second.partner_id, first.partner_id)
        self.assertEqual(second.partner_shipping_id.company_id, other)
        self.assertNotEqual(second.partner_invoice_id, books)

    def test_recipient_equal_to_the_buyer_creates_no_address(self):
        client = self.buyer(phone="0671112233")
        order = self.arrive(
            self.new_order(
                [],
                client_id=client,
                shipping={
                    "recipient_full_name": "Іван Петренко",
                    "recipient_phone": "067 111-22-33",
                },
            )
        )
        self.assertEqual(order.partner_shipping_id, order.partner_id)
        self.assertFalse(order.partner_id.child_ids)

    def test_changed_recipient_of_a_confirmed_order_updates_its_delivery(self):
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=self.buyer(),
            status_id=self.status(3).keycrm_id,
            shipping=OFFICE,
        )
        order = self.arrive(number)
        self.assertEqual(order.picking_ids.partner_id.name, "Марія Коваль")
        self.keycrm.patch_order(
            number, webhook=False, shipping={**OFFICE, "recipient_full_name": "Ганна Коваль"}
        )
        self.arrive(number)
        self.assertEqual(order.partner_shipping_id.name, "Ганна Коваль")
        self.assertEqual(order.picking_ids.partner_id, order.partner_shipping_id)
        self.assertFalse(order.picking_ids.activity_ids, "no user has to do it manually")

    def test_changed_recipient_of_shipped_goods_schedules_an_activity(self):
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=self.buyer(),
            status_id=self.status(3).keycrm_id,
            shipping=OFFICE,
        )
        order = self.arrive(number)
        picking = order.picking_ids
        picking._keycrm_validate_deliveries()
        self.assertEqual(picking.state, "done")
        self.keycrm.patch_order(
            number, webhook=False, shipping={**OFFICE, "recipient_full_name": "Ганна Коваль"}
        )
        self.arrive(number)
        self.assertEqual(picking.partner_id.name, "Марія Коваль", "history stays as it was")
        self.assertIn("Ганна Коваль", order.activity_ids.note)
        self.assertDecisions(order)

    def test_tracking_number_is_on_order_and_delivery_and_searchable(self):
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=self.buyer(),
            status_id=self.status(3).keycrm_id,
            shipping={**OFFICE, "tracking_code": "20450001112233", "delivery_service_id": 1},
        )
        order = self.arrive(number)
        self.assertEqual(order.keycrm_tracking_code, "20450001112233")
        self.assertTrue(order.keycrm_delivery_service)
        self.assertEqual(order.picking_ids.keycrm_tracking_code, "20450001112233")
        self.assertEqual(order.picking_ids.keycrm_delivery_service, order.keycrm_delivery_service)
        found = self.env["stock.picking"].search([("keycrm_tracking_code", "=", "20450001112233")])
        self.assertEqual(found, order.picking_ids)
