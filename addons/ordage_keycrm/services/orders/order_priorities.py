"""Define the priorities of orders in the inbox, and cache its state between two polls.

The state is lost with the process, which costs only a few requests.
"""

import time
from dataclasses import dataclass, field

from ...keycrm.suspects import Suspects

#: Seconds between two requests for the list of KeyCRM's newest orders.
NEWEST_SECONDS = 5.0
#: Seconds for which lists are not requested after one that held none of the waiting orders.
USELESS_SECONDS = 30.0
#: Seconds for which an order is skipped when another transaction has locked its events.
SKIP_SECONDS = 10.0

#: Up to this many numbers above the newest known order are read with one list of the newest orders.
FEW_NEW = 3
#: Ranks of waiting orders; the first is processed first.
NEW_ORDER, WEBHOOK, OWN, RETRY, FAR = range(5)


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """Describe an order with unfinished events that are due.

    :param number: KeyCRM's
    :param rank: one of the ranks above
    :param is_missing_in_keycrm: whether KeyCRM recently responded that it has no such order
    :param is_outage: whether all its events failed because KeyCRM was unavailable
    :param last_event_id: id of its newest ``keycrm.event``
    """

    number: int
    rank: int
    is_missing_in_keycrm: bool
    is_outage: bool
    last_event_id: int

    @property
    def is_above_known(self):
        """Return whether its number is above that of the newest order in Odoo."""
        return self.rank in (NEW_ORDER, FAR)


_states = {}


@dataclass(slots=True)
class InboxState:
    """Hold the inbox state of one account. Times are of ``time.monotonic``.

    :param turns: pieces of work since the queue was empty
    :param polls_first: whether polling came before updates of orders in the last turn
    :param bulk_turns: pieces of bulk work since the process started
    :param last_bulk: name of the job of the last turn in which the jobs alternated
    :param bulk_since: since when bulk work is deferred for KeyCRM's limit; None where it is not
    :param unread_list: the period of the last list of a long inbox, and its next page; None without one
    """

    turns: int = 0
    polls_first: bool = False
    bulk_turns: int = 0
    last_bulk: str = ""
    bulk_since: float | None = None
    unread_list: tuple[dict, int] | None = None
    _newest_at: float = float("-inf")
    _useless_until: float = float("-inf")
    _skipped: dict[int, float] = field(default_factory=dict)
    _suspects: dict[str, Suspects] = field(default_factory=dict)

    @classmethod
    def for_account(cls, account):
        """Return the state that this process holds for an account.

        :param account: ``keycrm.account``
        """
        return _states.setdefault((account.env.cr.dbname, account.id), cls())

    def may_read_newest(self):
        """Return whether the newest orders may be read again, and record the read."""
        now = time.monotonic()
        if now < self._newest_at + NEWEST_SECONDS:
            return False
        self._newest_at = now
        return True

    def are_lists_useful(self):
        """Return whether a list is likely to hold waiting orders."""
        return time.monotonic() >= self._useless_until

    def record_useless_list(self):
        """Record that a list held no waiting order: the next ones are read singly."""
        self._useless_until = time.monotonic() + USELESS_SECONDS

    def skip(self, number):
        """Skip an order for :data:`SKIP_SECONDS`.

        :param number: KeyCRM's
        """
        self._skipped[number] = time.monotonic() + SKIP_SECONDS

    def skipped(self):
        """Return the numbers of the orders that are skipped now."""
        now = time.monotonic()
        self._skipped = {number: until for number, until in self._skipped.items() if until > now}
        return list(self._skipped)

    def suspects(self, path):
        """Return the rows of a list that requests failed with.

        :param path: the list's, below KeyCRM's address
        """
        return self._suspects.setdefault(path, Suspects())
