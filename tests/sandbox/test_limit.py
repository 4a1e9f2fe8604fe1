"""The API key, the rate limit and other refusals of the middleware."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.limiter import SECOND, WINDOW, Limiter


@pytest.mark.parametrize("header", [None, "Bearer wrong", "key", "Basic key", "Bearer", "Bearer "])
def test_without_the_key_each_request_is_refused(running, control, header):
    headers = {"Authorization": header} if header else {}
    for path in ("/order", "/warehouses", "/order/1"):
        answer = requests.get(running.api_url + path, headers=headers, timeout=10)
        assert answer.status_code == 401
        assert answer.json() == {"message": "Unauthenticated."}


def test_keys_are_added_and_revoked(running, api, control):
    control.add_key("second")
    control.remove_key("key")
    api.get("/order", status=401)
    second = {"Authorization": "Bearer second"}
    assert requests.get(running.api_url + "/order", headers=second, timeout=10).status_code == 200
    control.reset()
    api.get("/order")
    assert requests.get(running.api_url + "/order", headers=second, timeout=10).status_code == 401


@pytest.mark.parametrize(
    "path", ["/warehouses", "/", "", "/nothing", "/order/x", "/offers/1", "/users", "/order/"]
)
def test_everything_else_is_a_404_in_json(api, path):
    answer = api.call("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/order"), ("DELETE", "/order/1"), ("POST", "/offers/stocks"), ("POST", "/offers")],
)
def test_wrong_method_is_a_405_in_json(api, method, path):
    answer = api.call(method, path)
    assert answer.status_code == 405
    assert method in answer.json()["message"]


def test_request_over_the_limit_is_a_429(api, control):
    control.set_switches(rate_limit=3)
    answers = [api.call("GET", "/order") for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert answers[3].json() == {"message": "Too Many Attempts."}
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert "Retry-After" not in answers[0].headers
    log = control.requests()
    assert [entry["used"] for entry in log] == [1, 2, 3, 3, 3]
    control.set_switches(rate_limit=0)
    assert api.call("GET", "/order").status_code == 200


def test_429_without_retry_after(api, control):
    control.set_switches(rate_limit=1, retry_after="no")
    api.get("/order")
    answer = api.call("GET", "/order")
    assert answer.status_code == 429 and "Retry-After" not in answer.headers


@pytest.mark.parametrize("value", ["yes", "no"])
def test_rate_limit_headers_are_returned(api, control, value):
    control.set_switches(rate_limit=2, rate_headers=value)
    answers = [api.call("GET", "/order") for _ in range(3)]
    left = [a.headers.get("X-RateLimit-Remaining") for a in answers]
    assert left == (["1", "0", "0"] if value == "yes" else [None] * 3)


def test_each_key_has_its_own_limit(running, api, control):
    control.set_switches(rate_limit=1)
    control.add_key("second")
    api.get("/order")
    api.get("/order", status=429)
    second = {"Authorization": "Bearer second"}
    assert requests.get(running.api_url + "/order", headers=second, timeout=10).status_code == 200


def test_wrong_key_consumes_no_quota(running, api, control):
    control.set_switches(rate_limit=1)
    for _ in range(3):
        requests.get(running.api_url + "/order", timeout=10)
    api.get("/order")


def test_refused_writes_have_no_effect(api, control, offer):
    number = offer()
    control.set_switches(rate_limit=1)
    api.get("/order")
    api.put_stock({"id": number, "quantity": 1}, status=429)
    assert control.stock(number)["quantity"] == 10


# === ARITHMETIC OF THE LIMIT, WITH A MANUAL CLOCK ===


class Time:
    """A manual clock in nanoseconds."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


pauses_between = st.integers(0, 30 * SECOND)


@given(st.lists(pauses_between, max_size=120), st.integers(1, 8))
def test_sliding_window_never_exceeds_the_limit(pauses, limit):
    clock = Time()
    limiter, passed = Limiter(clock), []
    for pause in pauses:
        clock.now += pause
        if limiter.check("key", limit).allowed:
            passed.append(clock.now)
    for first, last in zip(passed, passed[limit:], strict=False):
        assert last - first >= WINDOW


@given(st.lists(pauses_between, max_size=60), st.integers(1, 8), st.booleans())
def test_waiting_retry_after_is_always_enough(pauses, limit, fixed):
    clock = Time()
    limiter = Limiter(clock)
    for pause in pauses:
        clock.now += pause
        verdict = limiter.check("key", limit, fixed)
        if not verdict.allowed:
            clock.now += verdict.retry_after * SECOND
            assert limiter.check("key", limit, fixed).allowed


def test_fixed_window_allows_two_adjacent_bursts():
    clock = Time()
    for fixed in (True, False):
        limiter, clock.now = Limiter(clock), 0
        verdicts = [limiter.check("key", 3, fixed).allowed]
        clock.now = 59 * SECOND
        verdicts += [limiter.check("key", 3, fixed).allowed for _ in range(2)]
        clock.now = 60 * SECOND
        late = [limiter.check("key", 3, fixed).allowed for _ in range(3)]
        assert verdicts == [True] * 3
        assert sum(late) == (3 if fixed else 1)


def test_lowered_limit_applies_at_once():
    clock = Time()
    limiter = Limiter(clock)
    for second in range(10):
        clock.now = second * SECOND
        assert limiter.check("key", 10).allowed
    verdict = limiter.check("key", 4)
    assert not verdict.allowed
    clock.now += verdict.retry_after * SECOND
    assert limiter.check("key", 4).allowed
