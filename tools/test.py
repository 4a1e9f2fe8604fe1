"""``make test``: the linters, the tests in several runs, and a line of totals.

The runs need different environments: pure tests without Odoo, in-process tests inside Odoo (those of
the addon for Manufacturing with that installed), and whole-system tests outside of real processes.
Browser tests take minutes and need a Chromium: they run on request.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import chromium, lint, postgres, processes, templates
from .messages import UserError, echo, warn
from .odoo_config import environment_of
from .paths import REPOSITORY
from .runtime import SHARED, Runtime

PARTS = ("lint", "pure", "odoo", "mrp", "system")
#: Not part of ``make test``: they take long, or need further programs.
ON_DEMAND = ("shops", "browser", "faults", "attacks")
#: The folders of each part's tests.
FOLDERS = {
    "pure": ("tests/pure", "tests/sandbox", "tests/tools"),
    "odoo": ("addons/ordage_keycrm/tests",),
    "mrp": (
        "addons/ordage_keycrm_mrp/tests",
        "addons/ordage_keycrm_delivery/tests",
        "tests/modules",
    ),
    "shops": ("tests/shops",),
    "system": ("tests/system",),
    "browser": ("tests/browser",),
    "faults": ("tests/faults",),
    "attacks": ("tests/attacks",),
}
#: In a full run these run beside the other parts, each group in a process of its own. The first one
#: needs no database.
CONCURRENT = (("lint", "pure"), ("system",))
#: Modules of Odoo that are installed with the addon for Manufacturing, for the tests of ``tests/modules``:
#: the addon depends on none of them and must be compatible with all.
_MRP_MODULES = (
    *("base_automation", "product_expiry", "purchase_stock", "repair", "sale_loyalty", "sale_mrp"),
    *("stock_account", "stock_delivery", "stock_dropshipping", "stock_picking_batch"),
)
#: Modules that take minutes to install, so they have a part of their own.
_SHOP_MODULES = ("pos_sale", "sale_timesheet", "website_sale_stock")
_REPORTS = "ORDAGE_REPORTS"
_NO_TESTS = 5  # pytest's exit code


@dataclass
class Totals:
    """The totals of the runs."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, part: str, code: int, report: Path, *, narrowed: bool) -> None:
        """Count one run.

        :param part: its part
        :param code: pytest's exit code
        :param report: the report it wrote (JUnit's XML)
        :param narrowed: whether tests were selected, so that an empty run is no failure
        """
        passed = failed = skipped = 0
        if report.exists():
            for suite in ET.parse(report).getroot().iter("testsuite"):
                bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                left_out = int(suite.get("skipped", 0))
                failed, skipped = failed + bad, skipped + left_out
                passed += int(suite.get("tests", 0)) - bad - left_out
        self.passed += max(0, passed)
        self.failed += failed
        self.skipped += skipped
        if code == _NO_TESTS and narrowed:
            return
        if code:
            self.broken.append(f"{part} (exit code {code})")
        if part in ("odoo", "mrp", "shops") and skipped:
            self.broken.append(f"{part} ({skipped} tests skipped, where none may be)")


def main(_arguments: list[str]) -> int:
    """Run the parts named in ``ONLY`` (separated by spaces), or all.

    Pytest's options are in ``ARGS``; a path among them narrows the run to its tests.

    :return: 0 if nothing failed
    """
    only = (os.environ.get("ONLY") or "").split()
    known = (*PARTS, *ON_DEMAND)
    if unknown := [part for part in only if part not in known]:
        raise UserError(
            f"ONLY={unknown[0]} is no part of the tests: choose one of {', '.join(known)}."
        )
    arguments = shlex.split(os.environ.get("ARGS") or "")
    named = parts_of_paths(arguments)
    if named and only and not set(named) & set(only):
        raise UserError(
            f"The paths of ARGS belong to the part {', '.join(named)}, not to {' '.join(only)}."
        )
    beside = [part for group in CONCURRENT for part in group]
    parts = only or named or [part for part in PARTS if part not in beside]
    totals = Totals()
    with contextlib.ExitStack() as stack:
        reports = stack.enter_context(_reports())
        concurrent = {} if only or named else _start_concurrent(reports, stack)
        if "lint" in parts:
            totals.broken += [f"lint: {name}" for name in lint.failures()]
        for part in parts:
            if part == "lint" or (named and part not in named):
                continue
            echo(f"tests: {part}")
            report = reports / f"{part}.xml"
            code = _RUNS[part](report, narrowed(part, arguments))
            totals.add(part, code, report, narrowed=bool(arguments))
        for group, process in concurrent.items():
            echo(f"tests: {', '.join(group)}, which run concurrently; waiting for their end")
            code = process.wait()
            print(process.log.read_text(errors="replace"), flush=True)
            for part in group:
                totals.add(part, 0, reports / f"{part}.xml", narrowed=bool(arguments))
            if code:
                totals.broken.append(f"{', '.join(group)} (exit code {code})")
    for what in totals.broken:
        warn(f"Failed: {what}")
    if parts != ["lint"]:
        print(
            f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped", flush=True
        )
    return 1 if totals.broken or totals.failed else 0


def _folder_of(argument: str) -> Path | None:
    """Return the path that an argument of pytest names; None for an option or a value."""
    path = REPOSITORY / argument.partition("::")[0]
    return path.resolve() if "/" in argument and path.exists() else None


def _is_in(place: Path, part: str) -> bool:
    return any(place.is_relative_to(REPOSITORY / folder) for folder in FOLDERS[part])


def parts_of_paths(arguments: list[str]) -> list[str]:
    """Return the parts whose tests the arguments name by paths.

    :param arguments: pytest's options
    :return: the parts, none if no path is named
    :raise UserError: if a path holds no tests of any part
    """
    places = {argument: place for argument in arguments if (place := _folder_of(argument))}
    for argument, place in places.items():
        if not any(_is_in(place, part) for part in FOLDERS):
            raise UserError(f"No part of the tests is in {argument} (see ARGS).")
    return [part for part in FOLDERS if any(_is_in(place, part) for place in places.values())]


def narrowed(part: str, arguments: list[str]) -> list[str]:
    """Return pytest's paths and options of one part.

    :param part: the part
    :param arguments: pytest's options, with paths of tests or without
    :return: the named paths in the part, else all of its folders, and the options
    """
    paths = [argument for argument in arguments if _folder_of(argument)]
    options = [argument for argument in arguments if argument not in paths]
    inside = [path for path in paths if _is_in(_folder_of(path), part)]
    folders = [folder for folder in FOLDERS.get(part, ()) if (REPOSITORY / folder).is_dir()]
    return [*(inside if paths else folders), *options]


@contextlib.contextmanager
def _reports() -> Iterator[Path]:
    """Yield the folder of the reports, the parent run's if there is one."""
    given = os.environ.get(_REPORTS)
    if given:
        yield Path(given)
        return
    with tempfile.TemporaryDirectory(prefix="ordage-report-") as made:
        yield Path(made)


def _start_concurrent(
    reports: Path, stack: contextlib.ExitStack
) -> dict[tuple[str, ...], processes.ManagedProcess]:
    """Start the groups of :data:`CONCURRENT`, and the server and the databases that all parts use.

    :param reports: folder of their reports and output
    :param stack: ends the server
    """
    started = {}
    for group in CONCURRENT:
        echo(f"tests: {', '.join(group)}, concurrently; their output follows at the end")
        started[group] = processes.ManagedProcess(
            [sys.executable, "-m", "tools", "test"],
            log=reports / f"{group[0]}.log",
            env={**_plain_environment(), "ONLY": " ".join(group), _REPORTS: str(reports)},
            cwd=REPOSITORY,
        )
        if group == CONCURRENT[0]:
            runtime = stack.enter_context(Runtime())
            os.environ.update(runtime.shared("", templates.UKRAINIAN))
            stack.callback(os.environ.pop, SHARED)
    return started


def _pure(report: Path, arguments: list[str]) -> int:
    return _pytest(["-p", "no:odoo"], report, arguments, _plain_environment())


def _odoo(report: Path, arguments: list[str]) -> int:
    return _in_process((), report, [*_spread("loadscope"), *arguments])


def _mrp(report: Path, arguments: list[str]) -> int:
    addons = ("ordage_keycrm_mrp", "ordage_keycrm_delivery")
    return _in_process((*addons, *_MRP_MODULES), report, [*_spread("loadscope"), *arguments])


def _shops(report: Path, arguments: list[str]) -> int:
    return _in_process(_SHOP_MODULES, report, arguments)


def _in_process(modules: tuple[str, ...], report: Path, arguments: list[str]) -> int:
    """Run tests inside Odoo, on a database that has the addon.

    :param modules: modules that are installed too
    """
    with Runtime() as runtime:
        database = runtime.addon_database("test", language=templates.UKRAINIAN)
        if modules:
            runtime.install(database, *modules)
        config = runtime.config("pytest", database)
        # Without --odoo-http the plugin skips every HttpCase in silence.
        options = [f"--odoo-config={config}", "--odoo-http", "-p", "tools.pytest_filestore"]
        # With several processes the plugin clones the database with PostgreSQL's own programs.
        env = {**environment_of(runtime.source), **postgres.environment_of(runtime.server)}
        return _pytest(options, report, arguments, env)


def _spread(by: str) -> list[str]:
    """Return pytest's options for tests in several processes; chosen tests run in one, for a debugger.

    :param by: what stays together in a process, see ``--dist`` of pytest-xdist
    """
    return [] if os.environ.get("ARGS") else ["-n", "2", "--dist", by]


def _system(report: Path, arguments: list[str]) -> int:
    with Runtime() as runtime:
        env = {**_plain_environment(), **runtime.shared("")}
        return _pytest(["-p", "no:odoo", *_spread("loadfile")], report, arguments, env)


def _attacks(report: Path, arguments: list[str]) -> int:
    return _pytest(["-p", "no:odoo"], report, arguments, _plain_environment())


def _browser(report: Path, arguments: list[str]) -> int:
    chromium.chromium()  # fetched before the tests, so that an error is reported once
    return _pytest(["-p", "no:odoo"], report, arguments, _plain_environment())


def _faults(report: Path, arguments: list[str]) -> int:
    return _pytest(["-p", "no:odoo"], report, arguments, _plain_environment())


_RUNS = {
    "pure": _pure,
    "odoo": _odoo,
    "stock": _odoo,
    "mrp": _mrp,
    "shops": _shops,
    "system": _system,
    "browser": _browser,
    "faults": _faults,
    "attacks": _attacks,
}


def _pytest(options: list[str], report: Path, arguments: list[str], env: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *options, *arguments]
    return processes.run_in_foreground(command, env, REPOSITORY)


def _plain_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
