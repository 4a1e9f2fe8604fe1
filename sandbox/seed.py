"""Seed data: the same seed number gives the same shop, of any size."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from . import sample_names, stocks
from .models import Buyer, Company, Line, Offer, Order, Payment, Product
from .store import Store

NEWEST = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=7)


class Seed:
    """Fill a shop with seed data.

    :param shop: the shop; what is in it stays
    :param seed: the seed number
    :param newest: when the newest order was made; UTC, fixed by default so that a seed gives the same data
    """

    def __init__(self, shop: Store, seed: int = 1, newest: datetime = NEWEST) -> None:
        self.shop = shop
        self.random = Random(seed)
        self.newest = newest
        self.buyer_ids: list[int] = []
        self.sellable: list[Offer] = []

    def fill(
        self,
        orders: int = 0,
        offers: int = 0,
        buyers: int | None = None,
        lines: int | None = None,
        status_ids: list[int] | None = None,
    ) -> None:
        """Add goods, buyers and orders, without webhooks.

        :param orders: how many orders
        :param offers: how many offers
        :param buyers: how many buyers; by default two for three orders
        :param lines: lines of each order; by default one to five
        :param status_ids: the statuses to spread orders over; by default all
        """
        # looking for garbage among a hundred thousand new records doubles the time and finds none
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._fill(orders, offers, buyers, lines, status_ids)
        finally:
            if collecting:
                gc.enable()

    def _fill(
        self,
        orders: int,
        offers: int,
        buyers: int | None,
        lines: int | None,
        status_ids: list[int] | None,
    ) -> None:
        self._offers(offers)
        self.sellable = list(self.shop.offers.values())
        self._buyers(max(1, orders * 2 // 3) if buyers is None and orders else buyers or 0)
        self.buyer_ids = list(self.shop.buyers)
        statuses = status_ids or list(self.shop.statuses)
        for index in range(orders):
            self._order(index, orders, statuses, lines)
        for table in ("orders", "offers", "products", "buyers"):
            self.shop.touch(table)

    # === GOODS ===

    def _offers(self, count: int) -> None:
        made = 0
        while made < count:
            made += self._product(count - made)

    def _product(self, room: int) -> int:
        shop, random = self.shop, self.random
        number = shop.new_id("products")
        goods = sample_names.GOODS[(number - 1) % len(sample_names.GOODS)]
        series = (number - 1) // len(sample_names.GOODS)
        product = Product(
            id=number,
            name=goods.name if not series else f"{goods.name} {series + 1}",
            unit_type=goods.unit,
            category_id=1 + number % 7,
            created_at=self.newest - timedelta(days=400),
            updated_at=self.newest - timedelta(days=40),
        )
        shop.products[number] = product
        variants = sample_names.variants(goods)[:room]
        price = Decimal(random.randrange(4500, 250000)) / 100
        for place, properties in enumerate(variants):
            offer_id = shop.new_id("offers")
            code = f"{goods.code}-{number:04d}" + (f"-{place + 1}" if len(variants) > 1 else "")
            offer = Offer(
                id=offer_id,
                product_id=number,
                # every nineteenth has no SKU, as it happens in real catalogs
                sku=None if offer_id % 19 == 0 else code,
                barcode=sample_names.ean13(offer_id) if offer_id % 4 else None,
                price=price,
                purchased_price=(price * 6 / 10).quantize(Decimal("0.01")),
                weight=Decimal(random.randrange(50, 4000)) / 1000,
                properties=[dict(p) for p in properties],
                created_at=product.created_at,
                updated_at=product.updated_at,
            )
            shop.offers[offer_id] = offer
            for warehouse_id in shop.warehouses:
                if warehouse_id == 1 or random.random() < 0.6:
                    stocks.row(shop, offer_id, warehouse_id).quantity = Decimal(
                        random.randrange(0, 60)
                    )
        return len(variants)

    # === BUYERS ===

    def _buyers(self, count: int) -> None:
        shop, random = self.shop, self.random
        phone = ""
        for index in range(count):
            number = shop.new_id("buyers")
            first, last = (
                random.choice(sample_names.FIRST_NAMES),
                random.choice(sample_names.LAST_NAMES),
            )
            # every fortieth buyer has the phone of the one before
            if index % 40 != 39 or not phone:
                phone = sample_names.phone(number)
            company_id = self._company() if index % 12 == 5 else None
            made_at = self.newest - timedelta(days=30 + index % 300)
            shop.buyers[number] = Buyer(
                id=number,
                full_name=f"{last} {first}",
                phones=[phone],
                emails=[f"buyer{number}@example.com"] if index % 3 else [],
                company_id=company_id,
                note="Постійний клієнт" if index % 25 == 3 else None,
                created_at=made_at,
                updated_at=made_at,
            )

    def _company(self) -> int:
        number = self.shop.new_id("companies")
        name = f"ТОВ «{self.random.choice(sample_names.COMPANIES)} {number}»"
        self.shop.companies[number] = Company(
            id=number,
            name=name,
            title=name.replace("ТОВ", "Товариство з обмеженою відповідальністю"),
            bank_account=f"UA{29 + number:027d}",
            created_at=self.newest - timedelta(days=300),
            updated_at=self.newest - timedelta(days=300),
        )
        return number

    # === ORDERS ===

    def _order(self, index: int, count: int, statuses: list[int], lines: int | None) -> None:
        shop, random = self.shop, self.random
        status = shop.statuses[random.choice(statuses)]
        made_at = self.newest - STEP * (count - 1 - index)
        moved_at = made_at + timedelta(minutes=random.randrange(0, 7))
        number = shop.new_id("orders")
        client_id = random.choice(self.buyer_ids) if self.buyer_ids else None
        source = shop.sources[random.choice(_SOURCES)]
        order = Order(
            id=number,
            source_id=source.id,
            source_uuid=f"{source.alias[:2].upper()}-{10000 + number}" if number % 5 else None,
            status_id=status.id,
            client_id=client_id,
            created_at=made_at,
            updated_at=moved_at,
            # on marketplaces an order is made days before KeyCRM sees it
            ordered_at=made_at - timedelta(days=number % 9 if source.id == 3 else 0),
            status_changed_at=moved_at,
            closed_at=moved_at if status.is_closing_order else None,
            manager_id=1 + number % 2,
            warehouse_id=next(iter(shop.warehouses), None),
            buyer_comment="Передзвоніть, будь ласка" if number % 8 == 0 else None,
            promocode="OSIN10" if number % 30 == 0 else None,
            marketing=dict(sample_names.MARKETING) if number % 4 == 0 else None,
            tags=[dict(sample_names.TAG)] if number % 10 == 0 else [],
        )
        kind = random.random()
        if kind < 0.15:
            order.discount_percent = Decimal(random.choice((5, 10, 20)))
        elif kind < 0.25:
            order.discount_amount = Decimal(random.randrange(100, 5000)) / 100
        if random.random() < 0.4:
            order.shipping_price = Decimal(random.choice((0, 60, 85)))
        if random.random() < 0.03:
            order.taxes = Decimal(4)
        for place in range(lines or random.choice(_LINES)):
            order.lines.append(self._line(number, place))
        if random.random() < 0.85:
            buyer = shop.buyers.get(client_id or 0)
            order.shipping = sample_names.shipping(
                random,
                number,
                buyer.full_name if buyer else None,
                buyer.phones[0] if buyer else None,
                status.group_id,
            )
        self._payments(order, status.group_id, source.currency_code)
        shop.orders[number] = order
        stocks.settle(shop, order, notify=False, history=True)

    def _line(self, number: int, place: int) -> Line:
        shop, random = self.shop, self.random
        line_id = shop.new_id("lines")
        quantity = Decimal(random.choice(_QUANTITIES))
        percent = Decimal(random.choice(_PERCENTS)) if random.random() < 0.2 else None
        if not self.sellable or random.random() < 0.08:
            name = random.choice(sample_names.ONE_OFF)
            line = Line(
                id=line_id,
                name=name,
                sku=f"EXT-{number}-{place}" if random.random() < 0.5 else None,
                price=Decimal(random.randrange(1000, 90000)) / 100,
                quantity=quantity,
                discount_percent=percent,
            )
            if random.random() < 0.3:
                line.properties = [{"name": "Колір", "value": random.choice(sample_names.COLORS)}]
            return line
        offer = random.choice(self.sellable)
        product = shop.products[offer.product_id]
        return Line(
            id=line_id,
            name=product.name,
            sku=offer.sku,
            offer_id=offer.id,
            price=offer.price,
            purchased_price=offer.purchased_price,
            quantity=Decimal("0.5") * quantity if product.unit_type == "кг" else quantity,
            discount_percent=percent,
            unit_type=product.unit_type,
            properties=offer.properties,
            warehouse_id=next(iter(shop.warehouses), None),
        )

    def _payments(self, order: Order, group: int, currency: str) -> None:
        random = self.random
        if random.random() < 0.25:
            return
        total = self.shop.totals(order).grand_total
        if total <= 0:
            return
        kind = random.random()
        amount = total if kind < 0.8 else (total / 2).quantize(Decimal("0.01"))
        status = "not_paid" if kind < 0.25 else "paid"
        values: dict[str, Any] = {"payment_method_id": 3 if status == "not_paid" else 2}
        order.payments.append(
            Payment(
                id=self.shop.new_id("payments"),
                amount=amount,
                status="canceled" if group == 6 else status,
                currency=currency,
                payment_date=order.created_at + timedelta(minutes=2),
                created_at=order.created_at,
                updated_at=order.created_at,
                **values,
            )
        )
        order.totals = None


_SOURCES = (1, 1, 1, 2, 2, 3)
_LINES = (1, 1, 2, 2, 3, 3, 4, 5)
_QUANTITIES = (1, 1, 1, 1, 2, 2, 3, 5)
_PERCENTS = ("5", "7.5", "10", "12.34", "33.33")
