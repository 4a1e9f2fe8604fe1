"""Isolation of the rows that make requests fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycrm.fault_isolation_rules import MAX_FAULTS, Isolation


class Queue:
    """Rows that are sent as the stock queue does: a run ends when everything seems to fail."""

    def __init__(self, count, faulty, most=1000):
        self.waiting, self.faulty, self.most = list(range(count)), set(faulty), most
        self.state, self.requests, self.accepted, self.isolated = Isolation(), 0, [], []

    def run(self, known=()):
        """Send what waits; return whether the run came to its end."""
        while self.waiting:
            start, end = self.state.bounds(0, len(self.waiting), self.most)
            part = self.waiting[start:end]
            self.requests += 1
            if self.faulty.isdisjoint(part):
                self.state = self.state.after_success()
                self.accepted += part
            else:
                is_known = part[0] in known
                self.state = self.state.after_failure(len(part), is_known=is_known)
                if len(part) > 1:
                    continue
                self.isolated += part
            del self.waiting[start:end]
            if self.state.is_all_failing:
                return False
        return True


@pytest.mark.parametrize("first", [0, 17, 34])
@pytest.mark.parametrize("count", range(1, 7))
def test_few_adjacent_faulty_rows_are_isolated_in_one_run(first, count):
    queue = Queue(40, range(first, first + count))
    assert queue.run()
    assert queue.isolated == sorted(queue.faulty)
    assert len(queue.accepted) == 40 - count
    # A bisection, then each faulty row alone, then the rest.
    assert queue.requests <= 2 * 6 + count + 2


@given(st.integers(1, 60), st.sets(st.integers(0, 59)), st.integers(1, 60))
def test_faulty_rows_do_not_stop_the_others_for_good(count, faulty, most):
    queue = Queue(count, {row for row in faulty if row < count}, most)
    runs = 1
    while not queue.run():
        runs += 1
    assert set(queue.isolated) == queue.faulty
    assert set(queue.accepted) == set(range(count)) - queue.faulty
    assert runs <= len(queue.faulty) + 1


def test_many_adjacent_faulty_rows_are_isolated_in_one_run():
    queue = Queue(60, range(10, 40))
    assert queue.run()


def test_run_of_failing_rows_tries_one_more_row_each_time():
    queue = Queue(1000, range(1000))
    assert not queue.run()
    assert queue.requests <= 10 + MAX_FAULTS + 1
    for _ in range(5):
        before = queue.requests
        assert not queue.run()
        assert queue.requests == before + 1
    queue.faulty.clear()
    before = queue.requests
    assert queue.run()
    assert queue.requests == before + 2


def test_known_faulty_rows_do_not_end_a_run():
    queue = Queue(20, range(20))
    assert queue.run(known=queue.faulty)
    assert len(queue.isolated) == 20
