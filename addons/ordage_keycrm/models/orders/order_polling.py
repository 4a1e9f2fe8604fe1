from datetime import timedelta

from odoo import api, models

from ...const import EVENT_POLLING, POLLING_OVERLAP
from ...keycrm.orders import OrderRow
from ...keycrm.parsing import utc_text
from ...services.transactions import run_in_transaction

#: Where the first window begins. Later ones go by KeyCRM's times, the first one by our clock, which may
#: be minutes ahead of KeyCRM's. So it reaches back before the account was enabled.
FIRST_LOOK_BACK = timedelta(minutes=15)


class KeycrmOrderPolling(models.AbstractModel):
    """Ask KeyCRM what was updated, and write what Odoo has not seen in that state.

    The pages hold whole orders, so a look costs one request for fifty of them, however many changed.
    """

    _name = "keycrm.order.polling"
    _description = "KeyCRM update check"

    @api.model
    def _look(self, account, client, now):
        """Read one page of what was updated since the last look, and write it.

        The window's begin moves only after its last page was written, and two windows overlap, since
        page borders shift while data moves; so after an outage of any length nothing is left out, and
        a restart goes on at the page where it was. It moves to the newest update that was seen: by
        KeyCRM's clock, which may be minutes behind ours, and not at all when KeyCRM gave an empty list.

        :param now: naive UTC
        :return: True when there may be more to do
        """
        number = account.polling_page or 1
        end = (number > 1 and account.polling_end) or now
        page = client.page("/order", self._query(account, end), number)
        rows = page.numbered
        unseen = self._unseen(account, rows)
        Status = self.env["keycrm.order.status"]
        missed = Status._missed(account, [rows[number] for number in unseen])
        read = {number: account._parsed(rows[number]) for number in unseen}
        tell = self.env["keycrm.event"]._enqueue_failed
        account._write_page(
            client, client, read, lambda outcomes: tell(account, EVENT_POLLING, outcomes)
        )
        # Rows that were updated meanwhile left their place; the rest moved forward by as many, across
        # the begin of this page too.
        back = page.pages_back(account.polling_total) if number > 1 else 0
        if page.is_last and not back:
            reached = self._newest(rows, end) or account.polled_until or end - FIRST_LOOK_BACK
            vals = {"polling_page": 0, "polled_until": reached, "polled_at": now}
        else:
            vals = {
                "polling_page": max(1, number - back) if back else number + 1,
                "polling_total": page.total,
                "polling_end": end,
            }

        def turn():
            account.sudo().write(vals)
            account._mark_key_working()
            Status._record_missed(missed)

        run_in_transaction(account.env.cr, turn)
        return bool(unseen) or not page.is_last

    @api.model
    def _newest(self, rows, end):
        """:return: the last update among the rows, None when they name none"""
        told = [OrderRow.parse(row).updated_at for row in rows.values()]
        newest = max((moment for moment in told if moment), default=None)
        # The future never: what is updated before it would be left out.
        return newest and min(newest, end)

    @api.model
    def _query(self, account, end):
        since = account.polled_until or end - FIRST_LOOK_BACK
        window = (
            since - timedelta(seconds=POLLING_OVERLAP),
            # KeyCRM's clock may be ahead of ours. Not by more: what is updated while the pages are read
            # has to leave the window, or it would pull rows across a page's border unseen.
            end + timedelta(seconds=POLLING_OVERLAP),
        )
        return {
            **account._order_query(),
            "filter[updated_between]": ",".join(utc_text(moment) for moment in window),
            "sort": "updated_at",
        }

    @api.model
    def _unseen(self, account, rows):
        """Choose the orders whose last update Odoo does not have, and no event tells of already.

        KeyCRM's times have whole seconds: an order that was read within seconds of its last change may
        have changed once more in the same second, and counts as not seen.

        :param rows: orders by number
        :return: list of numbers
        """
        orders = self.env["sale.order"].search_fetch(
            [("keycrm_account_id", "=", account.id), ("keycrm_id", "in", list(rows))],
            ["keycrm_id", "keycrm_updated_at", "keycrm_read_fresh", "keycrm_status_id"],
        )
        seen = {
            order.keycrm_id: (
                not order.keycrm_read_fresh and order.keycrm_updated_at,
                order.keycrm_status_id.keycrm_id,
            )
            for order in orders
        }
        skipped = set(
            account.status_ids.filtered(lambda status: status.order_action == "skip").mapped(
                "keycrm_id"
            )
        )
        waiting = self.env["keycrm.event"]._waiting_numbers(account, list(rows))
        listed = {number: OrderRow.parse(row) for number, row in rows.items()}
        return [
            number
            for number, row in listed.items()
            if number not in waiting
            and (number in seen or row.status_id not in skipped)
            and seen.get(number) != (row.updated_at, row.status_id)
        ]
