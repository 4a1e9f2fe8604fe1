"""Lists of KeyCRM: which orders are read, and which statuses its trigger lacks."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from keycrm.order_listing import (
    KnownOrder,
    has_listed_values,
    is_as_listed,
    newest_update,
    rest_begins_at,
    status_changes,
    unreported_statuses,
    unseen_orders,
)
from keycrm.orders import OrderRow

NOON = datetime(2026, 3, 1, 12)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def row(number=1, status=2, **times):
    texts = {name: f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z" for name, moment in times.items()}
    return OrderRow.parse({"id": number, "status_id": status, **texts})


def numbers_to_read(listed, known=None, skipped=(), waiting=()):
    return unseen_orders({1: listed}, {1: known} if known else {}, skipped, waiting)


def test_order_with_same_update_and_status_is_not_read():
    assert numbers_to_read(row(updated_at=NOON), KnownOrder(2, updated_at=NOON)) == []


@pytest.mark.parametrize(
    "known", [None, KnownOrder(2, updated_at=at(-1)), KnownOrder(3, updated_at=NOON), KnownOrder(2)]
)
def test_order_with_other_update_or_status_is_read(known):
    assert numbers_to_read(row(updated_at=NOON), known) == [1]


def test_order_without_update_time_is_read():
    assert numbers_to_read(row(), KnownOrder(2)) == [1]


def test_new_order_in_skipped_status_is_not_read_but_known_one_is():
    assert numbers_to_read(row(updated_at=NOON), skipped={2}) == []
    assert numbers_to_read(row(updated_at=NOON), KnownOrder(3, updated_at=NOON), skipped={2}) == [1]


def test_order_pending_in_the_inbox_is_not_read():
    assert numbers_to_read(row(updated_at=NOON), waiting={1}) == []


def test_newest_update_is_never_in_the_future():
    rows = [row(updated_at=at(-9)), row(updated_at=at(-5)), row()]
    assert newest_update(rows, NOON) == at(-5)
    assert newest_update([row(updated_at=at(3600))], NOON) == NOON
    assert newest_update([row()], NOON) is None


@pytest.mark.parametrize(
    ("seconds", "begins"),
    [
        ([-60, -60, -30], -31),
        # The beginning is never in the future.
        ([-60, 3600], -1),
        # A page of two seconds is followed by the next page: otherwise it would be read forever.
        ([-60, -59], None),
        # KeyCRM did not sort, or did not filter.
        ([-30, -60], None),
        ([-90, -30], None),
        ([], None),
    ],
)
def test_rest_of_a_list_begins_before_the_last_row_of_a_page(seconds, begins):
    rows = [row(updated_at=at(value)) for value in seconds]
    assert rest_begins_at(rows, at(-60), NOON) == (None if begins is None else at(begins))


@pytest.mark.parametrize(
    ("created", "changed", "is_change"),
    [
        (-900, -300, True),
        (None, -300, True),
        # A new order's first status may send no webhook.
        (-303, -300, False),
        # Before the first webhook, none could be received.
        (-900, -700, False),
        # The webhook may still arrive.
        (-900, -30, False),
        (-900, None, False),
    ],
)
def test_status_change_is_considered_once_a_webhook_was_due(created, changed, is_change):
    times = {"created_at": created, "status_changed_at": changed}
    listed = row(**{name: at(value) for name, value in times.items() if value is not None})
    expected = {1: (2, at(changed))} if is_change else {}
    assert status_changes([listed], at(-600), NOON) == expected


def test_status_is_unreported_without_webhook_since_the_change():
    changes = {1: (2, NOON)}
    assert unreported_statuses(changes, {}, {}) == {2}
    assert unreported_statuses(changes, {1: at(-61)}, {1: 3}) == {2}
    # Clocks may differ by a minute.
    assert unreported_statuses(changes, {1: at(-59)}, {}) == set()
    # Odoo has the order in this status already.
    assert unreported_statuses(changes, {}, {1: 2}) == set()


@pytest.mark.parametrize(
    ("known", "status", "client", "is_same"),
    [
        (KnownOrder(2, 7), 2, 7, True),
        (KnownOrder(2, 7), 2, None, True),
        (KnownOrder(2, 7), 3, 7, False),
        (KnownOrder(2, 7), None, None, False),
        (KnownOrder(2, 7), 2, 8, False),
        (KnownOrder(2, 7, is_skipped=True), 2, 8, True),
        (KnownOrder(2, 7, is_deleted=True), 2, 7, False),
    ],
)
def test_order_differs_from_list_by_status_buyer_or_deletion(known, status, client, is_same):
    assert is_as_listed(known, status, client) is is_same


KNOWN = KnownOrder(
    2,
    tracking_code="2045",
    shipping_status="transit",
    payment_status="part_paid",
    grand_total=Decimal("100.10"),
    payments_total=Decimal(20),
)
SAME = {
    "shipping": {"tracking_code": "2045", "shipping_status": "Transit"},
    "payment_status": "part_paid",
    "grand_total": 100.1,
    "payments_total": "20.00",
}
STATUSES = {"transit", "refused", "part_paid", "paid"}


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({}, True),
        ({"shipping": {"tracking_code": "2046"}}, False),
        ({"shipping": {"shipping_status": "refused"}}, False),
        ({"payment_status": "paid"}, False),
        ({"grand_total": 100.11}, False),
        ({"payments_total": 0}, False),
        # A value that is missing, unreadable or unknown to Odoo.
        ({"shipping": None}, True),
        ({"shipping": []}, True),
        ({"shipping": {"tracking_code": None, "shipping_status": ""}}, True),
        ({"shipping": {"shipping_status": "teleported"}}, True),
        ({"payment_status": "promised"}, True),
        ({"grand_total": "much", "payments_total": None}, True),
        # Odoo has it rounded to its currency.
        ({"grand_total": "100.104"}, True),
    ],
)
def test_order_differs_from_list_by_parcel_payment_or_total(changed, is_same):
    listed = OrderRow.parse({"id": 1, **SAME, **changed})
    assert has_listed_values(KNOWN, listed, STATUSES) is is_same
    assert has_listed_values(replace(KNOWN, is_skipped=True), listed, STATUSES)


def test_total_in_a_currency_without_cents_is_the_rounded_one():
    known = replace(KNOWN, grand_total=Decimal(101), rounding=Decimal(1))
    assert has_listed_values(known, OrderRow.parse({**SAME, "grand_total": 100.5}), STATUSES)
    assert not has_listed_values(known, OrderRow.parse({**SAME, "grand_total": 102}), STATUSES)
