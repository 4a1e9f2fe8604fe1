"""Match stock webhooks with the echoes of our own writes, as pure functions.

Every stock write makes KeyCRM post its stock webhook (confirmed). The cost is linear in the rows of the
webhooks: each offer has its own queue of expected echoes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .stock_quantities import is_same


@dataclass(frozen=True, slots=True)
class OfferTotal:
    """Hold the last quantity of an offer that KeyCRM confirmed.

    :param total: sum over all its warehouses; None while a quantity is not confirmed
    :param elsewhere: the part of it in warehouses that are not mapped
    """

    total: float | None
    elsewhere: float = 0.0

    def is_total(self, quantity: float) -> bool:
        """Return whether a webhook's quantity equals the confirmed total.

        :param quantity: quantity of the webhook
        """
        return self.total is not None and self.is_sum(quantity, self.total)

    def is_sum(self, quantity: float, total: float) -> bool:
        """Return whether a quantity equals a total, over all or only mapped warehouses.

        KeyCRM's webhook can be configured for either.

        :param quantity: quantity of the webhook
        :param total: sum over all warehouses
        """
        return is_same(quantity, total) or is_same(quantity, total - self.elsewhere)


class ExpectedEchoes:
    """Match the expected echoes of several offers, each once.

    :param totals: ``{offer id: OfferTotal}``
    :param echoes: ``(echo id, offer id, quantity)``, the oldest first
    """

    def __init__(self, totals: Mapping[int, OfferTotal], echoes: Iterable[tuple[int, int, float]]):
        self._totals = totals
        self._expected: dict[int, dict[int, float]] = defaultdict(dict)
        for echo_id, offer_id, quantity in echoes:
            self._expected[offer_id][echo_id] = quantity

    def match(self, quantities: Mapping[int, float]) -> tuple[dict[int, int], list[int]]:
        """Compare one webhook with the expected echoes, without consuming them.

        :param quantities: ``{offer id: quantity over the webhook's warehouses}``
        :return: ``({offer id: echo id}, offers)``: the matched echoes, and the offers whose quantity
            differs
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
        """Remove received echoes, so that a later edit to the same quantity does not count as an echo.

        :param matched: ``{offer id: echo id}``
        """
        for offer_id, echo_id in matched.items():
            del self._expected[offer_id][echo_id]

    def _echo_of(self, offer_id: int, quantity: float, total: OfferTotal) -> int | None:
        """Return the oldest echo of this quantity, unless it is an edit in KeyCRM.

        The echo of the last write counts. That of an earlier write counts while the last one is still
        expected: afterwards the same quantity can only be an edit back to it, or a late echo.

        :param offer_id: KeyCRM's offer
        :param quantity: quantity of the webhook
        :param total: the confirmed quantity
        :return: the echo id, or None
        """
        expected = self._expected.get(offer_id, {})
        found = next((id_ for id_, sent in expected.items() if total.is_sum(quantity, sent)), None)
        if found is None or total.is_total(quantity):
            return found
        is_last_pending = any(
            total.is_total(sent) for echo_id, sent in expected.items() if echo_id != found
        )
        return found if is_last_pending else None
