from datetime import timedelta
from decimal import Decimal

from ...const import EVENT_RECONCILIATION, POLLING_OVERLAP, RECONCILIATION_SECONDS
from ...keycrm.order_listing import KnownOrder, has_listed_values, is_as_listed
from ...keycrm.orders import OrderRow
from ...keycrm.parsing import utc_text
from ..common.list_pages import ListPages
from ..common.service import Service
from ..common.transactions import run_in_transaction
from .open_orders import open_orders_domain

#: Positions of the lists in ``keycrm.sync.cursor``: all orders in the statuses of open ones, recent orders in
#: the statuses of completed ones, all orders that were placed since the last comparison, and recent orders
#: in statuses that no other list has.
LISTS = ("open_orders", "closed_orders", "new_orders", "other_orders")
#: Maximum number of orders that are read after one comparison, and seconds until the next comparison when
#: more differ.
MAX_ENQUEUED = 50
PAUSE_SECONDS = 300
#: Groups of statuses that are listed completely, although Odoo may have no orders in them. Of completed and
#: canceled orders a shop has too many to be listed once an hour.
LISTED_GROUPS = ("1", "2", "3", "4", False)
#: Age up to which completed orders are compared: they may still change without an update of their time.
RECENT = timedelta(days=14)
#: Numbers of new orders that are read singly where the list lacks a row that KeyCRM could not return.
MAX_UNREAD = 5
#: How far KeyCRM's clock may be behind Odoo's, and how late an order may appear in a list.
NEW_OVERLAP = timedelta(minutes=15)


class OrderReconciliation(Service):
    """Compare Odoo's open orders with KeyCRM's lists, once an hour.

    A status change may not change ``updated_at`` (sources contradict each other), nor may a parcel's new
    status (unconfirmed); a merge of two buyers does not, and no event reports a deletion. Such orders are
    found because an open order of Odoo is in no list, in the list of another status, or has another
    buyer, parcel, payment or total there. Orders that Odoo lacks, or that are canceled, archived or deleted
    there, are found because a list contains them; a new order may be in a completed status from the
    beginning. All of them are read one by one through the inbox.

    The lists are sorted by number, so each page is compared with Odoo's orders between its first and its
    last number, and nothing but the position is stored.

    Orders in other statuses, mostly archived ones, rarely change, and a shop has many of them: of their
    list, one page is read each hour. The newest orders come first, so a new one moves no row to a page that
    was read already.
    """

    def process(self):
        """Read one page of a list and compare it; after the last one, enqueue the orders that differ.

        :return: True when there may be more
        """
        return any(self._process_list(name) for name in LISTS)

    def _process_list(self, name):
        """Read one page of a list.

        :param name: one of :data:`LISTS`
        :return: True when there may be more
        """
        account, cr = self.account, self.env.cr
        now = cr.now().replace(microsecond=0)
        cursor = self.cursor(name)
        last, number = cursor.read_until, cursor.page or 1
        is_page_due = cursor.page and name != "other_orders"
        if not is_page_due and last and last > now - timedelta(seconds=RECONCILIATION_SECONDS):
            return False
        started = (cursor.page and cursor.started_at) or now
        query = self._query(name, started)
        if not last or not query:
            # Nothing to compare; an account that was just enabled is compared after an hour.
            run_in_transaction(cr, lambda: cursor.write({"page": 0, "read_until": now}))
            return False
        page = self.service(ListPages).read_page(
            "reconciliation", "/order", query, number, is_flat=True
        )

        def record():
            before = (number > 1 and cursor.seen) or {"last": 0, "differing": []}
            found = self._differing(name, started, page, before["last"])
            # An empty or shortened list makes all orders differ: some are read, the rest only when
            # the next list shows the same. Thousands of requests would use up the limit.
            differing = list(dict.fromkeys(before["differing"] + found))[: MAX_ENQUEUED + 1]
            if not page.is_last and name != "other_orders":
                seen = {"last": max([before["last"], *page.numbered]), "differing": differing}
                cursor.write({"page": number + 1, "seen": seen, "started_at": started})
                return True
            enqueued = self._without_waiting(differing)[:MAX_ENQUEUED]
            self.env["keycrm.event"]._enqueue(account, EVENT_RECONCILIATION, enqueued)
            again = started
            if len(differing) > MAX_ENQUEUED:
                again = now - timedelta(seconds=RECONCILIATION_SECONDS - PAUSE_SECONDS)
            following = 0 if page.is_last else number + 1
            cursor.write({"page": following, "seen": False, "read_until": again})
            return bool(enqueued)

        return run_in_transaction(cr, record)

    # === LISTS ===#

    def _query(self, name, started):
        """Return the query of a list.

        :param name: one of :data:`LISTS`
        :param started: when its first page was read
        :return: None where it would hold no order
        """
        if name == "new_orders":
            since = (self.cursor(name).read_until or started) - NEW_OVERLAP
            return {**_placed_between(since, started), "include": "shipping", "sort": "id"}
        statuses = self._statuses(name, started)
        if not statuses:
            return None
        query = {
            "filter[status_id]": ",".join(str(status.keycrm_id) for status in statuses),
            "include": "shipping",
            "sort": "-id" if name == "other_orders" else "id",
        }
        if name != "open_orders":
            query.update(_placed_between(started - RECENT, started))
        return query

    def _statuses(self, name, started):
        """Return the statuses that a list is filtered by."""
        imported = self.account.status_ids.filtered(
            lambda status: status.order_action in ("quotation", "confirm")
        )
        if name == "other_orders":
            for other in ("open_orders", "closed_orders"):
                imported -= self._statuses(other, started)
            return imported
        statuses = self._used_statuses(name, started)
        if name == "open_orders":
            statuses |= imported.filtered(
                lambda status: (
                    status.group in LISTED_GROUPS and status not in self.account.archive_status_ids
                )
            )
        return statuses

    def _used_statuses(self, name, started):
        """Return the statuses of the orders that a list should contain."""
        groups = self.env["sale.order"]._read_group(
            self._expected_domain(name, started), ["keycrm_status_id"]
        )
        return self.env["keycrm.order.status"].union(*(status for (status,) in groups))

    def _expected_domain(self, name, started):
        """Return the domain of the orders that a list should contain.

        Those that may still change: neither archived, nor canceled or deleted in KeyCRM.

        :param name: one of :data:`LISTS`
        :param started: when its first page was read
        """
        is_listed = {
            "open_orders": lambda status: status.group in LISTED_GROUPS,
            "closed_orders": lambda status: status.group not in LISTED_GROUPS,
            "new_orders": lambda status: False,
            "other_orders": lambda status: False,
        }[name]
        domain = [
            *open_orders_domain(self.account, groups=None),
            ("state", "!=", "cancel"),
            ("keycrm_status_id", "in", self.account.status_ids.filtered(is_listed).ids),
        ]
        if name == "closed_orders":
            # Its borders are left out: KeyCRM may compare another date.
            domain += [
                ("date_order", ">", started - RECENT + timedelta(days=1)),
                ("date_order", "<", started),
            ]
        return domain

    # === COMPARISON ===#

    def _listed_orders(self, rows):
        """Return what is compared of the rows of a page.

        :param rows: decoded rows by number
        :return: ``{number: (OrderRow, whether it was placed, or moved to its status, since the
            integration was enabled)}``
        """
        since = self.account.enabled_since or self.account.create_date
        listed = {}
        for number, row in rows.items():
            order = OrderRow.parse(row)
            if order.is_deleted:
                continue
            moved = max(filter(None, (order.created_at, order.status_changed_at)), default=since)
            listed[number] = (order, moved >= since)
        return listed

    def _differing(self, name, started, page, last):
        """Choose the orders that Odoo lacks, and those that differ from a page.

        :param name: one of :data:`LISTS`
        :param started: when its first page was read
        :param page: :class:`~.keycrm.client.Page`
        :param last: greatest number of the pages before
        :return: list of numbers without those that wait in the inbox
        """
        Order = self.env["sale.order"]
        seen = self._listed_orders(page.numbered)
        if name == "new_orders":
            for rows in page.unread:
                seen.update(dict.fromkeys(rows.numbers(MAX_UNREAD), (None, True)))
        orders = listed = Order.search(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "in", list(seen))]
        )
        numbers = list(page.numbered)
        if numbers == sorted(numbers):
            # Those of Odoo's orders that should be on this page.
            domain = [*self._expected_domain(name, started), ("keycrm_id", ">", last)]
            if not page.is_last:
                domain.append(("keycrm_id", "<=", numbers[-1]))
            orders |= Order.search(domain)
        differing, changed = self._missing(seen, listed), []
        statuses = {
            value
            for name in ("keycrm_shipping_status", "keycrm_payment_status")
            for value in Order._fields[name].get_values(self.env)
        }
        for order in orders:
            row, _is_new = seen.get(order.keycrm_id) or (None, False)
            known = _known_order(order)
            if not row or not is_as_listed(known, row.status_id, row.client_id):
                differing.append(order.keycrm_id)
            elif not has_listed_values(known, row, statuses):
                changed.append(order.keycrm_id)
        return self._without_waiting(differing + self._without_failed(changed))

    def _without_waiting(self, numbers):
        waiting = self.env["keycrm.event"]._waiting_numbers(self.account, numbers)
        return [number for number in numbers if number not in waiting]

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
            number
            for number, (row, is_new) in seen.items()
            if is_new and number not in known and not (row and row.status_id in skipped_ids)
        ]
        return self._without_failed(missing)

    def _without_failed(self, numbers):
        failed = self.env["keycrm.event"].search(
            [
                ("account_id", "=", self.account.id),
                ("keycrm_order_id", "in", numbers),
                ("state", "=", "failed"),
            ]
        )
        failed_numbers = set(failed.mapped("keycrm_order_id"))
        return [number for number in numbers if number not in failed_numbers]


def _known_order(order):
    """Describe an order for :mod:`~.keycrm.order_listing`.

    :param order: ``sale.order``, one
    """
    return KnownOrder(
        order.keycrm_status_id.keycrm_id,
        order.keycrm_client_id,
        is_deleted=order.keycrm_deleted,
        is_skipped=order.keycrm_status_id.order_action == "skip",
        tracking_code=order.keycrm_tracking_code or "",
        shipping_status=order.keycrm_shipping_status or "",
        payment_status=order.keycrm_payment_status or "",
        grand_total=Decimal(str(order.keycrm_total)),
        payments_total=Decimal(str(order.keycrm_amount_paid)),
        rounding=Decimal(str(order.currency_id.rounding)),
    )


def _placed_between(since, until):
    """Return the filter of orders that were placed in a period.

    :param since: naive UTC
    :param until: naive UTC; KeyCRM's clock may be ahead of Odoo's
    """
    until += timedelta(seconds=POLLING_OVERLAP)
    return {"filter[created_between]": f"{utc_text(since)},{utc_text(until)}"}
