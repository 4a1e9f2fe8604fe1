"""The shop: all records of one KeyCRM account in memory, for one event loop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from . import defaults, money
from .clock import Clock
from .errors import Invalid, NotFound
from .models import (
    Buyer,
    Category,
    Company,
    CustomField,
    DeliveryService,
    ExternalTransaction,
    Offer,
    Order,
    PaymentMethod,
    Product,
    Source,
    Status,
    StockRow,
    Totals,
    Warehouse,
)
from .switches import Switches


class Listener(Protocol):
    """The interface for receivers of the shop's events: the webhooks."""

    def order_event(self, event: str, order: Order) -> None:
        """Receive an order's change.

        :param event: KeyCRM's event name
        :param order: the order as it is now
        """

    def stock_event(self, changed: dict[int, set[int]]) -> None:
        """Receive changed stock.

        :param changed: warehouse ids by offer id
        """


class Store:
    """The tables of one account.

    :param switches: the answers to the open questions
    """

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.clock = Clock()
        self.listener: Listener | None = None
        self.versions: dict[str, int] = {}
        switches.on_change = self._switches_changed
        self.clear()

    def clear(self) -> None:
        """Reset to a new account: default lists, no goods, no orders."""
        self._last: dict[str, int] = {}
        self.orders: dict[int, Order] = {}
        self.offers: dict[int, Offer] = {}
        self.products: dict[int, Product] = {}
        self.buyers: dict[int, Buyer] = {}
        self.companies: dict[int, Company] = {}
        self.stocks: dict[int, dict[int, StockRow]] = {}
        self.transactions: dict[int, ExternalTransaction] = {}
        self.statuses: dict[int, Status] = defaults.statuses()
        self.sources: dict[int, Source] = defaults.sources()
        self.payment_methods: dict[int, PaymentMethod] = defaults.payment_methods()
        self.delivery_services: dict[int, DeliveryService] = defaults.delivery_services()
        self.warehouses: dict[int, Warehouse] = defaults.warehouses()
        self.categories: dict[int, Category] = defaults.categories()
        self.custom_fields: dict[int, CustomField] = defaults.custom_fields()
        self.managers: dict[int, dict[str, Any]] = defaults.managers()
        self._skus: tuple[int, dict[str, list[int]]] | None = None
        self._variants: tuple[int, dict[int, list[Offer]]] | None = None
        for table in ("orders", "offers", "products", "buyers", "transactions", "lists"):
            self.touch(table)

    # === IDS, VERSIONS, TIME ===

    def new_id(self, table: str, wanted: int | None = None, taken: Iterable[int] = ()) -> int:
        """Allocate an id.

        :param table: what it is for
        :param wanted: the requested id
        :param taken: ids in use, where the table starts with some
        :return: the wanted id, else one above all before
        """
        if table not in self._last:
            self._last[table] = max(taken, default=0)
        if wanted is None:
            wanted = self._last[table] + 1
        self._last[table] = max(self._last[table], wanted)
        return wanted

    def insert(self, table: str, record: type[Any], values: dict[str, Any]) -> Any:
        """Create a record.

        :param table: the table
        :param record: its class
        :param values: its fields; without ``id`` it gets the next one, without times the present one
        :return: the record, in the table
        :raise Invalid: if the id is taken
        """
        rows = getattr(self, table)
        if values.get("id") in rows:
            raise Invalid.of(id=f"There is a record {values['id']} in {table} already.")
        number = self.new_id(table, values.get("id"), rows)
        times = {"created_at", "updated_at"} & record.__dataclass_fields__.keys()
        made = record(**{**dict.fromkeys(times, self.now()), **values, "id": number})
        rows[number] = made
        self.touch(table)
        return made

    def touch(self, table: str) -> None:
        """Record a change of a table, so that its cached lists are rebuilt.

        :param table: its name
        """
        self.versions[table] = self.versions.get(table, 0) + 1

    def now(self) -> datetime:
        """Return the shop's time.

        :return: UTC, whole seconds
        """
        return self.clock.now()

    def uses_warehouses(self) -> bool:
        """Return whether the shop uses warehouses.

        :return: False with the switch warehouses=off
        """
        return self.switches.is_("warehouses", "on")

    # === LOOKING UP ===

    def order(self, order_id: int) -> Order:
        """Find an order.

        :param order_id: its id
        :return: the order
        :raise NotFound: if there is none
        """
        found: Order = self.find("orders", order_id)
        return found

    def find(self, table: str, row_id: int, message: str = "Not Found") -> Any:
        """Find a record.

        :param table: its table
        :param row_id: its id
        :param message: the sentence of the error
        :return: the record
        :raise NotFound: if there is none
        """
        row = getattr(self, table).get(row_id)
        if row is None:
            raise NotFound(message)
        return row

    def totals(self, order: Order) -> Totals:
        """Return an order's totals, cached until it changes.

        :param order: an order
        :return: its totals
        """
        if order.totals is None:
            order.totals = money.totals(order, self.switches)
        return order.totals

    def currency(self, order: Order) -> str:
        """Return an order's currency.

        :param order: an order
        :return: the currency code of its source
        """
        source = self.sources.get(order.source_id)
        return source.currency_code if source else "UAH"

    def offers_with_sku(self, sku: str) -> list[int]:
        """Find offers by SKU, which is not unique.

        :param sku: the exact SKU
        :return: offer ids, lowest first
        """
        version = self.versions["offers"]
        if self._skus is None or self._skus[0] != version:
            index: dict[str, list[int]] = {}
            for offer in self.offers.values():
                if offer.sku:
                    index.setdefault(offer.sku, []).append(offer.id)
            self._skus = (version, index)
        return self._skus[1].get(sku, [])

    def offers_of(self, product_id: int) -> list[Offer]:
        """Find the offers of a product.

        :param product_id: the product
        :return: its offers, lowest id first
        """
        version = self.versions["offers"]
        if self._variants is None or self._variants[0] != version:
            index: dict[int, list[Offer]] = {}
            for offer in self.offers.values():
                index.setdefault(offer.product_id, []).append(offer)
            self._variants = (version, index)
        return self._variants[1].get(product_id, [])

    def offer_name(self, offer: Offer) -> str:
        """Return the name of an offer in an order line.

        :param offer: an offer
        :return: the name of its product
        """
        product = self.products.get(offer.product_id)
        return product.name if product else f"#{offer.id}"

    def _switches_changed(self) -> None:
        for order in self.orders.values():
            order.totals = None
        for table in self.versions:
            self.touch(table)
