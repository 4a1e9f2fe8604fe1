"""The shapes of answers, equal to recorded live ones."""

from __future__ import annotations

import re

import pytest

LIVE_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$")
PLAIN_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
FLAT = {
    "id", "parent_id", "source_id", "source_uuid", "client_id", "status_id", "status_group_id",
    "status_changed_at", "grand_total", "products_total", "total_discount", "payments_total",
    "margin_sum", "expenses_sum", "discount_amount", "discount_percent", "shipping_price",
    "wrap_price", "taxes", "payment_status", "manager_comment", "buyer_comment", "client_comment",
    "is_gift", "gift_message", "has_reserves", "promocode", "created_at", "updated_at",
    "ordered_at", "closed_at", "deleted_at",
}  # fmt: skip
RELATIONS = {"buyer", "products", "payments", "shipping", "status", "manager", "tags", "warehouse"}


def test_order_without_includes_is_flat(api, control):
    control.create_sample_order()
    for order in (api.get("/order/1"), api.get("/order")["data"][0]):
        assert set(order) >= FLAT
        assert not RELATIONS & set(order)
        assert "currency" not in order


def test_order_is_a_bare_object_and_404_when_missing(api, control):
    control.create_order()
    assert api.get("/order/1")["id"] == 1
    assert "message" in api.get("/order/2", status=404)


def test_times_have_their_two_formats(api, control):
    control.create_order()
    order = api.get("/order/1")
    assert LIVE_TIME.match(order["created_at"]) and LIVE_TIME.match(order["status_changed_at"])
    assert order["closed_at"] is None
    control.set_status(1, 8)
    assert PLAIN_TIME.match(api.get("/order/1")["closed_at"])
    control.set_status(1, 4)
    assert api.get("/order/1")["closed_at"] is None


def test_money_that_is_always_a_string(api, control):
    control.create_order(shipping_price="60", taxes="4", wrap_price="3.5")
    order = api.get("/order/1")
    assert (order["shipping_price"], order["taxes"], order["wrap_price"]) == ("60.00", "4.00", 3.5)
    control.create_order()
    assert api.get("/order/2")["shipping_price"] is None


def test_numbers_as_json_or_strings(api, control, offer):
    number = offer(price="12.5")
    control.create_order(lines=[{"offer_id": number, "quantity": 2}])
    order = api.get("/order/1", include="products")
    assert order["grand_total"] == 25 and order["products"][0]["price"] == 12.5
    assert api.get("/offers/stocks")["data"][0]["quantity"] == 10
    control.set_switches(numbers="strings")
    order = api.get("/order/1", include="products")
    assert order["grand_total"] == "25.00" and order["products"][0]["price"] == "12.50"
    assert order["products"][0]["quantity"] == "2.000"
    assert api.get("/offers/stocks")["data"][0]["quantity"] == "10.000"
    assert isinstance(order["id"], int)


def test_offer_of_a_line_requires_its_include(api, control, offer):
    number = offer(sku="A", barcode="4820000000017")
    control.create_order(lines=[{"offer_id": number}, {"name": "Доставка", "price": 60}])
    assert "products" not in api.get("/order/1", include="buyer")
    lines = api.get("/order/1", include="products")["products"]
    assert all("offer" not in line for line in lines)
    catalog, one_off = api.get("/order/1", include="products.offer")["products"]
    assert catalog["offer"]["id"] == number
    assert catalog["offer"]["barcode"] == "4820000000017"
    assert catalog["offer"]["quantity"] == 10 and catalog["offer"]["in_reserve"] == 0
    assert one_off["offer"] is None
    control.set_switches(one_off_offer="missing")
    assert "offer" not in api.get("/order/1", include="products.offer")["products"][1]


def test_empty_objects_are_arrays(api, control):
    control.create_order(lines=[{"name": "x"}], shipping={"tracking_code": "1"})
    order = api.get("/order/1", include="products,shipping,tags,custom_fields,payments")
    line = order["products"][0]
    assert line["properties"] == [] and line["picture"] == []
    assert order["shipping"]["address_payload"] == []
    assert order["tags"] == order["custom_fields"] == order["payments"] == []


def test_included_relations_are_returned(api, control, offer):
    offer()
    order = control.create_sample_order()
    control.add_payment(order["id"], amount=5, description="Аванс", transaction_uuid="9")
    found = api.get(
        f"/order/{order['id']}",
        include="buyer,status,payments,manager,assigned,marketing,shipping.lastHistory,"
        "shipping.deliveryService,products.offer,expenses",
    )
    assert isinstance(found["buyer"]["phone"], str) and isinstance(found["buyer"]["email"], str)
    assert found["status"]["name"] == "new"
    assert found["payments"][0]["transaction_uuid"] == "9"
    assert found["shipping"]["delivery_service"]["source_name"] == "novaposhta"
    assert "last_history" in found["shipping"]
    assert found["warehouse"]["name"] == "Основний склад"
    names = [line["properties"] for line in found["products"]]
    assert [p["value"] for p in names[1]] == ["біла", "M"]
    assert [line["sku"] is None for line in found["products"]] == [False, False, True, True]
    assert [line["offer"] is None for line in found["products"]] == [False, False, True, False]


def test_a_buyer_has_strings_in_an_order_and_arrays_in_its_own_list(api, control):
    control.create_order(buyer={"full_name": "А", "phone": "067", "company": "ТОВ «А»"})
    assert api.get("/order/1", include="buyer")["buyer"]["phone"] == "067"
    assert api.get("/buyer/1", include="company")["phone"] == ["067"]
    assert api.get("/buyer/1", include="company")["company"]["name"] == "ТОВ «А»"
    assert api.get("/buyer")["data"][0]["email"] == []
    api.get("/buyer/2", status=404)


def test_line_discounts_are_per_unit(api, control):
    control.create_order(
        lines=[
            {
                "name": "x",
                "price": 1035,
                "quantity": 3,
                "discount_percent": 12,
                "loyalty_discount": 3,
                "discount_amount": "0.35",
            }
        ]
    )
    line = api.get("/order/1", include="products")["products"][0]
    assert (line["price_sold"], line["total_discount"]) == (879.4, 155.6)
    assert line["individual_discount"] == 0, "as recorded beside 12 % and 0.35"
    assert api.get("/order/1")["products_total"] == 2638.2


def test_raw_values_override_an_answer(api, control):
    control.create_order(
        raw={"grand_total": "7.00", "brand_new_key": {"a": 1}},
        lines=[{"name": "x", "raw": {"name": None, "picture": "http://x/y.jpg"}}],
    )
    order = api.get("/order/1", include="products")
    assert order["grand_total"] == "7.00" and order["brand_new_key"] == {"a": 1}
    assert order["products"][0]["name"] is None
    control.patch_order(1, raw={})
    assert api.get("/order/1")["grand_total"] == 0


def test_order_of_ten_megabytes_is_returned(api, control):
    control.create_order(manager_comment="ї" * 5_000_000)
    assert len(api.get("/order/1")["manager_comment"]) == 5_000_000


def test_statuses_have_their_recorded_names(api):
    rows = api.get("/order/status", limit=50)["data"]
    assert {row["group_id"] for row in rows} == {1, 2, 3, 4, 5, 6}
    by_name = {row["name"]: row for row in rows}
    assert by_name["new"]["alias"] == "new" and "Пошиття" in by_name
    assert by_name["completed"]["is_closing_order"] is True


def test_small_lists_have_their_recorded_shape(api):
    sources = api.get("/order/source")["data"]
    assert [s["currency_code"] for s in sources] == ["UAH", "UAH", "UAH", "USD"]
    assert api.get("/order/payment-method")["data"][0].keys() == {
        "id",
        "name",
        "alias",
        "is_active",
    }
    assert api.get("/order/delivery-service")["data"][0]["source_name"] == "novaposhta"


def test_products_and_offers_have_their_recorded_shape(api, control):
    red = control.create_offer(
        name="Сорочка", sku="S-1", price=5, properties=[{"name": "Колір", "value": "біла"}]
    )
    control.create_offer(
        product_id=red["product_id"], price=7, properties=[{"name": "Колір", "value": "чорна"}]
    )
    product = api.get(f"/products/{red['product_id']}")
    assert (product["has_offers"], product["min_price"], product["max_price"]) == (True, 5, 7)
    assert product["properties_agg"] == {"Колір": ["біла", "чорна"]}
    assert "product" not in api.get("/offers")["data"][0]
    assert api.get("/offers", include="product")["data"][0]["product"]["name"] == "Сорочка"
    api.get("/products/99", status=404)


@pytest.mark.parametrize(("value", "shown"), [("string", "77"), ("integer", 77)])
def test_transaction_uuid_is_a_string_or_an_integer(api, control, value, shown):
    control.set_switches(transaction_uuid=value)
    control.create_transaction(amount="12.30", uuid="77", description="Оплата")
    row = api.get("/payments/external-transactions")["data"][0]
    assert row["uuid"] == shown and row["amount"] == 12.3
