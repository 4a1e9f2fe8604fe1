"""Decide which barcodes are taken, and by which product."""


class Barcodes:
    """Map the barcodes of products and packagings to their owners.

    As in Odoo, products of two companies may have the same barcode. The barcode of a product that
    companies share has to be unique among all of them.
    """

    def __init__(self) -> None:
        self._owners: dict[str, dict[int, int]] = {}

    def take(self, barcode: str, company: int, product: int = 0) -> None:
        """Record that a barcode is taken.

        :param barcode: the barcode
        :param company: id of the company; 0 for a record that companies share
        :param product: id of the product; 0 for a packaging, or a product that is being created
        """
        self._owners.setdefault(barcode, {})[company] = product

    def owner(self, barcode: str, company: int) -> int | None:
        """Return the owner of a barcode that a product of the company needs.

        :param barcode: the barcode
        :param company: id of the company; 0 for a product that companies share
        :return: id of the product, 0 for a packaging; None where the barcode is free
        """
        owners = self._owners.get(barcode, {})
        wanted = (company, 0) if company else tuple(owners)
        return next((owners[one] for one in wanted if one in owners), None)
