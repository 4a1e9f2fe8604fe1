"""Read single values from KeyCRM's answers.

Numbers come as JSON numbers or as strings (``"0.00"``), empty objects as ``[]``, times in two forms:
this is the border where all of that ends. Behind it money is ``Decimal``, times are naive UTC.
"""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import MalformedAnswer

#: Longest name, SKU, phone and the like. Odoo has these in indexes, whose entries end at 2,700 bytes.
SHORT_LIMIT = 500
#: Control characters but for line break and tabulator, halves of surrogate pairs, and what turns the
#: direction of all text that follows on a screen.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")


def to_decimal(value: Any, default: Decimal | None = None) -> Decimal | None:
    """Read a number.

    :param value: number, numeric string, None, ``""`` or ``[]``
    :return: the exact decimal, or the default where there is nothing
    :raise MalformedAnswer: when there is something, but no finite number
    """
    if value is None or value == "" or value == [] or isinstance(value, bool):
        return default
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        raise MalformedAnswer("not_a_number", value=to_text(value)[:40]) from None
    # Nothing that is bought or counted has thirty digits; "1e999999999" as a whole number fills memory.
    if not number.is_finite() or (number and abs(number.adjusted()) > 30):
        raise MalformedAnswer("not_a_number", value=to_text(value)[:40])
    return number


def to_amount(value: Any) -> Decimal:
    """Read a number that counts as 0 when it is missing."""
    return to_decimal(value, Decimal(0))


def to_int(value: Any) -> int | None:
    """Read an id.

    :return: the id, or None where there is none
    :raise MalformedAnswer: when there is something else than a whole number
    """
    number = to_decimal(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise MalformedAnswer("not_a_number", value=to_text(value)[:40])
    return int(number)


def required_id(data: dict, what: str) -> int:
    """Read the id that every record of KeyCRM has.

    :param what: the kind of record, for the error
    :raise MalformedAnswer: when there is none
    """
    identifier = to_int(data.get("id"))
    if not identifier:
        raise MalformedAnswer("id_missing", what=what)
    return identifier


def to_bool(value: Any) -> bool:
    """Read a flag, also one written as a number or a text.

    :param value: decoded JSON
    :return: whether it is set
    """
    return value in (True, "1", "true")


def to_text(value: Any) -> str:
    """Read a text: trimmed, without the characters a database or a screen cannot take, never None."""
    if value is None or isinstance(value, dict | list):
        return ""
    return _UNWANTED.sub("", str(value)).strip()


def to_short(value: Any) -> str:
    """Read a name, an SKU, a phone and the like: a text that is cut at :data:`SHORT_LIMIT` characters."""
    text = to_text(value)
    return text if len(text) <= SHORT_LIMIT else text[: SHORT_LIMIT - 1].rstrip() + "…"


def to_object(value: Any) -> dict:
    """Read an object; KeyCRM sends ``[]`` or null for an empty one."""
    return value if isinstance(value, dict) else {}


def to_objects(value: Any) -> list[dict]:
    """Read a list of objects; what is no object in it is left out."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def to_utc(value: Any) -> datetime | None:
    """Read a time. KeyCRM's times are UTC, with a zone or without (confirmed).

    :return: naive UTC, whole seconds; None where there is none or it cannot be read
    """
    text = to_text(value)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        for pattern in _TIME_FORMATS:
            try:
                moment = datetime.strptime(text, pattern)
                break
            except ValueError:
                continue
        else:
            return None
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def utc_text(moment: datetime) -> str:
    """Write a naive UTC time the way KeyCRM's filters take it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def clean_json(body: bytes) -> Any:
    """Decode JSON from outside so that PostgreSQL can store it.

    NUL characters and halves of surrogate pairs, which JSON can spell and PostgreSQL cannot hold, are
    taken out.

    :raise ValueError: when it is not JSON, or holds NaN or infinite numbers
    """
    decoded = json.loads(body)
    text = json.dumps(decoded, ensure_ascii=False, allow_nan=False).replace("\\u0000", "")
    return json.loads(text.encode("utf-8", "replace"))
