"""Selection of the SKUs of one request."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from keycrm.stock_lookup_rules import SKU_FILTER_BYTES, is_requestable, sku_batches


def test_sku_with_a_comma_or_excessive_length_is_not_requested():
    assert is_requestable("A-1")
    assert not is_requestable("")
    assert not is_requestable("A,1")
    assert not is_requestable("Ж" * 900)


@given(
    st.lists(st.text(min_size=1, max_size=80).filter(is_requestable), max_size=120, unique=True),
    st.integers(1, 50),
)
def test_every_sku_is_in_one_part_that_fits_into_an_address(skus, most):
    parts = list(sku_batches({sku: sku for sku in skus}, most, SKU_FILTER_BYTES))
    assert [sku for part in parts for sku in part] == skus
    for part in parts:
        assert 1 <= len(part) <= most
        assert len(quote(",".join(part), safe="")) <= SKU_FILTER_BYTES
