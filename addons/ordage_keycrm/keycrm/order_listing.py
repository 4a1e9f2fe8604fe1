"""Decide which orders of KeyCRM's lists Odoo reads, and which webhooks are missing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .orders import OrderRow

#: How long a webhook may take to arrive.
WEBHOOK_DELAY = timedelta(seconds=60)
#: A status that was set so soon after the order was placed is its first one: whether KeyCRM sends a
#: webhook for it is not known (unconfirmed).
FIRST_STATUS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """Describe an order as Odoo has it.

    :param status_id: KeyCRM's id of its status
    :param client_id: KeyCRM's id of its buyer
    :param updated_at: its last update, naive UTC; None where the same second may hold one more update
    :param is_deleted: whether KeyCRM has deleted it, as far as Odoo knows
    :param is_skipped: whether its status is not imported
    :param payments_total: paid amount
    :param rounding: smallest amount of its currency
    """

    status_id: int | None
    client_id: int | None = None
    updated_at: datetime | None = None
    is_deleted: bool = False
    is_skipped: bool = False
    tracking_code: str = ""
    shipping_status: str = ""
    payment_status: str = ""
    grand_total: Decimal = Decimal(0)
    payments_total: Decimal = Decimal(0)
    rounding: Decimal = Decimal("0.01")


def unseen_orders(
    rows: Mapping[int, OrderRow],
    known: Mapping[int, KnownOrder],
    skipped_status_ids: Collection[int],
    waiting: Collection[int],
) -> list[int]:
    """Choose the orders whose last update Odoo does not have.

    KeyCRM's times have whole seconds: an order that was read within seconds of its last update may have
    been updated again in the same second, so it is not known in this state.

    :param rows: ``{number: OrderRow}``
    :param known: those that Odoo has
    :param skipped_status_ids: ids of the statuses that are not imported
    :param waiting: numbers of the orders that wait in the inbox already
    :return: numbers
    """
    return [
        number
        for number, row in rows.items()
        if number not in waiting
        and (number in known or row.status_id not in skipped_status_ids)
        and not _is_seen(known.get(number), row)
    ]


def _is_seen(order: KnownOrder | None, row: OrderRow) -> bool:
    if not order or not order.updated_at:
        return False
    return (order.updated_at, order.status_id) == (row.updated_at, row.status_id)


def newest_update(rows: Collection[OrderRow], end: datetime) -> datetime | None:
    """Return the last update among the rows, None when they have none.

    Never in the future: what is updated before that would be missed.

    :param end: end of the polled window, naive UTC
    """
    newest = max((row.updated_at for row in rows if row.updated_at), default=None)
    return newest and min(newest, end)


def rest_begins_at(rows: Collection[OrderRow], since: datetime, end: datetime) -> datetime | None:
    """Return where the rest of a list begins that is sorted by the last update: before a page's last row.

    One second before it: whether KeyCRM returns the orders of the second at which a window begins is not
    known.

    :param rows: of the page
    :param since: beginning of the window, naive UTC
    :param end: end of the window, naive UTC
    :return: None if the list has to be read page by page: the page holds updates of two seconds at most, or
        KeyCRM did not filter or sort as requested
    """
    times = [row.updated_at for row in rows if row.updated_at]
    if not times or times[0] < since or times != sorted(times):
        return None
    rest = min(times[-1], end) - timedelta(seconds=1)
    return rest if rest > since else None


def status_changes(
    rows: Collection[OrderRow], since: datetime, now: datetime
) -> dict[int, tuple[int | None, datetime]]:
    """Choose the orders whose move to their status required a webhook.

    :param since: time of the first webhook, naive UTC
    :param now: naive UTC
    :return: ``{number: (status, time)}``
    """
    changes = {}
    for row in rows:
        at, created = row.status_changed_at, row.created_at
        if not at or at < since or at > now - WEBHOOK_DELAY:
            continue
        if row.id and (not created or at - created > FIRST_STATUS):
            changes[row.id] = (row.status_id, at)
    return changes


def unreported_statuses(
    changes: Mapping[int, tuple[int | None, datetime]],
    received: Mapping[int, datetime],
    known: Mapping[int, int | None],
) -> set[int | None]:
    """Choose the statuses to which orders moved without a webhook.

    :param changes: see :func:`status_changes`
    :param received: ``{number: time of the order's last webhook}``
    :param known: ``{number: status}`` of the orders that Odoo has
    :return: ids of the statuses
    """
    return {
        status_id
        for number, (status_id, at) in changes.items()
        if known.get(number) != status_id
        and not (number in received and received[number] >= at - WEBHOOK_DELAY)
    }


def is_as_listed(order: KnownOrder, status_id: int | None, client_id: int | None) -> bool:
    """Return whether Odoo has the status and buyer of KeyCRM's list.

    :param status_id: None where no list contains the order
    :param client_id: None if the list contains no buyer
    """
    if status_id != order.status_id or order.is_deleted:
        return False
    # If the status of an order is not imported, only the status is synchronized.
    return not client_id or client_id == order.client_id or order.is_skipped


def has_listed_values(order: KnownOrder, row: OrderRow, statuses: Collection[str]) -> bool:
    """Return whether Odoo has the parcel, the payments and the total of KeyCRM's list.

    Nothing is concluded from a value that the row lacks: a list may contain no shipping although it was
    requested (unconfirmed).

    :param statuses: statuses of parcels and payments that Odoo can store
    """
    if order.is_skipped:
        return True
    texts = (
        (order.tracking_code, row.tracking_code),
        (order.shipping_status, row.shipping_status if row.shipping_status in statuses else ""),
        (order.payment_status, row.payment_status if row.payment_status in statuses else ""),
    )
    amounts = (
        (order.grand_total, row.grand_total),
        (order.payments_total, row.payments_total),
    )
    return all(not listed or listed == known for known, listed in texts) and all(
        listed is None or abs(listed - known) < order.rounding for known, listed in amounts
    )
