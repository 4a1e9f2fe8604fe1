"""Client methods for buyers, goods, stock and small lists."""

from __future__ import annotations

from typing import Any

from .control_client import Client, Json


class GoodsControl(Client):
    """Create and change records that orders refer to."""

    # === BUYERS, GOODS, STOCK ===

    def create_buyer(self, **fields: Any) -> Json:
        """Create a buyer.

        :param fields: of the buyer; ``phone``, ``email`` and ``company`` (a name) for short
        :return: the buyer
        """
        return self._call("POST", "/buyers", fields)

    def patch_buyer(self, buyer_id: int, **fields: Any) -> Json:
        """Change a buyer.

        :param buyer_id: its id
        :param fields: new values
        :return: the buyer
        """
        return self._call("PATCH", f"/buyers/{buyer_id}", fields)

    def merge_buyers(self, keep_id: int, removed_id: int, *, bump: bool = False) -> int:
        """Merge two buyers, without an event.

        :param keep_id: the buyer that stays
        :param removed_id: the buyer that disappears
        :param bump: whether updated_at of the orders moves
        :return: how many orders changed their buyer
        """
        body = {"keep_id": keep_id, "removed_id": removed_id, "bump": bump}
        return self._call("POST", "/buyers/merge", body)["orders"]

    def create_company(self, **fields: Any) -> Json:
        """Create a company.

        :param fields: of the company, at least ``name``
        :return: the company
        """
        return self._call("POST", "/companies", fields)

    def offers(self) -> list[Json]:
        """List all offers.

        :return: the offers, each with the ``name`` of its product
        """
        return self._call("GET", "/offers")

    def create_offer(self, **fields: Any) -> Json:
        """Create an offer, with a new product unless ``product_id`` is given.

        :param fields: of the offer; ``name``, ``unit_type``, ``category_id`` of the new product;
            ``stock``: quantity by warehouse id
        :return: the offer
        """
        return self._call("POST", "/offers", fields)

    def patch_offer(self, offer_id: int, **fields: Any) -> Json:
        """Change an offer.

        :param offer_id: its id
        :param fields: new values
        :return: the offer
        """
        return self._call("PATCH", f"/offers/{offer_id}", fields)

    def delete_offer(self, offer_id: int) -> None:
        """Delete an offer and its stock.

        :param offer_id: its id
        """
        self._call("DELETE", f"/offers/{offer_id}")

    def products(self) -> list[Json]:
        """List the products, without their offers.

        :return: the products
        """
        return self._call("GET", "/products")

    def patch_product(self, product_id: int, **fields: Any) -> Json:
        """Change a catalog product.

        :param product_id: its id
        :param fields: new values
        :return: the product
        """
        return self._call("PATCH", f"/products/{product_id}", fields)

    def stock(self, offer_id: int) -> Json:
        """Read the stock of an offer.

        :param offer_id: its id
        :return: ``quantity`` (the reserve in it), ``reserve``, and both by warehouse id (a string)
            in ``warehouses``
        """
        return self._call("GET", f"/stocks/{offer_id}")

    def stocks(self) -> list[Json]:
        """Read the stock of all offers.

        :return: as :meth:`stock`, one an offer
        """
        return self._call("GET", "/stocks")

    def set_stock(
        self,
        offer_id: int,
        warehouse_id: int,
        quantity: float | str,
        *,
        reserve: float | str | None = None,
        webhook: bool = True,
    ) -> Json:
        """Change stock manually, as a user of KeyCRM.

        :param offer_id: the offer
        :param warehouse_id: the warehouse
        :param quantity: the new quantity, the reserve in it
        :param reserve: the new reserve, if it changes
        :param webhook: False to fire no stock webhook
        :return: as :meth:`stock`
        """
        body: Json = {"warehouse_id": warehouse_id, "quantity": quantity, "webhook": webhook}
        if reserve is not None:
            body["reserve"] = reserve
        return self._call("PUT", f"/stocks/{offer_id}", body)

    # === SMALL LISTS, BANK ===

    def statuses(self) -> list[Json]:
        """List the statuses.

        :return: also the inactive ones
        """
        return self._call("GET", "/statuses")

    def put_status(self, **fields: Any) -> Json:
        """Create a status, or change that of a given ``id``.

        :param fields: such as ``name``, ``group_id``, ``is_active``
        :return: the status
        """
        return self._call("PUT", "/statuses", fields)

    def sources(self) -> list[Json]:
        """List the sources.

        :return: the sources
        """
        return self._call("GET", "/sources")

    def put_source(self, **fields: Any) -> Json:
        """Create a source, or change that of a given ``id``.

        :param fields: such as ``name``, ``currency_code``
        :return: the source
        """
        return self._call("PUT", "/sources", fields)

    def warehouses(self) -> list[Json]:
        """List the warehouses, including those hidden by the API.

        :return: the warehouses
        """
        return self._call("GET", "/warehouses")

    def put_warehouse(self, **fields: Any) -> Json:
        """Create a warehouse, or change that of a given ``id``.

        :param fields: such as ``name``
        :return: the warehouse
        """
        return self._call("PUT", "/warehouses", fields)

    def categories(self) -> list[Json]:
        """List the categories of products.

        :return: the categories
        """
        return self._call("GET", "/categories")

    def put_category(self, **fields: Any) -> Json:
        """Create a category of products, or change that of a given ``id``.

        :param fields: such as ``name``, ``parent_id``
        :return: the category
        """
        return self._call("PUT", "/categories", fields)

    def custom_fields(self) -> list[Json]:
        """List the custom fields.

        :return: the custom fields of orders and of other records
        """
        return self._call("GET", "/custom-fields")

    def put_custom_field(self, **fields: Any) -> Json:
        """Create a custom field, or change that of a given ``id``.

        :param fields: such as ``name``, ``uuid``, ``model``, ``type``, ``options``
        :return: the custom field
        """
        return self._call("PUT", "/custom-fields", fields)

    def put_delivery_service(self, **fields: Any) -> Json:
        """Create a delivery service, or change that of a given ``id``.

        :param fields: such as ``name``
        :return: the delivery service
        """
        return self._call("PUT", "/delivery-services", fields)

    def create_transaction(self, **fields: Any) -> Json:
        """Create a bank transaction; :meth:`patch_payment` attaches its ``uuid``.

        :param fields: at least ``amount``
        :return: the transaction
        """
        return self._call("POST", "/transactions", fields)
