"""Names, SKUs and phone numbers in the form that users read."""

import re
import unicodedata
from collections.abc import Iterable

from .catalog import Property
from .parsing import visible

#: Longest name of a product; titles of marketplaces can be far longer.
NAME_LIMIT = 250
#: Fewer digits of a phone number match too many contacts.
PHONE_PART = 4


def product_name(name: str, properties: Iterable[Property]) -> str:
    """Append the properties to the name: "Сорочка, біла, M".

    Values are in KeyCRM's order. A value that contains a comma is put in quotation marks, so that it
    still reads as one value. Values that the name already ends with are not repeated.

    :param name: KeyCRM's name of the product, may be empty
    :param properties: properties of the variant
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


def are_same_words(one: str, other: str) -> bool:
    """Return whether two names differ in punctuation, spaces and case only.

    :param one: a name
    :param other: another name
    """
    return re.findall(r"\w+", one.lower()) == re.findall(r"\w+", other.lower())


def shortened(text: str, limit: int = NAME_LIMIT) -> str:
    """Truncate a text that is too long, with an ellipsis.

    :param text: the text
    :param limit: number of characters
    """
    limit = max(limit, 20)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def sku_key(sku: str) -> str:
    """Return the key by which SKUs are compared.

    Case, surrounding spaces, full-width and invisible characters are ignored.
    """
    return visible(unicodedata.normalize("NFKC", sku)).lower()


def one_off_key(name: str, properties: Iterable[Property]) -> str:
    """Return the key by which one-off products are the same: name and properties."""
    return " ".join(visible(product_name(name, properties)).lower().split())


def phone_part(typed: str) -> str:
    """Return the digits by which a phone number, or a part of one, is found.

    They are searched in the result of :func:`normalized_phone`.

    :param typed: the user's search text
    :return: digits, or an empty text when there are too few to identify phone numbers
    """
    digits = "".join(c for c in typed if c.isascii() and c.isdigit())
    whole = normalized_phone(typed).removeprefix("+")
    return whole or (digits if len(digits) >= PHONE_PART else "")


def phone_numbers(text: str) -> list[str]:
    """Split a text that contains several phone numbers.

    :param text: text from KeyCRM or a user
    :return: list of texts with one number each
    """
    numbers = []
    for part in re.split(r"[,;/\n]|\s(?:та|або|і|й|и|or|and)\s", text):
        is_several = sum(c.isdigit() for c in part) > 15
        numbers += re.split(r"\s+(?=\+|\(?0\d\d)", part) if is_several else [part]
    return [number.strip() for number in numbers if number.strip()]


def email_addresses(text: str) -> list[str]:
    """Split a text that contains several email addresses.

    :param text: text from KeyCRM
    :return: list of addresses; the text itself where it does not hold several
    """
    found = [part.strip("<>()") for part in re.split(r"[,;\s]+", text) if "@" in part]
    return found if len(found) > 1 else [text]


def normalized_phone(phone: str) -> str:
    """Format a Ukrainian phone number as +380…; keep the digits of a foreign one.

    Where a text contains several numbers, the first one counts.

    :param phone: text from KeyCRM or a user
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
