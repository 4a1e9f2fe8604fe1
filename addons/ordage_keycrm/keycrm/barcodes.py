"""Which barcodes are taken, and for whom."""


class Barcodes:
    """Barcodes that products and packagings have.

    As in Odoo, products of two companies may have one barcode; a product that companies share may have none
    that any of them has.
    """

    def __init__(self) -> None:
        self._owners: dict[str, dict[int, int]] = {}

    def take(self, barcode: str, company: int, product: int = 0) -> None:
        """Record that a barcode is taken.

        :param company: id of the company; 0 for what companies share
        :param product: id of the product; 0 for a packaging, or a product that is being created
        """
        self._owners.setdefault(barcode, {})[company] = product

    def owner(self, barcode: str, company: int) -> int | None:
        """Look up who has a barcode that a product of the company is to get.

        :param company: id of the company; 0 for a product that companies share
        :return: id of the product, 0 for a packaging; None where the barcode is free
        """
        owners = self._owners.get(barcode, {})
        wanted = (company, 0) if company else tuple(owners)
        return next((owners[one] for one in wanted if one in owners), None)
