"""A small shop on both sides with realistic names: the data of the pictures."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageDraw

from . import shop
from .odoo_server import OdooServer
from .sandbox_server import SandboxServer
from .waiting import MAX_WAIT, wait_for

#: SKU, name, properties, price in hryvnias, pieces in KeyCRM, pieces in Odoo's warehouse and in its shop.
GOODS = (
    ("SH-WHITE-M", "Сорочка", ("біла", "M"), 1290, 5, 9, 3),
    ("SH-WHITE-L", "Сорочка", ("біла", "L"), 1290, 7, 5, 2),
    ("SH-BLUE-M", "Сорочка", ("блакитна", "M"), 1290, 6, 4, 0),
    ("DRESS-S", "Сукня лляна", ("S",), 2150, 9, 6, 3),
    ("MUG-350", "Кухоль керамічний", ("350 мл",), 320, 38, 28, 12),
    ("TEA-100", "Чай трав’яний", ("100 г",), 185, 60, 50, 10),
    ("SCARF", "Шарф вовняний", (), 890, 14, 12, 3),
    ("CANDLE", "Свічка соєва", (), 260, 3, 0, 0),
)
#: Status of an untouched KeyCRM account, buyer, city, goods by their place above with pieces, paid.
ORDERS = (
    (8, "Олена Ткачук", "Київ", ((0, 1), (4, 2)), True),
    (8, "Ірина Бондар", "Львів", ((3, 1),), True),
    (5, "Андрій Литвин", "Одеса", ((5, 5),), True),
    (5, "Соломія Кравець", "Харків", ((6, 1), (7, 2)), False),
    (4, "Тарас Гончар", "Дніпро", ((1, 1),), True),
    (4, "Марія Шевчук", "Полтава", ((2, 2),), True),
    (2, "Богдан Олійник", "Вінниця", ((4, 4),), False),
    (1, "Катерина Мельник", "Чернівці", ((0, 1), (6, 1)), False),
    (1, "Наталія Коваль", "Суми", ((3, 1), (5, 2)), False),
)
#: Orders of today: the same, and the source, which the others have in turns.
TODAY = (
    (1, "Юлія Савченко", "Київ", ((1, 1),), False, 1),
    (1, "Дмитро Руденко", "Рівне", ((4, 2), (5, 1)), False, 2),
    (2, "Оксана Поліщук", "Луцьк", ((3, 1),), True, 3),
    (4, "Віктор Мороз", "Житомир", ((6, 2),), True, 1),
    (4, "Людмила Гринь", "Черкаси", ((0, 1), (5, 2)), True, 2),
    (5, "Павло Данченко", "Хмельницький", ((2, 1),), False, 1),
    (6, "Ганна Левченко", "Ужгород", ((4, 3),), False, 3),
    (6, "Сергій Клименко", "Миколаїв", ((5, 4),), True, 2),
)
SOURCES = 3  # of the sandbox's sources, those that sell in hryvnias
IN_DELIVERY = 5
ON_THE_WAY = 6
SENT = (5, 6, 8)  # statuses of parcels that have a tracking number
COMPANY = "Льон і мед"
#: The order of the pictures: with a discount, a parcel and another recipient.
SHOWN = (IN_DELIVERY, "Олексій Данилюк", "Івано-Франківськ", ((0, 1), (4, 2), (5, 1)), True)
DISCOUNT = 10  # per cent, on that order
#: Products that KeyCRM does not have; the last one cannot be created.
NEW_GOODS = (
    ("Серветка льняна", "LN-301", 120),
    ("Рушник вафельний", "LN-302", 95),
    ("Підставка під чашку", False, 60),
)
COST_SHARE = 0.45  # the cost of a product as a share of its price


class DemoData:
    """Create the shop's data on both sides, in the steps of a user.

    :param odoo: a running Odoo with the addon
    :param sandbox: a running KeyCRM without orders
    """

    def __init__(self, odoo: OdooServer, sandbox: SandboxServer) -> None:
        self._odoo = odoo
        self._sandbox = sandbox
        self._rpc = odoo.rpc()
        self._offers: list[int] = []
        self._transactions: dict[int, str] = {}

    def open_shop(self) -> None:
        """Create KeyCRM's goods and Odoo's company, before both are connected."""
        (company,) = self._rpc.search("res.company", limit=1)
        (ukraine,) = self._rpc.search("res.country", ("code", "=", "UA"))
        self._rpc.write("res.company", company, name=COMPANY, country_id=ukraine)
        control = self._sandbox.control
        for status in control.statuses():
            if status["name"] != status["alias"]:  # a shop's own: Odoo translates the standard ones
                control.put_status(id=status["id"], is_active=False)
        control.put_warehouse(id=1, name="Основний склад")
        control.put_warehouse(id=2, name="Склад виставки")
        for sku, name, values, price, theirs, *_ours in GOODS:
            names = ("Колір", "Розмір")[-len(values) :] if values else ()
            self._offers.append(
                control.create_offer(
                    sku=sku,
                    name=name,
                    price=price,
                    properties=[
                        {"name": key, "value": value}
                        for key, value in zip(names, values, strict=True)
                    ],
                    stock={1: theirs, 2: 1},
                )["id"]
            )

    def sell(self) -> list[int]:
        """Create orders in KeyCRM, one per day, before Odoo is connected.

        :return: KeyCRM's numbers
        """
        for number, row in enumerate((*ORDERS, SHOWN), start=1):
            self._pay(number, *row)
        now = datetime.now(UTC).replace(hour=8, minute=25, second=0)
        numbers = []
        for number, row in enumerate(ORDERS, start=1):
            at = now - timedelta(days=len(ORDERS) + 1 - number, minutes=37 * number)
            text = f"{at:%Y-%m-%d %H:%M:%S}"
            names = ("created_at", "updated_at", "ordered_at", "status_changed_at")
            moments = dict.fromkeys(names, text)
            source = 1 + number % SOURCES
            numbers.append(self._order(number, *row, webhook=False, source_id=source, **moments))
        return numbers

    def sell_one_more(self) -> int:
        """Create the order that is shown in the pictures.

        :return: KeyCRM's number
        """
        return self._order(
            len(ORDERS) + 1,
            *SHOWN,
            recipient="Оксана Данилюк",
            discount_percent=DISCOUNT,
            buyer_comment="Зателефонуйте перед відправленням.",
            source_uuid="LM-1042",
        )

    def sell_today(self) -> list[int]:
        """Create the orders of today.

        :return: KeyCRM's numbers
        """
        numbers = []
        for number, (*row, source) in enumerate(TODAY, start=len(ORDERS) + 2):
            self._pay(number, *row)
            numbers.append(self._order(number, *row, source_id=source))
        return numbers

    def _pay(
        self, number: int, _status: int, buyer: str, _city: str, goods: tuple, paid: bool
    ) -> None:
        """Create the bank transaction with which an order is paid."""
        if paid:
            percent = DISCOUNT if number == len(ORDERS) + 1 else 0
            made = self._sandbox.control.create_transaction(
                amount=_total(goods, percent), description=f"Оплата замовлення {number}, {buyer}"
            )
            self._transactions[number] = str(made["uuid"])

    def _order(
        self,
        number: int,
        status: int,
        buyer: str,
        city: str,
        goods: tuple[tuple[int, int], ...],
        paid: bool,
        *,
        webhook: bool = True,
        recipient: str = "",
        discount_percent: int = 0,
        **fields: object,
    ) -> int:
        payment = {
            "amount": _total(goods, discount_percent),
            "status": "paid" if paid else "not_paid",
        }
        if paid:
            payment["transaction_uuid"] = self._transactions[number]
        return self._sandbox.control.create_order(
            webhook=webhook,
            status_id=status,
            buyer={"full_name": buyer, "phone": f"+38067111{number:04}"},
            lines=[
                {
                    "offer_id": self._offers[place],
                    "quantity": pieces,
                    "discount_percent": discount_percent,
                }
                for place, pieces in goods
            ],
            payments=[payment],
            shipping={
                "recipient_full_name": recipient or buyer,
                "recipient_phone": f"+38067222{number:04}" if recipient else "",
                "shipping_address_city": city,
                "shipping_receive_point": f"Відділення №{number}",
                "delivery_service_id": 1,
                **({"tracking_code": f"2045100111{number:04}"} if status in SENT else {}),
                **({"shipping_status": "transit"} if status == ON_THE_WAY else {}),
            },
            **fields,
        )["id"]

    def open_warehouses(self) -> tuple[int, int]:
        """Create two warehouses in Odoo, mapped to one of KeyCRM later.

        :return: their ids
        """
        (main,) = self._rpc.search("stock.warehouse", limit=1)
        self._rpc.write("stock.warehouse", main, name="Склад у Києві")
        return main, self._rpc.create("stock.warehouse", name="Крамниця на Подолі", code="PODIL")

    def count_stock(self, warehouses: tuple[int, ...]) -> None:
        """Receive the goods of Odoo's warehouses.

        :param warehouses: Odoo's warehouses, in the order of :data:`GOODS`
        """
        for sku, _name, _values, _price, _theirs, *ours in GOODS:
            found = self._rpc.search("product.product", ("default_code", "=", sku))
            for warehouse, pieces in zip(warehouses, ours, strict=True):
                if found and pieces:
                    shop.receive(self._rpc, warehouse, found[0], pieces)

    def fail(self) -> int:
        """Let an event fail: two products with one SKU are ambiguous.

        :return: the event's id
        """
        sku, name, *_rest = GOODS[7]
        first = self._rpc.search("product.product", ("default_code", "=", sku))[0]
        self._rpc.write("product.product", first, image_1920=_candle(80))
        self._rpc.create(
            "product.product",
            name=f"{name}, 200 г",
            default_code=sku,
            list_price=320,
            image_1920=_candle(120),
        )
        linked = self._rpc.search("keycrm.offer", ("product_id", "=", first))
        self._rpc.call("keycrm.offer", "unlink", linked)
        self._sandbox.control.create_order(
            buyer={"full_name": "Соломія Кравець"},
            lines=[{"offer_id": self._offers[7], "quantity": 6}],
        )
        (failed,) = wait_for(
            lambda: self._rpc.search("keycrm.event", ("state", "=", "failed")),
            MAX_WAIT,
            "the failure",
        )
        return failed

    def differ(self) -> int:
        """Create an order whose total in KeyCRM is not that of its lines.

        :return: its id in Odoo
        """
        number = self._sandbox.control.create_order(
            buyer={"full_name": "Ірина Бондар"},
            lines=[{"offer_id": self._offers[4], "quantity": 2}],
            grand_total=2 * GOODS[4][3] + 45,
            status_id=4,
        )["id"]
        return self.wait_for_order(number)

    def exceed_by_discount(self) -> int:
        """Create an order that needs a decision: its discount exceeds its goods.

        :return: its id in Odoo
        """
        price = float(GOODS[1][3])
        number = self._sandbox.control.create_order(
            buyer={"full_name": "Тарас Гончар"},
            lines=[{"offer_id": self._offers[1], "quantity": 1, "price": price}],
            discount_amount=price + 30,
            status_id=4,
        )["id"]
        return self.wait_for_order(number)

    def preview_costs(self, account: int) -> int:
        """Enter costs and turn on that they are sent.

        :param account: id of the account
        :return: the preview's id
        """
        goods = self._rpc.rows("keycrm.offer", fields=["product_id"], limit=6, order="keycrm_id")
        for offer in goods:
            product = offer["product_id"][0]
            price = self._rpc.read("product.product", product, "list_price")["list_price"]
            cost = round(COST_SHARE * price, 2)
            self._rpc.write("product.product", product, standard_price=cost)
        self._rpc.call("keycrm.account", "action_refresh_categories", [account])
        self._rpc.call("keycrm.account", "web_save", [account], {"send_cost": True}, {})
        (preview,) = wait_for(
            lambda: self._rpc.search("keycrm.send.preview", ("state", "=", "ready")),
            MAX_WAIT,
            "the preview of costs",
        )
        return preview

    def create_in_keycrm(self) -> int:
        """Choose products to create in KeyCRM.

        :return: the run's id
        """
        products = [
            self._rpc.create("product.product", name=name, default_code=sku, list_price=price)
            for name, sku, price in NEW_GOODS
        ]
        action = self._rpc.call("product.product", "action_keycrm_create", products)
        return int(action["res_id"])

    def wait_for_order(self, number: int) -> int:
        """Wait until an order of KeyCRM is in Odoo.

        :param number: KeyCRM's number
        :return: its id in Odoo
        """
        order = wait_for(lambda: shop.order_in_odoo(self._rpc, number, "id"), MAX_WAIT, "the order")
        return order["id"]


def _candle(height: int) -> str:
    """Draw the picture of a product.

    :param height: of the candle, in pixels
    :return: a PNG file in base64
    """
    picture = Image.new("RGB", (240, 240), "#f4efe6")
    draw = ImageDraw.Draw(picture)
    top = 210 - height
    draw.rounded_rectangle((80, top, 160, 210), 12, fill="#d9b98a")
    draw.line((120, top, 120, top - 16), fill="#4a3b2a", width=4)
    draw.ellipse((110, top - 46, 130, top - 12), fill="#f2a33c")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _total(goods: tuple[tuple[int, int], ...], discount_percent: int) -> float:
    total = sum(GOODS[place][3] * pieces for place, pieces in goods)
    return total * (100 - discount_percent) / 100
