"""Pieces of work that are done again and again, each time with a death at another point."""

from __future__ import annotations

import itertools

import requests

from tests.faults.crash_server import LONG

#: Commits of other people's work: what users and tests ask.
NOT_OURS = ("user",)
names = itertools.count(1)


def tell(account, number):
    """Send the webhook of an order."""
    body = {"event": "order.change_order_status", "context": {"id": number}}
    return requests.post(account.link, json=body, timeout=60)


class Work:
    """A piece of work that is done once for each death."""

    def __init__(self, account):
        self.account = account
        self.rpc = account.rpc
        self.keycrm = account.keycrm
        self.name = f"{next(names)}"

    def after_death(self, token):
        """What the outside does when Odoo is back.

        :return: True
        """
        return True

    def count(self, model, *domain):
        return len(self.rpc.search(model, *domain))

    def unworked(self):
        return self.count(
            "keycrm.event",
            ("account_id", "=", self.account.id),
            ("state", "in", ["pending", "failed"]),
        )


class CrashPoints:
    """Lets a piece of work die at each of its points."""

    def __init__(self, deaths, eventually):
        self.deaths = deaths
        self.eventually = eventually
        self.told = []

    def points(self, work, only=()):
        """Do the work once in peace, and list the points it passes."""
        self.deaths.forget()
        token = work.begin()
        self.eventually(lambda: work.is_done(token), LONG, "the work, done in peace")
        work.check(token)
        points = [
            point
            for point in self.deaths.seen()
            if not point.endswith(NOT_OURS)
            and not point.startswith("answered GET")
            # Booking a request is the same wherever it is asked for: once is enough.
            and ("keycrm_rate_limit" not in point or "._read_order" in point)
            and (not only or any(part in point for part in only))
        ]
        assert points
        return points

    def at(self, point, work):
        """Do work of its own, die at a point, start again, and see that all is as it should be."""
        self.deaths.plan(point)
        token = work.begin()
        self.eventually(
            lambda: self.deaths.died() or work.is_done(token), LONG, f"the end at {point}"
        )
        died = self.deaths.died()
        self.told.append((point, died))
        if died:
            self.deaths.start_again()
            self.eventually(lambda: work.after_death(token), LONG, "Odoo answering again")
        self.eventually(lambda: self.is_done(work, token), 2 * LONG, f"the work after {point}")
        work.check(token)

    def is_done(self, work, token):
        """Return whether it is done; a scheduler that was just started is told to look again."""
        if work.is_done(token):
            return True
        self.deaths.wake()
        return False

    def at_all(self, work, only=()):
        for point in self.points(work, only):
            self.at(point, work)
        missed = [point for point, died in self.told if not died]
        assert len(missed) <= len(self.told) // 4, f"not passed a second time: {missed}"
        print(f"\n{len(self.told) - len(missed)} deaths:")
        print("\n".join(f"  {point}" for point, died in self.told if died))
        print("\n".join(f"  not passed a second time: {point}" for point in missed))
