"""Parse KeyCRM's webhooks. Parsing never fails: unreadable values are missing."""

from dataclasses import dataclass
from typing import Any

from .errors import MalformedAnswer
from .parsing import to_amount, to_id, to_object, to_objects, to_text

#: Longest name of an event.
NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class OrderHint:
    """Hold a trigger's webhook. Only the order's id is used; the order itself is read."""

    event: str
    order_id: int | None
    status_id: int | None

    @classmethod
    def parse(cls, payload: Any) -> "OrderHint":
        payload = to_object(payload)
        context = to_object(payload.get("context"))
        return cls(
            event=to_text(payload.get("event"))[:NAME_LENGTH],
            order_id=to_id(context.get("id")),
            status_id=to_id(context.get("status_id")),
        )


def is_stock(payload: Any) -> bool:
    """Return whether it is the stock webhook: a list, or a single row.

    :param payload: decoded JSON of any shape
    """
    return isinstance(payload, list) or "offer_id" in to_object(payload)


def stock_totals(payload: Any) -> dict[int, float]:
    """Parse the stock webhook.

    :param payload: decoded JSON of any shape
    :return: ``{KeyCRM's offer id: quantity over its warehouses}``; an unreadable row is skipped
    """
    totals = {}
    for row in to_objects(payload if isinstance(payload, list) else [payload]):
        offer_id = to_id(row.get("offer_id"))
        if not offer_id or row.get("in_stock") is None:
            continue
        try:
            totals[offer_id] = float(to_amount(row["in_stock"]))
        except MalformedAnswer:
            continue
    return totals
