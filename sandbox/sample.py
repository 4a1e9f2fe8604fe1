"""One realistic order with every kind of line."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from . import factories, sample_names
from .models import Offer, Order
from .store import Store

SHIRT = [{"name": "Колір", "value": "біла"}, {"name": "Розмір", "value": "M"}]


def order(shop: Store, *, notify: bool = True) -> Order:
    """Create an order with every kind of line; missing products are added.

    Its lines: a catalog product, one with properties ("Сорочка, біла, M"), a one-off product and a catalog
    product without SKU.

    :param shop: the shop
    :param notify: whether webhooks fire
    :return: the order
    """
    plain = _first(shop, lambda o: o.sku and not o.properties) or factories.offer(
        shop, {"name": "Горнятко керамічне", "sku": "HK-0001", "price": "320", "stock": {"1": 20}}
    )
    shirt = _first(
        shop, lambda o: o.sku and o.properties == SHIRT and shop.offer_name(o) == "Сорочка"
    ) or factories.offer(
        shop,
        {
            "name": "Сорочка",
            "sku": "SR-BILA-M",
            "price": "1290",
            "properties": SHIRT,
            "stock": {"1": 12},
        },
    )
    nameless = _first(shop, lambda o: not o.sku and o.price > 0) or factories.offer(
        shop, {"name": "Листівка вітальна", "price": "45.50", "stock": {"1": 100}}
    )
    number = len(shop.orders) + 1
    chance = Random(number)
    name = f"{chance.choice(sample_names.LAST_NAMES)} {chance.choice(sample_names.FIRST_NAMES)}"
    phone = sample_names.phone(500_000 + number)
    return factories.order(
        shop,
        {
            "buyer": {"full_name": name, "phone": phone, "email": f"sample{number}@example.com"},
            "source_uuid": f"S-{20000 + number}",
            "buyer_comment": "Прошу зателефонувати перед відправкою",
            "is_gift": True,
            "gift_message": "З днем народження!",
            "lines": [
                {"offer_id": plain.id, "quantity": 2},
                {"offer_id": shirt.id, "quantity": 1, "discount_percent": "10"},
                {"name": "Гравіювання за ескізом", "price": "150.25", "quantity": 1},
                {"offer_id": nameless.id, "quantity": 3},
            ],
            "shipping": sample_names.shipping(chance, number, name, phone, 1),
        },
        notify=notify,
    )


def _first(shop: Store, fits: Callable[[Offer], object]) -> Offer | None:
    return next((o for o in shop.offers.values() if not o.is_archived and fits(o)), None)
