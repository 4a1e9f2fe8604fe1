"""The fields that the control interface may set, each with its reader."""

from __future__ import annotations

from typing import Any

from .schemas import Readers, anything, boolean, decimal, mapping, moment, sequence, text, whole


def texts(value: Any) -> list[str]:
    """Read an array of texts.

    :param value: a JSON array of strings
    :return: the texts
    :raise ValueError: if it is anything else
    """
    return [text(item) for item in sequence(value)]


def ids(value: Any) -> list[int]:
    """Read an array of ids.

    :param value: a JSON array of integers
    :return: the ids
    :raise ValueError: if it is anything else
    """
    return [whole(item) for item in sequence(value)]


ORDER: Readers = {
    "id": whole,
    "parent_id": whole,
    "source_id": whole,
    "source_uuid": text,
    "status_id": whole,
    "client_id": whole,
    "created_at": moment,
    "updated_at": moment,
    "ordered_at": moment,
    "status_changed_at": moment,
    "closed_at": moment,
    "deleted_at": moment,
    "last_synced_at": moment,
    "discount_percent": decimal,
    "discount_amount": decimal,
    "shipping_price": decimal,
    "wrap_price": decimal,
    "taxes": decimal,
    "grand_total": decimal,
    "manager_id": whole,
    "manager_comment": text,
    "buyer_comment": text,
    "client_comment": text,
    "gift_message": text,
    "is_gift": boolean,
    "gift_wrap": boolean,
    "promocode": text,
    "warehouse_id": whole,
    "shipping": mapping,
    "marketing": mapping,
    "tags": sequence,
    "custom_fields": sequence,
    "expenses": sequence,
    "raw": mapping,
}
NEW_ORDER: Readers = {**ORDER, "buyer": mapping, "lines": sequence, "payments": sequence}
LINE: Readers = {
    "id": whole,
    "name": text,
    "sku": text,
    "offer_id": whole,
    "price": decimal,
    "purchased_price": decimal,
    "quantity": decimal,
    "discount_percent": decimal,
    "discount_amount": decimal,
    "loyalty_discount": decimal,
    "unit_type": text,
    "comment": text,
    "properties": sequence,
    "picture": anything,
    "shipment_type": text,
    "warehouse_id": whole,
    "upsale": boolean,
    "product_status_id": whole,
    "raw": mapping,
}
PAYMENT: Readers = {
    "id": whole,
    "amount": decimal,
    "payment_method_id": whole,
    "status": text,
    "currency": text,
    "actual_amount": decimal,
    "actual_currency": text,
    "description": text,
    "transaction_uuid": text,
    "payment_date": moment,
    "is_expense": boolean,
    "created_at": moment,
    "updated_at": moment,
    "raw": mapping,
}
BUYER: Readers = {
    "id": whole,
    "full_name": text,
    "phones": texts,
    "emails": texts,
    "company_id": whole,
    "note": text,
    "manager_id": whole,
    "birthday": text,
    "currency": text,
    "created_at": moment,
    "updated_at": moment,
    "raw": mapping,
}
COMPANY: Readers = {
    "id": whole,
    "name": text,
    "title": text,
    "address": text,
    "bank_account": text,
    "notes": text,
}
PRODUCT: Readers = {
    "id": whole,
    "name": text,
    "description": text,
    "unit_type": text,
    "currency_code": text,
    "category_id": whole,
    "is_archived": boolean,
    "thumbnail_url": text,
    "raw": mapping,
}
OFFER: Readers = {
    "id": whole,
    "product_id": whole,
    "sku": text,
    "barcode": text,
    "price": decimal,
    "purchased_price": decimal,
    "weight": decimal,
    "length": decimal,
    "width": decimal,
    "height": decimal,
    "properties": sequence,
    "is_archived": boolean,
    "thumbnail_url": text,
    "raw": mapping,
}
STATUS: Readers = {
    "id": whole,
    "name": text,
    "alias": text,
    "group_id": whole,
    "is_closing_order": boolean,
    "is_reserved": boolean,
    "is_active": boolean,
    "expiration_period": whole,
}
SOURCE: Readers = {
    "id": whole,
    "name": text,
    "alias": text,
    "driver": text,
    "currency_code": text,
}
WAREHOUSE: Readers = {"id": whole, "name": text, "description": text, "is_active": boolean}
CATEGORY: Readers = {"id": whole, "name": text, "parent_id": whole}
CUSTOM_FIELD: Readers = {
    "id": whole,
    "name": text,
    "uuid": text,
    "model": text,
    "type": text,
    "required": boolean,
    "position": whole,
    "is_multiple": boolean,
    "options": texts,
}
DELIVERY_SERVICE: Readers = {"id": whole, "name": text, "source_name": text, "alias": text}
TRANSACTION: Readers = {
    "id": whole,
    "uuid": text,
    "amount": decimal,
    "gateway_id": whole,
    "source_uuid": text,
    "currency": text,
    "description": text,
    "transaction_date": moment,
    "created_at": moment,
}
WEBHOOK: Readers = {
    "kind": text,
    "url": text,
    "method": text,
    "statuses": ids,
    "events": texts,
    "warehouse_ids": ids,
}
SEED: Readers = {
    "seed": whole,
    "orders": whole,
    "offers": whole,
    "buyers": whole,
    "lines": whole,
    "newest": moment,
    "status_ids": ids,
}
