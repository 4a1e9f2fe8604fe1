from datetime import timedelta

from odoo import api, models

from ..const import CATCH_UP_OVERLAP, EVENT_CATCH_UP
from ..keycrm.values import to_int, to_utc, utc_text


class KeycrmCatchUp(models.AbstractModel):
    """Ask KeyCRM what was updated, and put into the inbox what Odoo has not seen in that state."""

    _name = "keycrm.catch.up"
    _description = "KeyCRM catch-up"

    @api.model
    def _look(self, account, client, now):
        """Read the flat list of what was updated since the last look.

        The cursor moves only after the whole window was read; two looks overlap, since page borders
        shift while data moves. ``updated_at`` is compared with what the order had when it was last
        written, so an order that came by webhook costs nothing more.

        :param now: naive UTC, the end of the window
        :return: True when something was put into the inbox
        """
        since = account.caught_up_until or now
        query = {
            "filter[updated_between]": ",".join(
                utc_text(moment)
                for moment in (
                    since - timedelta(seconds=CATCH_UP_OVERLAP),
                    # KeyCRM's clock may be ahead of ours.
                    now + timedelta(seconds=CATCH_UP_OVERLAP),
                )
            ),
            "sort": "updated_at",
        }
        rows = {}
        for page in client.pages("/order", query):
            rows.update({to_int(row.get("id")): row for row in page.rows})
        rows.pop(None, None)

        def note():
            unseen = self._unseen(account, rows)
            self.env["keycrm.event"].sudo().create(
                [
                    {
                        "account_id": account.id,
                        "event": EVENT_CATCH_UP,
                        "keycrm_order_id": order_id,
                        "payload": {"context": {"id": order_id}},
                    }
                    for order_id in unseen
                ]
            )
            account.sudo().write({"caught_up_until": now, "caught_up_at": now})
            return bool(unseen)

        return account._committed(note)

    @api.model
    def _unseen(self, account, rows):
        """Choose the orders whose last update Odoo does not have, and no event tells of already."""
        orders = self.env["sale.order"].search_fetch(
            [("keycrm_account_id", "=", account.id), ("keycrm_id", "in", list(rows))],
            ["keycrm_id", "keycrm_updated_at", "keycrm_status_id"],
        )
        seen = {
            order.keycrm_id: (order.keycrm_updated_at, order.keycrm_status_id.keycrm_id)
            for order in orders
        }
        skipped = set(
            account.with_context(active_test=False)
            .status_ids.filtered(lambda status: status.order_action == "skip")
            .mapped("keycrm_id")
        )
        waiting = set(
            self.env["keycrm.event"]
            .sudo()
            .search(
                [
                    ("account_id", "=", account.id),
                    ("keycrm_order_id", "in", list(rows)),
                    ("state", "in", ("pending", "failed")),
                ]
            )
            .mapped("keycrm_order_id")
        )
        unseen = []
        for order_id, row in rows.items():
            state = (to_utc(row.get("updated_at")), to_int(row.get("status_id")))
            if order_id in waiting or seen.get(order_id) == state:
                continue
            if order_id not in seen and state[1] in skipped:
                continue
            unseen.append(order_id)
        return unseen
