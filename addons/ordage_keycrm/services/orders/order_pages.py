from ...keycrm.orders import Order
from ..common.service import Service
from .order_enrichment import OrderEnrichment
from .order_inbox import OrderInbox
from .order_writer import OrderWriter


class OrderPages(Service):
    """Write the orders of list pages, as read by polling and synchronizations."""

    def write_page(self, read, live_client, on_written, import_options=None):
        """Write the orders of a page in small parts; live orders go first.

        An order that the inbox imported meanwhile was read later than the page, so the page's older
        copy is dropped: newer data is never overwritten.

        :param read: ``{number: Order or KeyCrmError}``
        :param live_client: client for the inbox
        :param on_written: called with the results of a part, in its transaction
        :param import_options: :class:`~.order_import.ImportOptions` of the page's orders
        """
        read = dict(read)
        inbox = OrderInbox(self.account, live_client, self.options)
        writer = self.service(OrderWriter)

        def finish(results):
            self.env["keycrm.event"]._resolve_failures(self.account, results)
            on_written(results)

        # The records that the page's orders refer to are read for all of them at once.
        orders = [one for one in read.values() if isinstance(one, Order)]
        read.update((order.id, order) for order in self.service(OrderEnrichment).enrich(orders))
        while read:
            for number in inbox.process():
                read.pop(number, None)
            part = writer.next_part(read)
            if part:
                no_events = self.env["keycrm.event"]
                writer.write_orders(
                    part, no_events, on_written=finish, import_options=import_options
                )
