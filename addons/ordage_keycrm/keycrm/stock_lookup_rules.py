"""Choose the SKUs of one lookup request, as pure functions."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from .client import MAX_ADDRESS_BYTES

#: Encoded bytes that the SKUs of one request may occupy: the rest is left for host, path and paging.
SKU_FILTER_BYTES = MAX_ADDRESS_BYTES - 512


def encoded_length(sku: str) -> int:
    """Return the bytes of a SKU and its comma in a URL: a Cyrillic letter has six."""
    return len(quote(sku, safe="")) + len("%2C")


def is_requestable(sku: str) -> bool:
    """Return whether a SKU can be requested: a comma would split it (confirmed)."""
    return bool(sku) and "," not in sku and encoded_length(sku) <= SKU_FILTER_BYTES


def fitting(keys: list[str], skus: Mapping[str, str], most_bytes: int) -> list[str]:
    """Return the first keys whose SKUs fit into one URL, at least one.

    :param keys: keys of ``skus``
    :param skus: ``{key: SKU}``
    :param most_bytes: encoded bytes of one request's SKUs
    """
    size = 0
    for count, key in enumerate(keys):
        size += encoded_length(skus[key])
        if count and size > most_bytes:
            return keys[:count]
    return keys


def sku_batches(skus: Mapping[str, str], most: int, most_bytes: int) -> Iterator[list[str]]:
    """Split SKUs into batches that fit into one URL each.

    :param skus: ``{key: SKU}``
    :param most: SKUs that one request may have
    :param most_bytes: encoded bytes of one request's SKUs
    :return: iterator over lists of keys
    """
    keys = list(skus)
    while keys:
        part = fitting(keys[:most], skus, most_bytes)
        yield part
        keys = keys[len(part) :]
