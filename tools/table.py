"""A plain table for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under a header, columns as wide as their widest cell.

    :param header: the columns' titles
    :param rows: their cells
    :return: the lines
    """
    widths = [max(_width(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell + " " * (wide - _width(cell)) for cell, wide in zip(cells, widths, strict=True)
        )
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * wide for wide in widths)
    return "\n".join([line(header), rule, *map(line, rows)])


def _width(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in text)
