"""Orders in every shape that KeyCRM was seen to send: they arrive, or fail with a sentence."""

import copy
import json
import os

from odoo.tools import mute_logger

from ..keycrm.errors import KeyCrmError
from ..keycrm.orders import Order
from ..services.orders.order_inbox import parse_order
from ..services.orders.order_writer import OrderWriter
from .common import KeycrmCase

#: Everything that an order can hold, as recorded answers have it (confirmed fields).
FULL = {
    "parent_id": None,
    "source_id": 1,
    "source_uuid": "ROZ-1",
    "client_id": 501,
    "status_id": 1,
    "grand_total": 2855,
    "products_total": 3569,
    "total_discount": 714,
    "payments_total": 0,
    "discount_amount": 0.2,
    "discount_percent": 20,
    "shipping_price": "0.00",
    "wrap_price": None,
    "taxes": None,
    "payment_status": "not_paid",
    "manager_comment": "Передзвонити",
    "buyer_comment": None,
    "client_comment": "Дякую",
    "has_reserves": False,
    "promocode": None,
    "created_at": "2026-08-01T11:39:24.000000Z",
    "updated_at": "2026-08-01T11:40:24.000000Z",
    "ordered_at": "2026-08-01T11:39:24.000000Z",
    "closed_at": "2026-08-01 11:39:24",
    "deleted_at": None,
    "warehouse": {"id": 1, "name": "Основний"},
    "buyer": {"id": 501, "company_id": None, "full_name": "Олена Коваль", "phone": "0671112233"},
    "shipping": {
        "tracking_code": "20450001112233",
        "recipient_full_name": "Марія Коваль",
        "recipient_phone": "+380509998877",
        "shipping_receive_point": "Відділення №5",
        "address_payload": {"city_desc": "Львів", "warehouse_desc": "№5"},
    },
    "manager": {"id": 1, "full_name": "Ірина"},
    "tags": [{"id": 1, "name": "опт"}],
    "status": {"id": 1, "name": "new", "group_id": 1},
    "marketing": {"utm_source": "google"},
    "payments": [],
    "products": [
        {
            "id": 1,
            "sku": "S-1",
            "name": "Сорочка",
            "price": 3569,
            "price_sold": 3569,
            "quantity": 1,
            "discount_percent": 0,
            "unit_type": None,
            "comment": None,
            "properties": [{"name": "Колір", "value": "біла"}],
            "picture": {"thumbnail": "https://example.com/1.jpg"},
            "stock_status": "reserved",
            "shipment_type": "warehouse",
            "warehouse": {"id": 1, "name": "Основний"},
            "offer": {"id": 77, "product_id": 7, "sku": "S-1", "barcode": None, "price": 3569},
        }
    ],
}
#: What may stand in place of anything.
ODD = (None, "", [], {}, "0.00", "x" * 5000, "🎁\u0000\ud83d", True, -1, [None])
#: Every odd value in every place takes minutes; else each place gets a few of them in turn.
EVERYTHING = os.environ.get("SLOW") == "1"
#: Places in which one of them once brought a traceback.
ONCE_WRONG = (("payment_status",), ("products", 0, "warehouse", "id"))


def odd_for(path, turn):
    """Return what is tried in a place.

    :param turn: number of the place
    """
    if EVERYTHING or path in ONCE_WRONG:
        return ODD
    return [ODD[(turn * 3 + step) % len(ODD)] for step in range(3)]


def places(value, path=()):
    """Return the path of everything in an answer."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


class TestShapes(KeycrmCase):
    number = 700_000

    def parse(self, **changes):
        """Parse an order as the worker does; its numbers are its own."""
        type(self).number += 1
        body = {**copy.deepcopy(FULL), **changes, "id": self.number}
        for line in body["products"] if isinstance(body["products"], list) else ():
            if isinstance(line, dict) and line.get("id") == 1:
                line["id"] = self.number
        return parse_order(json.loads(json.dumps(body)))

    def import_order(self, **changes):
        """Import an order and expect that it succeeds.

        :return: ``sale.order``
        """
        order = self.parse(**changes)
        self.assertIsInstance(order, Order)
        outcome = OrderWriter(self.account).import_orders([order])[order.id]
        self.assertFalse(outcome.code, (outcome.code, outcome.params, outcome.details))
        return self.env["sale.order"].browse(outcome.order_id)

    def test_recorded_order_is_imported_completely(self):
        order = self.import_order()
        self.assertEqual(order.amount_total, 2855)
        self.assertFalse(order.keycrm_total_differs)
        self.assertEqual(order.keycrm_tracking_code, "20450001112233")

    def test_whole_shop_is_imported_exactly(self):
        """Orders of every status, source and kind of line that the sandbox has from recorded answers."""
        self.keycrm.reset(seed=22, orders=60, offers=30, keep_switches=True)
        numbers = self.keycrm.order_ids()
        outcomes = self.outcomes(*numbers)
        for number in numbers:
            answer = self.keycrm.order(number)["answer"]
            outcome = outcomes[number]
            self.assertFalse(outcome.code, (number, outcome.code, outcome.params))
            order = self.env["sale.order"].browse(outcome.order_id)
            self.assertEqual(f"{order.amount_total:.2f}", f"{float(answer['grand_total']):.2f}")
            self.assertFalse(order.keycrm_total_differs or order.keycrm_problem, number)
            self.assertEqual(order.keycrm_status_id.keycrm_id, answer["status_id"])
            lines = order.order_line.filtered("keycrm_id").sorted("keycrm_id")
            self.assertEqual(
                [(line.keycrm_id, line.product_uom_qty) for line in lines],
                [(row["id"], float(row["quantity"])) for row in answer["products"]],
            )
            shipping = answer["shipping"] or {}
            self.assertEqual(
                (order.keycrm_tracking_code or None, order.keycrm_shipping_status or None),
                (shipping.get("tracking_code"), shipping.get("shipping_status")),
            )
            if shipping:
                self.assertEqual(order.partner_shipping_id.country_id.code, "UA")
                self.assertIn(shipping["shipping_address_city"], order.partner_shipping_id.city)

    def test_empty_objects_as_lists_are_imported(self):
        names = [name for name, value in FULL.items() if isinstance(value, dict | list)]
        for name in names:
            with self.subTest(name):
                # An order without lines is accepted if its goods cost nothing.
                self.import_order(**{"products_total": 0 if name == "products" else 3569, name: []})
        self.import_order(**{name: [] for name in names}, products_total=0)

    def test_missing_and_additional_keys_do_not_matter(self):
        for name in FULL.keys() - {"products"}:
            with self.subTest(name):
                body = {key: value for key, value in FULL.items() if key != name}
                type(self).number += 1
                parsed = parse_order({**body, "id": self.number, "surprise": {"a": [1]}})
                outcome = OrderWriter(self.account).import_orders([parsed])[self.number]
                self.assertFalse(outcome.code, (name, outcome.params, outcome.details))

    def test_long_names_emoji_and_forty_lines_are_imported(self):
        line = FULL["products"][0]
        order = self.import_order(
            products=[
                {**line, "id": 800_000 + n, "name": f"{'Довга назва 🎁 ' * 300}{n}", "offer": None}
                for n in range(40)
            ],
            buyer={"id": 502, "full_name": "Ім'я 🌻 " * 200, "phone": "0" * 300},
            shipping={**FULL["shipping"], "recipient_full_name": "🌻" * 3000},
            manager_comment="🎁" * 100_000,
            promocode="P" * 10_000,
            tags=[{"id": 1, "name": "т" * 3000}],
            grand_total=40 * 3569 - 714,
        )
        self.assertEqual(len(order.order_line.filtered("keycrm_id")), 40)
        self.assertFalse(order.keycrm_total_differs)

    def test_names_that_are_null_are_replaced(self):
        line = {**FULL["products"][0], "name": None, "sku": None, "properties": [], "offer": None}
        order = self.import_order(
            products=[line], buyer={"id": 503, "full_name": None}, shipping=None
        )
        self.assertTrue(order.partner_id.name)
        self.assertTrue(order.order_line[0].name)
        self.assertTrue(order.order_line[0].product_id.name)

    @mute_logger("odoo.addons.ordage_keycrm.services.orders.order_import")
    def test_any_value_anywhere_is_imported_or_fails_with_a_sentence(self):
        """No place of an order may bring a traceback, and what fails says why in both languages."""
        explain = self.env["keycrm.error.message"]
        self.account.import_payments = True
        full = {**FULL, "payments": [{"id": 1, "amount": 5, "status": "paid"}]}
        imported = failed = 0
        for turn, path in enumerate(places(full)):
            for odd in odd_for(path, turn):
                body = copy.deepcopy(full)
                inner = body
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = odd
                parsed = self.parse(**body)
                with self.subTest(path=path, odd=str(odd)[:20]):
                    if isinstance(parsed, KeyCrmError):
                        code, params = parsed.code, parsed.params
                    else:
                        with self.env.cr.savepoint() as point:
                            outcome = OrderWriter(self.account).import_orders([parsed])[parsed.id]
                            code, params = outcome.code, outcome.params
                            point.rollback()
                        self.assertNotEqual(code, "unexpected", outcome.details)
                    if code:
                        failed += 1
                        for lang in ("en_US", "uk_UA"):
                            sentence = explain.with_context(lang=lang)._sentence(code, params)
                            self.assertTrue(sentence and " " in sentence, (code, sentence))
                    else:
                        imported += 1
        self.assertGreater(imported, failed)
