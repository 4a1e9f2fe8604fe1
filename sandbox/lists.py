"""Lists with filters, sort and pages, cached until their table changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from . import query as q
from .buyers import digits
from .clock import parse
from .faults import Fault
from .models import Order
from .query import Query
from .store import Store

Row = Any
Test = Callable[[Row], bool]
#: Makes the test of rows for a query: takes the shop, the filter's name and its text.
Filter = Callable[[Store, str, str], Test]
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
REMEMBERED = 64


class Lists:
    """Build and cache the lists of a shop.

    :param shop: the shop
    """

    def __init__(self, shop: Store) -> None:
        self.shop = shop
        self._made: OrderedDict[tuple[Any, ...], tuple[tuple[int, ...], list[Row]]] = OrderedDict()

    def rows(self, table: str, query: Query, depends: tuple[str, ...] = ()) -> list[Row]:
        """Select and sort the rows of a table.

        :param table: orders, offers, products, buyers or transactions
        :param query: the parsed query
        :param depends: other tables used by the filters
        :return: all rows that fit, in order
        """
        version = tuple(self.shop.versions.get(name, 0) for name in (table, "lists", *depends))
        key = (table, tuple(sorted(query.filters.items())), query.sort)
        made = self._made.get(key)
        if made is None or made[0] != version:
            tests = [
                _TESTS[table][name](self.shop, name, text) for name, text in query.filters.items()
            ]
            found: Iterable[Row] = getattr(self.shop, table).values()
            if table == "statuses" and self.shop.switches.is_("status_list", "active"):
                found = (status for status in found if status.is_active)
            rows = [row for row in found if all(test(row) for test in tests)]
            made = (version, self.sorted(rows, query.sort))
            self._made[key] = made
            while len(self._made) > REMEMBERED:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return made[1]

    def sorted(self, rows: list[Row], sort: str | None) -> list[Row]:
        """Sort rows, equal ones by id.

        :param rows: the rows
        :param sort: a field with or without ``-``; without any the switch default_sort decides
        :return: the sorted rows
        """
        if sort is None:
            sort = "-id" if self.shop.switches.is_("default_sort", "desc") else "id"
        name, down = sort.lstrip("-"), sort.startswith("-")
        if name == "id":
            return sorted(rows, key=lambda row: row.id, reverse=down)
        return sorted(rows, key=lambda row: (getattr(row, name), row.id), reverse=down)


def envelope(
    rows: list[Row],
    query: Query,
    write: Callable[[Row], dict[str, Any]],
    path: str,
    kept: dict[str, str],
    fault: Fault | None = None,
) -> dict[str, Any]:
    """Return a page of a list in the envelope of the live API (confirmed).

    :param rows: the whole list
    :param query: page and limit
    :param write: writes one row
    :param path: the address of the list
    :param kept: query names that the page addresses keep
    :param fault: fault that concerns lists
    :return: the JSON object
    """
    kind = fault.kind if fault else None
    if kind == "empty_list":
        rows = []
    total, limit, page = len(rows), query.limit, query.page
    last = max(1, -(-total // limit))
    start = (page - 1) * limit
    if fault and kind == "repeat_rows":
        start = max(0, start - fault.rows)
    elif fault and kind == "skip_rows":
        start += fault.rows
    endless = kind == "endless_next"
    if endless and fault and fault.repeat and start >= total:
        start = 0
    data = [write(row) for row in rows[start : start + limit]]

    def url(number: int | None) -> str | None:
        return None if number is None else f"{path}?{urlencode({**kept, 'page': number})}"

    following = page + 1 if page < last or endless else None
    before = min(page - 1, last) if page > 1 else None
    return {
        "total": total,
        "current_page": page,
        "per_page": limit,
        "data": data,
        "first_page_url": url(1),
        "last_page_url": url(page + 1 if endless else last),
        "next_page_url": url(following),
        "last_page": page + 1 if endless else last,
        "from": start + 1 if data else None,
        "to": start + len(data) if data else None,
        "path": path,
        "prev_page_url": url(before),
        "links": [
            {"url": url(before), "label": "&laquo; Previous", "active": False},
            *({"url": url(n), "label": str(n), "active": n == page} for n in _near(page, last)),
            {"url": url(following), "label": "Next &raquo;", "active": False},
        ],
    }


def _near(page: int, last: int) -> list[int]:
    return sorted({1, last, *range(max(1, page - 3), min(last, page + 3) + 1)})


# === FILTERS ===


def _among(field: str, read: Callable[[str], Collection[Any]]) -> Filter:
    """Return the filter for rows whose field is among the values that ``read`` finds in a text."""

    def build(shop: Store, name: str, text: str) -> Test:
        wanted = read(text)
        return lambda row: getattr(row, field) in wanted

    return build


def _ids(field: str) -> Filter:
    return _among(field, q.numbers)


def _texts(field: str) -> Filter:
    return _among(field, lambda text: set(q.split(text)))


def _flag(field: str) -> Filter:
    return _among(field, lambda text: {q.flag(text)})


def _times(field: str) -> Filter:
    def build(shop: Store, name: str, text: str) -> Test:
        start, end = q.between(name, text)
        low, high = start or EARLIEST, (end or LATEST) + timedelta(microseconds=999_999)
        return lambda row: low <= (getattr(row, field) or EARLIEST) <= high

    return build


def _order_created(shop: Store, name: str, text: str) -> Test:
    return _times(shop.switches.value("created_filter"))(shop, name, text)


def _order_updated(shop: Store, name: str, text: str) -> Test:
    fits = _times("updated_at")(shop, name, text)
    if shop.switches.is_("new_in_updated", "yes"):
        return fits
    return lambda row: fits(row) and (row.edited or row.updated_at > row.created_at)


def _order_shipping(shop: Store, name: str, text: str) -> Test:
    start, end = q.between(name, text)
    low, high = start or EARLIEST, end or LATEST

    def fits(order: Order) -> bool:
        shipping = order.shipping or {}
        day = shipping.get("shipping_date") or shipping.get("shipping_date_actual")
        return bool(day) and low <= parse(day) <= high

    return fits


def _order_buyer(field: str) -> Filter:
    def build(shop: Store, name: str, text: str) -> Test:
        fits = _buyer_contact(field)(shop, name, text)
        found = {buyer.id for buyer in shop.buyers.values() if fits(buyer)}
        return lambda order: order.client_id in found

    return build


def _order_payment(shop: Store, name: str, text: str) -> Test:
    wanted = set(q.split(text))
    return lambda order: shop.totals(order).payment_status in wanted


def _order_tracking(shop: Store, name: str, text: str) -> Test:
    wanted = q.flag(text)
    return lambda order: bool((order.shipping or {}).get("tracking_code")) is wanted


def _buyer_contact(field: str) -> Filter:
    def build(shop: Store, name: str, text: str) -> Test:
        plain = digits if field == "phones" else str.lower
        wanted = {plain(part) for part in q.split(text)}
        return lambda buyer: any(plain(value) in wanted for value in getattr(buyer, field))

    return build


def _attached(shop: Store, name: str, text: str) -> Test:
    wanted = q.flag(text)
    used = {p.transaction_uuid for o in shop.orders.values() for p in o.payments}
    return lambda transaction: (transaction.uuid in used) is wanted


_TESTS: dict[str, dict[str, Filter]] = {
    "orders": {
        "status_id": _ids("status_id"),
        "source_id": _ids("source_id"),
        "source_uuid": _texts("source_uuid"),
        "buyer_phone": _order_buyer("phones"),
        "buyer_email": _order_buyer("emails"),
        "created_between": _order_created,
        "updated_between": _order_updated,
        "shipping_between": _order_shipping,
        "payment_status": _order_payment,
        "has_tracking_code": _order_tracking,
    },
    "offers": {
        "id": _ids("id"),
        "product_id": _ids("product_id"),
        "sku": _texts("sku"),
        "is_archived": _flag("is_archived"),
        "offers_id": _ids("id"),
        "offers_sku": _texts("sku"),
        "details": lambda shop, name, text: lambda offer: True,
    },
    "products": {
        "product_id": _ids("id"),
        "category_id": _ids("category_id"),
        "is_archived": _flag("is_archived"),
    },
    "categories": {"category_id": _ids("id"), "parent_id": _ids("parent_id")},
    "custom_fields": {"model": _texts("model")},
    "buyers": {
        "buyer_id": _ids("id"),
        "buyer_phone": _buyer_contact("phones"),
        "buyer_email": _buyer_contact("emails"),
        "created_between": _times("created_at"),
        "updated_between": _times("updated_at"),
    },
    "transactions": {
        "id": _ids("id"),
        "transaction_uuid": _texts("uuid"),
        "gateway_id": _ids("gateway_id"),
        "is_attached": _attached,
        "created_between": _times("created_at"),
    },
}

ORDER_FILTERS = tuple(_TESTS["orders"])
OFFER_FILTERS = ("id", "product_id", "sku", "is_archived")
STOCK_FILTERS = ("offers_id", "offers_sku", "details")
PRODUCT_FILTERS = tuple(_TESTS["products"])
CATEGORY_FILTERS = tuple(_TESTS["categories"])
CUSTOM_FIELD_FILTERS = tuple(_TESTS["custom_fields"])
BUYER_FILTERS = tuple(_TESTS["buyers"])
TRANSACTION_FILTERS = tuple(_TESTS["transactions"])
