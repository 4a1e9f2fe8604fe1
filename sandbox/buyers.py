"""Buyers: search by phone or email, merge."""

from __future__ import annotations

from .errors import Invalid
from .models import Buyer
from .store import Store


def digits(phone: str) -> str:
    """Normalize a phone number for comparison.

    :param phone: a phone number as people write it
    :return: its digits
    """
    return "".join(c for c in phone if c.isdigit())


def find(shop: Store, phone: str | None, email: str | None) -> Buyer | None:
    """Find a buyer by phone or email, as for orders of the API (assumed: the first).

    :param shop: the shop
    :param phone: a phone number
    :param email: an email address
    :return: the buyer, if there is one
    """
    wanted = digits(phone or "")
    for buyer in shop.buyers.values():
        if wanted and any(digits(p) == wanted for p in buyer.phones):
            return buyer
        if email and email.lower() in (e.lower() for e in buyer.emails):
            return buyer
    return None


def merge(shop: Store, keep: Buyer, removed: Buyer, *, bump: bool) -> int:
    """Merge two buyers: orders change their client_id, without an event (confirmed).

    :param shop: the shop
    :param keep: the buyer that stays
    :param removed: the buyer that disappears
    :param bump: whether updated_at of the orders moves (unknown)
    :return: how many orders changed hands
    :raise Invalid: if both are the same buyer
    """
    if keep is removed:
        raise Invalid.of(removed_id="A buyer cannot be merged with itself.")
    keep.phones += [p for p in removed.phones if p not in keep.phones]
    keep.emails += [e for e in removed.emails if e not in keep.emails]
    keep.updated_at = shop.now()
    count = 0
    for order in shop.orders.values():
        if order.client_id == removed.id:
            order.client_id = keep.id
            count += 1
            if bump:
                order.updated_at = shop.now()
    del shop.buyers[removed.id]
    shop.touch("buyers")
    shop.touch("orders")
    return count
