"""A small shop set up on both sides, with names that people can read: the stage of the pictures."""

from __future__ import annotations

from . import shop
from .odoo_server import OdooServer
from .sandbox_server import SandboxServer
from .waiting import wait_for

#: SKU, name, properties, price in hryvnias, pieces in KeyCRM, pieces on Odoo's shelves.
GOODS = (
    ("SH-WHITE-M", "Сорочка", ("біла", "M"), 1290, 5, 12),
    ("SH-WHITE-L", "Сорочка", ("біла", "L"), 1290, 7, 7),
    ("SH-BLUE-M", "Сорочка", ("блакитна", "M"), 1290, 6, 4),
    ("DRESS-S", "Сукня лляна", ("S",), 2150, 9, 9),
    ("MUG-350", "Кухоль керамічний", ("350 мл",), 320, 38, 40),
    ("TEA-100", "Чай трав’яний", ("100 г",), 185, 60, 60),
    ("SCARF", "Шарф вовняний", (), 890, 14, 15),
    ("CANDLE", "Свічка соєва", (), 260, 3, 0),
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


class Scene:
    """The shop on both sides; each step is what a person would do.

    :param odoo: a running Odoo with the addon
    :param sandbox: a running KeyCRM without orders
    """

    def __init__(self, odoo: OdooServer, sandbox: SandboxServer) -> None:
        self._odoo = odoo
        self._sandbox = sandbox
        self._rpc = odoo.rpc()
        self._offers: list[int] = []

    def open_shop(self) -> None:
        """Give KeyCRM its goods and Odoo its currency; nothing joins the two yet."""
        shop.use_currencies(self._rpc, "UAH")
        control = self._sandbox.control
        control.put_warehouse(id=1, name="Основний склад")
        for sku, name, values, price, theirs, _ours in GOODS:
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
                    stock={1: theirs},
                )["id"]
            )

    def sell(self, *, webhook: bool = True) -> list[int]:
        """Let buyers order in KeyCRM.

        :param webhook: whether KeyCRM tells Odoo of it
        :return: KeyCRM's numbers
        """
        made = []
        for number, (status, buyer, city, goods, paid) in enumerate(ORDERS, 1):
            lines = [
                {"offer_id": self._offers[place], "quantity": pieces} for place, pieces in goods
            ]
            total = sum(GOODS[place][3] * pieces for place, pieces in goods)
            order = self._sandbox.control.create_order(
                webhook=webhook,
                status_id=status,
                buyer={"full_name": buyer, "phone": f"+38067111{number:04}"},
                lines=lines,
                payments=[
                    {
                        "amount": total,
                        "status": "paid",
                        "description": f"Оплата за замовлення {number}, {buyer}",
                    }
                ]
                if paid
                else [],
                shipping={
                    "recipient_full_name": buyer,
                    "shipping_address_city": city,
                    "shipping_receive_point": f"Відділення №{number}",
                    **({"tracking_code": f"2045100111{number:04}"} if status in (5, 8) else {}),
                },
            )
            made.append(order["id"])
        return made

    def count_stock(self, warehouse: int) -> None:
        """Receive the goods that lie on Odoo's shelves.

        :param warehouse: Odoo's warehouse
        """
        for sku, _name, _values, _price, _theirs, ours in GOODS:
            found = self._rpc.search("product.product", ("default_code", "=", sku))
            if found and ours:
                shop.receive(self._rpc, warehouse, found[0], ours)

    def arrived(self, number: int) -> int:
        """Wait until an order of KeyCRM is in Odoo.

        :param number: KeyCRM's number
        :return: its id in Odoo
        """
        return wait_for(lambda: shop.order_in_odoo(self._rpc, number, "id"), 120, "the order")["id"]
