"""What the comparison with Odoo's own suites calls worse, and the table's figures."""

from __future__ import annotations

from tools import peers


def run(cpu=1.0, queries=10, asserted=None, tests=None, **results):
    return {
        "results": results,
        "asserted": asserted or {},
        "tests": tests or {},
        "queries": queries,
        "cpu": cpu,
    }


def test_test_that_fails_or_vanishes_with_the_addon_is_worse():
    without = [run(a="passed", b="passed", c="failed", d="skipped")] * 2
    worse = peers.compare(
        without,
        [
            run(a="passed", b="failed", c="failed", d="skipped"),
            run(a="passed", c="failed", d="skipped"),
        ],
    )
    assert worse == ["b: fails with the addon, in 2 of 2 rounds"]


def test_test_that_fails_without_the_addon_too_is_not_worse():
    assert peers.compare([run(a="passed"), run(a="failed")], [run(a="failed")] * 2) == []


def test_performance_test_that_needs_a_query_more_in_every_round_is_worse():
    without = [run(asserted={"t 1": 20}), run(asserted={"t 1": 21})]
    assert peers.compare(without, [run(asserted={"t 1": 22}), run(asserted={"t 1": 21})]) == []
    worse = peers.compare(without, [run(asserted={"t 1": 22})] * 2)
    assert worse == ["t 1: 22 queries with the addon, 21 without"]


def test_table_has_the_least_processor_time_of_all_rounds():
    without = {"sale": [run(cpu=3, a="passed"), run(cpu=2, a="passed")], "stock": [run(cpu=2)]}
    with_addon = {"sale": [run(cpu=2.1, a="passed")], "stock": [run(cpu=2, queries=11)]}
    rows = peers.rows(without, with_addon)
    assert rows == [
        ["sale", "1", "1", "1", "10", "10", "2.0", "2.1", "1.050 !"],
        ["stock", "0", "0", "0", "10", "11", "2.0", "2.0", "1.000"],
        ["all", "1", "1", "1", "20", "21", "4.0", "4.1", "1.025"],
    ]


def test_more_processor_time_than_the_goal_in_every_round_is_worse():
    without = [run(cpu=10.4), run(cpu=10.0)]
    assert peers.compare(without, [run(cpu=10.9), run(cpu=10.3)]) == []
    worse = peers.compare(without, [run(cpu=10.9), run(cpu=10.4)])
    assert worse == ["processor time 10.0 s without the addon, 10.4 s with"]


def test_processor_time_is_the_least_of_each_test_and_of_the_rest():
    first = run(cpu=10, tests={"a": [1, 4.0], "b": [1, 5.0]})
    second = run(cpu=12, tests={"a": [1, 6.0], "b": [1, 3.0]})
    assert peers.processor_seconds([first, second]) == 1 + 4 + 3
