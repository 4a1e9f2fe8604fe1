"""Rows of results: kept in ``results.json``, shown in ``RESULTS.md``."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.paths import REPOSITORY

JSON = REPOSITORY / "bench" / "results.json"
TABLE = REPOSITORY / "bench" / "RESULTS.md"

_HEAD = """# Benchmark results

In short, on two cores that also ran PostgreSQL and the KeyCRM simulator:

- A webhook is answered as fast as by Odoo's simplest controller; 500 in 10 s are processed 4 s later.
- An order is visible in Odoo after 0.1 s; the bulk import is faster than Odoo's own `create()`.
- A changed quantity is sent after 0.03 s; 10,000 counted products are one request, within a second.
- Validating a transfer costs one query more with the addon; eight concurrent users wait 1.06 times as long.
- In a database of 100,000 orders import and lists stay as fast; a failing account does not slow others down.

Written by `make bench`; `make bench NAME=…` renews the rows of one benchmark. The baseline is plain Odoo
doing the same work without the addon. Baseline and addon take turns in the same run, since absolute figures
differ from machine to machine; the ratio is the median of the pairs' ratios. Load is the load average of the
machine: above the number of cores, only ratios are meaningful.

| what | baseline | with the addon | ratio | goal | reached | samples | taken |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass
class Row:
    """One line of the table.

    :param key: its name, the benchmark's first
    :param what: the operation
    :param baseline: the baseline's figures, as text
    :param ours: the figures with the addon, as text
    :param ratio: ours to the baseline, if meaningful
    :param goal: the goal, as text
    :param reached: whether the goal is reached; None without a goal
    :param samples: their number, as text
    :param details: all further figures
    """

    key: str
    what: str
    baseline: str
    ours: str
    ratio: float | None
    goal: str
    reached: bool | None
    samples: str
    details: dict[str, Any] = field(default_factory=dict)


def save(rows: list[Row], order: list[str], about: dict[str, Any]) -> None:
    """Replace the rows of one benchmark and write both files.

    :param rows: the rows of one benchmark
    :param order: names of all benchmarks, in the order of the table
    :param about: load and duration, kept with each row
    """
    kept = json.loads(JSON.read_text()) if JSON.exists() else {}
    names = {row.key.split(".")[0] for row in rows}
    kept = {key: value for key, value in kept.items() if key.split(".")[0] not in names}
    for row in rows:
        kept[row.key] = {**asdict(row), **about}
    places = {name: place for place, name in enumerate(order)}
    kept = dict(
        sorted(kept.items(), key=lambda item: places.get(item[0].split(".")[0], len(places)))
    )
    _write(JSON, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    _write(TABLE, _HEAD + "".join(_line(row) for row in kept.values()))


def answer(reached: bool | None) -> str:
    """Return whether a goal is reached as text, emphasized if not."""
    return "–" if reached is None else "yes" if reached else "**no**"


def circumstances() -> dict[str, Any]:
    """Return date, commit and cores of the figures.

    :return: date, commit (with ``+`` when files differ from it), cores
    """
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": _git("rev-parse", "--short", "HEAD")
        + ("+" if _git("status", "--porcelain", "--", "addons") else ""),
        "cores": os.cpu_count(),
    }


def _line(row: dict[str, Any]) -> str:
    ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}"
    taken = f"{row['date']}, {row['commit']}, load {row['load']:.1f} on {row['cores']}"
    if row.get("scale", 1) != 1:
        taken += f", SCALE={row['scale']:g}"
    cells = (
        *(row["what"], row["baseline"], row["ours"], ratio, row["goal"]),
        *(answer(row["reached"]), row["samples"], taken),
    )
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |\n"


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    return ran.stdout.strip()


def _write(file: Path, text: str) -> None:
    # Replaced atomically: an interrupted run keeps the former results intact.
    made = file.with_suffix(".new")
    made.write_text(text)
    made.replace(file)
