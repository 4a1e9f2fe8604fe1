"""Ukrainian names of goods, persons and places for seed data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as combinations
from random import Random
from typing import Any


@dataclass(frozen=True)
class Goods:
    """A kind of goods.

    :param name: what it is called
    :param code: the beginning of its SKU
    :param properties: names of properties, each with its values
    :param unit: unit of measure, None for pieces
    """

    name: str
    code: str
    properties: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unit: str | None = None


COLORS = ("біла", "чорна", "синя", "бежева", "зелена")
GOODS = (
    Goods("Сорочка", "SR", (("Колір", ("біла", "чорна")), ("Розмір", ("M", "L", "XL")))),
    Goods("Горнятко керамічне", "HK"),
    Goods("Рушник лляний", "RL", (("Колір", ("сірий", "білий", "натуральний")),)),
    Goods("Свічка соєва", "SV"),
    Goods("Сукня вечірня", "SU", (("Розмір", ("S", "M", "L")),)),
    Goods("Кава в зернах", "KZ", unit="кг"),
    Goods("Дошка обробна дубова", "DO"),
    Goods("Шкарпетки", "SH", (("Розмір", ("36-38", "39-41", "42-44")),)),
    Goods("Блокнот A5", "BL"),
    Goods("Сумка шопер", "SM", (("Колір", ("чорна", "молочна")),)),
    Goods("Мило ручної роботи", "ML"),
    Goods("Плед вовняний", "PL"),
)
ONE_OFF = (
    "Доставка",
    "Пакування подарункове",
    "Гравіювання за ескізом",
    "Вишивка ініціалів",
    "Виріб на замовлення",
)
FIRST_NAMES = ("Олена", "Ірина", "Андрій", "Тарас", "Марія", "Богдан", "Соломія", "Юрій", "Наталія")
LAST_NAMES = ("Шевченко", "Коваль", "Бондар", "Мельник", "Ткачук", "Кравець", "Гончар", "Литвин")
COMPANIES = ("Світанок", "Калина", "Обрій", "Джерело", "Майстерня")
CITIES = (
    ("Київ", "Київська"),
    ("Львів", "Львівська"),
    ("Одеса", "Одеська"),
    ("Дніпро", "Дніпропетровська"),
    ("Тернопіль", "Тернопільська"),
)
MARKETING = {
    "utm_source": "instagram",
    "utm_medium": "cpc",
    "utm_campaign": "osin",
    "utm_term": None,
    "utm_content": None,
    "created_at": "2026-08-01T09:00:00.000000Z",
    "updated_at": "2026-08-01T09:00:00.000000Z",
}
#: Statuses of parcels by the group of the order's status, one of the ten that KeyCRM has (confirmed).
PARCELS = {4: ("transit", "pickup"), 5: ("delivered", "cash_received")}
TAG = {
    "id": 1,
    "name": "Терміново",
    "alias": "terminovo",
    "color": "#FF0000",
    "created_at": "2024-01-15T09:00:00.000000Z",
    "updated_at": "2024-01-15T09:00:00.000000Z",
}


def variants(goods: Goods) -> list[list[dict[str, str]]]:
    """List the properties of each variant.

    :param goods: a kind of goods
    :return: one list of properties a variant; one empty list where there are no properties
    """
    names = [name for name, _ in goods.properties]
    return [
        [{"name": name, "value": value} for name, value in zip(names, values, strict=True)]
        for values in combinations(*(values for _, values in goods.properties))
    ]


def ean13(number: int) -> str:
    """Return a barcode with a valid check digit.

    :param number: any number, the same one gives the same barcode
    :return: thirteen digits
    """
    digits = f"482{number:09d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return f"{digits}{-total % 10}"


def phone(number: int) -> str:
    """Return a phone number.

    :param number: any number, the same one gives the same phone
    :return: a Ukrainian mobile number, written in one of the ways people write it
    """
    local = f"{67 if number % 2 else 50}{number % 10_000_000:07d}"
    if number % 7 == 0:
        return f"0{local}"
    if number % 11 == 0:
        return f"+38 (0{local[:2]}) {local[2:5]}-{local[5:7]}-{local[7:]}"
    return f"+380{local}"


def shipping(
    random: Random, number: int, name: str | None, phone_number: str | None, group: int
) -> dict[str, Any]:
    """Return a delivery by Nova Poshta, to an office or to an address.

    :param random: the random generator
    :param number: the order's id
    :param name: the buyer's name
    :param phone_number: the buyer's phone
    :param group: the group of the order's status; from delivery on there is a tracking code
    :return: the shipping of an order
    """
    city, area = random.choice(CITIES)
    office = f"Відділення №{random.randrange(1, 60)}"
    to_office = random.random() < 0.8
    other = random.random() < 0.1
    street = f"вул. Шевченка, {random.randrange(1, 120)}"
    return {
        "delivery_service_id": 1,
        "tracking_code": f"204{50_000_000_000 + number}" if group in (4, 5) else None,
        "shipping_status": PARCELS[group][number % 2] if group in PARCELS else None,
        "recipient_full_name": f"{random.choice(LAST_NAMES)} Оксана" if other else name,
        "recipient_phone": phone(900_000 + number) if other else phone_number,
        "shipping_address": None if to_office else street,
        "shipping_address_city": city,
        "shipping_address_region": f"{area} обл.",
        "shipping_address_zip": f"{random.randrange(1000, 99999):05d}",
        "shipping_address_country": "Україна",
        "shipping_address_country_code": "UA" if number % 3 else None,
        "shipping_receive_point": office if to_office else None,
        "full_address": f"{city}, {office if to_office else street}",
        "address_payload": {
            "city_desc": city,
            "area_desc": area,
            "warehouse_desc": office if to_office else None,
        }
        if to_office
        else [],
        "shipping_date_actual": None,
        "was_shipped": group == 5,
    }
