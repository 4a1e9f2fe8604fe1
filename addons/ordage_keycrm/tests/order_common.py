"""Base class of the tests of orders."""

from odoo import fields

from .common import KeycrmCase


class OrderCase(KeycrmCase):
    """A shop with two offers and a status of each group; orders are made, moved, shipped, invoiced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new, cls.agreed, cls.made, cls.sent, cls.done, cls.canceled = (
            cls.status(group) for group in range(1, 7)
        )
        cls.offer = cls.keycrm.create_offer(sku="KUHOL-1", price=100, name="Кухоль")["id"]
        cls.other = cls.keycrm.create_offer(sku="TARIL-1", price=50, name="Тарілка")["id"]

    def make(self, status=None, quantity=5, **fields_):
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": quantity}],
            status_id=(status or self.new).keycrm_id,
            **fields_,
        )
        return self.arrive(number)

    def move(self, order, status):
        self.keycrm.set_status(order.keycrm_id, status.keycrm_id, webhook=False)
        return self.arrive(order.keycrm_id)

    def match_second_warehouse(self):
        """Match KeyCRM's warehouse 1 to the account's warehouse, and 2 to a new one, which is returned."""
        second = self.env["stock.warehouse"].create({"name": "Другий", "code": "DRU"})
        for remote, warehouse in ((1, self.warehouse), (2, second)):
            mapping = self.account.warehouse_ids.filtered(lambda w, r=remote: w.keycrm_id == r)
            mapping = mapping or mapping.create(
                {"account_id": self.account.id, "keycrm_id": remote, "name": str(remote)}
            )
            mapping.warehouse_ids = warehouse
        return second

    def line_id(self, order, index=0):
        return self.keycrm.order(order.keycrm_id)["answer"]["products"][index]["id"]

    def deliver(self, order, quantity=None):
        picking = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "outgoing"
        )
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
            move.picked = True
        picking._action_done()
        return picking

    def invoice(self, order):
        invoice = order._create_invoices()
        invoice.invoice_date = fields.Date.today()
        invoice.action_post()
        return invoice

    def activities(self, order):
        return " ".join(order.activity_ids.mapped(lambda a: f"{a.summary} {a.note}"))
