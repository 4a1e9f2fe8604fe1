"""Decide how the status of an order in KeyCRM changes the order in Odoo."""

from dataclasses import dataclass
from enum import Enum, auto


class Step(Enum):
    """How the state of an order in Odoo changes."""

    #: It is in the right state.
    KEEP = auto()
    #: A user canceled it in Odoo: the conflict is shown, and a user decides.
    SHOW_CONFLICT = auto()
    #: It becomes a quotation again.
    RESET = auto()
    #: It is canceled, then becomes a quotation again.
    CANCEL_AND_RESET = auto()
    #: It stays confirmed although KeyCRM moved it back; an activity reports it.
    STAY_CONFIRMED = auto()
    #: It is confirmed.
    CONFIRM = auto()
    #: It becomes a quotation again, then is confirmed.
    RESET_AND_CONFIRM = auto()
    #: It is canceled; what was delivered or invoiced is left to a user.
    CANCEL = auto()


class Archiving(Enum):
    """Whether an order enters or leaves the order archive."""

    KEEP = auto()
    ARCHIVE = auto()
    REOPEN = auto()


@dataclass(frozen=True, slots=True)
class OrderState:
    """Describe an order in Odoo.

    :param state: ``draft``, ``sent``, ``sale`` or ``cancel``
    :param is_canceled_here: whether a user canceled it in Odoo
    :param is_confirmable: whether its total equals KeyCRM's and no user has to check it first
    """

    state: str
    is_canceled_here: bool = False
    is_confirmable: bool = True


def state_step(action: str, order: OrderState, is_shipped: bool = False) -> Step:
    """Decide how an order's state changes.

    :param action: result of its status in Odoo: ``quotation``, ``confirm`` or ``cancel``
    :param order: the order
    :param is_shipped: whether goods were delivered or an invoice was posted; counts only where a
        confirmed order is to become a quotation
    """
    if action == "cancel":
        return Step.KEEP if order.state == "cancel" else Step.CANCEL
    if order.state == "cancel":
        if order.is_canceled_here:
            return Step.SHOW_CONFLICT
        is_confirmed = action == "confirm" and order.is_confirmable
        return Step.RESET_AND_CONFIRM if is_confirmed else Step.RESET
    if order.state == "sale":
        if action == "confirm":
            return Step.KEEP
        return Step.STAY_CONFIRMED if is_shipped else Step.CANCEL_AND_RESET
    return Step.CONFIRM if action == "confirm" and order.is_confirmable else Step.KEEP


def archiving(is_known: bool, is_archive_status: bool, is_archived: bool) -> Archiving:
    """Decide whether an order moves to the archive or returns from it.

    :param is_known: whether the status of the order is known
    :param is_archive_status: whether it is one of the account's archive statuses
    :param is_archived: whether the order is in the archive
    """
    if not is_known:
        return Archiving.KEEP
    if is_archive_status:
        return Archiving.ARCHIVE
    return Archiving.REOPEN if is_archived else Archiving.KEEP
