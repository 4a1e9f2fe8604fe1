"""Sentences for error codes, translated when they are read."""

from . import connection, orders, payments, products, system, webhook

#: The sentence of each code.
TEXTS = {
    **connection.TEXTS,
    **orders.TEXTS,
    **payments.TEXTS,
    **products.TEXTS,
    **system.TEXTS,
    **webhook.TEXTS,
}
