"""Choose the SKUs of one lookup request, as pure functions."""

from collections.abc import Callable, Iterator, Mapping
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


def sku_batches(
    skus: Mapping[str, str], most: Callable[[], int], most_bytes: int
) -> Iterator[list[str]]:
    """Split SKUs into batches that fit into one URL each.

    :param skus: ``{key: SKU}``
    :param most: returns how many SKUs the next request may have
    :param most_bytes: encoded bytes of one request's SKUs
    :return: iterator over lists of keys
    """
    part, size = [], 0
    for key, sku in skus.items():
        length = encoded_length(sku)
        if part and (len(part) >= most() or size + length > most_bytes):
            yield part
            part, size = [], 0
        part.append(key)
        size += length
    if part:
        yield part
