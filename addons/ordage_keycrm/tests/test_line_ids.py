"""An order saved in KeyCRM may get new line ids: delivered quantities stay with their goods."""

from .order_common import OrderCase


class TestLineIds(OrderCase):
    def setUp(self):
        super().setUp()
        self.keycrm.set_switches(line_ids="new")
        self.addCleanup(self.keycrm.set_switches, line_ids="kept")

    def two_lines(self, **fields_):
        """An order of five cups and three plates."""
        number = self.new_order(
            [
                {"offer_id": self.offer, "price": 100, "quantity": 5},
                {"offer_id": self.other, "price": 50, "quantity": 3},
            ],
            status_id=self.made.keycrm_id,
            **fields_,
        )
        return self.arrive(number)

    def save(self, order, **changes):
        """Save an order in KeyCRM: its lines get new ids."""
        self.keycrm.patch_order(
            order.keycrm_id, webhook=False, **{"manager_comment": "Збережено", **changes}
        )
        return self.arrive(order.keycrm_id)

    def edit(self, order, index, **changes):
        self.keycrm.patch_line(
            order.keycrm_id, self.line_id(order, index), webhook=False, **changes
        )
        return self.arrive(order.keycrm_id)

    def lines(self, order):
        return {
            line.id: (line.product_id.default_code, line.product_uom_qty, line.qty_delivered)
            for line in order.order_line
        }

    def assertFollows(self, order):
        """The ids are KeyCRM's, nothing is shipped twice and the totals agree."""
        answer = self.keycrm.order(order.keycrm_id)["answer"]
        ours = order.order_line.filtered("product_uom_qty")
        self.assertEqual(
            sorted(ours.mapped("keycrm_id")), sorted(row["id"] for row in answer["products"])
        )
        self.assertEqual(order.amount_total, float(answer["grand_total"]))
        self.assertFalse(order.keycrm_total_differs)
        self.assertFalse(order.picking_ids.filtered("return_id"))

    def test_shipped_order_with_new_line_ids_ships_nothing_again(self):
        order = self.two_lines()
        self.deliver(order)
        before, pickings = self.lines(order), order.picking_ids
        self.save(order)
        self.assertEqual(self.lines(order), before)
        self.assertEqual(order.picking_ids, pickings)
        self.assertFollows(order)
        self.assertFalse(order.activity_ids)

    def test_open_delivery_of_an_order_with_new_line_ids_is_kept(self):
        order = self.two_lines()
        moves = order.picking_ids.move_ids
        before = [(move.id, move.product_uom_qty, move.state) for move in moves]
        self.save(order)
        now = order.picking_ids.move_ids
        self.assertEqual(before, [(move.id, move.product_uom_qty, move.state) for move in now])
        self.assertFollows(order)

    def test_quotation_with_new_line_ids_keeps_its_lines(self):
        order = self.make(self.new)
        order.order_line.name = "Для Олени"
        before = self.lines(order)
        self.save(order)
        self.assertEqual(self.lines(order), before)
        self.assertEqual(order.order_line.name, "Для Олени", "a person's description stays")
        self.assertFollows(order)

    def test_changed_quantity_with_partly_new_ids_is_followed(self):
        order = self.two_lines()
        self.deliver(order, quantity=2)
        first, second = order.order_line
        self.keycrm.set_switches(line_ids="kept")
        ids = [row["id"] for row in self.keycrm.order(order.keycrm_id)["answer"]["products"]]
        self.keycrm.patch_line(order.keycrm_id, ids[0], quantity=7, raw={"id": 987_001})
        self.arrive(order.keycrm_id)
        self.assertEqual((first.keycrm_id, first.product_uom_qty), (987_001, 7))
        self.assertEqual((second.keycrm_id, second.product_uom_qty), (ids[1], 3))
        open_moves = order.picking_ids.move_ids.filtered(
            lambda move: move.state not in ("done", "cancel")
        )
        self.assertEqual(
            {move.product_id.default_code: move.product_uom_qty for move in open_moves},
            {"KUHOL-1": 5, "TARIL-1": 1},
        )
        self.assertFollows(order)

    def test_swapped_ids_of_shipped_goods_ship_nothing_again(self):
        order = self.two_lines()
        self.deliver(order)
        before = self.lines(order)
        self.keycrm.set_switches(line_ids="kept")
        rows = self.keycrm.order(order.keycrm_id)["answer"]["products"]
        for row, other in zip(rows, reversed(rows), strict=True):
            self.keycrm.patch_line(order.keycrm_id, row["id"], raw={"id": other["id"]})
        self.arrive(order.keycrm_id)
        self.assertEqual(self.lines(order), before)
        self.assertFollows(order)

    def test_edits_of_two_equal_lines_keep_the_delivered_one(self):
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": n} for n in (5, 3)],
            status_id=self.made.keycrm_id,
        )
        order = self.arrive(number)
        picking = order.picking_ids
        move = picking.move_ids.filtered(lambda move: move.sale_line_id == order.order_line[0])
        move.quantity = 5
        move.picked = True
        picking._action_done()
        self.assertEqual(order.order_line.mapped("qty_delivered"), [5, 0])
        self.edit(order, 1, quantity=4)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [5, 4])
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order, 1))
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [5, 0])
        self.assertFollows(order)

    def test_one_off_goods_with_new_line_ids_keep_their_product(self):
        number = self.new_order(
            [{"name": "Гравіювання", "price": 30, "quantity": 1}], status_id=self.made.keycrm_id
        )
        order = self.arrive(number)
        self.deliver(order)
        before, product = self.lines(order), order.order_line.product_id
        # Its SKU was set here meanwhile, and another one-off product has the same name.
        product.default_code = "GRAV"
        self.save(order)
        self.assertEqual(order.order_line.product_id, product)
        self.assertEqual(
            [row[1:] for row in self.lines(order).values()], [row[1:] for row in before.values()]
        )
        self.assertFollows(order)

    def test_invoiced_quantities_are_kept_with_their_goods(self):
        order = self.two_lines()
        self.deliver(order)
        invoice = self.invoice(order)
        before = self.lines(order)
        self.save(order)
        self.assertEqual(self.lines(order), before)
        self.assertEqual(order.order_line.mapped("qty_invoiced"), [5, 3])
        self.assertEqual(order.invoice_ids, invoice)
        self.assertFalse(order.activity_ids)
        self.assertFollows(order)

    def test_quantity_below_the_delivered_one_is_returned_once(self):
        order = self.two_lines()
        self.deliver(order)
        self.edit(order, 0, quantity=4)
        self.save(order)
        back = order.picking_ids.filtered("return_id")
        self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 1)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [5, 3])

    def test_goods_replaced_and_added_again_are_shipped_once(self):
        self.keycrm.set_switches(line_ids="kept")
        order = self.make(self.made)
        self.deliver(order)
        line = self.line_id(order)
        other, first = (
            {"offer_id": offer, "sku": sku, "name": name}
            for offer, sku, name in (
                (self.other, "TARIL-1", "Тарілка"),
                (self.offer, "KUHOL-1", "Кухоль"),
            )
        )
        self.keycrm.patch_line(order.keycrm_id, line, webhook=False, **other)
        self.arrive(order.keycrm_id)
        self.keycrm.patch_line(order.keycrm_id, line, webhook=False, **first)
        self.arrive(order.keycrm_id)
        wanted = {
            row.product_id.default_code: row.product_uom_qty
            for row in order.order_line
            if row.product_uom_qty
        }
        self.assertEqual(wanted, {"KUHOL-1": 5})
        open_moves = order.picking_ids.move_ids.filtered(
            lambda move: move.state not in ("done", "cancel")
        )
        self.assertFalse(open_moves)

    def test_reserved_stock_is_updated_in_a_skipped_status(self):
        order = self.make(self.made)
        raw = {"stock_status": "reserved"}
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), raw=raw, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.keycrm_stock_status, "reserved")
        self.agreed.order_action = "skip"
        self.move(order, self.agreed)
        self.save(order)
        self.assertEqual(
            (order.order_line.keycrm_stock_status, order.order_line.keycrm_quantity),
            ("reserved", 5),
        )
        self.assertEqual(order.order_line.keycrm_id, self.line_id(order))

    def test_id_reused_for_one_off_goods_keeps_no_product(self):
        self.keycrm.set_switches(line_ids="kept")
        order = self.make(self.made)
        product = order.order_line.product_id
        line = self.line_id(order)
        self.keycrm.add_line(
            order.keycrm_id, offer_id=self.offer, price=100, quantity=5, webhook=False
        )
        fields_ = {"offer_id": None, "sku": None, "name": "Листівка", "price": 20, "quantity": 1}
        self.keycrm.patch_line(order.keycrm_id, line, webhook=False, **fields_)
        self.arrive(order.keycrm_id)
        names = {row.keycrm_name: row.product_id for row in order.order_line}
        self.assertEqual(names["Кухоль"], product)
        self.assertNotEqual(names["Листівка"], product)
        self.assertFollows(order)
