"""A database that can store nothing: no order, payment or picture is to blame for it."""

import base64
import errno
from unittest.mock import patch

from odoo.tools import mute_logger

from ..services.products import image_fetcher
from .common import KeycrmCase

LINES = [{"name": "Кухоль", "price": 100, "quantity": 2}]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LOGS = (
    "odoo.sql_db",
    "odoo.addons.ordage_keycrm.services.common.circuit_breaker",
)


class TestDatabaseFull(KeycrmCase):
    forget = True

    def setUp(self):
        super().setUp()
        self.stop_polling()

    def refuse(self, table, sqlstate):
        """Let PostgreSQL refuse rows of a table with an error of its own; the pages that are there take
        other rows."""
        self.env.cr.execute(
            f"""CREATE FUNCTION keycrm_test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{sqlstate}'; END $$;
                CREATE TRIGGER keycrm_test_refuse BEFORE INSERT ON {table}
                FOR EACH ROW EXECUTE FUNCTION keycrm_test_refuse()"""
        )

    def accept(self):
        """Let PostgreSQL accept all rows again, and the pause be over."""
        self.env.cr.execute("DROP FUNCTION keycrm_test_refuse CASCADE")
        over = {
            name: {**circuit, "until": "2020-01-01 00:00:00"}
            for name, circuit in self.account.work_circuits.items()
        }
        self.account.work_circuits = over

    def run_queue(self):
        with self.committing(), mute_logger(*LOGS):
            self.env["keycrm.account"]._cron_orders(self.account.id)

    def test_full_disk_fails_no_order_and_is_shown(self):
        numbers = [self.new_order(LINES) for _ in range(3)]
        for table, sqlstate, kind in (
            ("sale_order_line", "53100", "DiskFull"),
            ("product_product", "53200", "OutOfMemory"),
            ("sale_order", "25006", "ReadOnlySqlTransaction"),
        ):
            with self.subTest(kind=kind):
                self.receive_webhook(*numbers, status_id=1)
                self.refuse(table, sqlstate)
                self.run_queue()
                events = self.env["keycrm.event"].search([("state", "!=", "done")])
                self.assertEqual(set(events.mapped("state")), {"pending"})
                self.assertEqual(sum(events.mapped("attempts")), 0)
                self.assertIn(kind, self.account.circuit_error_text)
                self.assertIn("disk is full", self.account.circuit_error_text)
                self.assertEqual(self.account.overview_state, "problem")
                self.accept()
        self.run_queue()
        orders = self.env["sale.order"].search([("keycrm_id", "in", numbers)])
        self.assertEqual(len(orders), 3)
        self.assertFalse(self.account.circuit_error_text)
        self.assertEqual(self.account.overview_state, "connected")

    def test_full_disk_is_no_refusal_of_accounting(self):
        self.account.payment_journal_id = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1
        )
        self.account.import_payments = True
        number = self.new_order(LINES, payments=[{"amount": 200, "status": "paid"}])
        self.receive_webhook(number, status_id=1)
        self.refuse("account_payment", "53100")
        self.run_queue()
        self.assertFalse(self.env["sale.order"].search([("keycrm_id", "=", number)]))
        self.accept()
        self.run_queue()
        payment = self.env["sale.order"].search([("keycrm_id", "=", number)]).keycrm_payment_ids
        self.assertFalse(payment.problem)
        self.assertTrue(payment.payment_id)

    def test_no_picture_is_downloaded_onto_a_full_disk(self):
        self.keycrm.create_offer(
            name="Річ", sku="FULL-1", thumbnail_url="https://cdn.example.com/a.png"
        )
        order = self.arrive(self.new_order([{"sku": "FULL-1", "quantity": 1}]))
        offer = order.order_line.product_id.keycrm_offer_ids
        self.account.picture_hosts = "cdn.example.com"
        with patch.object(image_fetcher, "MIN_FREE_BYTES", 1 << 62):
            self.run_queue()
        self.assertEqual((offer.picture_state, offer.picture_tries), ("wanted", 0))
        self.assertIn("disk of Odoo's files", self.account.circuit_error_text)
        self.assertEqual(self.account.overview_state, "connected")

    def test_picture_that_the_disk_cannot_take_is_tried_again(self):
        self.keycrm.create_offer(
            name="Річ", sku="FULL-2", thumbnail_url="https://cdn.example.com/a.png"
        )
        order = self.arrive(self.new_order([{"sku": "FULL-2", "quantity": 1}]))
        offer = order.order_line.product_id.keycrm_offer_ids
        self.account.picture_hosts = "cdn.example.com"
        self.patch(image_fetcher.images, "fetch", lambda _url, _hosts: PIXEL)
        full = OSError(errno.ENOSPC, "No space left on device")
        with patch.object(type(self.env["ir.attachment"]), "_file_write", side_effect=full):
            self.run_queue()
        self.assertEqual((offer.picture_state, offer.picture_tries), ("wanted", 0))
        self.assertIn("disk of Odoo's files", self.account.circuit_error_text)
