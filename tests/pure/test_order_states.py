"""The status of an order in KeyCRM decides its state in Odoo."""

import pytest
from keycrm.order_states import Archiving, OrderState, Step, archiving, state_step

HELD = {"is_confirmable": False}
CANCELED_HERE = {"is_canceled_here": True}


@pytest.mark.parametrize(
    ("action", "state", "facts", "step"),
    [
        ("quotation", "draft", {}, Step.KEEP),
        ("quotation", "sent", {}, Step.KEEP),
        ("quotation", "cancel", {}, Step.RESET),
        ("confirm", "draft", {}, Step.CONFIRM),
        ("confirm", "sent", {}, Step.CONFIRM),
        ("confirm", "sale", {}, Step.KEEP),
        ("confirm", "cancel", {}, Step.RESET_AND_CONFIRM),
        ("cancel", "draft", {}, Step.CANCEL),
        ("cancel", "sale", {}, Step.CANCEL),
        ("cancel", "cancel", {}, Step.KEEP),
        # Its total differs, or a user has to check it first: it stays a quotation.
        ("confirm", "draft", HELD, Step.KEEP),
        ("confirm", "cancel", HELD, Step.RESET),
        ("confirm", "sale", HELD, Step.KEEP),
        ("cancel", "draft", HELD, Step.CANCEL),
        # A user's cancellation stands, unless KeyCRM cancels too.
        ("quotation", "cancel", CANCELED_HERE, Step.SHOW_CONFLICT),
        ("confirm", "cancel", CANCELED_HERE, Step.SHOW_CONFLICT),
        ("cancel", "cancel", CANCELED_HERE, Step.KEEP),
        ("confirm", "draft", CANCELED_HERE, Step.CONFIRM),
    ],
)
def test_each_action_has_one_step_in_each_state(action, state, facts, step):
    assert state_step(action, OrderState(state, **facts)) is step


def test_confirmed_order_becomes_quotation_only_when_nothing_was_shipped():
    confirmed = OrderState("sale")
    assert state_step("quotation", confirmed) is Step.CANCEL_AND_RESET
    assert state_step("quotation", confirmed, is_shipped=True) is Step.STAY_CONFIRMED


@pytest.mark.parametrize(
    ("is_known", "is_archive_status", "is_archived", "move"),
    [
        (True, True, False, Archiving.ARCHIVE),
        (True, True, True, Archiving.ARCHIVE),
        (True, False, True, Archiving.REOPEN),
        (True, False, False, Archiving.KEEP),
        (False, False, True, Archiving.KEEP),
    ],
)
def test_order_moves_to_the_archive_and_returns_with_its_status(
    is_known, is_archive_status, is_archived, move
):
    assert archiving(is_known, is_archive_status, is_archived) is move
