"""Where the money of an order is, by the status of its parcel."""

import pytest
from keycrm.parcels import place_of_money


@pytest.mark.parametrize(
    ("status", "place"),
    [
        (False, "to_ship"),
        ("invoice", "to_ship"),
        ("transit", "on_the_way"),
        ("pickup", "on_the_way"),
        ("delivered", "arrived"),
        ("cash_on_delivery", "arrived"),
        ("refused", ""),
        ("returned", ""),
    ],
)
def test_cash_on_delivery_is_where_the_parcel_is(status, place):
    assert place_of_money(status) == place
