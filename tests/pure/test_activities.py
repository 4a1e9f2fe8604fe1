"""Which activities of the addons are no decisions of the overview, and why."""

from __future__ import annotations

import re
from pathlib import Path

ADDONS = Path(__file__).parents[2] / "addons"
#: Files with activities that are no rows of the overview themselves, and why each is none.
NO_DECISION = {
    "models/common/retry_mixin.py": ["the failed event or update is a row"],
    "models/orders/contact_mapping.py": [
        "a contact of another company was replaced: only a notice"
    ],
    "models/orders/sale_order_decision.py": ["the order is a row", "the order is a row"],
    "models/orders/sale_order_lifecycle.py": [
        "goods to manufacture are work",
        "the archived order that is not shipped is a row",
        "the deleted order is a row",
    ],
    "services/stock/stock_exporter.py": ["products on hold are a row"],
}


def test_each_activity_is_a_decision_or_there_is_a_reason():
    found = {}
    for file in sorted(ADDONS.rglob("*.py")):
        options = re.findall(r"\bis_decision=(?!True\b|is_decision\b)", file.read_text())
        if options and "tests" not in file.parts:
            _addon, *parts = file.relative_to(ADDONS).parts
            found["/".join(parts)] = len(options)
    assert found == {name: len(reasons) for name, reasons in NO_DECISION.items()}


def test_activities_are_scheduled_in_one_place():
    users = [
        file.relative_to(ADDONS).as_posix()
        for file in ADDONS.rglob("*.py")
        if "activity_schedule(" in file.read_text() and "tests" not in file.parts
    ]
    assert users == ["ordage_keycrm/services/common/activities.py"]
