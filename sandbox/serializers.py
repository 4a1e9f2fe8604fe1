"""JSON answers of orders, after recorded live answers and the documentation."""

from __future__ import annotations

from decimal import Decimal

from . import money
from .clock import plain
from .list_serializers import ListShapes
from .models import Json, Line, Order, Payment

ORDER_INCLUDES = (
    "buyer",
    "products",
    "products.offer",
    "manager",
    "tags",
    "status",
    "marketing",
    "payments",
    "shipping",
    "shipping.lastHistory",
    "shipping.deliveryService",
    "expenses",
    "custom_fields",
    "assigned",
)

# What is written as the records hold it.
_ORDER = (
    "id parent_id source_id source_uuid client_id manager_id status_id status_changed_at "
    "discount_amount discount_percent wrap_price manager_comment buyer_comment client_comment "
    "is_gift gift_message gift_wrap promocode created_at updated_at ordered_at deleted_at"
)
_TOTALS = "grand_total products_total total_discount payments_total margin_sum payment_status"
_LINE = (
    "id sku name price purchased_price discount_percent discount_amount loyalty_discount "
    "unit_type upsale comment product_status_id properties picture shipment_type"
)
_PAYMENT = (
    "id amount payment_method_id status description transaction_uuid payment_date is_expense "
    "created_at updated_at"
)


class Serializers(ListShapes):
    """Serialize orders and, by its parent, all records that they refer to."""

    # === ORDERS ===

    def order(self, order: Order, includes: tuple[str, ...] = ()) -> Json:
        """Write an order.

        :param order: the order
        :param includes: associations to write with it; none gives the flat order
        :return: the JSON object
        """
        shop, totals, amount = self.shop, self.shop.totals(order), self.amount
        out: Json = {
            **self.values(order, _ORDER),
            **self.values(totals, _TOTALS),
            "status_group_id": shop.statuses[order.status_id].group_id,
            "expenses_sum": amount(Decimal(0)),
            "shipping_price": _text(order.shipping_price),
            "taxes": _text(order.taxes),
            "has_reserves": False,
            "tracking_count": 1 if (order.shipping or {}).get("tracking_code") else 0,
            "last_synced_at": plain(order.last_synced_at),
            "closed_at": plain(order.closed_at),
        }
        for include in includes:
            self._include(order, include, includes, out)
        if includes:
            out["warehouse"] = self.warehouse(shop.warehouses.get(order.warehouse_id or 0))
        out.update(order.raw)
        return out

    def listed_order(self, order: Order, includes: tuple[str, ...] = ()) -> Json:
        """Write a row of a list of orders; see :meth:`order`."""
        is_missing = includes == ("shipping",) and self.shop.switches.is_(
            "list_shipping", "missing"
        )
        return self.order(order, () if is_missing else includes)

    def _include(self, order: Order, include: str, includes: tuple[str, ...], out: Json) -> None:
        shop = self.shop
        if include == "buyer":
            buyer = shop.buyers.get(order.client_id or 0)
            out["buyer"] = self.order_buyer(buyer) if buyer else None
        elif include in ("products", "products.offer"):
            with_offer = "products.offer" in includes
            out["products"] = [self.line(line, with_offer) for line in order.lines]
        elif include == "manager":
            out["manager"] = shop.managers.get(order.manager_id or 0)
        elif include == "assigned":
            manager = shop.managers.get(order.manager_id or 0)
            role = {"id": 2, "name": "Менеджер", "alias": "manager"}
            out["assigned"] = [{**manager, "role": role}] if manager else []
        elif include == "status":
            out["status"] = self.status(shop.statuses[order.status_id])
        elif include == "payments":
            out["payments"] = [self.payment(p, order.id) for p in order.payments]
        elif include.startswith("shipping"):
            out["shipping"] = self.shipping(order, includes)
        elif include in ("tags", "marketing", "expenses", "custom_fields"):
            out[include] = getattr(order, include)

    def line(self, line: Line, with_offer: bool) -> Json:
        """Write an order line.

        :param line: the line
        :param with_offer: whether the offer is written with it
        :return: the JSON object
        """
        amount = self.amount
        discount = money.cents(money.unit_discount(line))
        stock_status = line.hold.kind if line.hold else None
        if line.returned and self.shop.switches.is_("returned_line_status", "reverted"):
            stock_status = "reverted"
        out: Json = {
            **self.values(line, _LINE),
            "price_sold": amount(money.price_sold(line)),
            # recorded beside a percentage and an amount: it is neither of them, nor their sum
            "individual_discount": amount(Decimal(0)),
            "total_discount": amount(discount),
            "quantity": self.quantity(line.quantity),
            "stock_status": stock_status,
            "warehouse": self.warehouse(self.shop.warehouses.get(line.warehouse_id or 0)),
        }
        if with_offer:
            offer = self.shop.offers.get(line.offer_id or 0)
            if offer:
                out["offer"] = self.offer(offer)
            elif self.shop.switches.is_("one_off_offer", "null"):
                out["offer"] = None
        out.update(line.raw)
        return out

    def payment(self, payment: Payment, order_id: int) -> Json:
        """Write a payment.

        :param payment: the payment
        :param order_id: the order it belongs to
        :return: the JSON object
        """
        method = self.shop.payment_methods.get(payment.payment_method_id)
        return {
            **self.values(payment, _PAYMENT),
            "destination_id": order_id,
            "actual_amount": self.amount(
                payment.amount if payment.actual_amount is None else payment.actual_amount
            ),
            "source_currency": payment.currency,
            "actual_currency": payment.actual_currency or payment.currency,
            "payment_method": self.payment_method(method) if method else None,
            "fiscal_result": [],
            **payment.raw,
        }

    def shipping(self, order: Order, includes: tuple[str, ...]) -> Json | None:
        """Write an order's shipping.

        :param order: the order
        :param includes: the requested associations
        :return: the JSON object, or None without any value
        """
        if order.shipping is None:
            return None
        out = {**EMPTY_SHIPPING, **order.shipping}
        if "shipping.lastHistory" in includes:
            out["last_history"] = order.shipping.get("last_history")
        else:
            out.pop("last_history", None)
        if "shipping.deliveryService" in includes:
            service = self.shop.delivery_services.get(out["delivery_service_id"] or 0)
            out["delivery_service"] = self.delivery_service(service) if service else None
        return out


EMPTY_SHIPPING: Json = {
    **dict.fromkeys(
        (
            *("delivery_service_id", "tracking_code", "shipping_status", "shipping_address"),
            *("shipping_address_city", "shipping_address_country", "shipping_address_country_code"),
            *("shipping_address_region", "shipping_address_zip", "shipping_secondary_line"),
            *("shipping_receive_point", "recipient_full_name", "recipient_phone", "full_address"),
            *("shipping_date", "shipping_date_actual"),
        )
    ),
    "address_payload": [],
    "was_shipped": False,
}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"
