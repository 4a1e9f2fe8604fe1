"""Request bodies: JSON with exact numbers, validated field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .clock import parse
from .errors import NOT_AN_OBJECT, REQUIRED, TOO_MANY, Invalid


def load(body: bytes) -> dict[str, Any]:
    """Read a body.

    :param body: JSON text of an object
    :return: the object; numbers with a point are Decimal
    :raise Invalid: if it is anything else
    """
    try:
        value = json.loads(body or b"{}", parse_float=Decimal)
    except ValueError:
        raise Invalid.of(body="The {} is not JSON.") from None
    if not isinstance(value, dict):
        raise Invalid.of(body="The {} must be a JSON object.")
    return value


def decimal(value: Any) -> Decimal:
    """Read a number.

    :param value: a JSON number, or a string that holds one
    :return: the exact number
    :raise ValueError: if it is none
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("must be a number")
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not found.is_finite():
        raise ValueError("must be a number")
    return found


def whole(value: Any) -> int:
    """Read an id.

    :param value: a JSON integer, or a string that holds one
    :return: the integer
    :raise ValueError: if it is none
    """
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be an integer")
    return value


def text(value: Any) -> str:
    """Read a text; numbers become texts.

    :param value: a JSON string or number
    :return: the text
    :raise ValueError: if it is neither
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a string")
    return str(value)


def boolean(value: Any) -> bool:
    """Read a boolean.

    :param value: a JSON boolean
    :return: the same
    :raise ValueError: if it is none
    """
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def moment(value: Any) -> datetime:
    """Read a time.

    :param value: a UTC time as text
    :return: the time
    :raise ValueError: if it is none
    """
    try:
        return parse(text(value))
    except ValueError:
        raise ValueError("must be a time as YYYY-MM-DD HH:MM:SS") from None


def mapping(value: Any) -> dict[str, Any]:
    """Read an object.

    :param value: a JSON object
    :return: the same
    :raise ValueError: if it is none
    """
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def sequence(value: Any) -> list[Any]:
    """Read an array.

    :param value: a JSON array
    :return: the same
    :raise ValueError: if it is none
    """
    if not isinstance(value, list):
        raise ValueError("must be an array")
    return value


def anything(value: Any) -> Any:
    """Accept any value.

    :param value: any JSON value
    :return: the same
    """
    return value


Readers = Mapping[str, Callable[[Any], Any]]


def read_rows(rows: list[Any], name: str, read: Callable[[Any, str], Any]) -> list[Any]:
    """Read the rows of an array and report the errors of all of them at once.

    :param rows: the array
    :param name: its name, for the errors
    :param read: reads a row, which it gets with the beginning of its fields' paths
    :return: what was read
    :raise Invalid: if a row is wrong
    """
    errors: dict[str, list[str]] = {}
    found = []
    for index, row in enumerate(rows):
        try:
            found.append(read(row, f"{name}.{index}."))
        except Invalid as error:
            errors.update(error.errors)
    if errors:
        raise Invalid(errors)
    return found


def list_of(body: dict[str, Any], name: str, most: int) -> list[Any]:
    """Read the list that a body consists of.

    :param body: the body
    :param name: the key of the list
    :param most: how many rows are allowed
    :return: the rows
    :raise Invalid: if there is no list, or too long a one
    """
    rows: list[Any] = pick(body, {name: sequence}, required=(name,))[name]
    if len(rows) > most:
        raise Invalid.of(**{name: TOO_MANY % most})
    return rows


def pick(
    values: Any,
    readers: Readers,
    *,
    required: tuple[str, ...] = (),
    nulls: bool = True,
    strict: bool = False,
    at: str = "",
) -> dict[str, Any]:
    """Read the defined fields of an object and report all errors at once.

    :param values: the object; anything else is an error
    :param readers: a reader by field name
    :param required: fields that must be there and not null
    :param nulls: whether null becomes None; otherwise it is omitted
    :param strict: whether unknown fields are an error; KeyCRM ignores them
    :param at: path of the object, for the errors
    :return: the fields that were given, read
    :raise Invalid: with one sentence a wrong field
    """
    if not isinstance(values, dict):
        raise Invalid.of(**{at[:-1] or "body": NOT_AN_OBJECT})
    errors: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    for name in required:
        if values.get(name) is None:
            errors[at + name] = [REQUIRED.format(at + name)]
    for name, value in values.items():
        if name not in readers:
            if strict:
                errors[at + name] = [f"There is no field {at + name}."]
        elif value is None:
            if nulls:
                found[name] = None
        else:
            try:
                found[name] = readers[name](value)
            except ValueError as error:
                errors[at + name] = [f"The {at + name} field {error}."]
            except Invalid as error:
                errors.update(error.errors)
    if errors:
        raise Invalid(errors)
    return found
