"""Which known product stands for goods of KeyCRM."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from keycrm.orders import Line
from keycrm.product_data import Goods
from keycrm.product_matching import AmbiguousProduct, KnownProducts, Plans, choose


@dataclass(frozen=True)
class Product:
    id: int
    active: bool = True
    keycrm_origin: str = ""
    keycrm_sku_generated: bool = False


MUG, PLATE, SPOON = Product(1), Product(2), Product(3)
ARCHIVED = Product(4, active=False)
ONE_OFF = Product(5, keycrm_origin="one_off", keycrm_sku_generated=True)


def one_off(sku="", name="Кухоль", line_id=9):
    row = {"id": line_id, "sku": sku, "name": name, "price": 10, "quantity": 1}
    return Goods.of_line(Line.parse(row))


def offer(number=55, sku="", barcode="", name="Кухоль"):
    goods = one_off(sku, name)
    return replace(goods, key=("offer", number), offer_id=number, barcode=barcode)


def test_mapping_has_priority_over_a_product_with_the_sku():
    known = KnownProducts(mapped={55: MUG}, by_sku={"a-1": [PLATE]})
    assert choose(known, offer(sku="A-1")) is MUG


@pytest.mark.parametrize(
    ("with_sku", "expected"),
    [([PLATE], PLATE), ([ARCHIVED], ARCHIVED), ([PLATE, SPOON], ARCHIVED), ([], ARCHIVED)],
)
def test_mapped_archived_product_is_replaced_by_the_only_active_one(with_sku, expected):
    known = KnownProducts(mapped={55: ARCHIVED}, by_sku={"a-1": with_sku})
    assert choose(known, offer(sku="A-1")) is expected


def test_choice_of_a_user_has_priority_over_sku_and_barcode():
    known = KnownProducts(
        chosen_by_sku={"a-1": MUG}, by_sku={"a-1": [PLATE]}, by_barcode={"48": [SPOON]}
    )
    assert choose(known, offer(sku="A-1", barcode="48")) is MUG


def test_product_with_the_generated_sku_is_the_last_choice_for_an_offer():
    known = KnownProducts(by_generated_sku={55: MUG}, by_barcode={"48": [SPOON]})
    assert choose(known, offer()) is MUG
    assert choose(known, offer(barcode="48")) is SPOON
    assert choose(known, offer(number=56)) is None


def test_choice_by_name_applies_to_one_off_lines_only():
    known = KnownProducts(chosen_by_name={one_off().name_key: MUG})
    assert choose(known, one_off()) is MUG
    assert choose(known, offer()) is None


def test_sku_is_compared_without_case_and_spaces():
    assert choose(KnownProducts(by_sku={"абв-1": [MUG]}), offer(sku=" аБВ-1")) is MUG


def test_two_products_with_the_sku_are_ambiguous():
    known = KnownProducts(by_sku={"a-1": [MUG, PLATE]})
    with pytest.raises(AmbiguousProduct) as caught:
        choose(known, offer(sku="A-1"))
    assert (caught.value.kind, caught.value.value) == ("sku", "A-1")
    assert caught.value.products == [MUG, PLATE]


def test_known_line_keeps_its_product_among_several_with_the_sku():
    known = KnownProducts(by_sku={"a-1": [MUG, PLATE]})
    assert choose(known, offer(sku="A-1"), PLATE) is PLATE
    with pytest.raises(AmbiguousProduct):
        choose(known, offer(sku="A-1"), SPOON)


def test_barcode_identifies_the_product_of_an_offer_with_another_sku():
    known = KnownProducts(by_barcode={"48": [MUG]})
    assert choose(known, offer(sku="A-1", barcode="48")) is MUG


def test_product_that_has_an_offer_is_not_taken_by_barcode():
    known = KnownProducts(by_barcode={"48": [MUG]}, mapped_ids={MUG.id})
    assert choose(known, offer(barcode="48")) is None


def test_two_products_with_the_barcode_are_ambiguous():
    with pytest.raises(AmbiguousProduct) as caught:
        choose(KnownProducts(by_barcode={"48": [MUG, PLATE]}), offer(barcode="48"))
    assert (caught.value.kind, caught.value.value) == ("barcode", "48")


def test_one_off_product_is_kept_when_it_moves_to_the_catalog():
    assert choose(KnownProducts(), offer(), ONE_OFF) is ONE_OFF
    assert choose(KnownProducts(), offer(), MUG) is None
    known = KnownProducts(by_name={offer().name_key: [MUG, ONE_OFF]})
    assert choose(known, offer()) is ONE_OFF


def test_known_one_off_line_keeps_its_product():
    known = KnownProducts(by_name={one_off().name_key: [ONE_OFF]})
    assert choose(known, one_off(), MUG) is MUG


def test_one_off_line_with_the_sku_of_an_offer_is_its_product():
    assert choose(KnownProducts(by_offer_sku={"a-1": [MUG]}), one_off("A-1")) is MUG
    with pytest.raises(AmbiguousProduct):
        choose(KnownProducts(by_offer_sku={"a-1": [MUG, PLATE]}), one_off("A-1"))


@pytest.mark.parametrize(
    ("sku", "product", "is_found"),
    [("", MUG, True), ("", ONE_OFF, True), ("A-1", ONE_OFF, True), ("A-1", MUG, False)],
)
def test_one_off_line_finds_product_by_name_unless_both_have_skus(sku, product, is_found):
    known = KnownProducts(by_name={one_off().name_key: [product]})
    assert choose(known, one_off(sku)) is (product if is_found else None)


def test_equal_goods_of_a_batch_are_planned_once():
    plans = Plans()
    assert plans.plan(offer(1, "A-1")) is plans.plan(one_off("a-1 "))
    assert plans.plan(one_off(line_id=1)) is plans.plan(one_off(line_id=2))
    assert plans.plan(one_off()) is not plans.plan(one_off(name="Таця"))
    assert plans.plan(offer(1)) is not plans.plan(offer(2))


def test_price_does_not_affect_the_match():
    dear = replace(one_off(), line_price=Decimal(99))
    known = KnownProducts(by_name={one_off().name_key: [MUG]})
    assert choose(known, dear) is MUG
