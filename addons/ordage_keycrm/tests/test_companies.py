"""A company buyer becomes a company contact, with the person below it."""

from ..services.common.api_gateway import open_client
from .buyer_common import BuyerCase


class TestCompanies(BuyerCase):
    def test_a_company_buyer_becomes_a_company_contact(self):
        client = self.buyer(company="ТОВ Ромашка")
        mate = self.keycrm.create_buyer(full_name="Оля", company_id=self.keycrm_company_of(client))[
            "id"
        ]
        first, second = self.arrive_by_worker(
            self.new_order([], client_id=client), self.new_order([], client_id=mate)
        )
        company = first.partner_id.commercial_partner_id
        self.assertEqual(company.name, "ТОВ Ромашка")
        self.assertTrue(company.is_company)
        self.assertEqual(first.partner_id.name, "Іван Петренко")
        self.assertEqual(first.partner_invoice_id, company)
        self.assertEqual(second.partner_id.parent_id, company, "the company is there once")

    def keycrm_company_of(self, client):
        with open_client(self.account) as keycrm:
            return keycrm.get(f"/buyer/{client}", {"include": "company"})["company"]["id"]

    def test_buyer_that_joins_a_company_later_is_moved_to_it(self):
        client = self.buyer()
        number = self.new_order([], client_id=client)
        partner = self.arrive_by_worker(number).partner_id
        company = self.keycrm.create_company(name="ФОП Коваль")["id"]
        self.keycrm.patch_buyer(client, company_id=company)
        self.arrive_by_worker(number)
        self.assertEqual(partner.parent_id.name, "ФОП Коваль")

    def test_unreadable_companies_delay_no_order(self):
        client = self.buyer(company="ТОВ Без відповіді")
        self.keycrm.add_fault("status", path="/buyer", status=400, times=None)
        self.addCleanup(self.keycrm.clear_faults)
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(order.partner_id.name, "Іван Петренко")

    # === FOUND AGAIN, RENAMED, INVOICED ===#

    def test_company_is_found_by_its_number_and_gets_its_new_name(self):
        client = self.buyer(company="ТОВ Ромашка")
        company = self.arrive_by_worker(self.new_order([], client_id=client)).partner_id.parent_id
        number = self.keycrm_company_of(client)
        # The sandbox has no call for it: the company is renamed in the list of buyers.
        renamed = {"id": number, "full_name": "ТОВ Ромашка Плюс", "name": "Ромашка"}
        mate = self.keycrm.create_buyer(full_name="Оля", company_id=number)["id"]
        for buyer in (client, mate):
            self.keycrm.patch_buyer(buyer, raw={"company": renamed})
        known = self.env["keycrm.company"].search([("keycrm_id", "=", number)])
        known.read_at = False
        second = self.arrive_by_worker(self.new_order([], client_id=mate))
        self.assertEqual(second.partner_id.parent_id, company)
        self.assertEqual(company.name, "ТОВ Ромашка Плюс")
        self.assertEqual(known.partner_id, company)

    def test_name_corrected_in_odoo_is_kept(self):
        client = self.buyer(company="тов ромашка")
        company = self.arrive_by_worker(self.new_order([], client_id=client)).partner_id.parent_id
        company.name = "ТОВ «Ромашка»"
        self.env["keycrm.company"].search([("partner_id", "=", company.id)]).read_at = False
        self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(company.name, "ТОВ «Ромашка»")

    def test_deleted_company_contact_is_created_again(self):
        client = self.buyer(company="ТОВ Ромашка")
        first = self.arrive_by_worker(self.new_order([], client_id=client))
        first.partner_id.parent_id = False
        company = self.env["keycrm.company"].search([("account_id", "=", self.account.id)])
        deleted = company.partner_id
        first.partner_invoice_id = first.partner_id
        deleted.unlink()
        mate = self.keycrm.create_buyer(full_name="Оля", company_id=self.keycrm_company_of(client))[
            "id"
        ]
        second = self.arrive_by_worker(self.new_order([], client_id=mate))
        self.assertEqual(second.partner_id.parent_id.name, "ТОВ Ромашка")
        self.assertTrue(second.partner_id.parent_id.is_company)

    def test_the_person_is_the_customer_and_the_company_pays(self):
        """As Odoo has it for contacts of companies: called and shipped to the person, owed by the company."""
        client = self.buyer(company="ТОВ Ромашка", phone="0671112277")
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=client,
            status_id=self.status(3).keycrm_id,
        )
        order = self.arrive_by_worker(number)
        self.assertEqual(order.partner_id.phone, "+380671112277")
        self.assertFalse(order.partner_id.is_company)
        order.order_line.product_id.invoice_policy = "order"
        invoice = order._create_invoices()
        self.assertEqual(invoice.commercial_partner_id.name, "ТОВ Ромашка")
        self.assertEqual(order.picking_ids.partner_id, order.partner_id)

    def test_existing_invoice_address_is_used(self):
        client = self.buyer(company="ТОВ Ромашка")
        first = self.arrive_by_worker(self.new_order([], client_id=client))
        books = self.env["res.partner"].create(
            {"name": "Бухгалтерія", "type": "invoice", "parent_id": first.partner_id.parent_id.id}
        )
        second = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(second.partner_invoice_id, books)
