"""Matching of stock webhooks that are echoes of own writes."""

import keycrm.echo_rules as echo_rules
from keycrm.echo_rules import ExpectedEchoes, OfferTotal


def test_the_echo_of_the_last_write_is_matched_once():
    matcher = ExpectedEchoes({1: OfferTotal(5.0)}, [(10, 1, 5.0)])
    assert matcher.match({1: 5.0}) == ({1: 10}, [])
    matcher.consume({1: 10})
    # The same quantity again needs no request either: KeyCRM already has it.
    assert matcher.match({1: 5.0}) == ({}, [])
    assert matcher.match({1: 6.0}) == ({}, [1])


def test_earlier_echo_matches_until_the_last_one_arrived():
    matcher = ExpectedEchoes({1: OfferTotal(7.0)}, [(10, 1, 6.0), (11, 1, 7.0)])
    assert matcher.match({1: 6.0}) == ({1: 10}, [])
    matcher.consume({1: 11})
    assert matcher.match({1: 6.0}) == ({}, [1])


def test_manual_edit_back_to_an_earlier_quantity_is_no_echo():
    expected = ExpectedEchoes({1: OfferTotal(7.0)}, [(10, 1, 6.0), (11, 1, 7.0)])
    matched, _differing = expected.match({1: 6.0})
    expected.consume(matched)
    matched, _differing = expected.match({1: 7.0})
    expected.consume(matched)
    assert expected.match({1: 6.0}) == ({}, [1])


def test_echoes_of_successive_writes_cost_no_request():
    expected = ExpectedEchoes({1: OfferTotal(8.0)}, [(10, 1, 6.0), (11, 1, 7.0), (12, 1, 8.0)])
    for echo_id, quantity in ((10, 6.0), (11, 7.0), (12, 8.0)):
        matched, differing = expected.match({1: quantity})
        assert (matched, differing) == ({1: echo_id}, [])
        expected.consume(matched)


def test_unconfirmed_quantity_is_never_an_echo():
    matcher = ExpectedEchoes({1: OfferTotal(None)}, [(10, 1, 6.0)])
    assert matcher.match({1: 6.0}) == ({}, [1])


def test_webhook_of_the_mapped_warehouses_alone_is_an_echo():
    matcher = ExpectedEchoes({1: OfferTotal(8.0, elsewhere=3.0)}, [(10, 1, 8.0)])
    assert matcher.match({1: 5.0}) == ({1: 10}, [])
    assert matcher.match({1: 8.0}) == ({1: 10}, [])


def test_matching_takes_time_linear_in_the_rows(monkeypatch):
    calls = []
    monkeypatch.setattr(echo_rules, "is_same", lambda a, b: calls.append(1) or a == b)

    def compared(count):
        calls.clear()
        matcher = ExpectedEchoes(
            {n: OfferTotal(float(n)) for n in range(count)},
            [(n, n, float(n)) for n in range(count)],
        )
        for start in range(0, count, 50):
            matched, differing = matcher.match({n: float(n) for n in range(start, start + 50)})
            assert len(matched) == 50
            assert not differing
            matcher.consume(matched)
        return len(calls)

    assert compared(2000) == 10 * compared(200)
