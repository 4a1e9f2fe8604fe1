"""What KeyCRM's edit of a line changes in Odoo, by what was delivered and invoiced."""

import pytest
from keycrm.line_edits import Conflict, Edit, OdooLine, change, remove, with_dependent

PRICE = {"price_unit": 100.0, "discount": 0.0, "tax_ids": ["no tax"]}
RELEASED = {"keycrm_stock_status": False, "keycrm_quantity": 0.0}


def line(quantity=5, delivered=0, invoiced=0, is_confirmed=True):
    return OdooLine(is_confirmed, quantity, delivered, invoiced, PRICE)


def edit(known, quantity, price=100.0):
    wanted = {"product_uom_qty": quantity, **PRICE, "price_unit": price}
    done = change(known, wanted, is_same_price=price == known.price["price_unit"])
    return done.vals["product_uom_qty"], done.vals["price_unit"], set(done.conflicts)


QUANTITY, PRICES = {Conflict.QUANTITY}, {Conflict.PRICE}


@pytest.mark.parametrize(
    ("known", "quantity", "result", "conflicts"),
    [
        (line(is_confirmed=False), 3, 3, set()),
        # A user canceled it in Odoo after it was shipped.
        (line(is_confirmed=False, delivered=5), 3, 5, QUANTITY),
        (line(), 7, 7, set()),
        (line(), 1, 1, set()),
        (line(delivered=2), 3, 3, set()),
        (line(delivered=2), 2, 2, set()),
        (line(delivered=2), 1, 2, QUANTITY),
        (line(delivered=5), 7, 7, set()),
        (line(delivered=5), 3, 5, QUANTITY),
        (line(invoiced=5), 3, 5, QUANTITY),
        (line(delivered=2, invoiced=4), 3, 4, QUANTITY),
        # More was shipped than ordered, and KeyCRM changed nothing.
        (line(delivered=7), 5, 5, set()),
        (line(delivered=7), 6, 7, QUANTITY),
        # The last digit of a float is no difference.
        (line(delivered=0.1 + 0.2), 0.3, 0.3, set()),
    ],
)
def test_quantity_never_falls_below_what_was_delivered(known, quantity, result, conflicts):
    assert edit(known, quantity) == (result, 100.0, conflicts)


def test_price_follows_until_the_line_is_invoiced():
    assert edit(line(is_confirmed=False), 5, 90.0) == (5, 90.0, set())
    assert edit(line(delivered=5), 5, 90.0) == (5, 90.0, set())
    assert edit(line(invoiced=1), 5, 90.0) == (5, 100.0, PRICES)
    assert edit(line(invoiced=1), 5) == (5, 100.0, set())


def test_both_conflicts_of_an_edit_are_reported():
    assert edit(line(delivered=5, invoiced=5), 3, 90.0) == (5, 100.0, QUANTITY | PRICES)


def test_part_that_is_kept_only_because_it_was_delivered_is_known():
    for known, quantity, excess in (
        (line(), 3, 0),
        (line(delivered=5), 3, 2),
        (line(delivered=2, invoiced=5), 0, 5),
        (line(delivered=7), 5, 0),
    ):
        vals = change(known, {"product_uom_qty": quantity, **PRICE}, is_same_price=True).vals
        assert vals["keycrm_excess"] == excess


def test_removed_line_of_a_quotation_is_deleted():
    assert remove(line(is_confirmed=False), RELEASED) == Edit({}, is_removal=True)


@pytest.mark.parametrize(
    ("known", "quantity", "conflicts"),
    [
        (line(), 0, ()),
        (line(delivered=2), 2, (Conflict.QUANTITY,)),
        (line(invoiced=3), 3, (Conflict.QUANTITY,)),
        (line(is_confirmed=False, delivered=2), 2, (Conflict.QUANTITY,)),
    ],
)
def test_removed_line_keeps_what_was_delivered(known, quantity, conflicts):
    expected = {**RELEASED, "product_uom_qty": quantity, "keycrm_excess": quantity, **PRICE}
    assert remove(known, RELEASED) == Edit(expected, conflicts)


def test_price_is_written_with_quantity_and_name_with_product():
    wanted = {"name": "Кухоль", "product_id": 1, "product_uom_qty": 2, **PRICE}
    assert with_dependent({"keycrm_sku"}, wanted) == {"keycrm_sku"}
    assert with_dependent({"product_uom_qty"}, wanted) == {"product_uom_qty", *PRICE}
    assert with_dependent({"product_id"}, wanted) == {"product_id", "name", *PRICE}
