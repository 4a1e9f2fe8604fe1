"""Scenarios that are repeated with a crash at each of their points."""

from __future__ import annotations

import itertools

import requests

from tests.faults.crash_server import TIMEOUT

#: Commits of the tests' own RPC calls.
EXCLUDED = ("user",)
names = itertools.count(1)


def send_webhook(account, number):
    """Send the webhook of an order."""
    body = {"event": "order.change_order_status", "context": {"id": number}}
    return requests.post(account.link, json=body, timeout=60)


class Scenario:
    """One operation with records of its own; it runs once for each crash point."""

    #: Points that the operation passes at least. Fewer mean that commits are no longer found.
    MIN_POINTS = 1

    def __init__(self, account):
        self.account = account
        self.rpc = account.rpc
        self.keycrm = account.keycrm
        self.name = f"{next(names)}"

    def after_crash(self, token):
        """Do what users and KeyCRM do once Odoo answers again.

        :return: True
        """
        return True

    def count(self, model, *domain):
        return len(self.rpc.search(model, *domain))

    def unfinished_events(self):
        return self.count(
            "keycrm.event",
            ("account_id", "=", self.account.id),
            ("state", "in", ["pending", "failed"]),
        )


class CrashPoints:
    """Find the points of a scenario and crash the server at each of them."""

    def __init__(self, crash_server, eventually):
        self.server = crash_server
        self.eventually = eventually
        self.outcomes = []

    def find(self, scenario, only=()):
        """Run the scenario without a crash and list the points that it passes.

        :raise AssertionError: when there are fewer than the scenario's ``MIN_POINTS``
        """
        self.server.reset()
        token = scenario.begin()
        self.eventually(
            lambda: scenario.is_done(token), TIMEOUT, "the scenario to finish without a crash"
        )
        scenario.check(token)
        points = [
            point
            for point in self.server.passed_points()
            if not point.endswith(EXCLUDED)
            and not point.startswith("answered GET")
            # The rate limiter commits alike for each request: one caller is enough.
            and (" rate_limit." not in point or ".read_order" in point)
            and (not only or any(part in point for part in only))
        ]
        assert len(points) >= scenario.MIN_POINTS, f"only {len(points)} crash points: {points}"
        return points

    def crash_at(self, point, scenario):
        """Run the scenario, crash at a point, restart, and check the result."""
        self.server.plan_crash(point)
        token = scenario.begin()
        self.eventually(
            lambda: self.server.has_crashed() or scenario.is_done(token),
            TIMEOUT,
            f"the crash at {point}",
        )
        crashed = self.server.has_crashed()
        self.outcomes.append((point, crashed))
        if crashed:
            self.server.restart()
            self.eventually(lambda: scenario.after_crash(token), TIMEOUT, "Odoo answering again")
        self.eventually(
            lambda: self.is_done(scenario, token), 2 * TIMEOUT, f"the scenario after {point}"
        )
        scenario.check(token)

    def is_done(self, scenario, token):
        """Return whether the scenario is done; if not, notify the scheduler."""
        if scenario.is_done(token):
            return True
        self.server.notify_scheduler()
        return False

    def crash_at_each(self, scenario, only=()):
        """Run the scenario once for each of its points."""
        for point in self.find(scenario, only):
            self.crash_at(point, scenario)
        missed = [point for point, crashed in self.outcomes if not crashed]
        # Some points depend on timing: two events in one batch or in two, a lock free or not.
        assert len(missed) <= len(self.outcomes) // 4, f"not passed a second time: {missed}"
        print(f"\n{len(self.outcomes) - len(missed)} crashes:")
        print("\n".join(f"  {point}" for point, crashed in self.outcomes if crashed))
        print("\n".join(f"  not passed a second time: {point}" for point in missed))
