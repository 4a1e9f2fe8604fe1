from odoo.fields import Command

from .stock_common import StockCase

NEW, PRODUCTION, DELIVERING, COMPLETED, CANCELLED = 1, 4, 6, 8, 12
#: KeyCRM accounts: what their statuses do to stock.
ACCOUNTS = {
    "both": {"status_reserve": "on", "status_write_off": "on"},
    "neither": {"status_reserve": "off", "status_write_off": "off"},
}


class TestQuantity(StockCase):
    """One product, twenty in stock, and expected quantities computed without the addon's SQL."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cap = cls.goods("CAP")

    def fresh(self, switches="both", rule="on_hand"):
        """Reset: twenty pieces on both sides, no orders."""
        self.keycrm.set_switches(**ACCOUNTS[switches])
        orders = self.env["sale.order"].search([("keycrm_account_id", "=", self.account.id)])
        for order in orders:
            order.locked = False
            order._action_cancel()
            order.keycrm_account_id = False
        moves = self.env["stock.move"].search(
            [("product_id", "=", self.cap.id), ("state", "not in", ("done", "cancel"))]
        )
        moves._action_cancel()
        for quant in self.env["stock.quant"].search(
            [("product_id", "=", self.cap.id), ("location_id.usage", "=", "internal")]
        ):
            quant.with_context(inventory_mode=True).inventory_quantity_auto_apply = 0
        self.count(self.cap, 20)
        self.keycrm.set_stock(self.number(self.cap), 1, 20, reserve=0)
        self.account.stock_quantity = rule
        self.account.action_push_all_stock()
        self.work()

    # === STEPS ===#

    def new(self, quantity=5, status=NEW):
        number = self.new_order(
            [{"offer_id": self.number(self.cap), "quantity": quantity}], status_id=status
        )
        return number, self.arrive(number)

    def status(self, number, status):
        self.keycrm.set_status(number, status, webhook=False)
        return self.arrive(number)

    def ship(self, order, quantity=None):
        """Ship, in part or all of it; nothing where there is nothing to ship."""
        picking = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "outgoing"
        )[:1]
        if not picking:
            return
        picking.action_assign()
        for move in picking.move_ids:
            move.quantity = min(quantity or move.product_uom_qty, move.product_uom_qty)
            move.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        self.assertEqual(picking.state, "done")

    def other_customer(self, quantity=3):
        """Reserve for a customer of Odoo alone."""
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Neighbour"}).id,
                "order_line": [
                    Command.create({"product_id": self.cap.id, "product_uom_qty": quantity})
                ],
            }
        )
        order.action_confirm()
        order.picking_ids.action_assign()
        return order

    # === THE ORACLE ===#

    def lines(self):
        return self.env["sale.order.line"].search(
            [
                ("order_id.keycrm_account_id", "=", self.account.id),
                ("product_id", "=", self.cap.id),
            ]
        )

    def open_quantity(self, line):
        """:return: what Odoo still has to ship of a confirmed line"""
        return sum(
            move.product_qty
            for move in line.move_ids
            if move.state not in ("draft", "done", "cancel")
            and move.location_dest_id.usage == "customer"
        )

    def expected_terms(self):
        """:return: on hand, written off and not shipped, reserved for others, still taken out"""
        on_hand = self.cap.with_context(location=self.warehouse.lot_stock_id.id).qty_available
        written_off = taken = 0.0
        for line in self.lines():
            order, held = line.order_id, line.keycrm_stock_status
            if order.keycrm_skip_delivery or order.state == "cancel":
                continue
            if order.state == "sale":
                taken += self.open_quantity(line)
                if held == "fulfilled":
                    written_off += min(line.keycrm_quantity, self.open_quantity(line))
            elif held and order.keycrm_status_id.order_action not in ("skip", "cancel"):
                taken += line.keycrm_quantity
                written_off += line.keycrm_quantity if held == "fulfilled" else 0.0
        others = sum(
            detail.quantity_product_uom
            for detail in self.env["stock.move.line"].search(
                [
                    ("product_id", "=", self.cap.id),
                    ("state", "not in", ("done", "cancel")),
                    ("location_id", "child_of", self.warehouse.lot_stock_id.id),
                ]
            )
            if detail.move_id.sale_line_id.order_id.keycrm_account_id != self.account
        )
        return on_hand, written_off, others, taken

    def check(self, step=""):
        """KeyCRM shows what the definition says, and sells what is really free."""
        self.cap.invalidate_recordset()
        on_hand, written_off, others, taken = self.expected_terms()
        self.work()
        stock = self.keycrm.stock(self.number(self.cap))["warehouses"]["1"]
        shown, reserve = float(stock["quantity"]), float(stock["reserve"])
        if self.account.stock_quantity == "available":
            self.assertEqual(shown - reserve, on_hand - others - taken, step)
        else:
            self.assertEqual(shown, on_hand - written_off, step)

    # === THE CASES ===#

    def test_free_quantity_subtracts_everything_reserved_in_odoo(self):
        self.fresh("neither", "free")
        self.other_customer(3)
        _number, order = self.new(5, PRODUCTION)
        order.picking_ids.action_assign()
        self.work()
        self.assertEqual(self.shown(self.cap), 12)

    def test_goods_of_an_unconfirmed_order_are_not_sold_twice(self):
        self.fresh("both", "available")
        status = self.account.status_ids.filtered(lambda s: s.keycrm_id == PRODUCTION)
        status.order_action = "quotation"
        number, order = self.new(5, PRODUCTION)
        self.assertEqual(order.state, "draft")
        self.check("reserved, not confirmed")
        shown = self.shown(self.cap)
        status.order_action = "skip"
        self.check("the owner wants no such orders")
        self.assertEqual(self.shown(self.cap), shown + 5)
        status.order_action = "quotation"
        self.check("and wants them again")
        self.assertEqual(self.shown(self.cap), shown)
        order._action_cancel()
        self.check("canceled in Odoo")
        self.status(number, CANCELLED)
        self.check("canceled in KeyCRM")

    def test_order_imported_as_archived_subtracts_nothing(self):
        self.account.archive_status_ids = self.account.status_ids.filtered(
            lambda s: s.keycrm_id == COMPLETED
        )
        for rule in ("on_hand", "available"):
            self.fresh("both", rule)
            _number, order = self.new(5, COMPLETED)
            self.assertTrue(order.keycrm_skip_delivery)
            self.check(rule)
            self.assertEqual(self.shown(self.cap), 20)

    def test_stock_follows_a_changed_quantity_of_a_reserved_line(self):
        self.fresh("both", "available")
        number, _order = self.new(5, PRODUCTION)
        line = self.keycrm.order(number)["answer"]["products"][0]["id"]
        for quantity in (7, 2):
            self.keycrm.patch_line(number, line, quantity=quantity, webhook=False)
            self.arrive(number)
            self.check(quantity)

    def test_stock_is_exact_after_a_shipped_order_was_reduced(self):
        for rule in ("on_hand", "available"):
            self.fresh("both", rule)
            number, order = self.new(5, DELIVERING)
            self.ship(order)
            line = self.keycrm.order(number)["answer"]["products"][0]["id"]
            self.keycrm.patch_line(number, line, quantity=2, webhook=False)
            self.arrive(number)
            self.check(rule)

    def test_wrong_reserved_quantity_of_quants_is_ignored(self):
        """Concurrent users may leave a quant with more reserved than its moves reserve."""
        for rule, sold in (("available", 15), ("free", 15)):
            self.fresh("neither", rule)
            self.new(5, PRODUCTION)
            self.env.flush_all()
            self.env.cr.execute(
                """UPDATE stock_quant SET reserved_quantity = reserved_quantity + 2
                    WHERE product_id = %s AND location_id = %s""",
                [self.cap.id, self.warehouse.lot_stock_id.id],
            )
            self.env.invalidate_all()
            self.account.action_push_all_stock()
            self.work()
            self.assertEqual(self.shown(self.cap), sold, rule)

    def test_reserve_of_a_skipped_order_counts(self):
        skipped = self.account.status_ids.filtered(lambda s: s.keycrm_id == CANCELLED)
        for rule in ("on_hand", "available"):
            for step in (PRODUCTION, DELIVERING):
                self.fresh("both", rule)
                skipped.order_action = "cancel"
                number, order = self.new(5, step)
                skipped.order_action = "skip"
                self.status(number, CANCELLED)
                self.assertEqual(order.keycrm_status_id, skipped)
                self.check(f"{rule}: {step}")

    def test_order_deleted_in_keycrm_releases_its_reserve(self):
        for rule in ("on_hand", "available"):
            for step in (PRODUCTION, DELIVERING):
                self.fresh("both", rule)
                number, order = self.new(5, step)
                self.keycrm.delete_order(number)
                order._keycrm_mark_deleted()
                self.check(f"{rule}: {step}")

    def test_goods_of_a_canceled_order_returned_in_parts_are_not_resent(self):
        self.fresh("both", "available")
        number, order = self.new(5, DELIVERING)
        self.ship(order, 3)
        self.status(number, CANCELLED)
        (expected,) = order.picking_ids.filtered(
            lambda p: p.picking_type_code == "incoming" and p.state != "cancel"
        )
        self.assertEqual(expected.move_ids.product_uom_qty, 3)
        expected.move_ids.write({"quantity": 1, "picked": True})
        expected.with_context(skip_backorder=True).button_validate()
        self.arrive(number)
        open_ones = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))
        self.assertEqual(open_ones.picking_type_id.mapped("code"), ["incoming"])
        self.assertEqual(open_ones.move_ids.product_uom_qty, 2)
        self.check("one of three is back")

    def test_product_with_two_offers_is_never_oversold(self):
        self.fresh("both", "available")
        twin = self.keycrm.create_offer(sku="CAP", stock={1: 20})["id"]
        self.env["keycrm.offer"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": twin,
                "sku": "CAP",
                "product_id": self.cap.id,
            }
        )
        self.addCleanup(self.keycrm.delete_offer, twin)
        number = self.new_order([{"offer_id": twin, "quantity": 5}], status_id=PRODUCTION)
        self.arrive(number)
        self.work()
        (first,) = self.cap.keycrm_offer_ids.filtered(lambda o: o.keycrm_id != twin)
        for offer in (twin, first.keycrm_id):
            stock = self.keycrm.stock(offer)["warehouses"]["1"]
            self.assertLessEqual(float(stock["quantity"]) - float(stock["reserve"]), 15)

    def test_goods_picked_and_packed_first_are_subtracted_once(self):
        self.warehouse.delivery_steps = "pick_pack_ship"
        self.addCleanup(setattr, self.warehouse, "delivery_steps", "ship_only")
        self.fresh("both", "available")
        _number, order = self.new(5, PRODUCTION)
        for _step in range(3):
            self.work()
            stock = self.keycrm.stock(self.number(self.cap))["warehouses"]["1"]
            self.assertEqual(float(stock["quantity"]) - float(stock["reserve"]), 15)
            picking = order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))[:1]
            picking.action_assign()
            picking.move_ids.picked = True
            picking.button_validate()
        self.assertEqual(order.order_line.qty_delivered, 5)
        self.work()
        stock = self.keycrm.stock(self.number(self.cap))["warehouses"]["1"]
        self.assertEqual(float(stock["quantity"]) - float(stock["reserve"]), 15)
