"""Which orders wait for a decision, and why."""

import pytest
from keycrm.order_decisions import DecisionFacts


def test_an_order_without_a_problem_needs_no_decision():
    assert DecisionFacts().reason() == ""
    assert DecisionFacts(is_unconfirmed=True).reason() == ""


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"has_conflict": True, "is_canceled": True, "total_differs": True}, "conflict"),
        ({"is_unreadable": True, "is_deleted": True}, "unreadable"),
        ({"is_deleted": True}, "deleted"),
        ({"is_deleted": True, "is_canceled": True}, ""),
        ({"is_deleted": True, "is_archived": True}, ""),
        ({"problem": "combo_product", "is_unconfirmed": True, "total_differs": True}, "problem"),
        ({"problem": "warehouse_archived"}, "problem"),
        ({"total_differs": True}, "total_differs"),
        ({"total_differs": True, "is_canceled": True}, ""),
        ({"total_differs": True, "is_archived": True}, ""),
        ({"total_differs": True, "is_archived": True, "is_unconfirmed": True}, "total_differs"),
        ({"payments_differ": True}, "payments_differ"),
        ({"payments_differ": True, "is_canceled": True}, ""),
    ],
)
def test_the_first_reason_is_shown(facts, reason):
    assert DecisionFacts(**facts).reason() == reason


def test_an_accepted_reason_comes_back_with_other_amounts():
    facts = {"total_differs": True, "amounts": (100.0, 99.99, 0.0)}
    accepted = (DecisionFacts(**facts).key("total_differs"),)
    assert DecisionFacts(**facts, accepted=accepted).reason() == ""
    other = {**facts, "amounts": (100.0, 99.98, 0.0)}
    assert DecisionFacts(**other, accepted=accepted).reason() == "total_differs"


def test_accepting_one_reason_keeps_the_others():
    facts = {"is_deleted": True, "payments_differ": True, "amounts": (10.0, 10.0, 5.0)}
    assert DecisionFacts(**facts, accepted=("deleted",)).reason() == "payments_differ"
    both = ("deleted", "payments_differ:5.00")
    assert DecisionFacts(**facts, accepted=both).reason() == ""


def test_unconfirmed_order_is_not_decided_by_accepting():
    facts = {"total_differs": True, "is_unconfirmed": True, "amounts": (100.0, 99.0, 0.0)}
    accepted = (DecisionFacts(**facts).key("total_differs"),)
    assert DecisionFacts(**facts, accepted=accepted).reason() == "total_differs"
