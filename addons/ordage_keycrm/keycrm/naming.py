"""Names and numbers of goods as people read them."""

import re
import unicodedata
from collections.abc import Iterable

from .catalog import Property
from .parsing import visible

#: Longest name that a product gets; a marketplace's title can be far longer than anybody reads.
NAME_LIMIT = 250
#: Fewer digits of a phone belong to too many of them.
PHONE_PART = 4


def product_name(name: str, properties: Iterable[Property]) -> str:
    """Put the properties into the name: "Сорочка, біла, M".

    Values come in KeyCRM's order. A value that holds a comma is put in quotation marks, so that it
    still reads as one value. Values that the name already ends with are not said twice.

    :param name: KeyCRM's name of the product, may be empty
    :return: at most :data:`NAME_LIMIT` characters
    """
    values = [f"«{p.value}»" if "," in p.value else p.value for p in properties]
    name = " ".join(name.split())
    tail = ", ".join(values)
    if not tail or name.lower().endswith(", " + tail.lower()):
        return shortened(name or tail)
    if not name:
        return shortened(tail)
    return f"{shortened(name, NAME_LIMIT - len(tail) - 2)}, {tail}"[:NAME_LIMIT]


def shortened(text: str, limit: int = NAME_LIMIT) -> str:
    """Cut a text that is too long, and show that it was cut."""
    limit = max(limit, 20)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def sku_key(sku: str) -> str:
    """By what two SKUs are compared: case, surrounding spaces, full-width and invisible characters do not
    matter.
    """
    return visible(unicodedata.normalize("NFKC", sku)).lower()


def one_off_key(name: str, properties: Iterable[Property]) -> str:
    """By what two one-off products are the same: equal name and equal properties."""
    return " ".join(visible(product_name(name, properties)).lower().split())


def phone_part(typed: str) -> str:
    """Return the digits by which a phone, or a part of one, is found in what :func:`normalized_phone` wrote.

    :param typed: what a person is looking for
    :return: digits, or an empty text when there are too few to tell phones apart
    """
    digits = "".join(c for c in typed if c.isascii() and c.isdigit())
    whole = normalized_phone(typed).removeprefix("+")
    return whole or (digits if len(digits) >= PHONE_PART else "")


def phone_numbers(text: str) -> list[str]:
    """Separate the numbers that somebody typed into one field."""
    numbers = []
    for part in re.split(r"[,;/\n]|\s(?:та|або|і|й|и|or|and)\s", text):
        is_several = sum(c.isdigit() for c in part) > 15
        numbers += re.split(r"\s+(?=\+|\(?0\d\d)", part) if is_several else [part]
    return [number.strip() for number in numbers if number.strip()]


def normalized_phone(phone: str) -> str:
    """Write a Ukrainian phone number as +380…; of a foreign one keep its digits.

    Where several numbers stand in one text, the first one counts.

    :return: ``+`` and digits, or an empty text when there are fewer than nine digits or more than a
        phone number can have
    """
    first = next(iter(phone_numbers(phone)), "")
    digits = "".join(c for c in first if c.isascii() and c.isdigit()).removeprefix("00")
    if not 9 <= len(digits) <= 15:
        return ""
    if len(digits) == 9:
        return "+380" + digits
    if len(digits) == 10 and digits.startswith("0"):
        return "+38" + digits
    if len(digits) == 11 and digits.startswith("80"):
        return "+3" + digits
    return "+" + digits
