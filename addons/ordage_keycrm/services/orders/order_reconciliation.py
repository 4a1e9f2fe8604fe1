from datetime import timedelta

from odoo import fields

from ...const import EVENT_RECONCILIATION, RECONCILIATION_SECONDS
from ...keycrm.order_listing import KnownOrder, is_as_listed
from ...keycrm.orders import OrderRow
from ..common.service import Service
from ..common.transactions import run_in_transaction

#: Maximum number of orders that are read after one comparison, and seconds until the next comparison when
#: more differ.
MAX_ENQUEUED = 50
PAUSE_SECONDS = 300
#: Groups of statuses whose orders are listed although Odoo has none in them: all but completed and
#: canceled ones, of which a shop has too many to be listed once an hour.
LISTED_GROUPS = ("1", "2", "3", "4", False)


class OrderReconciliation(Service):
    """Compare Odoo's open orders with KeyCRM's status lists, once an hour.

    A status change may leave ``updated_at`` as it is (sources contradict each other), a merge of two
    buyers does, and no event reports a deletion. Such orders are found because an open order of Odoo is
    in no list, in that of another status, or has another buyer. Orders that Odoo does not have, or has
    as canceled, archived or deleted, are found because a list contains them. All of them are read one by
    one through the inbox.
    """

    def process(self):
        """Read one page of the lists; after the last one, enqueue the orders that differ.

        :return: True when there may be more
        """
        account, now, cr = self.account, fields.Datetime.now(), self.env.cr
        statuses = self._listed_statuses()
        cursor = self.cursor("open_orders")
        if not cursor.page:
            last = cursor.read_until
            if last and last > now - timedelta(seconds=RECONCILIATION_SECONDS):
                return False
            if not last or not statuses:
                # Nothing to compare; an account that was just enabled is compared after an hour.
                run_in_transaction(cr, lambda: cursor.write({"read_until": now}))
                return False
        number = cursor.page or 1
        query = {
            "filter[status_id]": ",".join(str(status.keycrm_id) for status in statuses),
            "sort": "id",
        }
        page = self.client.page("/order", query, number)

        def record():
            seen = dict((number > 1 and cursor.seen) or {})
            seen.update(self._listed_orders(page.numbered))
            if not page.is_last:
                cursor.write({"page": number + 1, "seen": seen})
                return True
            differing = self._differing(seen)
            # An empty or shortened list makes all orders differ: some are read, the rest only when
            # the next list shows the same. Thousands of requests would use up the limit.
            enqueued, rest = differing[:MAX_ENQUEUED], differing[MAX_ENQUEUED:]
            self.env["keycrm.event"]._enqueue(account, EVENT_RECONCILIATION, enqueued)
            again = now - timedelta(seconds=RECONCILIATION_SECONDS - PAUSE_SECONDS) if rest else now
            cursor.write({"page": 0, "seen": False, "read_until": again})
            return bool(enqueued)

        return run_in_transaction(cr, record)

    def _listed_orders(self, rows):
        """Return what is stored of a page until the last one is read.

        :param rows: decoded rows by number
        :return: ``{"number": [status, buyer, whether it was placed, or moved to its status, since the
            integration was enabled]}``
        """
        since = self.account.enabled_since or self.account.create_date
        listed = {}
        for number, row in rows.items():
            order = OrderRow.parse(row)
            if order.is_deleted:
                continue
            moved = max(filter(None, (order.created_at, order.status_changed_at)), default=since)
            listed[str(number)] = [order.status_id, order.client_id, moved >= since]
        return listed

    def _open_orders(self):
        """Return the orders that may still change.

        Those that are not archived, canceled or deleted in KeyCRM.
        """
        return self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", self.account.id),
                ("keycrm_archived", "=", False),
                ("keycrm_deleted", "=", False),
                ("state", "!=", "cancel"),
            ]
        )

    def _listed_statuses(self):
        """Return the statuses of Odoo's open orders, and those whose orders are imported."""
        account = self.account
        wanted = account.status_ids.filtered(
            lambda status: (
                status.order_action in ("quotation", "confirm")
                and status.group in LISTED_GROUPS
                and status not in account.archive_status_ids
            )
        )
        return wanted | self._open_orders().keycrm_status_id

    def _differing(self, seen):
        """Choose the orders that Odoo lacks, and those that differ from the lists.

        :param seen: see :meth:`_listed_orders`, of all pages
        :return: list of numbers without those that wait in the inbox
        """
        listed = self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", self.account.id),
                ("keycrm_id", "in", [int(number) for number in seen]),
            ]
        )
        differing = self._missing(seen, listed)
        for order in listed | self._open_orders():
            status_id, client_id, _is_new = seen.get(str(order.keycrm_id)) or (None, None, False)
            known = KnownOrder(
                order.keycrm_status_id.keycrm_id,
                order.keycrm_client_id,
                is_deleted=order.keycrm_deleted,
                is_skipped=order.keycrm_status_id.order_action == "skip",
            )
            if not is_as_listed(known, status_id, client_id):
                differing.append(order.keycrm_id)
        waiting = self.env["keycrm.event"]._waiting_numbers(self.account, differing)
        return [number for number in differing if number not in waiting]

    def _missing(self, seen, listed):
        """Choose the listed orders that Odoo does not have.

        Orders older than the integration are imported by a synchronization only, since a user chooses
        them; an order that failed waits for a user.

        :param seen: see :meth:`_listed_orders`
        :param listed: ``sale.order`` records of the listed orders
        :return: list of numbers
        """
        skipped = self.account.status_ids.filtered(lambda status: status.order_action == "skip")
        skipped_ids = set(skipped.mapped("keycrm_id"))
        known = set(listed.mapped("keycrm_id"))
        missing = [
            int(number)
            for number, (status, _client, is_new) in seen.items()
            if is_new and int(number) not in known and status not in skipped_ids
        ]
        failed = self.env["keycrm.event"].search(
            [
                ("account_id", "=", self.account.id),
                ("keycrm_order_id", "in", missing),
                ("state", "=", "failed"),
            ]
        )
        failed_numbers = set(failed.mapped("keycrm_order_id"))
        return [number for number in missing if number not in failed_numbers]
