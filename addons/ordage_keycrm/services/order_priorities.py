"""Orders that wait in the inbox, and what a process remembers of an account's inbox between two looks.

What is lost with the process costs a few requests, nothing else.
"""

import time
from dataclasses import dataclass, field

#: Seconds between two lists of KeyCRM's newest orders.
NEWEST_SECONDS = 5.0
#: Seconds for which lists are left out after one that held none of the orders that wait.
USELESS_SECONDS = 30.0
#: Seconds for which an order is left out whose events somebody else holds.
PUT_OFF_SECONDS = 10.0

#: So many numbers above the newest known order are looked up with one list of the newest orders.
FEW_NEW = 3
#: Ranks of waiting orders, the first is worked first.
NEW_ORDER, WEBHOOK, OWN, RETRY, FAR = range(5)


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order of which unfinished events are due.

    :param number: KeyCRM's
    :param rank: one of the ranks above
    :param is_missing_in_keycrm: whether KeyCRM said a moment ago that it has no such order
    :param is_outage: whether all its events failed since KeyCRM could not answer
    """

    number: int
    rank: int
    is_missing_in_keycrm: bool
    is_outage: bool

    @property
    def is_above_known(self):
        """Whether its number is above that of the newest order in Odoo."""
        return self.rank in (NEW_ORDER, FAR)


_states = {}


@dataclass(slots=True)
class InboxState:
    """State of one account. Times are of ``time.monotonic``.

    :param turns: pieces of work since the process began
    """

    turns: int = 0
    _newest_at: float = float("-inf")
    _useless_until: float = float("-inf")
    _put_off: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, account):
        """:return: the state of an account of this process"""
        return _states.setdefault((account.env.cr.dbname, account.id), cls())

    def may_read_newest(self):
        """Return whether the newest orders may be read again; noted as read then."""
        now = time.monotonic()
        if now < self._newest_at + NEWEST_SECONDS:
            return False
        self._newest_at = now
        return True

    def are_lists_useful(self):
        """Return whether a list is likely to hold orders that wait."""
        return time.monotonic() >= self._useless_until

    def note_useless_lists(self):
        """A list held none of the orders that wait: those that wait next are read one by one."""
        self._useless_until = time.monotonic() + USELESS_SECONDS

    def put_off(self, number=None):
        """Leave an order out for some seconds.

        :param number: KeyCRM's; None to add none
        :return: list of the numbers that are left out now
        """
        now = time.monotonic()
        if number:
            self._put_off[number] = now + PUT_OFF_SECONDS
        self._put_off = {one: until for one, until in self._put_off.items() if until > now}
        return list(self._put_off)
