"""The fields that the control interface may set: those of the records, each read by its annotation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from . import models
from .faults import Fault
from .schemas import Readers, anything, boolean, decimal, mapping, moment, sequence, text, whole
from .webhooks import Target


def texts(value: Any) -> list[str]:
    """Read an array of texts.

    :param value: a JSON array of strings
    :return: the texts
    :raise ValueError: if it is anything else
    """
    return [text(item) for item in sequence(value)]


def ids(value: Any) -> list[int]:
    """Read an array of ids.

    :param value: a JSON array of integers
    :return: the ids
    :raise ValueError: if it is anything else
    """
    return [whole(item) for item in sequence(value)]


_BY_TYPE: dict[Any, Callable[[Any], Any]] = {
    int: whole,
    str: text,
    bool: boolean,
    Decimal: decimal,
    datetime: moment,
    Any: anything,
    float: lambda value: float(decimal(value)),
    list[str]: texts,
    list[int]: ids,
    dict: mapping,
    list: sequence,
}


def fields_of(record: type, *, without: tuple[str, ...] = ()) -> Readers:
    """Return a reader for each field of a record.

    :param record: dataclass
    :param without: fields that are computed
    :return: reader by field name
    """
    return {
        name: _reader(hint) for name, hint in get_type_hints(record).items() if name not in without
    }


def only(readers: Readers, names: str) -> Readers:
    """Return some of the readers.

    :param readers: reader by field name
    :param names: names with spaces between
    """
    return {name: readers[name] for name in names.split()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return the reader of an annotation; what may be missing is read as what is there."""
    if NoneType in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return _BY_TYPE.get(hint) or _BY_TYPE[get_origin(hint)]


_TIMES = ("created_at", "updated_at")
ORDER = fields_of(models.Order, without=("lines", "payments", "edited", "totals"))
NEW_ORDER: Readers = {**ORDER, "buyer": mapping, "lines": sequence, "payments": sequence}
LINE = fields_of(models.Line, without=("hold", "returned"))
PAYMENT = fields_of(models.Payment)
BUYER = fields_of(models.Buyer)
COMPANY = fields_of(models.Company, without=_TIMES)
PRODUCT = fields_of(models.Product, without=_TIMES)
OFFER = fields_of(models.Offer, without=_TIMES)
STATUS = fields_of(models.Status, without=_TIMES)
SOURCE = fields_of(models.Source, without=_TIMES)
WAREHOUSE = fields_of(models.Warehouse)
CATEGORY = fields_of(models.Category)
CUSTOM_FIELD = fields_of(models.CustomField)
DELIVERY_SERVICE = fields_of(models.DeliveryService)
TRANSACTION = fields_of(models.ExternalTransaction, without=("updated_at",))
WEBHOOK = fields_of(Target, without=("id",))
FAULT = fields_of(Fault, without=("id", "acted"))
SEED: Readers = {
    **dict.fromkeys(("seed", "orders", "offers", "buyers", "lines"), whole),
    "newest": moment,
    "status_ids": ids,
}
