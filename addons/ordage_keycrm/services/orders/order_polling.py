from datetime import timedelta

from ...const import EVENT_POLLING, POLLING_OVERLAP
from ...keycrm.order_listing import (
    KnownOrder,
    newest_update,
    rest_begins_at,
    status_changes,
    unreported_statuses,
    unseen_orders,
)
from ...keycrm.orders import OrderRow
from ...keycrm.parsing import utc_text
from ..common import key_check
from ..common.list_pages import ListPages
from ..common.service import Service
from ..common.transactions import run_in_transaction
from .order_inbox import order_query, parse_order
from .order_pages import OrderPages

#: Where the first window begins. Later ones depend on KeyCRM's times, the first one on Odoo's clock, which
#: may be minutes ahead of KeyCRM's. So it begins before the account was enabled.
FIRST_WINDOW = timedelta(minutes=15)
#: Minutes beyond the polling interval after which Odoo itself was stopped and received no webhook.
STOPPED_MINUTES = 10
#: Without a webhook for this long, Odoo polls every minute.
SILENT_HOURS = 24


class OrderPolling(Service):
    """Poll KeyCRM for updated orders, so that a lost webhook is recovered.

    The pages contain whole orders, so one request reads fifty changed orders.
    """

    def process(self):
        """Poll, unless it is too early.

        :return: True when there may be more
        """
        now = self.env.cr.now().replace(microsecond=0)
        if not self.cursor("orders").page and self._was_polled_recently(now):
            return False
        return self.process_page(now)

    def _was_polled_recently(self, now):
        """Return whether it is too early to poll KeyCRM again.

        The interval is the account's while webhooks arrive; without any for a day, or ever, a minute,
        so that the integration works without a public address too.

        :param now: naive UTC
        """
        account = self.account
        pause = account.polled_at and now - account.polled_at
        if not pause or pause < timedelta(minutes=1):
            # The shortest interval first: this check costs no query.
            return bool(account.polled_at)
        last = account.last_webhook_at
        silent = not last or last < now - timedelta(hours=SILENT_HOURS)
        return not silent and pause < timedelta(minutes=account.poll_minutes)

    def process_page(self, now):
        """Read one page of the orders that were updated since the last poll, and write it.

        The beginning of the window moves to the newest update that was written, and two polls overlap;
        so nothing is missed after an outage of any length, and a restart continues at the same rows. The
        newest update is by KeyCRM's clock, which may be minutes behind Odoo's. An empty list moves
        nothing.

        An order that is updated meanwhile moves to the end of the list, and the rows after it move
        forward, the first of a page to the page before. So the rest of the list is read as the first page
        of a window that begins one second before the last row of this one.

        :param now: naive UTC
        :return: True when there may be more
        """
        account, cursor = self.account, self.cursor("orders")
        number = cursor.page or 1
        end = (cursor.page and cursor.started_at) or now
        since = cursor.read_until or end - FIRST_WINDOW
        if not cursor.page:
            since -= timedelta(seconds=POLLING_OVERLAP)
        page = self.service(ListPages).read_page(
            "polling", "/order", self._query(since, end), number, is_flat=True
        )
        rows = page.numbered
        listed = {number: OrderRow.parse(row) for number, row in rows.items()}
        unseen = self._unseen(listed)
        unreported = self._unreported_statuses([listed[number] for number in unseen])
        Event = self.env["keycrm.event"]
        if not page.is_flat:
            self.service(OrderPages).write_page(
                {number: parse_order(rows[number]) for number in unseen},
                self.client,
                lambda results: Event._enqueue_failed(account, EVENT_POLLING, results),
            )
        # Deleted rows moved later ones forward, some of them to the page before.
        back = page.pages_back(cursor.total) if number > 1 else 0
        if page.is_last and not back:
            newest = newest_update(listed.values(), end)
            reached = newest or cursor.read_until or end - FIRST_WINDOW
            vals = {"page": 0, "read_until": reached}
        else:
            following = max(1, number - back) if back else number + 1
            rest = None if back else rest_begins_at(listed.values(), since, end)
            vals = {
                "page": 1 if rest else following,
                "total": page.total,
                "started_at": end,
                "read_until": rest or since,
            }

        def record():
            cursor.write(vals)
            if page.is_flat:
                Event._enqueue(account, EVENT_POLLING, unseen)
            if not cursor.page:
                account.sudo().polled_at = now
            key_check.mark_working(account)
            unreported._mark_missed()

        run_in_transaction(self.env.cr, record)
        return bool(unseen) or not page.is_last

    def _query(self, since, end):
        # KeyCRM's clock may be ahead of Odoo's.
        window = (since, end + timedelta(seconds=POLLING_OVERLAP))
        return {
            **order_query(self.account),
            "filter[updated_between]": ",".join(utc_text(moment) for moment in window),
            "sort": "updated_at",
        }

    def _unseen(self, rows):
        """Choose the orders whose last update Odoo does not have, without those in the inbox.

        :param rows: ``{number: OrderRow}``
        :return: list of numbers
        """
        orders = self.env["sale.order"].search_fetch(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "in", list(rows))],
            ["keycrm_id", "keycrm_updated_at", "keycrm_read_fresh", "keycrm_status_id"],
        )
        known = {
            order.keycrm_id: KnownOrder(
                order.keycrm_status_id.keycrm_id,
                updated_at=None if order.keycrm_read_fresh else order.keycrm_updated_at or None,
            )
            for order in orders
        }
        skipped = self.account.status_ids.filtered(lambda status: status.order_action == "skip")
        waiting = self.env["keycrm.event"]._waiting_numbers(self.account, list(rows))
        return unseen_orders(rows, known, set(skipped.mapped("keycrm_id")), waiting)

    def _unreported_statuses(self, rows):
        """Find the statuses that KeyCRM's trigger lacks: orders moved there without a webhook.

        :param rows: list of OrderRow, of the orders that Odoo does not have in this state
        :return: ``keycrm.order.status``
        """
        account, now, Event = self.account, self.env.cr.now(), self.env["keycrm.event"]
        none = self.env["keycrm.order.status"]
        first = Event._first_webhook_at(account) if rows else None
        polled = account.polled_at
        longest = timedelta(minutes=account.poll_minutes + STOPPED_MINUTES)
        if not first or not polled or polled < now - longest:
            return none
        changes = status_changes(rows, first, now)
        received = Event._last_webhooks(account, list(changes))
        known = {
            order.keycrm_id: order.keycrm_status_id.keycrm_id
            for order in self.env["sale.order"].search(
                [("keycrm_account_id", "=", account.id), ("keycrm_id", "in", list(changes))]
            )
        }
        unreported = unreported_statuses(changes, received, known)
        return account.status_ids.filtered(lambda status: status.keycrm_id in unreported)
