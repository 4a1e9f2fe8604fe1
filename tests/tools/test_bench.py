"""The benchmarks' table keeps rows of other benchmarks, and pairs alternate."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest

from bench import benchmarks, measure, results, run


def row(key, ours):
    return results.Row(key, f"what {key}", "1 s", ours, 1.5, "≤ 2 ×", True, "3 pairs")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "JSON", tmp_path / "results.json")
    monkeypatch.setattr(results, "TABLE", tmp_path / "RESULTS.md")
    return tmp_path


def test_partial_run_replaces_only_its_own_rows_and_keeps_the_order(files):
    about = {"date": "2026-01-01 00:00", "commit": "abc", "cores": 2, "load": 0.5, "minutes": 1}
    order = ["first", "second"]
    results.save([row("second.a", "old"), row("second.b", "old")], order, about)
    results.save([row("first", "old")], order, about)
    results.save([row("second.a", "new")], order, {**about, "load": 7.25})
    kept = json.loads((files / "results.json").read_text())
    assert [(key, one["ours"], one["load"]) for key, one in kept.items()] == [
        ("first", "old", 0.5),
        ("second.a", "new", 7.25),
    ]
    lines = (files / "RESULTS.md").read_text().splitlines()
    assert sum(line.startswith("| what ") for line in lines) == 3
    assert lines[-1].endswith(
        "| 1.50 | ≤ 2 × | yes | 3 pairs | 2026-01-01 00:00, abc, load 7.2 on 2 |"
    )


def test_ours_and_baseline_alternate_in_starting():
    calls = []

    def record(name):
        calls.append(name)
        return 2.0 if name == "ours" else 1.0

    pairs = measure.alternate(lambda: record("ours"), lambda: record("baseline"), 3, warm_up=1)
    assert calls == ["baseline", "ours", "ours", "baseline", "baseline", "ours", "ours", "baseline"]
    assert (len(pairs.ours), pairs.ratio) == (3, 2.0)


def test_disturbance_of_a_pair_does_not_change_the_ratio():
    pairs = measure.Pairs([1.1, 11.0, 1.1], [1.0, 10.0, 1.0])
    assert pairs.ratio == pytest.approx(1.1)
    assert measure.p95(list(range(1, 101))) == 95


def test_every_benchmark_has_a_name_and_every_name_a_benchmark():
    found = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}
    assert found == set(run.NAMES)
    for name in run.NAMES:
        assert callable(importlib.import_module(f"bench.benchmarks.{name}").run)
