from datetime import timedelta

from odoo import api, fields, models

from ..const import EVENT_SWEEP, OPEN_SWEEP_SECONDS
from ..keycrm.values import to_id

#: Orders that one comparison has read at the most, and seconds until the next one when more differ.
MOST_TOLD = 50
REST_SECONDS = 300


class KeycrmOpenSweep(models.AbstractModel):
    """Compare Odoo's open orders with KeyCRM's status lists, once an hour.

    A status change may leave ``updated_at`` as it is (sources contradict each other), a merge of two
    buyers does, and no event tells of a deletion: they are found because an open order of Odoo stands
    in no list, in that of another status, or with another buyer. Such orders are read one by one
    through the inbox.
    """

    _name = "keycrm.open.sweep"
    _description = "KeyCRM open-order check"

    @api.model
    def _work_page(self, account, client):
        """Read one page of the lists; after the last one, note what differs.

        :param client: bulk client
        :return: True when there may be more
        """
        now = fields.Datetime.now()
        if not account.open_sweep_page:
            last = account.open_sweep_at
            if last and last > now - timedelta(seconds=OPEN_SWEEP_SECONDS):
                return False
            if not last or not self._open_orders(account):
                # Nothing to compare; an account that was just switched on has an hour's time.
                account._committed(lambda: account.sudo().write({"open_sweep_at": now}))
                return False
        number = account.open_sweep_page or 1
        statuses = self._open_orders(account).keycrm_status_id
        query = {
            "filter[status_id]": ",".join(str(status.keycrm_id) for status in statuses),
            "sort": "id",
        }
        page = client.page("/order", query, number)

        def note():
            seen = dict((number > 1 and account.sudo().open_sweep_seen) or {})
            seen.update(
                (str(order), [to_id(row.get("status_id")), to_id(row.get("client_id"))])
                for order, row in page.numbered.items()
            )
            if not page.is_last:
                account.sudo().write({"open_sweep_page": number + 1, "open_sweep_seen": seen})
                return True
            differing = self._differing(account, seen)
            # An empty or shortened list makes all orders differ: some are asked for, the rest only
            # when the next list says the same. Asking does no harm, thousands of requests would.
            told, rest = differing[:MOST_TOLD], differing[MOST_TOLD:]
            self.env["keycrm.event"]._tell(account, EVENT_SWEEP, told)
            again = now - timedelta(seconds=OPEN_SWEEP_SECONDS - REST_SECONDS) if rest else now
            account.sudo().write(
                {"open_sweep_page": 0, "open_sweep_seen": False, "open_sweep_at": again}
            )
            return bool(told)

        return account._committed(note)

    @api.model
    def _open_orders(self, account):
        """Give the orders that may still change: not archived, not cancelled, not known as deleted."""
        return self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", account.id),
                ("keycrm_archived", "=", False),
                ("keycrm_deleted", "=", False),
                ("state", "!=", "cancel"),
            ]
        )

    @api.model
    def _differing(self, account, seen):
        """Choose open orders that the lists do not show, or show otherwise than Odoo has them.

        :param seen: ``{"number": [status, buyer]}`` of all open statuses
        :return: list of numbers; those that an event already tells of are left out
        """
        differing = [
            order.keycrm_id
            for order in self._open_orders(account)
            if not self._is_as_seen(order, seen.get(str(order.keycrm_id)))
        ]
        waiting = self.env["keycrm.event"]._waiting_numbers(account, differing)
        return [number for number in differing if number not in waiting]

    @api.model
    def _is_as_seen(self, order, seen):
        """Tell whether an order is in the status and of the buyer that KeyCRM's list says."""
        status, client = seen or (None, None)
        ours = order.keycrm_status_id
        if status != ours.keycrm_id:
            return False
        # Of an order that is not followed the status alone is taken over.
        return not client or client == order.keycrm_client_id or ours.order_action == "skip"
