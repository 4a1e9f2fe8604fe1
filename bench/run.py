"""Run the requested benchmarks of ``python3 -m tools bench`` and save their rows."""

from __future__ import annotations

import importlib
import os
import threading
import time
import traceback
from collections.abc import Iterable
from typing import Any

from tools import processes
from tools.messages import UserError, echo
from tools.runtime import Runtime
from tools.table import table

from . import results
from .environment import Environment
from .results import Row

#: In the order of the table; each is a module of ``bench.benchmarks`` with a function ``run``.
NAMES = [
    "webhook",
    "burst",
    "visible",
    "bulk",
    "stock",
    "writes",
    "inventory",
    "picking",
    "users",
    "comparison",
    "limit",
    "low_limit",
    "backlog",
    "large",
    "overview",
    "differs",
    "accounts",
    "quiet",
    "processes",
]


def main() -> int:
    """Run the benchmarks named in NAME (comma-separated), or all.

    :return: 0 if all of them could be measured, whatever the figures
    """
    wanted = [name for name in (os.environ.get("NAME") or "").split(",") if name] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        raise UserError(f"No benchmark is called {unknown[0]}: choose of {', '.join(NAMES)}.")
    processes.clean_up_on_signals()
    broken, begun = [], time.monotonic()
    with Runtime() as runtime:
        environment = Environment(runtime)
        for name in wanted:
            echo(f"benchmark {name}")
            try:
                _run(environment, name)
            except Exception as error:
                # The other benchmarks still run. Odoo's own traceback ends with the reason.
                traceback.print_exc(limit=-3)
                echo(str(getattr(error, "faultString", error))[-1500:])
                echo(f"  {name} could not be measured")
                broken.append(name)
            finally:
                environment.clear()
    echo(
        f"{len(wanted) - len(broken)} of {len(wanted)} in {(time.monotonic() - begun) / 60:.0f} min"
    )
    return 1 if broken else 0


def _run(environment: Environment, name: str) -> None:
    module = importlib.import_module(f".benchmarks.{name}", __package__)
    begun, load = time.monotonic(), _Load()
    with load:
        rows = list(module.run(environment))
    about = {
        **results.circumstances(),
        "load": load.mean,
        "scale": environment.scale,
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }
    results.save(rows, NAMES, about)
    _show(rows, about)


def _show(rows: Iterable[Row], about: dict[str, Any]) -> None:
    cells = [
        [
            *(row.what, row.baseline, row.ours, "" if row.ratio is None else f"{row.ratio:.2f}"),
            *(row.goal, results.answer(row.reached)),
        ]
        for row in rows
    ]
    print(
        table(["what", "baseline", "with the addon", "ratio", "goal", "reached"], cells), flush=True
    )
    for row in rows:
        print(f"  {row.key}: {row.details}", flush=True)
    echo(f"  load {about['load']:.1f}, {about['minutes']} min")


class _Load:
    """The machine's mean load average during a block."""

    def __enter__(self) -> None:
        self._samples = [os.getloadavg()[0]]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._samples.append(os.getloadavg()[0])

    def _watch(self) -> None:
        while not self._over.wait(5):
            self._samples.append(os.getloadavg()[0])

    @property
    def mean(self) -> float:
        return sum(self._samples) / len(self._samples)
