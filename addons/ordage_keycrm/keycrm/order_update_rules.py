"""Decide what an update of an order sends to KeyCRM, as pure functions.

An update holds the values that KeyCRM should have. KeyCRM's order is read first and compared: values
that it has already are not sent again, and values that a person set there are never overwritten.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from .line_matching import KnownLine, match_lines
from .offer_values import differs, to_money
from .orders import Line
from .parsing import to_amount, to_decimal, to_id, to_object, to_objects, to_short, to_text, to_utc

#: Separators between several tracking numbers in one field. No space: people group digits with it.
_SEPARATORS = re.compile(r"[,;+\n]")

COMMENT = "comment"
CUSTOM_FIELD = "field"


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold the decision about an update.

    :param body: body of the request; empty when nothing is to be sent
    :param ignored: whether KeyCRM's order is another than the update is about
    :param code: error code of a conflict that a user has to decide
    :param params: parameters of the code
    :param values: what KeyCRM's order holds afterwards, by the name of its field
    :param path: path below the order's
    :param creates: whether the request creates a record (POST) rather than changing one (PUT)
    """

    body: dict[str, Any] = field(default_factory=dict)
    ignored: bool = False
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    creates: bool = False


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """Move an order to another status.

    :param former: the status at delivery; from another one the order is not moved
    :param wanted: the new status
    """

    former: int
    wanted: int

    includes = ""

    def decide(self, order: dict[str, Any]) -> Decision:
        """Compare with KeyCRM's order.

        :param order: the order as KeyCRM returns it
        """
        current = to_id(order.get("status_id"))
        if current == self.wanted:
            return Decision()
        if current == self.former:
            return Decision({"status_id": self.wanted})
        return Decision(ignored=True)


@dataclass(frozen=True, slots=True)
class Undone:
    """The update is obsolete."""

    includes = ""

    def decide(self, _order: dict[str, Any]) -> Decision:
        """Send nothing."""
        return Decision(ignored=True)


@dataclass(frozen=True, slots=True)
class Unclear:
    """A user has to decide about the update.

    :param code: error code
    :param name: name of the record to check
    """

    code: str
    name: str

    includes = ""

    def decide(self, _order: dict[str, Any]) -> Decision:
        """Send nothing."""
        return Decision(code=self.code, params={"name": self.name})


@dataclass(frozen=True, slots=True)
class Parcel:
    """Hold the tracking number of a parcel.

    :param code: the number without spaces
    :param service_id: KeyCRM's delivery service; None where the carrier is not matched
    """

    code: str
    service_id: int | None = None

    @classmethod
    def parse_list(cls, text: str | None, service_id: int | None = None) -> list["Parcel"]:
        """Read the numbers of one field.

        :param text: one number, or several with commas, semicolons, plus signs or lines between them
        :param service_id: KeyCRM's delivery service
        """
        codes = ("".join(part.split()) for part in _SEPARATORS.split(text or ""))
        found: dict[str, Parcel] = {}
        for code in filter(None, codes):
            found.setdefault(code.casefold(), cls(code, service_id))
        return list(found.values())


@dataclass(frozen=True, slots=True)
class TrackingUpdate:
    """Give an order its tracking number; further parcels go to a comment or a custom field.

    :param parcels: the parcels, the first one first
    :param others: :data:`COMMENT`, :data:`CUSTOM_FIELD`, or empty: they are not sent
    :param field_uuid: the custom field
    :param label: what stands before the numbers in a comment
    """

    parcels: tuple[Parcel, ...]
    others: str = ""
    field_uuid: str = ""
    label: str = ""

    @property
    def includes(self) -> str:
        includes = "shipping,shipping.deliveryService"
        return f"{includes},custom_fields" if self.others == CUSTOM_FIELD else includes

    def decide(self, order: dict[str, Any]) -> Decision:
        """Compare with KeyCRM's order.

        KeyCRM refuses a second tracking number (documented), also the same one.

        :param order: the order as KeyCRM returns it, with :attr:`includes`
        """
        if not self.parcels:
            return Decision(ignored=True)
        shipping = to_object(order.get("shipping"))
        current = "".join(to_short(shipping.get("tracking_code")).split())
        by_code = {parcel.code.casefold(): parcel for parcel in self.parcels}
        main = by_code.get(current.casefold()) if current else self.parcels[0]
        if main is None:
            theirs, ours = current, self.parcels[0].code
            return Decision(code="tracking_differs", params={"theirs": theirs, "ours": ours})
        body: dict[str, Any] = {}
        values: dict[str, Any] = {"tracking_code": main.code}
        new = {} if current else {"tracking_code": main.code}
        if main.service_id and not (current and _has_service(shipping)):
            new["delivery_service_id"] = values["delivery_service_id"] = main.service_id
        if new:
            body["shipping"] = new
        others = [parcel.code for parcel in self.parcels if parcel is not main]
        self._add_others(order, others, body, values)
        return Decision(body, values=values)

    def _add_others(self, order, codes, body, values):
        if not codes:
            return
        if self.others:
            values["others"] = codes
        if self.others == COMMENT:
            old = to_text(order.get("manager_comment"))
            new = with_codes(old, codes, self.label)
            if new != old:
                body["manager_comment"] = values["manager_comment"] = new
        elif self.others == CUSTOM_FIELD:
            rows = to_objects(order.get("custom_fields"))
            old = next(
                (
                    to_text(row.get("value"))
                    for row in rows
                    if to_text(row.get("uuid")) == self.field_uuid
                ),
                "",
            )
            new = with_codes(old, codes)
            if new != old:
                body["custom_fields"] = [{"uuid": self.field_uuid, "value": new}]


@dataclass(frozen=True, slots=True)
class CostUpdate:
    """Give the lines of an order their purchase prices.

    :param costs: by the key of the line in Odoo, in the order's currency
    :param lines: the lines in Odoo, which are matched with KeyCRM's, whose ids may be new
    :param steps: of :func:`~.offer_values.differs`, by the key of the line
    """

    costs: dict[int, Decimal]
    lines: tuple[KnownLine, ...]
    steps: dict[int, float] = field(default_factory=dict)

    includes = "products,products.offer"

    def decide(self, order: dict[str, Any]) -> Decision:
        """Compare with KeyCRM's order.

        :param order: the order as KeyCRM returns it, with :attr:`includes`
        :raise MalformedAnswer: when a line cannot be read
        """
        rows, products = [], to_objects(order.get("products"))
        lines = [Line.parse(product) for product in products]
        keys = match_lines(self.lines, lines)
        for product, line in zip(products, lines, strict=True):
            key = keys.get(line.id)
            wanted, step = self.costs.get(key), self.steps.get(key, 0.0)
            if wanted is not None and differs(wanted, line.purchased_price, step):
                row = {"id": line.id, "purchased_price": float(wanted)}
                if line.comment:
                    # KeyCRM may erase a comment that the request does not hold (unknown).
                    row["comment"] = product["comment"]
                rows.append(row)
        return Decision({"products": rows} if rows else {})


@dataclass(frozen=True, slots=True)
class PaymentUpdate:
    """Add money that Odoo received to an order.

    :param amount: in the order's currency
    :param day: when it was received
    :param method_id: KeyCRM's payment method; None where the journal is not matched
    :param journal: name of the journal, for the user
    :param number: of the update in Odoo: the payment's description holds it, so that the same money is
        recognized after a lost answer
    :param memo: what the payment's description begins with
    :param is_forced: whether a user decided to send it although KeyCRM may have it
    :param currency: code of the order's currency
    :param others: numbers of the order's other updates whose money is still reconciled
    """

    amount: Decimal
    day: date
    method_id: int | None
    journal: str
    number: int
    memo: str = ""
    is_forced: bool = False
    currency: str = ""
    others: frozenset[int] = frozenset()

    includes = "payments"

    def decide(self, order: dict[str, Any]) -> Decision:
        """Compare with KeyCRM's payments.

        :param order: the order as KeyCRM returns it, with :attr:`includes`
        """
        payments = [row for row in to_objects(order.get("payments")) if not is_expense(row)]
        mark = f"[Odoo {self.number}]"
        # Also in an expected payment that a manager made of one of Odoo's: it holds two numbers.
        if any(mark in to_text(row.get("description")) for row in payments):
            return Decision()
        if to_id(order.get("status_group_id")) == CANCELED_GROUP and not self.is_forced:
            return Decision(code="payment_of_canceled", params=self._params())
        if not self.is_forced and (code := self._conflict(order, payments)):
            return Decision(code=code, params=self._params())
        description = f"{self.memo} {mark}".strip()
        if expected := self._expected(payments):
            # What a manager wrote there stays.
            texts = filter(None, (to_text(expected.get("description")), description))
            body = {"status": "paid", "description": ", ".join(texts)}
            return Decision(body, path=f"/payment/{to_id(expected['id'])}")
        if not self.method_id:
            return Decision(code="payment_method_missing", params={"journal": self.journal})
        body = {
            "payment_method_id": self.method_id,
            "amount": float(self.amount),
            "status": "paid",
            "description": description,
            # Noon is the same day in each time zone of Europe.
            "payment_date": f"{self.day.isoformat()} 12:00:00",
        }
        return Decision(body, path="/payment", creates=True)

    def _expected(self, payments) -> dict[str, Any] | None:
        """Return the expected payment of the amount: the first one of several instalments.

        The same one for a repeated request.
        """
        rows = [
            row
            for row in payments
            if to_short(row.get("status")) == "not_paid"
            and to_id(row.get("id"))
            and amount_in(row, self.currency) == self.amount
        ]

        def order(row):
            day = to_short(row.get("payment_date")) or to_short(row.get("created_at"))
            return to_id(row.get("payment_method_id")) != self.method_id, day, to_id(row["id"])

        return min(rows, key=order, default=None)

    def _params(self) -> dict[str, str]:
        return {
            "amount": f"{self.amount:.2f}",
            "currency": self.currency,
            "day": self.day.isoformat(),
        }

    def _conflict(self, order, payments) -> str:
        """Return the conflict if KeyCRM seems to have the money already."""
        if any(self._may_be_same(row) for row in payments):
            return "payment_exists"
        paid, total = (to_decimal(order.get(name)) for name in ("payments_total", "grand_total"))
        if paid is not None and total is not None and paid + self.amount > total:
            return "payment_exceeds"
        return ""

    def _may_be_same(self, row) -> bool:
        """Return whether a payment may be the same money: of about the day and the amount.

        One in another currency may be it also where its amount in the order's currency is missing.
        """
        moment = to_utc(row.get("payment_date")) or to_utc(row.get("created_at"))
        if (
            to_short(row.get("status")) != "paid"
            or not moment
            or abs((moment.date() - self.day).days) > 1
            or odoo_number(to_text(row.get("description"))) in self.others
        ):
            return False
        amounts = (to_amount(row.get("amount")), to_decimal(row.get("actual_amount")))
        if any(amount is not None and to_money(amount) == self.amount for amount in amounts):
            return True
        return bool(_currencies(row)) and amount_in(row, self.currency) is None


#: KeyCRM's group of canceled statuses (confirmed).
CANCELED_GROUP = 6
_ODOO_NUMBER = re.compile(r"\[Odoo (\d{1,18})\]")


def odoo_number(description: str) -> int | None:
    """Return the number of the update by which Odoo made a payment; None for any other payment.

    :param description: the payment's description in KeyCRM
    """
    found = _ODOO_NUMBER.search(description or "")
    return int(found[1]) if found else None


def amount_in(row: dict[str, Any], currency: str) -> Decimal | None:
    """Return the amount of a payment in the currency of its order.

    It is unknown which of its two amounts that is, so the currencies that it contains decide.

    :param row: the payment
    :param currency: code of the order's currency
    :return: None where that is unclear
    """
    amount, actual = to_amount(row.get("amount")), to_decimal(row.get("actual_amount"))
    source, other = _currencies(row, "source_currency"), _currencies(row, "actual_currency")
    if actual is None or actual == amount:
        return to_money(amount) if source | other <= {currency} else None
    if currency in source or (other and not source and currency not in other):
        return to_money(amount)
    if currency in other or (source and not other):
        return to_money(actual)
    return None


def _currencies(row, *names) -> set[str]:
    """Return the currencies that a payment names."""
    names = names or ("source_currency", "actual_currency")
    return {to_short(row.get(name)).upper() for name in names} - {""}


def is_expense(row: dict[str, Any]) -> bool:
    """Return whether a payment is an expense of the shop."""
    return row.get("is_expense") not in (None, False, 0, "0", "false")


def _has_service(shipping) -> bool:
    """Return whether an order has a delivery service."""
    return bool(to_id(shipping.get("delivery_service_id")) or shipping.get("delivery_service"))


def with_codes(text: str, codes: list[str], label: str = "") -> str:
    """Add the tracking numbers that a text does not hold.

    :param text: what people wrote; it is kept
    :param codes: tracking numbers
    :param label: what stands before them, on a line of its own
    """
    missing = ", ".join(code for code in codes if not _holds(text, code))
    if not missing:
        return text
    if label:
        missing = f"{label} {missing}"
    separator = "\n" if label else ", "
    return f"{text.rstrip()}{separator}{missing}" if text.strip() else missing


def _holds(text: str, code: str) -> bool:
    """Return whether a text has a tracking number as a word of its own."""
    return bool(re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text, re.IGNORECASE))
