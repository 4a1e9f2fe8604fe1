"""A branch uses the products and contacts of the companies above it, as in Odoo."""

from odoo.tests import TransactionCase, tagged

from .buyer_common import BuyerCase
from .product_common import ProductCase
from .stock_common import StockCase


class BranchMixin(TransactionCase):
    """The account belongs to a branch of ``cls.root``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.env.company
        branch = cls.env["res.company"].create({"name": "Branch", "parent_id": cls.root.id})
        cls.env.user.company_ids |= branch
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": branch.ids})


class TestBranchProducts(ProductCase, BranchMixin):
    def test_product_of_the_parent_company_is_not_created_again(self):
        shirt = self.product(default_code="P-1", company_id=self.root.id)
        cup = self.product(barcode="4820000000017", company_id=self.root.id)
        first = self.line_of({"offer_id": self.offer(sku="P-1")["id"]})
        second = self.line_of({"offer_id": self.offer(sku="P-2", barcode=cup.barcode)["id"]})
        self.assertEqual((first.product_id, second.product_id), (shirt, cup))
        self.assertEqual(first.order_id.company_id, self.company)

    def test_product_of_another_branch_is_not_used(self):
        other = self.env["res.company"].create({"name": "Other", "parent_id": self.root.id})
        theirs = self.product(default_code="O-1", company_id=other.id)
        line = self.line_of({"offer_id": self.offer(sku="O-1")["id"]})
        self.assertNotEqual(line.product_id, theirs)

    def test_products_of_the_parent_company_are_proposed_for_a_sku(self):
        shirts = self.product(default_code="Q-1", company_id=self.root.id)
        shirts |= self.product(default_code="Q-1")
        number = self.new_order([{"offer_id": self.offer(sku="Q-1")["id"]}])
        self.assertEqual(self.outcomes_by_worker(number)[number].code, "sku_ambiguous")
        event = self.env["keycrm.event"].create(
            {
                "account_id": self.account.id,
                "event": "order.change_order_status",
                "state": "failed",
                "error_code": "sku_ambiguous",
                "error_params": {"sku": "Q-1"},
            }
        )
        self.assertEqual(event.candidate_ids, shirts)


class TestBranchContacts(BuyerCase, BranchMixin):
    def test_buyer_is_matched_to_a_contact_of_the_parent_company(self):
        partner = self.env["res.partner"].create(
            {"name": "Оля", "phone": "0671110001", "company_id": self.root.id}
        )
        client = self.buyer(full_name="Оля", phone="0671110001")
        order = self.arrive(self.new_order([], client_id=client))
        self.assertEqual(order.partner_id, partner)

    def test_contacts_moved_to_the_parent_company_are_kept(self):
        company = self.keycrm.create_company(name="ТОВ Ромашка")["id"]
        client = self.buyer(company_id=company)
        shipping = {"recipient_full_name": "Марія Коваль", "city": "Львів"}
        number = self.new_order([], client_id=client, shipping=shipping)
        first = self.arrive_by_worker(number)
        partner, address = first.partner_id, first.partner_shipping_id
        firm = partner.parent_id
        self.assertEqual(first.partner_invoice_id, firm)
        (firm | partner | address).company_id = self.root
        books = address.create({"name": "Офіс", "type": "invoice", "parent_id": firm.id})
        books.company_id = self.root
        second = self.arrive_by_worker(self.new_order([], client_id=client, shipping=shipping))
        self.assertEqual(second.partner_id, partner)
        self.assertEqual(second.partner_shipping_id, address)
        self.assertEqual(second.partner_invoice_id, books)
        books.active = False
        third = self.arrive_by_worker(self.new_order([], client_id=client, shipping=shipping))
        self.assertEqual(third.partner_invoice_id, firm)

    def test_contact_without_a_buyer_of_the_parent_company_is_kept(self):
        first = self.arrive(self.new_order([], client_id=None))
        first.partner_id.company_id = self.root
        second = self.arrive(self.new_order([], client_id=None))
        self.assertEqual(second.partner_id, first.partner_id)


@tagged("post_install", "-at_install")
class TestBranchStock(StockCase, BranchMixin):
    def setUp(self):
        super().setUp()
        self.keycrm.clear_log()

    def test_stock_of_a_product_of_the_parent_company_is_sent(self):
        cup = self.goods("BRANCH-1", company_id=self.root.id)
        self.count(cup, 7)
        self.assert_sent((cup, 7))

    def test_product_of_the_parent_company_is_mapped_by_its_sku(self):
        offer = self.keycrm.create_offer(sku="BRANCH-2", stock={1: 0})
        cup = self.env["product.product"].create(
            {
                "name": "Кухоль",
                "default_code": "BRANCH-2",
                "is_storable": True,
                "company_id": self.root.id,
            }
        )
        self.count(cup, 3)
        self.work()
        self.assertEqual(cup.keycrm_offer_ids.keycrm_id, offer["id"])
        self.assertEqual(self.shown(cup), 3)
