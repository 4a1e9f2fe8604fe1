"""The totals of ``make test`` are the true sums and include each failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import test as runner
from tools.messages import UserError
from tools.paths import REPOSITORY
from tools.test import Totals, narrowed, parts_of_paths


def report(folder: Path, **counts: int) -> Path:
    file = folder / "report.xml"
    attributes = " ".join(f'{name}="{count}"' for name, count in counts.items())
    file.write_text(f"<testsuites><testsuite {attributes}/></testsuites>")
    return file


def test_runs_are_summed(tmp_path):
    totals = Totals()
    totals.add(
        "pure", 0, report(tmp_path, tests=7, failures=0, errors=0, skipped=1), narrowed=False
    )
    totals.add(
        "odoo", 1, report(tmp_path, tests=5, failures=1, errors=1, skipped=0), narrowed=False
    )
    assert (totals.passed, totals.failed, totals.skipped) == (9, 2, 1)
    assert totals.broken == ["odoo (exit code 1)"]


def test_run_without_a_report_is_a_failure(tmp_path):
    totals = Totals()
    totals.add("system", -9, tmp_path / "none.xml", narrowed=False)
    assert totals.broken == ["system (exit code -9)"]


def test_empty_run_is_a_failure_unless_tests_were_selected(tmp_path):
    totals = Totals()
    totals.add("pure", 5, report(tmp_path, tests=0), narrowed=True)
    assert totals.broken == []
    totals.add("pure", 5, report(tmp_path, tests=0), narrowed=False)
    assert totals.broken


def test_a_skipped_test_inside_odoo_is_a_failure(tmp_path):
    totals = Totals()
    totals.add("odoo", 0, report(tmp_path, tests=3, skipped=1), narrowed=False)
    assert totals.broken == ["odoo (1 tests skipped, where none may be)"]


def test_paths_of_arguments_choose_the_parts_and_replace_their_folders():
    named = [
        "-x",
        "tests/system/test_link.py",
        "tests/pure/test_guides.py::test_none",
        "-k",
        "a or b",
    ]
    assert parts_of_paths(named) == ["pure", "system"]
    assert narrowed("system", named) == ["tests/system/test_link.py", "-x", "-k", "a or b"]
    assert narrowed("pure", named)[0] == "tests/pure/test_guides.py::test_none"
    inside = [str(REPOSITORY / "addons/ordage_keycrm/tests/test_guards.py")]
    assert parts_of_paths(inside) == ["odoo"]
    assert narrowed("odoo", inside) == inside


def test_options_without_a_path_leave_all_folders():
    for options in ([], ["-k", "tests"], ["-q", "--durations=3"]):
        assert parts_of_paths(options) == []
        assert narrowed("pure", options) == [*runner.FOLDERS["pure"], *options]


def test_a_path_without_tests_or_of_another_part_is_refused(monkeypatch):
    with pytest.raises(UserError, match=r"No part of the tests is in docs/en"):
        parts_of_paths(["docs/en"])
    monkeypatch.setenv("ONLY", "odoo")
    monkeypatch.setenv("ARGS", "tests/pure/test_guides.py")
    with pytest.raises(UserError, match=r"belong to the part pure, not to odoo"):
        runner.main([])


def test_path_starts_its_part_alone(monkeypatch):
    ran = []
    monkeypatch.delenv("ONLY", raising=False)
    monkeypatch.setenv("ARGS", "tests/browser/test_setup.py")
    monkeypatch.setattr(runner, "_start_concurrent", lambda *_args: pytest.fail("all parts"))
    monkeypatch.setattr(runner.lint, "failures", lambda: pytest.fail("the linters"))
    for part in runner.FOLDERS:
        monkeypatch.setitem(
            runner._RUNS, part, lambda _report, options, part=part: ran.append((part, options)) or 0
        )
    assert runner.main([]) == 0
    assert ran == [("browser", ["tests/browser/test_setup.py"])]


def test_a_full_run_runs_each_part_once(monkeypatch, tmp_path):
    class Done:
        log = tmp_path / "log"

        def wait(self):
            return 0

    ran = []
    Done.log.write_text("")
    for name in ("ONLY", "ARGS"):
        monkeypatch.delenv(name, raising=False)
    groups = dict.fromkeys(runner.CONCURRENT, Done())
    monkeypatch.setattr(runner, "_start_concurrent", lambda _reports, _stack: groups)
    monkeypatch.setattr(runner.lint, "failures", lambda: ran.append("lint"))
    for part in runner.FOLDERS:
        monkeypatch.setitem(
            runner._RUNS, part, lambda _report, _options, part=part: ran.append(part) or 0
        )
    assert runner.main([]) == 0
    started = [part for group in runner.CONCURRENT for part in group]
    assert sorted([*ran, *started]) == sorted(runner.PARTS)
