"""The closing line of ``make test`` is the true sum, and nothing that failed is lost in it."""

from __future__ import annotations

from pathlib import Path

from tools.test import Totals


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


def test_a_run_that_died_without_a_report_is_a_failure(tmp_path):
    totals = Totals()
    totals.add("system", -9, tmp_path / "none.xml", narrowed=False)
    assert totals.broken == ["system (exit code -9)"]


def test_no_test_is_a_failure_unless_a_person_chose_tests(tmp_path):
    totals = Totals()
    totals.add("pure", 5, report(tmp_path, tests=0), narrowed=True)
    assert totals.broken == []
    totals.add("pure", 5, report(tmp_path, tests=0), narrowed=False)
    assert totals.broken


def test_a_skipped_test_inside_odoo_is_a_failure(tmp_path):
    totals = Totals()
    totals.add("odoo", 0, report(tmp_path, tests=3, skipped=1), narrowed=False)
    assert totals.broken == ["odoo (1 tests skipped, where none may be)"]
