"""Switches: each open question about KeyCRM is a value that tests can set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class BadSwitch(ValueError):
    """An unknown switch or a value it does not have; the text is one plain sentence."""


@dataclass(frozen=True)
class Switch:
    """One question and its possible answers.

    :param name: what it is called
    :param default: the answer at the start
    :param meaning: the question
    :param values: each possible answer and what it means; empty for a number
    :param low: the least number allowed
    :param high: the greatest number allowed
    """

    name: str
    default: str
    meaning: str
    values: Mapping[str, str] = field(default_factory=dict)
    low: float = 0
    high: float = 0

    def check(self, value: object) -> str:
        """Make sure of a value.

        :param value: a text or a number
        :return: the value as it is kept
        :raise BadSwitch: if the switch has no such value
        """
        text = str(value).strip()
        if self.values:
            if isinstance(value, bool) or text not in self.values:
                raise BadSwitch(
                    f"switch {self.name} has no value {text!r}; it takes {', '.join(self.values)}"
                )
            return text
        try:
            good = not isinstance(value, bool) and self.low <= float(text) <= self.high
        except ValueError:
            good = False
        if not good:
            raise BadSwitch(
                f"switch {self.name} takes a number from {self.low:.9g} to {self.high:.9g}, "
                f"not {text!r}"
            )
        return f"{float(text):.9g}"


def _choice(name: str, meaning: str, **values: str) -> Switch:
    return Switch(name, next(iter(values)), meaning, values)


def _number(name: str, default: float, low: float, high: float, meaning: str) -> Switch:
    return Switch(name, f"{default:g}", meaning, {}, low, high)


_ALL = (
    _number("rate_limit", 60, 0, 1_000_000, "requests a minute per API key; 0 lifts the limit"),
    _choice(
        "rate_window",
        "how the minute of the limit is counted",
        sliding="never more than the limit within any 60 seconds",
        fixed="a minute that begins with its first request, so two bursts may touch",
    ),
    _choice("retry_after", "Retry-After on a 429", yes="sent, in seconds", no="not sent"),
    _choice("rate_headers", "X-RateLimit-* headers", no="not sent", yes="sent with each answer"),
    _choice(
        "numbers",
        "how numbers are written in answers",
        json="JSON numbers",
        strings='strings: money "12.50", quantities "3.000"',
    ),
    _choice(
        "weight_unit",
        "the unit of weights, which answers do not name",
        g="grams",
        kg="kilograms",
    ),
    _choice(
        "errors_shape",
        "the key errors of a 422",
        object="an object: field → list of sentences",
        list="a list of sentences",
        missing="no such key",
    ),
    _choice(
        "errors_message",
        "the message of a 422",
        sentence="the first error's sentence",
        general='"The given data was invalid."',
    ),
    _choice(
        "default_sort",
        "the order of a list that was asked for without sort",
        desc="newest id first",
        asc="oldest id first",
    ),
    _choice(
        "page_urls",
        "the page addresses of a list",
        full="keep the filters and the limit",
        bare="hold the page number alone",
    ),
    _choice(
        "new_in_updated",
        "a new order and filter[updated_between]",
        yes="matches at once",
        edit="matches after its first edit",
    ),
    _choice(
        "created_filter",
        "the time that filter[created_between] of orders compares",
        ordered_at="ordered_at",
        created_at="created_at",
    ),
    _choice(
        "stock_put_unknown",
        "an unknown offer in a stock PUT",
        skip="is skipped, the rest is written",
        refuse="refuses the whole request with 422",
    ),
    _choice(
        "stock_put_apply",
        "when a stock PUT takes effect",
        now="before the 202 is sent",
        late="stock_put_delay seconds after the 202",
    ),
    _number(
        "stock_put_delay", 3, 0, 3600, "seconds, for stock_put_apply=late and offers_put_apply=late"
    ),
    _choice(
        "fractional",
        "a fractional quantity in a stock PUT",
        keep="is kept",
        floor="is rounded down",
        refuse="refuses the whole request with 422",
    ),
    _choice(
        "negative",
        "a negative quantity in a stock PUT",
        keep="is kept",
        zero="becomes zero",
        refuse="refuses the whole request with 422",
    ),
    _choice(
        "offers_put_unknown",
        "an unknown offer in PUT /offers",
        skip="is skipped, the rest is written",
        refuse="refuses the whole request with 422",
    ),
    _choice(
        "offers_put_apply",
        "when PUT /offers takes effect",
        now="before the 202 is sent",
        late="stock_put_delay seconds after the 202",
    ),
    _choice(
        "duplicate_sku",
        "a product or variant created with a SKU that is taken",
        accept="is created beside the other one",
        refuse="refuses the whole request with 422",
    ),
    _choice(
        "first_offer",
        "the offer without properties when its product gets variants",
        replaced="is replaced by the variants",
        kept="stays beside them",
    ),
    _choice(
        "tracking_needs_service",
        "a tracking code for an order without a delivery service",
        no="is stored",
        yes="is refused with 422",
    ),
    _choice(
        "shipping_date_key",
        "the key at which a written shipping_date is read back",
        shipping_date="shipping_date",
        shipping_date_actual="shipping_date_actual",
    ),
    _choice(
        "updated_at_on_status",
        "updated_at of an order on a mere status change",
        bumped="moves to the time of the change",
        **{"not": "stays as it was"},
    ),
    _choice(
        "create_fires_webhook",
        "creating an order",
        yes="fires the status webhook",
        no="fires none",
    ),
    _choice(
        "one_off_offer",
        "the key offer of a one-off line",
        null='"offer": null',
        missing="no such key",
    ),
    _choice(
        "line_ids",
        "the ids of an order's lines when the order is saved anew",
        kept="stay",
        new="are new",
    ),
    _choice(
        "line_comment",
        "a line's comment that PUT /order/{id} does not hold",
        kept="stays",
        erased="is erased",
    ),
    _choice(
        "status_list",
        "the statuses that GET /order/status names",
        active="active ones only",
        all="inactive ones too",
    ),
    _choice(
        "shipping_in_total", "shipping_price", yes="is part of grand_total", no="is not part of it"
    ),
    _choice("wrap_in_total", "wrap_price", yes="is part of grand_total", no="is not part of it"),
    _choice("taxes_in_total", "taxes", yes="is part of grand_total", no="is not part of it"),
    _choice(
        "status_reserve",
        "goods of orders from the status reserve_from on",
        off="are not reserved",
        on="are reserved until they are written off",
    ),
    _number("reserve_from", 4, 1, 1_000_000, "the id of the status, for status_reserve=on"),
    _choice(
        "status_write_off",
        "goods of orders from the status write_off_from on",
        off="are not written off",
        on="are written off",
    ),
    _number("write_off_from", 6, 1, 1_000_000, "the id of the status, for status_write_off=on"),
    _choice(
        "status_back",
        "an order that goes back before the status that wrote off or reserved its goods",
        follow="reverts that",
        keep="changes nothing",
    ),
    _choice(
        "negative_stock",
        "goods of orders that are not in stock",
        on="are reserved and written off like others",
        off="are neither reserved nor written off",
    ),
    _choice(
        "warehouses",
        "the use of warehouses",
        on="is on",
        off="is off: no answer names one, and a stock PUT with any warehouse_id sets the total",
    ),
    _choice(
        "returned_line_status",
        "stock_status of a line whose goods were given back",
        null="null",
        reverted='"reverted"',
    ),
    _choice(
        "payment_delete",
        "DELETE /order/{id}/payment/{id}",
        no="does not exist: 405",
        yes="removes the payment from the order",
    ),
    _choice(
        "transaction_uuid",
        "uuid of a bank transaction",
        string="a string",
        integer="an integer where it has digits alone",
    ),
    _choice(
        "webhook_delivery",
        "how webhooks arrive",
        once="once, at once",
        repeated="webhook_copies times",
        out_of_order="collected for webhook_delay seconds, then the newest first",
        late="webhook_delay seconds later",
        lost="never",
    ),
    _number("webhook_copies", 3, 1, 50, "copies, for webhook_delivery=repeated"),
    _number("webhook_delay", 2, 0, 3600, "seconds, for webhook_delivery=late and out_of_order"),
    _number("webhook_timeout", 10, 0.1, 300, "seconds a receiver may take to answer a webhook"),
    _number("webhook_workers", 4, 1, 64, "webhooks that are under way at the same time"),
    _choice(
        "stock_webhook_body",
        "the body of the stock webhook",
        array="an array with all changed offers",
        object="a single object, one request an offer",
    ),
)

SWITCHES: dict[str, Switch] = {switch.name: switch for switch in _ALL}


class Switches:
    """The values that are in force.

    :param start: values other than the defaults, also after a reset
    """

    def __init__(self, start: Mapping[str, object] | None = None) -> None:
        self._start = {**{s.name: s.default for s in _ALL}, **self._checked(start or {})}
        self._values = dict(self._start)
        self.on_change: Callable[[], None] = lambda: None

    @staticmethod
    def _checked(values: Mapping[str, object]) -> dict[str, str]:
        checked = {}
        for name, value in values.items():
            if name not in SWITCHES:
                raise BadSwitch(f"there is no switch {name!r}; there are {', '.join(SWITCHES)}")
            checked[name] = SWITCHES[name].check(value)
        return checked

    def set(self, values: Mapping[str, object]) -> None:
        """Set some switches; either all of them change or, on a bad one, none.

        :param values: new values by name
        :raise BadSwitch: on an unknown name or value
        """
        self._values.update(self._checked(values))
        self.on_change()

    def reset(self) -> None:
        """Go back to the values of the start."""
        self._values = dict(self._start)
        self.on_change()

    def is_(self, name: str, value: str) -> bool:
        """Ask for one answer.

        :param name: a switch
        :param value: one of its values
        :return: whether that value is in force
        """
        assert value in SWITCHES[name].values, f"{name} has no value {value}"
        return self._values[name] == value

    def value(self, name: str) -> str:
        """Read a switch.

        :param name: a switch
        :return: its present value
        """
        return self._values[name]

    def number(self, name: str) -> float:
        """Read a switch that is a number.

        :param name: a switch
        :return: its present value
        """
        return float(self._values[name])

    def all(self) -> dict[str, str]:
        """Read all switches.

        :return: present values by name
        """
        return dict(self._values)


def describe() -> list[dict[str, object]]:
    """Describe all switches for people and programs.

    :return: name, meaning, default, values (with meanings) or the range of a number
    """
    return [
        {
            "name": s.name,
            "meaning": s.meaning,
            "default": s.default,
            "values": dict(s.values) or None,
            "range": None if s.values else [s.low, s.high],
        }
        for s in _ALL
    ]


def listing() -> str:
    """Describe all switches as text.

    :return: several lines for a terminal
    """
    lines = []
    for s in _ALL:
        lines.append(f"{s.name}: {s.meaning} (default {s.default})")
        lines += [f"    {value}: {meaning}" for value, meaning in s.values.items()]
        if not s.values:
            lines.append(f"    a number from {s.low:.9g} to {s.high:.9g}")
    return "\n".join(lines)
