from .stock_common import StockCase


class TestStockSeen(StockCase):
    """What people see: why a number, and whether a move has arrived."""

    def setUp(self):
        super().setUp()
        self.hat = self.goods(self.id().rsplit(".", 1)[-1])

    def test_a_move_says_whether_its_effect_has_arrived(self):
        move = self.move(self.hat, 4, self.suppliers, self.warehouse.lot_stock_id)
        self.env.cr.flush()
        self.work()
        move.invalidate_recordset()
        self.assertEqual(move.keycrm_state, "sent")
        self.assertTrue(move.keycrm_sent_at)
        self.env["keycrm.stock.change"]._append([(self.account.id, self.hat.id)])
        move.invalidate_recordset()
        self.assertEqual(move.keycrm_state, "waiting")

    def test_why_this_number_adds_up_and_leads_to_its_records(self):
        for rule in ("on_hand", "free", "available"):
            self.account.stock_quantity = rule
            self.count(self.hat, 9)
            self.work()
            action = self.hat.product_tmpl_id.action_keycrm_why()
            why = self.env["keycrm.stock.why"].browse(action["res_id"])
            lines = why.line_ids.filtered(lambda line: line.keycrm_warehouse_id == self.kw1)
            total = lines.filtered(lambda line: line.kind == "sum")
            sent = lines.filtered(lambda line: line.kind == "sent")
            terms = lines - total - sent
            self.assertEqual(sum(terms.mapped("quantity")), total.quantity)
            self.assertEqual((total.quantity, sent.quantity), (9, 9))
            self.assertTrue(sent.moment)
            for line in lines:
                shown = line.action_open()
                self.env[shown["res_model"]].search(shown["domain"])
