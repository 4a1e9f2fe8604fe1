"""Pages, filters, includes and sort orders of lists."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest


def test_default_page_has_fifteen_rows(api, control):
    control.reset(orders=40, offers=5)
    page = api.get("/order")
    assert (page["per_page"], page["total"], len(page["data"])) == (15, 40, 15)


@pytest.mark.parametrize(
    ("limit", "used"), [(1, 1), (50, 50), (51, 50), (0, 1), (-3, 1), ("x", 15)]
)
def test_limit_stays_between_one_and_fifty(api, control, limit, used):
    control.reset(orders=60)
    page = api.get("/order", limit=limit)
    assert page["per_page"] == used
    assert len(page["data"]) == used


def test_envelope_is_the_live_one(api, control):
    control.reset(orders=45)
    first, last = api.get("/order", limit=20), api.get("/order", limit=20, page=3)
    assert set(first) == {
        "total", "current_page", "per_page", "data", "first_page_url", "last_page_url",
        "next_page_url", "last_page", "from", "to", "path", "prev_page_url", "links",
    }  # fmt: skip
    assert (first["last_page"], first["from"], first["to"]) == (3, 1, 20)
    assert first["prev_page_url"] is None
    assert (last["from"], last["to"], len(last["data"])) == (41, 45, 5)
    assert last["next_page_url"] is None
    assert parse_qs(urlsplit(last["prev_page_url"]).query)["page"] == ["2"]
    assert first["links"][0]["label"] == "&laquo; Previous"
    beyond = api.get("/order", limit=20, page=9)
    assert (beyond["data"], beyond["next_page_url"], beyond["from"]) == ([], None, None)


def test_following_next_page_url_gives_every_row_once(api, control):
    control.reset(orders=47)
    ids, url = [], f"{api.url}/order?limit=10&sort=id&filter[source_id]=1,2,3"
    while url:
        page = api.session.get(url, timeout=30).json()
        ids += [row["id"] for row in page["data"]]
        url = page["next_page_url"]
    assert ids == list(range(1, 48))


def test_page_addresses_can_forget_the_filters(api, control):
    control.reset(orders=47)
    control.set_switches(page_urls="bare")
    page = api.get("/order", limit=10, **{"filter[source_id]": 1})
    assert urlsplit(page["next_page_url"]).query == "page=2"
    control.set_switches(page_urls="full")
    page = api.get("/order", limit=10, **{"filter[source_id]": 1})
    query = parse_qs(urlsplit(page["next_page_url"]).query)
    assert query == {"limit": ["10"], "filter[source_id]": ["1"], "page": ["2"]}


def test_lists_are_sorted_as_requested(api, control):
    for day in (3, 1, 2):
        control.create_order(updated_at=f"2026-05-0{day} 10:00:00")

    def ids(**params):
        return [row["id"] for row in api.get("/order", **params)["data"]]

    assert ids(sort="id") == [1, 2, 3]
    assert ids(sort="-id") == [3, 2, 1]
    assert ids(sort="updated_at") == [2, 3, 1]
    assert ids(sort="-updated_at") == [1, 3, 2]
    assert ids() == [3, 2, 1]
    control.set_switches(default_sort="asc")
    assert ids() == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("/order", {"filter[id]": 1}, "status_id, source_id"),
        ("/order", {"include": "buyer,nonsense"}, "products.offer"),
        ("/order", {"sort": "grand_total"}, "updated_at"),
        ("/order/1", {"include": "nonsense"}, "shipping.lastHistory"),
        ("/offers", {"filter[offers_id]": 1}, "is_archived"),
        ("/offers/stocks", {"filter[id]": 1}, "offers_sku"),
        ("/offers/stocks", {"sort": "id"}, "none"),
        ("/offers/stocks", {"include": "product"}, "none"),
        ("/buyer", {"filter[phone]": 1}, "buyer_phone"),
        ("/products", {"include": "offers"}, "custom_fields"),
        ("/payments/external-transactions", {"filter[uuid]": 1}, "transaction_uuid"),
        ("/order/status", {"filter[id]": 1}, "none"),
    ],
)
def test_unknown_names_are_a_400_that_lists_the_allowed_ones(api, control, path, params, named):
    control.create_order()
    assert named in api.get(path, status=400, **params)["message"]


def test_orders_are_filtered(api, control):
    a = control.create_buyer(full_name="А", phone="+38 (067) 111-22-33", email="A@example.com")
    b = control.create_buyer(full_name="Б", phone="0501112233")
    control.create_order(client_id=a["id"], status_id=1, source_id=1, source_uuid="X-1")
    control.create_order(
        client_id=b["id"],
        status_id=4,
        source_id=2,
        source_uuid="X-2",
        lines=[{"name": "x", "price": 10}],
        payments=[{"amount": 10}],
        shipping={"tracking_code": "204500", "shipping_date": "2026-05-02"},
    )
    control.create_order(client_id=a["id"], status_id=8, payments=[{"amount": 1}])
    found = api.filtered
    assert found("/order", status_id="4,8") == [2, 3]
    assert found("/order", source_id="2") == [2]
    assert found("/order", source_uuid="X-1,X-2") == [1, 2]
    assert found("/order", buyer_phone="+380671112233") == [1, 3]
    assert found("/order", buyer_phone="+38 067 111 22 33, 0501112233") == [1, 2, 3]
    assert found("/order", buyer_email="a@EXAMPLE.com") == [1, 3]
    assert found("/order", payment_status="paid,overpaid") == [2, 3]
    assert found("/order", payment_status="not_paid") == [1]
    assert found("/order", has_tracking_code="true") == [2]
    assert found("/order", has_tracking_code="false") == [1, 3]
    assert found("/order", shipping_between="2026-05-01,2026-05-02") == [2]
    assert found("/order", status_id="4", source_id="1") == []


def test_ranges_of_times_include_both_ends_in_both_formats(api, control):
    for second in (0, 1, 2):
        moment = f"2026-05-01 10:00:0{second}"
        control.create_order(ordered_at=moment, created_at="2026-06-01 00:00:00", updated_at=moment)
    low, high = "2026-05-01 10:00:00", "2026-05-01 10:00:01"
    assert api.filtered("/order", updated_between=f"{low},{high}") == [1, 2]
    assert api.filtered("/order", updated_between=f"{low}, {high}") == [1, 2]
    ends = {"filter[updated_between][from]": low, "filter[updated_between][to]": high}
    assert api.get("/order", **ends)["total"] == 2
    assert api.get("/order", **{"filter[updated_between][from]": high})["total"] == 2
    assert api.filtered("/order", updated_between="2026-05-01,2026-05-01") == [1, 2, 3]
    api.get("/order", status=400, **{"filter[updated_between]": "yesterday,today"})


def test_created_between_compares_the_time_the_switch_names(api, control):
    control.create_order(created_at="2026-06-10 00:00:00", ordered_at="2026-05-01 00:00:00")
    may, june = "2026-05-01,2026-05-31", "2026-06-01,2026-06-30"
    assert api.filtered("/order", created_between=may) == [1]
    assert api.filtered("/order", created_between=june) == []
    control.set_switches(created_filter="created_at")
    assert api.filtered("/order", created_between=may) == []
    assert api.filtered("/order", created_between=june) == [1]


def test_a_list_follows_changes_at_once(api, control):
    control.create_order(status_id=1)
    assert api.filtered("/order", status_id="1") == [1]
    control.set_status(1, 4)
    assert api.filtered("/order", status_id="1") == []
    assert api.filtered("/order", status_id="4") == [1]
    control.put_status(id=4, group_id=2)
    assert api.get("/order/1")["status_group_id"] == 2


def test_offers_and_stock_are_filtered(api, control, offer):
    one = offer(sku="A-1")
    two = offer(sku="A,2")
    three = offer(sku="A-3", is_archived=True)
    assert api.filtered("/offers", sku="A-1,A-3") == [one, three]
    assert api.filtered("/offers", id=f"{two},{three}") == [two, three]
    assert api.filtered("/offers", is_archived="true") == [three]
    assert api.filtered("/offers", product_id=str(control.offers()[0]["product_id"])) == [one]
    assert api.filtered("/offers/stocks", offers_sku="A-1,A-3") == [one, three]
    assert api.filtered("/offers/stocks", offers_sku="A,2") == []
    assert api.filtered("/offers/stocks", offers_id=str(two)) == [two]


def test_buyers_are_filtered(api, control):
    one = control.create_buyer(full_name="А", phone="067 1", email="a@x", created_at="2026-01-01")
    two = control.create_buyer(full_name="Б", phone="067-1", created_at="2026-02-01")
    assert api.filtered("/buyer", buyer_phone="0671") == [one["id"], two["id"]]
    assert api.filtered("/buyer", buyer_email="a@x") == [one["id"]]
    assert api.filtered("/buyer", buyer_id="2,9") == [two["id"]]
    assert api.filtered("/buyer", created_between="2026-01-01,2026-01-31") == [one["id"]]


def test_transactions_are_sorted_newest_first_and_filtered(api, control):
    old = control.create_transaction(amount="5", created_at="2026-05-02", uuid="77")
    new = control.create_transaction(amount="6", created_at="2026-05-03", gateway_id=2)
    older = control.create_transaction(amount="7", created_at="2026-05-01")
    order = control.create_order(payments=[{"amount": 5, "transaction_uuid": "77"}])
    rows = api.get("/payments/external-transactions")["data"]
    assert [row["id"] for row in rows] == [new["id"], old["id"], older["id"]]
    found = api.filtered
    path = "/payments/external-transactions"
    assert found(path, is_attached="true") == [old["id"]]
    assert found(path, is_attached="false") == [new["id"], older["id"]]
    assert found(path, gateway_id="2") == [new["id"]]
    assert found(path, transaction_uuid="77") == [old["id"]]
    assert found(path, created_between="2026-05-02,2026-05-02") == [old["id"]]
    assert order["payments"][0]["transaction_uuid"] == rows[1]["uuid"]
