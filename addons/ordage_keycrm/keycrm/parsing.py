"""Parse single values of KeyCRM's answers.

Numbers are JSON numbers or strings (``"0.00"``), empty objects are ``[]``, times have two formats: all
of it is normalized here. The result has ``Decimal`` for money and naive UTC for times.
"""

import json
import logging
import math
import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import MalformedAnswer

_logger = logging.getLogger(__name__)

#: Largest integer of a PostgreSQL column; KeyCRM has no larger id.
MAX_INTEGER = 2**31 - 1
#: Deepest nesting of JSON that is parsed. KeyCRM's answers have about six levels.
MAX_DEPTH = 50
#: Years of a time that every part of Odoo can display, in each time zone.
YEARS = range(1970, 2200)
#: Longest name, SKU, phone and the like. Odoo indexes these, and an index entry has at most 2,700
#: bytes.
SHORT_LIMIT = 500
#: Control characters except line break and tabulator, halves of surrogate pairs, and characters that
#: reverse the direction of all following text on a screen.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
#: A whole JSON string, or a bracket outside of any string.
_JSON_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")


def to_decimal(value: Any, default: Decimal | None = None) -> Decimal | None:
    """Parse a number.

    :param value: number, numeric string, None, ``""`` or ``[]``
    :param default: result for a missing value
    :return: the exact decimal, or the default for a missing value
    :raise MalformedAnswer: when the value is no finite number
    """
    if value is None or value == "" or value == [] or isinstance(value, bool):
        return default
    if isinstance(value, dict | list):
        raise MalformedAnswer("not_a_number", value="")
    try:
        # Longer values are truncated: no quantity or amount has so many digits.
        number = Decimal(str(value)[:100].strip().replace(",", "."))
    except InvalidOperation:
        raise MalformedAnswer("not_a_number", value=to_text(value)[:40]) from None
    # No quantity or amount has thirty digits, and the integer of "1e999999999" would exhaust the
    # memory.
    if not number.is_finite() or (number and abs(number.adjusted()) > 30):
        raise MalformedAnswer("not_a_number", value=to_text(value)[:40])
    return number


def to_amount(value: Any) -> Decimal:
    """Parse a number that counts as 0 when it is missing."""
    return to_decimal(value, Decimal(0))


def to_int(value: Any) -> int | None:
    """Parse an id.

    :param value: decoded JSON
    :return: the id, or None where there is none
    :raise MalformedAnswer: when it is no integer, or one that is out of PostgreSQL's range
    """
    number = to_decimal(value)
    if number is None:
        return None
    if number != number.to_integral_value() or abs(number) > MAX_INTEGER:
        raise MalformedAnswer("not_a_number", value=to_text(value)[:40])
    return int(number)


def to_id(value: Any) -> int | None:
    """Parse an id that is only compared; never fails.

    :param value: decoded JSON
    :return: the id; None where it is missing or invalid
    """
    try:
        number = to_int(value)
    except MalformedAnswer:
        return None
    return number if number and number > 0 else None


def visible(text: str) -> str:
    """Remove invisible characters, and replace no-break spaces by common ones.

    Invisible are zero-width spaces and joiners, byte order marks, soft hyphens, and marks of the
    writing direction.

    :param text: the text
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    spaced = (" " if unicodedata.category(c) == "Zs" else c for c in text)
    return "".join(c for c in spaced if unicodedata.category(c) != "Cf").strip()


def required_id(data: dict, what: str) -> int:
    """Parse the id that every record of KeyCRM has.

    :param data: the decoded record
    :param what: the kind of record, for the error
    :raise MalformedAnswer: when there is none
    """
    identifier = to_int(data.get("id"))
    if not identifier or identifier < 0:
        raise MalformedAnswer("id_missing", what=what)
    return identifier


def to_bool(value: Any) -> bool:
    """Parse a flag, also one in the form of a number or a text.

    :param value: decoded JSON
    :return: whether it is set
    """
    return value in (True, "1", "true")


def to_text(value: Any) -> str:
    """Parse a text: stripped, without unstorable characters, never None.

    :param value: decoded JSON
    """
    if value is None or isinstance(value, dict | list):
        return ""
    return _UNWANTED.sub("", str(value)).strip()


def to_short(value: Any) -> str:
    """Parse a short text (name, SKU, phone), truncated to :data:`SHORT_LIMIT`.

    :param value: decoded JSON
    """
    text = to_text(value)
    return text if len(text) <= SHORT_LIMIT else text[: SHORT_LIMIT - 1].rstrip() + "…"


def to_object(value: Any) -> dict:
    """Parse an object; KeyCRM sends ``[]`` or null for an empty one.

    :param value: decoded JSON
    """
    return value if isinstance(value, dict) else {}


def to_objects(value: Any) -> list[dict]:
    """Parse a list of objects; other entries are skipped.

    :param value: decoded JSON
    """
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def to_date(value: Any) -> date | None:
    """Parse a date. KeyCRM sends it with or without a time, which is ignored.

    :param value: decoded JSON
    :return: the date; None where it is missing or unreadable
    """
    moment = to_utc(value)
    return moment.date() if moment else None


def to_utc(value: Any) -> datetime | None:
    """Parse a time. KeyCRM's times are UTC, with a zone or without (confirmed).

    :param value: decoded JSON
    :return: naive UTC, whole seconds; None where it is missing or unreadable
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
    if moment.year not in YEARS:
        return None
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def utc_text(moment: datetime) -> str:
    """Format a naive UTC time for KeyCRM's filters."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def parsed_rows(parse, rows: list[dict]) -> list:
    """Parse the rows of a list. An unreadable row is logged and skipped.

    :param parse: ``parse`` of a record class
    :param rows: the decoded rows
    :return: list of records
    """
    records = []
    for row in rows:
        try:
            record = parse(row)
        except MalformedAnswer as error:
            _logger.warning("KeyCRM: a row of a list is left out: %s", error)
        else:
            records.append(record)
    return records


def clean_json(body: bytes) -> Any:
    """Decode the body of an incoming request so that PostgreSQL can store it.

    NUL characters and halves of surrogate pairs, which JSON can contain and PostgreSQL cannot store,
    are removed.

    :param body: the body as received
    :return: decoded JSON
    :raise ValueError: when it is not JSON, is nested deeper than :data:`MAX_DEPTH`, or contains NaN or
        infinite numbers
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    if _pruned(text) is not text:
        raise ValueError("nested too deep")
    return _storable(json.loads(text))


def decoded_answer(body: bytes) -> Any:
    """Decode an answer of KeyCRM; an unreadable value does not affect the others.

    Values nested deeper than :data:`MAX_DEPTH`, and numbers of thousands of digits, become null; bytes
    that are no text become the replacement character.

    :param body: the body as received
    :return: decoded JSON
    :raise ValueError: when it is not JSON
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode(json.detect_encoding(body), "replace")
    try:
        return json.loads(_pruned(text), parse_int=_short_integer)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _short_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= 100 else None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _pruned(text: str) -> str:
    """Replace values that are nested deeper than :data:`MAX_DEPTH` by null.

    :param text: JSON
    :return: the same object where there are none
    """
    depth, kept, cut, begin = 0, [], 0, 0
    for token in _JSON_TOKENS.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                begin = token.start()
        elif first in "]}":
            if depth == MAX_DEPTH + 1:
                kept.append(text[cut:begin])
                cut = token.end()
            depth -= 1
    if depth > MAX_DEPTH:
        # The brackets are never closed: the rest is no JSON.
        kept.append(text[cut:begin])
        cut = len(text)
    return "null".join([*kept, text[cut:]]) if kept else text
