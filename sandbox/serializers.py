"""JSON answers of orders, after recorded live answers and the documentation."""

from __future__ import annotations

from decimal import Decimal

from . import money
from .clock import iso, plain
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
        status = shop.statuses[order.status_id]
        out: Json = {
            "id": order.id,
            "parent_id": order.parent_id,
            "source_id": order.source_id,
            "source_uuid": order.source_uuid,
            "client_id": order.client_id,
            "manager_id": order.manager_id,
            "status_id": order.status_id,
            "status_group_id": status.group_id,
            "status_changed_at": iso(order.status_changed_at),
            "grand_total": amount(totals.grand_total),
            "products_total": amount(totals.products_total),
            "total_discount": amount(totals.total_discount),
            "payments_total": amount(totals.payments_total),
            "margin_sum": amount(totals.margin_sum),
            "expenses_sum": amount(Decimal(0)),
            "discount_amount": amount(order.discount_amount),
            "discount_percent": amount(order.discount_percent),
            "shipping_price": _text(order.shipping_price),
            "wrap_price": amount(order.wrap_price),
            "taxes": _text(order.taxes),
            "payment_status": totals.payment_status,
            "manager_comment": order.manager_comment,
            "buyer_comment": order.buyer_comment,
            "client_comment": order.client_comment,
            "is_gift": order.is_gift,
            "gift_message": order.gift_message,
            "gift_wrap": order.gift_wrap,
            "has_reserves": False,
            "promocode": order.promocode,
            "tracking_count": 1 if (order.shipping or {}).get("tracking_code") else 0,
            "last_synced_at": plain(order.last_synced_at),
            "created_at": iso(order.created_at),
            "updated_at": iso(order.updated_at),
            "ordered_at": iso(order.ordered_at),
            "closed_at": plain(order.closed_at),
            "deleted_at": iso(order.deleted_at),
        }
        for include in includes:
            self._include(order, include, includes, out)
        if includes:
            out["warehouse"] = self.warehouse(shop.warehouses.get(order.warehouse_id or 0))
        out.update(order.raw)
        return out

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
            "id": line.id,
            "sku": line.sku,
            "name": line.name,
            "price": amount(line.price),
            "price_sold": amount(money.price_sold(line)),
            "purchased_price": amount(line.purchased_price),
            "discount_percent": amount(line.discount_percent),
            "discount_amount": amount(line.discount_amount),
            # recorded beside a percentage and an amount: it is neither of them, nor their sum
            "individual_discount": amount(Decimal(0)),
            "loyalty_discount": amount(line.loyalty_discount),
            "total_discount": amount(discount),
            "quantity": self.quantity(line.quantity),
            "unit_type": line.unit_type,
            "upsale": line.upsale,
            "comment": line.comment,
            "product_status_id": line.product_status_id,
            "properties": line.properties,
            "picture": line.picture,
            "stock_status": stock_status,
            "shipment_type": line.shipment_type,
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
            "id": payment.id,
            "destination_id": order_id,
            "amount": self.amount(payment.amount),
            "actual_amount": self.amount(
                payment.amount if payment.actual_amount is None else payment.actual_amount
            ),
            "source_currency": payment.currency,
            "actual_currency": payment.actual_currency or payment.currency,
            "payment_method_id": payment.payment_method_id,
            "payment_method": self.payment_method(method) if method else None,
            "status": payment.status,
            "description": payment.description,
            "transaction_uuid": payment.transaction_uuid,
            "fiscal_result": [],
            "payment_date": iso(payment.payment_date),
            "is_expense": payment.is_expense,
            "created_at": iso(payment.created_at),
            "updated_at": iso(payment.updated_at),
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
    "delivery_service_id": None,
    "tracking_code": None,
    "shipping_status": None,
    "shipping_address": None,
    "shipping_address_city": None,
    "shipping_address_country": None,
    "shipping_address_country_code": None,
    "shipping_address_region": None,
    "shipping_address_zip": None,
    "shipping_secondary_line": None,
    "shipping_receive_point": None,
    "recipient_full_name": None,
    "recipient_phone": None,
    "full_address": None,
    "address_payload": [],
    "shipping_date": None,
    "shipping_date_actual": None,
    "was_shipped": False,
}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"
