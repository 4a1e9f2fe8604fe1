"""Order lines keep their products even if KeyCRM renumbers them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from keycrm.line_matching import KnownLine, match_lines, may_be_same_goods
from keycrm.orders import Line

CUP, PLATE = {"offer": {"id": 1}, "sku": "CUP"}, {"offer": {"id": 2}, "sku": "PLATE"}


def line(number, quantity=1, price=10, **fields):
    return Line.parse({"id": number, "quantity": quantity, "price": price, **fields})


def odoo_line(key, number, quantity=1, price=10, fixed=0, **fields):
    offer = fields.pop("offer", None)
    return KnownLine(
        key,
        number,
        offer_ids=frozenset([offer["id"]] if offer else ()),
        price=Decimal(price),
        quantity=Decimal(quantity),
        fixed=Decimal(fixed),
        **fields,
    )


def test_unchanged_ids_match_whatever_else_changes():
    lines = [line(1, 7, 99, **CUP), line(2, 3, **PLATE)]
    assert match_lines([odoo_line("a", 1, **CUP), odoo_line("b", 2, **PLATE)], lines) == {
        1: "a",
        2: "b",
    }


def test_new_ids_match_by_offer_sku_or_name():
    for goods in (CUP, {"offer": {"id": 1}}, {"sku": " cup "}, {"name": "Кухоль"}):
        one = odoo_line("a", 1, offer={"id": 1}, sku="CUP", name="Кухоль")
        if "offer" not in goods:
            one = odoo_line("a", 1, sku="CUP" if "sku" in goods else "", name="Кухоль")
        assert match_lines([one], [line(11, **goods)]) == {11: "a"}


def test_new_ids_in_another_order_with_other_quantities():
    before = [odoo_line("a", 1, 5, fixed=5, **CUP), odoo_line("b", 2, 3, **PLATE)]
    lines = [line(12, 4, **PLATE), line(11, 9, 8, **CUP)]
    assert match_lines(before, lines) == {11: "a", 12: "b"}


def test_partly_new_ids_and_a_new_line():
    before = [odoo_line("a", 1, **CUP), odoo_line("b", 2, **PLATE)]
    lines = [line(1, **CUP), line(8, sku="BOWL"), line(9, **PLATE)]
    assert match_lines(before, lines) == {1: "a", 9: "b"}


def test_swapped_ids_are_matched_by_goods():
    before = [odoo_line("a", 1, fixed=1, **CUP), odoo_line("b", 2, **PLATE)]
    assert match_lines(before, [line(2, **CUP), line(1, **PLATE)]) == {2: "a", 1: "b"}
    names = [odoo_line("a", 1, fixed=1, name="Кухоль"), odoo_line("b", 2, name="Тарілка")]
    swapped = [line(1, name="Тарілка"), line(2, name="Кухоль")]
    assert match_lines(names, swapped) == {2: "a", 1: "b"}


def test_ids_shifted_by_one_are_matched_by_goods():
    before = [odoo_line("a", 1, fixed=1, **CUP), odoo_line("b", 2, **PLATE)]
    assert match_lines(before, [line(2, **CUP), line(3, **PLATE)]) == {2: "a", 3: "b"}


def test_equal_goods_match_by_price_then_quantity():
    before = [odoo_line("a", 1, 5, price=10, **CUP), odoo_line("b", 2, 5, price=9, **CUP)]
    assert match_lines(before, [line(11, 5, 9, **CUP), line(12, 6, 10, **CUP)]) == {
        11: "b",
        12: "a",
    }
    before = [odoo_line("a", 1, 5, **CUP), odoo_line("b", 2, 3, **CUP)]
    assert match_lines(before, [line(11, 3, **CUP), line(12, 6, **CUP)]) == {11: "b", 12: "a"}


def test_delivered_one_of_two_equal_lines_is_kept():
    before = [odoo_line("a", 1, 5, **CUP), odoo_line("b", 2, 5, fixed=5, **CUP)]
    for quantity in (5, 10):
        assert match_lines(before, [line(11, quantity, **CUP)]) == {11: "b"}
    # One line has two units, the other eight: the delivered quantity fits the eight.
    both = [line(11, 2, **CUP), line(12, 8, **CUP)]
    assert match_lines(before, both) == {12: "b", 11: "a"}


def test_equal_lines_are_matched_by_id_first():
    before = [odoo_line("a", 1, 5, fixed=5, **CUP), odoo_line("b", 2, 3, **CUP)]
    assert match_lines(before, [line(2, 5, **CUP), line(1, 3, **CUP)]) == {1: "a", 2: "b"}


def test_other_goods_in_a_line_match_by_id_alone():
    before = [odoo_line("a", 1, **CUP)]
    assert match_lines(before, [line(1, **PLATE)]) == {1: "a"}
    assert not may_be_same_goods(before[0], line(1, **PLATE))
    assert not may_be_same_goods(before[0], line(1, name="Разове"))
    renamed = odoo_line("a", 1, name="Кухоль")
    assert match_lines([renamed], [line(1, name="Кухоль великий")]) == {1: "a"}
    assert may_be_same_goods(renamed, line(1, name="Кухоль великий"))


def test_goods_added_again_match_their_former_line():
    before = [odoo_line("a", 0, fixed=1, **CUP), odoo_line("b", 1, **PLATE)]
    assert match_lines(before, [line(1, **CUP)]) == {1: "a"}


def test_different_goods_of_one_name_are_not_the_same():
    before = [odoo_line("a", 1, name="Сорочка", **CUP)]
    assert match_lines(before, [line(11, name="Сорочка", **PLATE)]) == {}
    assert match_lines([odoo_line("a", 1, sku="A", name="С")], [line(11, sku="B", name="С")]) == {}


def test_new_offer_with_the_same_sku_is_the_same_goods():
    assert match_lines([odoo_line("a", 1, **CUP)], [line(11, offer={"id": 9}, sku="CUP")]) == {
        11: "a"
    }


def test_properties_distinguish_one_off_goods_of_one_name():
    def size(value):
        return {"name": "Сорочка", "properties": [{"name": "Розмір", "value": value}]}

    before = [odoo_line("m", 1, name="Сорочка, M"), odoo_line("l", 2, name="Сорочка, L")]
    assert match_lines(before, [line(11, **size("L")), line(12, **size("M"))]) == {11: "l", 12: "m"}


def test_hundreds_of_equal_lines_with_new_ids_are_matched():
    before = [odoo_line(n, n + 1, **CUP) for n in range(400)]
    found = match_lines(before, [line(1000 + n, **CUP) for n in range(400)])
    assert found == {1000 + n: n for n in range(400)}


goods = st.sampled_from([CUP, PLATE, {"name": "Разове"}, {"sku": "BOWL", "name": "Миска"}])
numbers = st.integers(min_value=1, max_value=9)


@given(
    st.lists(st.tuples(goods, numbers, numbers, st.integers(0, 5)), max_size=6),
    st.permutations(range(6)),
    st.booleans(),
)
def test_all_lines_of_a_renumbered_order_keep_their_own_goods(rows, places, new_ids):
    """Match shuffled lines with new ids or ids of other lines."""
    before = [
        odoo_line(place, place + 1, quantity, price, fixed, **what)
        for place, (what, quantity, price, fixed) in enumerate(rows)
    ]
    order = [place for place in places if place < len(rows)]
    lines = [
        line(100 + n if new_ids else n + 1, rows[place][1], rows[place][2], **rows[place][0])
        for n, place in enumerate(order)
    ]
    found = match_lines(before, lines)
    assert sorted(found.values()) == sorted(range(len(rows)))
    for n, place in enumerate(order):
        assert rows[found[lines[n].id]][0] == rows[place][0]
