"""Every edit that KeyCRM can make × states that an order can be in: each has one defined result."""

from typing import NamedTuple

from .order_common import OrderCase


class Result(NamedTuple):
    """What an edit comes to.

    :param ordered: pieces of the mug in Odoo's order; of the plate, for edits of the plate
    :param to_ship: pieces of the same that are still to be shipped
    :param back: pieces of the same whose return is expected
    :param notified: whether an activity notifies a user
    :param equal: whether the total equals KeyCRM's
    """

    ordered: float
    to_ship: float
    back: float = 0
    notified: bool = False
    equal: bool = True


OPEN, PART, OUT = (5, 5), (5, 3), (5, 0)
KEPT = Result(*OUT, notified=True, equal=False)
#: By edit, then by state. Five mugs at 100 and a plate at 50; partly delivered are two mugs.
RESULTS = {
    "more": {
        "quotation": Result(7, 0),
        "partly": Result(7, 5),
        "invoiced": Result(7, 2),
        "locked": Result(7, 7),
    },
    "fewer": {
        "quotation": Result(3, 0),
        "partly": Result(3, 1),
        "invoiced": Result(5, 0, back=2, notified=True, equal=False),
        "locked": Result(3, 3),
    },
    "far fewer": {
        "quotation": Result(1, 0),
        "partly": Result(2, 0, back=1, notified=True, equal=False),
        "invoiced": Result(5, 0, back=4, notified=True, equal=False),
        "locked": Result(1, 1),
    },
    # Nothing of an invoice is changed: a person decides about a credit note.
    **{
        edit: {
            "quotation": Result(5, 0),
            "partly": Result(*PART),
            "invoiced": KEPT,
            "locked": Result(*OPEN),
        }
        for edit in ("price", "line discount")
    },
    # A line of its own, for an invoice to come.
    "order discount": {
        "quotation": Result(5, 0),
        "partly": Result(*PART),
        "invoiced": Result(*OUT),
        "locked": Result(*OPEN),
    },
    "added line": {
        "quotation": Result(2, 0),
        "partly": Result(2, 2),
        "invoiced": Result(2, 2),
        "locked": Result(2, 2),
    },
    "removed line": {
        "quotation": Result(0, 0),
        "partly": Result(0, 0),
        "invoiced": Result(1, 0, back=1, notified=True, equal=False),
        "locked": Result(0, 0),
    },
    # Goods that are still to go go there; of those already shipped a user is notified.
    "recipient": {
        "quotation": Result(5, 0),
        "partly": Result(*PART),
        "invoiced": Result(*OUT, notified=True),
        "locked": Result(*OPEN),
    },
}
#: Confirmed and delivered orders are those locked and invoiced; what differs is decided without a database
#: (tests/pure/test_line_edits.py).
STATES = ("quotation", "partly", "invoiced", "locked")
HOME = {"recipient_full_name": "Марія Коваль", "shipping_receive_point": "Відділення 1"}
AWAY = {"recipient_full_name": "Ганна Коваль", "shipping_receive_point": "Відділення 2"}


class TestEditMatrix(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.third = cls.keycrm.create_offer(sku="LOZHKA-1", price=20, name="Ложка")["id"]

    def in_state(self, state):
        """Make an order and bring it into a state."""
        number = self.new_order(
            [
                {"offer_id": self.offer, "price": 100, "quantity": 5},
                {"offer_id": self.other, "price": 50, "quantity": 1},
            ],
            status_id=(self.new if state == "quotation" else self.made).keycrm_id,
            shipping=HOME,
        )
        order = self.arrive(number)
        if state == "partly":
            self.deliver_some(order)
        elif state == "invoiced":
            self.deliver(order)
            order.order_line.product_id.invoice_policy = "order"
            self.invoice(order)
        order.locked = state == "locked"
        return order

    def deliver_some(self, order):
        moves = order.picking_ids.move_ids
        for move in moves:
            move.quantity = 2 if move.product_id.default_code == "KUHOL-1" else 0
            move.picked = bool(move.quantity)
        order.picking_ids._action_done()
        self.assertEqual(order.order_line.mapped("qty_delivered"), [2, 0])

    def edit(self, number, edit, ids):
        """Let a manager edit the order in KeyCRM.

        :param ids: numbers of its lines
        :return: SKU of the goods that the result describes
        """
        mug, plate = ids
        lines = {
            "more": {"quantity": 7},
            "fewer": {"quantity": 3},
            "far fewer": {"quantity": 1},
            "price": {"price": 90},
            "line discount": {"discount_percent": 10},
        }
        if edit in lines:
            self.keycrm.patch_line(number, mug, webhook=False, **lines[edit])
        elif edit == "order discount":
            self.keycrm.patch_order(number, discount_amount=30, webhook=False)
        elif edit == "added line":
            self.keycrm.add_line(number, offer_id=self.third, price=20, quantity=2, webhook=False)
            return "LOZHKA-1"
        elif edit == "removed line":
            self.keycrm.remove_line(number, plate)
            return "TARIL-1"
        else:
            self.keycrm.patch_order(number, shipping=AWAY, webhook=False)
        return "KUHOL-1"

    def found(self, order, sku):
        """Return what an edit came to."""
        line = order.order_line.filtered(lambda line: line.product_id.default_code == sku)
        moves = line.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        back = moves.filtered("origin_returned_move_id")
        return Result(
            sum(line.mapped("product_uom_qty")),
            sum((moves - back).mapped("product_uom_qty")),
            sum(back.mapped("product_uom_qty")),
            bool(order.activity_ids),
            not order.keycrm_total_differs,
        )

    def assertNothingLost(self, order, before):
        """Delivered and invoiced quantities are kept; the total is KeyCRM's or is shown as different."""
        delivered, invoiced = before
        for line in delivered:
            self.assertEqual(line.qty_delivered, delivered[line])
        self.assertEqual(order.invoice_ids.mapped("amount_total"), invoiced)
        total = float(self.keycrm.order(order.keycrm_id)["answer"]["grand_total"])
        self.assertAlmostEqual(order.keycrm_total, total, places=2)
        same = abs(order.amount_total - total) < 0.005
        self.assertEqual(same, not order.keycrm_total_differs)
        for line in order.order_line.filtered("product_id"):
            self.assertGreaterEqual(
                line.product_uom_qty, max(line.qty_delivered, line.qty_invoiced)
            )

    def check_edit(self, edit):
        for state in STATES:
            with self.subTest(edit=edit, state=state):
                order = self.in_state(state)
                number = order.keycrm_id
                before = (
                    {line: line.qty_delivered for line in order.order_line if line.qty_delivered},
                    order.invoice_ids.mapped("amount_total"),
                )
                ids = [row["id"] for row in self.keycrm.order(number)["answer"]["products"]]
                sku = self.edit(number, edit, ids)
                # A second import changes nothing more and notifies no user twice.
                for _again in range(2):
                    self.arrive(number)
                    self.assertEqual(self.found(order, sku), RESULTS[edit][state])
                    self.assertNothingLost(order, before)
                    self.assertLessEqual(len(order.activity_ids), 1)
                self.assertEqual(order.locked, state == "locked")
                self.check_recipient(order, edit)
                if order.activity_ids:
                    # Once done, the next import does not schedule it again.
                    order.activity_ids.action_done()
                    self.arrive(number)
                    self.assertFalse(order.activity_ids)

    def check_recipient(self, order, edit):
        wanted = (AWAY if edit == "recipient" else HOME)["recipient_full_name"]
        self.assertEqual(order.partner_shipping_id.name, wanted)
        for picking in order.picking_ids.filtered(lambda p: not p.return_id):
            is_closed = picking.state in ("done", "cancel")
            self.assertEqual(
                picking.partner_id.name, HOME["recipient_full_name"] if is_closed else wanted
            )

    def test_matrix_has_a_result_for_each_edit_and_state(self):
        for edit, states in RESULTS.items():
            self.assertEqual(tuple(states), STATES, edit)

    def test_edit_more_pieces(self):
        self.check_edit("more")

    def test_edit_fewer_pieces(self):
        self.check_edit("fewer")

    def test_edit_fewer_pieces_than_delivered(self):
        self.check_edit("far fewer")

    def test_edit_price(self):
        self.check_edit("price")

    def test_edit_discount_of_a_line(self):
        self.check_edit("line discount")

    def test_edit_discount_of_the_order(self):
        self.check_edit("order discount")

    def test_edit_added_line(self):
        self.check_edit("added line")

    def test_edit_removed_line(self):
        self.check_edit("removed line")

    def test_edit_recipient(self):
        self.check_edit("recipient")

    def test_reverted_edit_cancels_its_return_and_activity(self):
        for state in ("partly", "invoiced"):
            with self.subTest(state=state):
                order = self.in_state(state)
                line = self.line_id(order)
                for quantity in (1, 5):
                    self.keycrm.patch_line(order.keycrm_id, line, quantity=quantity, webhook=False)
                    self.arrive(order.keycrm_id)
                back = order.picking_ids.filtered("keycrm_expected_return")
                self.assertEqual(back.mapped("state"), ["cancel"])
                self.assertFalse(order.activity_ids, "no activity remains")
                self.assertFalse(order.keycrm_total_differs)
                self.assertEqual(order.order_line[0].product_uom_qty, 5)
