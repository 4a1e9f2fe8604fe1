from ..common.service import Service


class Kind(Service):
    """A kind of data that Odoo sends to KeyCRM; :data:`~.kinds.KINDS` has them all.

    ``enqueue_all()`` enqueues what differs, when sending begins or the account was disabled meanwhile.
    """

    #: Value of the fields ``kind``.
    name = ""
    #: Label of the value, in English.
    label = ""
    #: The account's field that turns the kind on.
    switch = ""


class PreviewedKind(Kind):
    """A kind that a user turns on with a preview of what would change in KeyCRM.

    ``read_page(number)`` reads a :class:`~.keycrm.client.Page` of what the comparison needs, and
    ``record_page(page)`` records it. ``records(domain, limit)`` returns what is compared, by id, and
    ``differences(records, lang)`` values of ``keycrm.send.preview.line``.
    """


class OrderKind(Kind):
    """A kind that changes KeyCRM's orders: each change is a ``keycrm.order.update``.

    ``plan(update)`` returns the update as plain data, so that no database access is needed during
    requests: a class of :mod:`~.keycrm.order_update_rules` with ``includes`` and ``decide``.
    ``summary(order_name)`` is that of the activity about a failure. ``changed_orders(ids)`` returns the
    ``SQL`` for the orders of records that were passed to ``keycrm.order.update._enqueue``, with a column
    ``partial_id``.
    """

    #: Whether no user waits for it, and there may be many: they are sent between all other work.
    is_bulk = False
    #: Whether one request sends what all waiting updates of an order are about.
    is_combined = True

    def record(self, order, values):
        """Record what KeyCRM's order holds now, so that its next import changes nothing.

        :param order: ``sale.order``, one
        :param values: of the :class:`~.keycrm.order_update_rules.Decision`
        :return: what users see of it, maybe empty
        """
        return ""
