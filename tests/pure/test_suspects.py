"""Isolation of rows that KeyCRM cannot return, over several reads."""

from hypothesis import given
from hypothesis import strategies as st
from keycrm.suspects import MAX_FAILURES, Suspects


def read(suspects, numbers, faulty, most=50):
    """Read rows as the orders queue does.

    :return: ``(rows that were read, rows that were not, requests)``
    """
    parts = suspects.parts(numbers, most)
    found, missing, requests, failures, limit = [], [], 0, 0, suspects.max_failures
    while parts:
        part = parts.pop(0)
        requests += 1
        if faulty.isdisjoint(part):
            suspects.answered(part)
            found += part
            continue
        failures += 1
        halves = suspects.failed(part)
        if failures == limit:
            return found, [*missing, *part, *(row for rest in parts for row in rest)], requests
        parts[:0] = halves
        missing += [] if halves else part
    return found, missing, requests


def test_one_faulty_row_of_fifty_is_isolated_by_one_read_and_then_known():
    for faulty in range(50):
        suspects, numbers = Suspects(), list(range(50))
        found, missing, requests = read(suspects, numbers, {faulty})
        assert missing == [faulty]
        assert len(found) == 49
        assert requests <= 13
        # From then on it costs one request, and no other row waits.
        found, missing, requests = read(suspects, numbers, {faulty})
        assert (len(found), missing, requests) == (49, [faulty], 2)


def test_row_that_can_be_read_again_is_no_longer_suspect():
    suspects, numbers = Suspects(), list(range(50))
    read(suspects, numbers, {7})
    assert read(suspects, numbers, set())[2] == 2
    assert read(suspects, numbers, set())[2] == 1


def test_unavailable_list_costs_few_requests_then_one_per_read():
    suspects, numbers = Suspects(), list(range(200))
    everything = set(numbers)
    assert read(suspects, numbers, everything)[2] == MAX_FAILURES
    for _ in range(3):
        found, missing, requests = read(suspects, numbers, everything)
        assert (found, sorted(missing), requests) == ([], numbers, 1)
    for _ in range(3):
        found, missing, _requests = read(suspects, numbers, set())
    assert sorted(found) == numbers


@given(
    st.integers(1, 150),
    st.sets(st.integers(0, 149), max_size=12),
    st.integers(1, 60),
)
def test_any_faulty_rows_are_isolated_after_some_reads(count, faulty, most):
    suspects, numbers = Suspects(), list(range(count))
    faulty = {number for number in faulty if number < count}
    for _ in range(60):
        found, missing, _requests = read(suspects, numbers, faulty, most)
        assert sorted([*found, *missing]) == numbers
    assert set(missing) == faulty
