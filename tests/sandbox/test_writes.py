"""What a client writes of goods and orders: values, refusals, lost answers, delays."""

from __future__ import annotations

import time

import pytest
import requests


def prices(control, offer_id):
    row = next(row for row in control.offers() if row["id"] == offer_id)
    return row["price"], row["purchased_price"]


# === PUT /offers ===


def test_offers_are_changed_by_id_and_sku_and_nothing_else(api, control, offer):
    one, two = offer(), offer(sku="A-2")
    body = {"offers": [{"id": one, "purchased_price": 12.5}, {"sku": "A-2", "price": "9.99"}]}
    assert api.put("/offers", body) == {"status": True}
    assert prices(control, one) == ("100", "12.5")
    assert prices(control, two) == ("9.99", "0")
    assert control.stock(one)["quantity"] == 10
    read = api.get("/offers", **{"filter[id]": one})["data"][0]
    assert read["purchased_price"] == 12.5


def test_weight_of_an_offer_is_written_in_the_unit_of_the_settings(api, control, offer):
    number = offer()
    for unit, weight in (("g", 250), ("kg", 0.25)):
        control.set_switches(weight_unit=unit)
        api.put("/offers", {"offers": [{"id": number, "weight": weight}]})
        assert api.get("/offers")["data"][0]["weight"] == weight
        control.set_switches(weight_unit="kg")
        assert api.get("/offers")["data"][0]["weight"] == 0.25


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "offers"),
        ({"offers": [{"price": 1}]}, "offers.0.id"),
        ({"offers": [{"id": 1, "price": 1}, {"id": 1, "price": "a"}]}, "offers.1.price"),
        ({"offers": [{"id": 1, "purchased_price": -1}]}, "offers.0.purchased_price"),
        ({"offers": [5]}, "offers.0"),
        ({"offers": [{"id": 1, "price": 1}] * 10_001}, "offers"),
    ],
)
def test_bad_offers_are_refused_whole(api, control, offer, body, field):
    number = offer()
    assert field in api.put("/offers", body, status=422)["errors"]
    assert prices(control, number) == ("100", "0")


def test_unknown_offer_is_skipped_or_refuses_all(api, control, offer):
    number = offer()
    body = {"offers": [{"id": number, "price": 7}, {"id": 999, "price": 7}]}
    control.set_switches(offers_put_unknown="refuse")
    assert "offers.1.id" in api.put("/offers", body, status=422)["errors"]
    assert prices(control, number)[0] == "100"
    control.set_switches(offers_put_unknown="skip")
    api.put("/offers", body)
    assert prices(control, number)[0] == "7"


def test_offers_written_late_are_read_as_before_until_then(api, control, offer):
    number = offer()
    control.set_switches(offers_put_apply="late", stock_put_delay=0.3)
    api.put("/offers", {"offers": [{"id": number, "price": 7}]})
    assert prices(control, number)[0] == "100"
    deadline = time.monotonic() + 10
    while prices(control, number)[0] != "7":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ten_thousand_offers_are_one_request(api, control, offer):
    number = offer()
    control.clear_log()
    api.put("/offers", {"offers": [{"id": number, "price": 1}] * 10_000})
    assert control.request_counts() == {"PUT /v1/offers": 1}
    (entry,) = control.requests()
    assert len(entry["body"]["offers"]) == 10_000


# === PRODUCTS ===


PRODUCT = {
    "name": "Сорочка",
    "sku": "SH-1",
    "barcode": "4820000000017",
    "price": 450,
    "purchased_price": 210.5,
    "unit_type": "шт",
    "weight": 300,
    "category_id": 2,
    "currency_code": "UAH",
    "pictures": ["https://example.com/1.jpg"],
}


def test_product_is_created_with_one_offer_that_the_answer_does_not_name(api, control):
    made = api.post("/products", PRODUCT)
    assert made["name"] == "Сорочка" and made["has_offers"] is False and "offers" not in made
    (offer,) = api.get("/offers", **{"filter[sku]": "SH-1"})["data"]
    assert offer["product_id"] == made["id"]
    assert (offer["barcode"], offer["purchased_price"]) == ("4820000000017", 210.5)
    assert offer["weight"] == 300
    assert made["thumbnail_url"] == "https://example.com/1.jpg"
    assert api.get("/products", **{"filter[category_id]": 2})["data"][0]["id"] == made["id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"unit_type": "кілограмами"}, "unit_type"),
        ({"category_id": 99}, "category_id"),
        ({"pictures": ["https://example.com/x.jpg"] * 7}, "pictures"),
        ({"purchased_price": -1}, "purchased_price"),
    ],
)
def test_bad_product_is_refused(api, control, change, field):
    body = {**PRODUCT, **change}
    assert field in api.post("/products", body, status=422)["errors"]
    path = f"products.1.{field}"
    answer = api.post("/products/import", {"products": [PRODUCT, body]}, status=422)
    assert path in answer["errors"]
    assert control.products() == []


def test_import_creates_up_to_a_hundred_and_returns_no_ids(api, control):
    rows = [{"name": f"Товар {n}", "sku": f"S-{n}"} for n in range(100)]
    assert api.post("/products/import", {"products": rows}) == {"status": True}
    assert len(api.filtered("/offers")) == 100
    assert "products" in api.post("/products/import", {"products": rows * 2}, 422)["errors"]


def test_taken_sku_is_accepted_or_refused(api, control):
    api.post("/products", PRODUCT)
    api.post("/products", PRODUCT)
    assert len(api.filtered("/offers", sku="SH-1")) == 2
    control.set_switches(duplicate_sku="refuse")
    assert "sku" in api.post("/products", PRODUCT, status=422)["errors"]
    twice = {"products": [{"name": "a", "sku": "N"}, {"name": "b", "sku": "N"}]}
    assert "products.1.sku" in api.post("/products/import", twice, status=422)["errors"]


@pytest.mark.parametrize(("switch", "count"), [("replaced", 2), ("kept", 3)])
def test_variants_replace_the_first_offer_or_are_added(api, control, switch, count):
    control.set_switches(first_offer=switch)
    product = api.post("/products", {"name": "Сорочка"})["id"]
    variants = [
        {"sku": sku, "price": 5, "properties": [{"name": "Колір", "value": value}, {"name": "x"}]}
        for sku, value in (("W", "біла"), ("B", "чорна"))
    ]
    assert api.post(f"/products/{product}/offers", {"offers": variants}) == {"status": True}
    found = api.get("/offers", **{"filter[product_id]": product})["data"]
    assert len(found) == count
    assert {"name": "Колір", "value": "біла"} in next(o for o in found if o["sku"] == "W")[
        "properties"
    ]
    assert api.get(f"/products/{product}")["has_offers"] is True
    api.post("/products/999/offers", {"offers": variants}, status=404)


def test_product_is_changed(api, control):
    product = api.post("/products", PRODUCT)["id"]
    changed = api.put(f"/products/{product}", {"name": "Блуза", "price": 5})
    assert (changed["name"], changed["price"], changed["sku"]) == ("Блуза", 5, "SH-1")


def test_categories_are_listed_and_created(api, control):
    made = api.post("/products/categories", {"name": "Шапки", "parent_id": 1})
    listed = api.get("/products/categories", **{"filter[parent_id]": 1})["data"]
    assert [row["name"] for row in listed] == ["Сорочки", "Шапки"]
    assert made in listed
    api.post("/products/categories", {"name": "x", "parent_id": 99}, status=422)


# === ORDERS ===


def test_second_tracking_code_is_refused_even_if_equal(api, control):
    control.create_order()
    body = {"shipping": {"tracking_code": "2045", "delivery_service_id": 1}}
    api.put("/order/1", body)
    shipping = api.get("/order/1", include="shipping.deliveryService")["shipping"]
    assert shipping["tracking_code"] == "2045"
    assert shipping["delivery_service"]["name"] == "Нова Пошта"
    assert "shipping.tracking_code" in api.put("/order/1", body, status=422)["errors"]
    api.put("/order/1", {"shipping": {"recipient_phone": "+380"}})


def test_tracking_code_without_or_with_an_unknown_service(api, control):
    control.create_order()
    body = {"shipping": {"tracking_code": "2045"}}
    control.set_switches(tracking_needs_service="yes")
    assert "shipping.delivery_service_id" in api.put("/order/1", body, status=422)["errors"]
    wrong = {"shipping": {"tracking_code": "2045", "delivery_service_id": 99}}
    assert "shipping.delivery_service_id" in api.put("/order/1", wrong, status=422)["errors"]
    control.set_switches(tracking_needs_service="no")
    api.put("/order/1", body)


@pytest.mark.parametrize("key", ["shipping_date", "shipping_date_actual"])
def test_planned_date_is_read_back_at_one_of_two_keys(api, control, key):
    control.set_switches(shipping_date_key=key)
    control.create_order()
    api.put("/order/1", {"shipping": {"shipping_date": "2026-12-24"}})
    assert api.get("/order/1", include="shipping")["shipping"][key] == "2026-12-24"


def test_custom_fields_are_written_read_and_emptied(api, control):
    control.create_order()
    rows = [
        {"uuid": "OR_1001", "value": "2046, 2047"},
        {"uuid": "OR_1003", "value": ["Коробка"]},
        {"uuid": "NONE", "value": "x"},
    ]
    api.put("/order/1", {"custom_fields": rows})
    found = api.get("/order/1", include="custom_fields")["custom_fields"]
    assert [(row["name"], row["value"]) for row in found] == [
        ("Додаткові ТТН", "2046, 2047"),
        ("Пакування", ["Коробка"]),
    ]
    api.put("/order/1", {"custom_fields": [{"uuid": "OR_1001", "value": ""}]})
    found = api.get("/order/1", include="custom_fields")["custom_fields"]
    assert [row["uuid"] for row in found] == ["OR_1003"]
    bad = {"custom_fields": [{"uuid": "OR_1003", "value": "Коробка"}]}
    assert "custom_fields.0.value" in api.put("/order/1", bad, status=422)["errors"]
    api.put("/order/1", {"custom_fields": "x"}, status=422)


def test_custom_fields_are_a_plain_list(api, control):
    fields = api.get("/custom-fields", **{"filter[model]": "order", "include": "options"})
    assert [field["uuid"] for field in fields] == ["OR_1001", "OR_1002", "OR_1003", "OR_1004"]
    assert [option["value"] for option in fields[2]["options"]] == ["Коробка", "Пакет"]
    assert "options" not in api.get("/custom-fields")[0]
    made = control.put_custom_field(name="Вага", uuid="OR_9", type="number")
    assert made["id"] in [field["id"] for field in api.get("/custom-fields", sort="position")]


def test_purchased_price_of_a_line_is_written(api, control):
    line = control.create_order(lines=[{"name": "x", "price": 10}])["lines"][0]
    api.put("/order/1", {"products": [{"id": line["id"], "purchased_price": 4.2}]})
    assert api.get("/order/1", include="products")["products"][0]["purchased_price"] == 4.2


@pytest.mark.parametrize(("switch", "kept"), [("kept", "Gift"), ("erased", None)])
def test_comment_of_a_line_may_be_erased_where_it_is_not_sent(api, control, switch, kept):
    control.set_switches(line_comment=switch)
    line = control.create_order(lines=[{"name": "x", "price": 10, "comment": "Gift"}])["lines"][0]
    row = {"id": line["id"], "purchased_price": 4}
    api.put("/order/1", {"products": [row]})
    assert api.get("/order/1", include="products")["products"][0]["comment"] == kept
    api.put("/order/1", {"products": [{**row, "comment": "Box"}]})
    assert api.get("/order/1", include="products")["products"][0]["comment"] == "Box"


# === LOST ANSWERS ===


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/offers", {"offers": [{"id": 1, "price": 7}]}),
        ("POST", "/products", {"name": "x", "sku": "LOST"}),
        ("PUT", "/order/1", {"shipping": {"tracking_code": "2045"}}),
        ("POST", "/order/1/payment", {"amount": 5, "payment_method_id": 1}),
    ],
)
def test_a_write_whose_answer_is_lost_has_its_effect(api, control, offer, method, path, body):
    number = offer()
    control.create_order()
    control.add_fault("close", method=method, path=path, executed=True)
    with pytest.raises(requests.ConnectionError):
        api.call(method, path, json=body)
    assert control.requests()[-1]["status"] is None
    effects = (
        prices(control, number)[0] == "7",
        bool(api.filtered("/offers", sku="LOST")),
        (api.get("/order/1", include="shipping")["shipping"] or {}).get("tracking_code") == "2045",
        bool(api.get("/order/1", include="payments")["payments"]),
    )
    assert effects.count(True) == 1


def test_a_write_may_have_its_effect_after_its_answer_was_lost(api, control):
    control.create_order()
    control.add_fault("close", method="POST", executed=True, seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        api.call("POST", "/order/1/payment", json={"amount": 5, "payment_method_id": 1})
    assert api.get("/order/1", include="payments")["payments"] == []
    end = time.monotonic() + 30
    while not api.get("/order/1", include="payments")["payments"]:
        assert time.monotonic() < end
        time.sleep(0.05)
