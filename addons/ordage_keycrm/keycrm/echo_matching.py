"""Match stock webhooks with the echoes of our own writes, as a function of plain data.

Every stock write makes KeyCRM post its stock webhook (confirmed). The work is linear in the rows of the
webhooks: each offer has its own queue of expected echoes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .stock_quantities import is_same


@dataclass(frozen=True, slots=True)
class OfferTotal:
    """What KeyCRM is known to have of an offer.

    :param total: sum over all its warehouses; None while a quantity is not confirmed
    :param elsewhere: the part of it in warehouses that are not mapped
    """

    total: float | None
    elsewhere: float = 0.0

    def is_total(self, quantity: float) -> bool:
        """Whether a webhook's quantity is the one that KeyCRM is known to have."""
        return self.total is not None and self.is_sum(quantity, self.total)

    def is_sum(self, quantity: float, total: float) -> bool:
        """Whether a quantity is a total: over all warehouses, or over the mapped ones alone.

        KeyCRM's webhook can be set up for either.
        """
        return is_same(quantity, total) or is_same(quantity, total - self.elsewhere)


class EchoMatcher:
    """Expected echoes of several offers, each matched once.

    :param totals: ``{offer id: OfferTotal}``
    :param echoes: ``(echo id, offer id, quantity)``, the oldest first
    """

    def __init__(self, totals: Mapping[int, OfferTotal], echoes: Iterable[tuple[int, int, float]]):
        self._totals = totals
        self._expected: dict[int, dict[int, float]] = defaultdict(dict)
        for echo_id, offer_id, quantity in echoes:
            self._expected[offer_id][echo_id] = quantity

    def match(self, quantities: Mapping[int, float]) -> tuple[dict[int, int], list[int]]:
        """Compare one webhook with what is expected; nothing is consumed yet.

        :param quantities: ``{offer id: quantity over the webhook's warehouses}``
        :return: ``{offer id: echo id}`` of the echoes it is; offers of which it reports news
        """
        matched, differing = {}, []
        for offer_id, quantity in quantities.items():
            total = self._totals[offer_id]
            echo_id = self._echo_of(offer_id, quantity, total)
            if echo_id is not None:
                matched[offer_id] = echo_id
            elif not total.is_total(quantity):
                differing.append(offer_id)
        return matched, differing

    def consume(self, matched: Mapping[int, int]) -> None:
        """Remove echoes that came, so that a later hand edit to the same quantity is news."""
        for offer_id, echo_id in matched.items():
            del self._expected[offer_id][echo_id]

    def _echo_of(self, offer_id: int, quantity: float, total: OfferTotal) -> int | None:
        """The oldest echo of this quantity, unless it is a hand edit back to an earlier quantity.

        The echo of the last write counts. That of an earlier write counts while the last one is still
        to come: afterwards the same quantity can only be an edit, or an echo that came too late.
        """
        expected = self._expected.get(offer_id, {})
        found = next((id_ for id_, sent in expected.items() if total.is_sum(quantity, sent)), None)
        if found is None or total.is_total(quantity):
            return found
        is_last_to_come = any(
            total.is_total(sent) for echo_id, sent in expected.items() if echo_id != found
        )
        return found if is_last_to_come else None
