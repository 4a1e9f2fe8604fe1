"""Records of a new account. Default statuses have their alias as name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .models import (
    Category,
    CustomField,
    DeliveryService,
    PaymentMethod,
    Source,
    Status,
    Warehouse,
)

MADE_AT = datetime(2024, 1, 15, 9, 0, tzinfo=UTC)

# id, name, alias, group, closes the order, is a system status
_STATUSES = (
    (1, "new", "new", 1, False, True),
    (2, "approval", "approval", 2, False, False),
    (3, "prepayment", "prepayment", 2, False, False),
    (4, "production", "production", 3, False, False),
    (5, "ready", "ready", 3, False, False),
    (6, "delivering", "delivering", 4, False, False),
    (7, "delivered", "delivered", 4, False, False),
    (8, "completed", "completed", 5, True, True),
    (9, "incorrect_data", "incorrect_data", 6, True, False),
    (10, "not_available", "not_available", 6, True, False),
    (11, "duplicate", "duplicate", 6, True, False),
    (12, "canceled", "canceled", 6, True, True),
    (21, "Новий з маркетплейсу", "novyi_z_marketpleisu", 1, False, False),
    (22, "Чекаємо на оплату", "chekaiemo_na_oplatu", 2, False, False),
    (23, "Пошиття", "poshyttia", 3, False, False),
    (24, "Пакування", "pakuvannia", 3, False, False),
    (25, "Прибуло у відділення", "prybulo_u_viddilennia", 4, False, False),
    (26, "Отримано, кошти надійшли", "otrymano_koshty_nadiishly", 5, True, False),
    (27, "Повернення", "povernennia", 6, True, False),
)


def statuses() -> dict[int, Status]:
    """Create the statuses.

    :return: statuses by id, in all six groups
    """
    return {
        number: Status(
            id=number,
            name=name,
            alias=alias,
            group_id=group,
            is_closing_order=closing,
            is_reserved=system,
            expiration_period=172800 if group == 2 else None,
            created_at=MADE_AT,
            updated_at=MADE_AT,
        )
        for number, name, alias, group, closing, system in _STATUSES
    }


def sources() -> dict[int, Source]:
    """Create the sources.

    :return: sources by id; the last one sells in dollars
    """
    rows = (
        (1, "Сайт", "sait", "opencart", "UAH"),
        (2, "Instagram", "instagram", "instagram", "UAH"),
        (3, "Prom.ua", "prom_ua", "prom", "UAH"),
        (4, "Etsy", "etsy", "etsy", "USD"),
    )
    return {
        number: Source(number, name, alias, driver, currency, MADE_AT, MADE_AT)
        for number, name, alias, driver, currency in rows
    }


def payment_methods() -> dict[int, PaymentMethod]:
    """Create the payment methods.

    :return: payment methods by id
    """
    rows = (
        (1, "Готівка", "cash"),
        (2, "Картка", "card"),
        (3, "Накладений платіж", "cash_on_delivery"),
        (4, "На рахунок IBAN", "bank_transfer"),
    )
    return {number: PaymentMethod(number, name, alias) for number, name, alias in rows}


def delivery_services() -> dict[int, DeliveryService]:
    """Create the delivery services.

    :return: delivery services by id
    """
    rows = (
        (1, "Нова Пошта", "novaposhta", "nova_poshta"),
        (2, "Укрпошта", "ukrposhta", "ukrposhta"),
        (3, "Самовивіз", "pickup", "samovyviz"),
    )
    return {number: DeliveryService(number, *values) for number, *values in rows}


def warehouses() -> dict[int, Warehouse]:
    """Create the warehouses.

    :return: warehouses by id
    """
    return {
        1: Warehouse(1, "Основний склад", "Головний склад"),
        2: Warehouse(2, "Магазин", "Роздрібний магазин"),
    }


def categories() -> dict[int, Category]:
    """Create the categories of products.

    :return: categories by id
    """
    rows = ((1, "Одяг", None), (2, "Сорочки", 1), (3, "Посуд", None))
    return {number: Category(number, *values) for number, *values in rows}


def custom_fields() -> dict[int, CustomField]:
    """Create the custom fields of orders, leads and products.

    :return: custom fields by id
    """
    rows: tuple[tuple[int, str, str, str, str, tuple[str, ...]], ...] = (
        (1, "Додаткові ТТН", "OR_1001", "order", "text", ()),
        (2, "Гравіювання", "OR_1002", "order", "textarea", ()),
        (3, "Пакування", "OR_1003", "order", "select", ("Коробка", "Пакет")),
        (4, "Терміново", "OR_1004", "order", "switcher", ()),
        (5, "Колекція", "CT_1001", "crm_product", "text", ()),
    )
    return {
        number: CustomField(number, name, uuid, model, kind, position=number, options=list(options))
        for number, name, uuid, model, kind, options in rows
    }


def managers() -> dict[int, dict[str, Any]]:
    """Create the managers of orders.

    :return: users as the API shows them, by id
    """
    rows = ((1, "Олена", "Коваль"), (2, "Тарас", "Мельник"))
    return {
        number: {
            "id": number,
            "first_name": first,
            "last_name": last,
            "full_name": f"{first} {last}",
            "username": f"manager{number}",
            "email": f"manager{number}@example.com",
            "phone": None,
            "role_id": 2,
            "status": "active",
            "created_at": "2024-01-15T09:00:00.000000Z",
            "updated_at": "2024-01-15T09:00:00.000000Z",
            "last_logged_at": "2024-01-15 09:00:00",
        }
        for number, first, last in rows
    }
