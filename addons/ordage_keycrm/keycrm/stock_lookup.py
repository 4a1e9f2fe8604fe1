"""Choose which SKUs are asked for in one request, as functions of plain data."""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from .client import MAX_ADDRESS_BYTES

#: Encoded bytes that the SKUs of one request may take: the rest is left for host, path and paging.
SKU_FILTER_BYTES = MAX_ADDRESS_BYTES - 512


def encoded_length(sku: str) -> int:
    """Bytes of a SKU and its comma in an address: a Cyrillic letter takes six."""
    return len(quote(sku, safe="")) + len("%2C")


def is_askable(sku: str) -> bool:
    """Whether KeyCRM can be asked for a SKU: a comma would break the list (confirmed)."""
    return bool(sku) and "," not in sku and encoded_length(sku) <= SKU_FILTER_BYTES


def sku_batches(
    skus: Mapping[str, str], most: Callable[[], int], most_bytes: int
) -> Iterator[list[str]]:
    """Cut SKUs into parts that fit into one address each.

    :param skus: ``{key: SKU}``
    :param most: gives how many SKUs the next request may have
    :param most_bytes: encoded bytes of one request's SKUs
    :return: lists of keys
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
