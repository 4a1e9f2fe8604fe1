"""Who has a barcode, over companies."""

from keycrm.barcodes import Barcodes


def test_products_of_two_companies_may_have_one_barcode():
    barcodes = Barcodes()
    barcodes.take("482", company=1, product=11)
    assert barcodes.owner("482", company=1) == 11
    assert barcodes.owner("482", company=2) is None


def test_shared_product_may_have_no_barcode_that_any_company_has():
    barcodes = Barcodes()
    barcodes.take("482", company=1, product=11)
    assert barcodes.owner("482", company=0) == 11
    assert barcodes.owner("483", company=0) is None


def test_barcode_of_a_shared_product_or_packaging_is_taken_for_all():
    barcodes = Barcodes()
    barcodes.take("482", company=0)
    assert barcodes.owner("482", company=1) == barcodes.owner("482", company=0) == 0
