"""The request quota is never exceeded, and used in full when there is work."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycrm import rate_limit_rules as rules
from keycrm.rate_limit_rules import BULK, LIVE, Quota


def send_requests(queues, start=1000.0, limit=60):
    """Send a request of each queue as soon as allowed; return the times."""
    now, quota, times = start, Quota(limit=limit, full_limit=limit), []
    for queue in queues:
        now += rules.wait_for(quota, now, queue)
        quota = rules.booked(quota, now)
        times.append(now)
    return times


@given(
    st.lists(st.sampled_from([LIVE, BULK]), min_size=1, max_size=200),
    st.integers(min_value=5, max_value=80),
)
def test_no_minute_ever_holds_more_than_the_limit(queues, limit):
    times = send_requests(queues, limit=limit)
    for index, first in enumerate(times):
        within = [time for time in times[index:] if time < first + 60.0]
        assert len(within) <= limit


@pytest.mark.parametrize("queue", [LIVE, BULK])
@pytest.mark.parametrize("limit", range(5, rules.DEFAULT_LIMIT + 1))
def test_wait_of_started_work_is_long_enough_for_its_next_request(queue, limit):
    times = send_requests([queue] * 10 * limit, limit=limit)
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert longest <= rules.max_wait(limit) + 0.001


@pytest.mark.parametrize("queue", [LIVE, BULK])
def test_clock_set_back_blocks_requests_for_one_window_at_most(queue):
    quota = Quota(times=(9000.0,) * 60, blocked_until=9300.0, limit=5, limit_until=12600.0)
    now = 1000.0
    quota = rules.refreshed(quota, now)
    assert quota.blocked_until <= now + rules.LONGEST_BLOCK
    assert quota.limit_until <= now + rules.RAISE_AFTER
    assert rules.wait_for(replace(quota, blocked_until=0.0), now, queue) <= rules.WINDOW
    later = now + rules.LONGEST_BLOCK + 1
    assert rules.wait_for(quota, later, queue) == 0.0


def test_live_work_may_burst_up_to_half_of_the_limit():
    times = send_requests([LIVE] * 30)
    assert times[-1] == times[0]


def test_backlog_of_live_work_uses_the_whole_limit_and_starves_no_queue():
    times = send_requests([LIVE] * 600)
    per_minute = 60 * (len(times) - 60) / (times[-60] - times[0])
    assert per_minute >= 58
    assert max(later - earlier for earlier, later in pairwise(times)) <= 2.0


def test_bulk_work_uses_nearly_the_whole_limit():
    times = send_requests([BULK] * 600)
    per_minute = 60 * (len(times) - 1) / (times[-1] - times[0])
    assert per_minute >= 58


@pytest.mark.parametrize("limit", [20, 60, 600])
def test_bulk_requests_are_spread_and_leave_room_for_a_live_order(limit):
    now, quota, times = 1000.0, Quota(limit=limit, full_limit=limit), []
    for _ in range(5 * limit):
        now += rules.wait_for(quota, now, BULK)
        quota = rules.booked(quota, now)
        times.append(now)
    assert rules.wait_for(quota, now, LIVE) <= 60 / limit
    # It never pauses longer than its own interval plus the margin of the window.
    assert max(later - earlier for earlier, later in pairwise(times)) <= 3 * 60 / limit + 1


@pytest.mark.parametrize("limit", [20, 60])
def test_bulk_work_leaves_little_of_the_limit_unused_and_live_work_hardly_waits(limit):
    live = [1000.0 + 10.0 * number for number in range(60)]
    quota, times, waits = Quota(limit=limit, full_limit=limit), [], []
    now = live[0]
    while live:
        if live[0] <= now and not rules.wait_for(quota, now, LIVE):
            waits.append(now - live.pop(0))
        elif rules.wait_for(quota, now, BULK):
            now += 0.05
            continue
        quota = rules.booked(quota, now)
        times.append(now)
    lasting = [time for time in times if time > 1100.0]
    assert len(lasting) * 60 / (times[-1] - 1100.0) >= 0.96 * limit
    assert max(waits) <= 60 / limit


def test_429_blocks_all_queues_for_keycrms_retry_after():
    quota = rules.refused(Quota(), 1000.0, 7.0)
    assert rules.wait_for(quota, 1000.0, LIVE) == 7.0
    assert rules.wait_for(quota, 1003.0, BULK) == 4.0


def test_429_without_a_time_pauses_too():
    quota = rules.refused(Quota(), 1000.0, None)
    assert rules.wait_for(quota, 1000.0, LIVE) == rules.DEFAULT_RETRY_AFTER


def limit_after_429(limit, now=1000.0):
    """Apply a 429 at the first request above the limit."""
    quota = Quota()
    for _ in range(limit):
        quota = rules.booked(quota, now)
    return rules.refused(rules.booked(quota, now), now, 1.0)


def test_limit_lowered_by_an_early_429_is_raised_stepwise():
    quota, now, limits = limit_after_429(20), 1000.0, []
    assert (quota.limit, quota.lowered_at) == (20, now)
    assert rules.refused(quota, now + 1, 1.0).lowered_at == now
    assert rules.refreshed(quota, now + rules.RAISE_AFTER - 1).limit == 20
    while quota.is_lowered:
        now += rules.RAISE_AFTER
        quota = rules.refreshed(quota, now)
        limits.append(quota.limit)
    assert limits == [25, 31, 38, 47, 58, 60]
    assert not quota.lowered_at


def test_reduced_limit_is_kept_while_nothing_is_requested():
    month = 30 * 86400.0
    assert rules.refreshed(limit_after_429(20), 1000.0 + month).limit == 25


def test_refused_raise_of_the_limit_is_retried_with_backoff():
    """Use a key of twenty requests a minute for three days without a pause."""
    now, quota, refused = 1000.0, Quota(), []
    arrived = []
    while now < 1000.0 + 3 * 86400.0:
        now += rules.wait_for(quota, now, LIVE)
        quota = rules.booked(quota, now)
        arrived = [time for time in arrived if time > now - 60.0]
        if len(arrived) >= 20:
            refused.append(now)
            quota = rules.refused(quota, now, 60.0 - (now - arrived[0]))
        else:
            arrived.append(now)
    assert 15 <= quota.limit <= 25
    assert len(refused) <= 15
    assert len([time for time in refused if time > 1000.0 + 2 * 86400.0]) <= 3


def test_429_at_the_limit_does_not_lower_it():
    quota = Quota(limit=20, full_limit=20)
    for _ in range(20):
        quota = rules.booked(quota, 1000.0)
    assert rules.refused(quota, 1000.0, 1.0).limit == 20
