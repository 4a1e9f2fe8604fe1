"""Custom fields of orders: their list and the values that a client writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .errors import Invalid
from .models import CustomField, Json, Order
from .schemas import anything, pick, read_rows
from .store import Store

#: The kinds of a field (documented).
KINDS = ("link", "select", "switcher", "float", "number", "textarea", "text", "date", "datetime")


def value_rows(shop: Store, rows: list[Any]) -> list[Json]:
    """Read the values that a client writes.

    :param shop: the shop
    :param rows: ``[{"uuid": "OR_1", "value": …}, …]``; an unknown field is ignored (assumed)
    :return: rows as the API shows them
    :raise Invalid: if a row is no object, or a list field gets no list
    """
    fields = {field.uuid: field for field in shop.custom_fields.values() if field.model == "order"}

    def read(row: Any, at: str) -> Json | None:
        given = pick(row, {"uuid": anything, "value": anything}, at=at)
        field, value = fields.get(str(given.get("uuid"))), given.get("value")
        if field is None:
            return None
        if (field.type == "select") != isinstance(value, list) and value is not None:
            kind = "an array" if field.type == "select" else "a string"
            raise Invalid.of(at, value=f"The {{}} must be {kind}.")
        shape = {"id": field.id, "uuid": field.uuid, "name": field.name, "type": field.type}
        return {**shape, "value": value}

    return list(filter(None, read_rows(rows, "custom_fields", read)))


def write(order: Order, rows: list[Json]) -> None:
    """Set values of an order; an empty value removes the row (documented: only filled ones return).

    :param order: the order
    :param rows: of :func:`value_rows`
    """
    values = {row["uuid"]: row for row in order.custom_fields}
    for row in rows:
        if row["value"] in (None, "", []):
            values.pop(row["uuid"], None)
        else:
            values[row["uuid"]] = row
    order.custom_fields = list(values.values())


def shape(field: CustomField, with_options: bool) -> Json:
    """Write a field of the list.

    :param field: the field
    :param with_options: whether the options of a list field are included
    :return: the JSON object
    """
    out = asdict(field)
    options = out.pop("options")
    if with_options:
        out["options"] = [
            {"id": field.id * 100 + number, "field_id": field.id, "value": value}
            for number, value in enumerate(options, 1)
        ]
    return out
