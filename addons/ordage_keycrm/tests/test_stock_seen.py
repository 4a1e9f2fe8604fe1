from odoo.fields import Command

from .stock_common import StockCase


class TestStockSeen(StockCase):
    """What users see: the explanation of a quantity, and whether a move was sent."""

    def setUp(self):
        super().setUp()
        self.hat = self.goods(self.id().rsplit(".", 1)[-1])

    def test_move_shows_whether_its_effect_was_sent(self):
        move = self.move(self.hat, 4, self.suppliers, self.warehouse.lot_stock_id)
        self.env.cr.flush()
        self.work()
        move.invalidate_recordset()
        self.assertEqual(move.keycrm_state, "sent")
        self.assertTrue(move.keycrm_sent_at)
        self.env["keycrm.stock.change"]._enqueue_rows([(self.account.id, self.hat.id)])
        move.invalidate_recordset()
        self.assertEqual(move.keycrm_state, "waiting")

    # === WHY THIS NUMBER ===#

    def explanation(self, lang="en_US"):
        action = self.hat.with_context(lang=lang).product_tmpl_id.action_keycrm_explain()
        explanation = self.env["keycrm.stock.explanation"].browse(action["res_id"])
        return explanation.line_ids.filtered(lambda line: line.keycrm_warehouse_id == self.kw1)

    def reserve_for_another_customer(self, quantity):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Neighbour"}).id,
                "order_line": [
                    Command.create({"product_id": self.hat.id, "product_uom_qty": quantity})
                ],
            }
        )
        order.action_confirm()
        order.picking_ids.action_assign()

    def an_order(self, quantity, status):
        self.keycrm.set_switches(status_reserve="on", status_write_off="on")
        lines = [{"offer_id": self.number(self.hat), "quantity": quantity}]
        return self.arrive(self.new_order(lines, status_id=status))

    def assert_explains(self, lines, **sums):
        """Expect that the link behind each term leads to records that add up to it."""
        quantity_of = {
            "stock.quant": "quantity",
            "stock.move.line": "quantity_product_uom",
            "sale.order.line": "keycrm_quantity",
            "keycrm.stock.level": "quantity",
        }
        found = {}
        for line in lines.filtered(lambda line: line.kind != "warehouse"):
            action = line.action_open()
            records = self.env[action["res_model"]].search(action["domain"])
            found[line.kind] = sum(records.mapped(quantity_of[action["res_model"]]))
        self.assertEqual(found, sums)

    def test_explanation_is_an_equation_whose_terms_open_their_records(self):
        self.account.stock_quantity = "available"
        self.count(self.hat, 12)
        self.reserve_for_another_customer(2)
        self.an_order(3, 4)
        self.work()
        lines = self.explanation()
        self.assertRegex(
            " ".join(lines[1:].mapped("name")),
            rf"^On hand in {self.warehouse.name} 12 − reserved in Odoo for others 2 "
            r"− to be shipped for KeyCRM's orders 3 \+ KeyCRM's own reservation 3 "
            r"= sent 10 at \d\d:\d\d$",
        )
        self.assertEqual(lines[0].name, self.kw1.display_name)
        self.assertEqual(lines[-1].quantity, sum(lines[1:-1].mapped("quantity")))
        self.assert_explains(lines, on_hand=12, others=2, orders=3, keycrm=3, sent=10)

    def test_explanation_subtracts_goods_written_off_and_not_shipped(self):
        self.count(self.hat, 12)
        self.an_order(3, 6)
        self.work()
        lines = self.explanation()
        self.assert_explains(lines, on_hand=12, written_off=3, sent=9)
        self.assertIn("not shipped yet 3", lines[2].name)

    def test_explanation_subtracts_what_is_reserved(self):
        self.account.stock_quantity = "free"
        self.count(self.hat, 12)
        self.reserve_for_another_customer(2)
        self.work()
        self.assert_explains(self.explanation(), on_hand=12, reserved=2, sent=10)

    def test_explanation_is_in_ukrainian(self):
        self.count(self.hat, 12)
        self.an_order(3, 6)
        self.work()
        text = " ".join(self.explanation("uk_UA")[1:].mapped("name"))
        self.assertRegex(text, r"12 − .*списано.* 3 = передано 9 \(\d\d:\d\d\)$")

    def test_explanation_shows_waiting_refused_and_missing_quantities(self):
        self.count(self.hat, 4)
        self.work()
        self.count(self.hat, 7)
        self.env.cr.flush()
        text = " ".join(self.explanation().mapped("name"))
        self.assertIn("= 7, waiting to send", text)
        self.assertRegex(text, r"\(KeyCRM had 4 at \d\d:\d\d\)")
        self.work()
        self.hat.keycrm_level_ids.error = "The quantity is too large."
        self.assertIn(
            "= 7, refused by KeyCRM: The quantity is too large.", self.explanation()[-1].name
        )
        self.hat.keycrm_offer_ids.unlink()
        self.assertEqual(self.explanation()[-1].name, "= 7, not in KeyCRM")
