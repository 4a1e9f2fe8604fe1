from datetime import timedelta

from odoo import api, fields, models

from ...const import EVENT_RECONCILIATION, RECONCILIATION_SECONDS
from ...keycrm.orders import OrderRow
from ...services.transactions import run_in_transaction

#: Orders that one comparison has read at the most, and seconds until the next one when more differ.
MOST_TOLD = 50
REST_SECONDS = 300
#: Groups of statuses whose orders are listed although Odoo has none in them: all but completed and
#: canceled ones, of which a shop has too many to be listed once an hour.
LISTED_GROUPS = ("1", "2", "3", "4", False)


class KeycrmOrderReconciliation(models.AbstractModel):
    """Compare Odoo's orders with KeyCRM's status lists, once an hour.

    A status change may leave ``updated_at`` as it is (sources contradict each other), a merge of two
    buyers does, and no event tells of a deletion: they are found because an open order of Odoo stands
    in no list, in that of another status, or with another buyer. Orders that Odoo does not have, or has
    as canceled, archived or deleted, are found because they stand in a list. All of them are read one by
    one through the inbox.
    """

    _name = "keycrm.order.reconciliation"
    _description = "KeyCRM open-order check"

    @api.model
    def _work_page(self, account, client):
        """Read one page of the lists; after the last one, note what differs.

        :param client: bulk client
        :return: True when there may be more
        """
        now = fields.Datetime.now()
        statuses = self._listed_statuses(account)
        if not account.reconciliation_page:
            last = account.reconciliation_at
            if last and last > now - timedelta(seconds=RECONCILIATION_SECONDS):
                return False
            if not last or not statuses:
                # Nothing to compare; an account that was just switched on has an hour's time.
                run_in_transaction(
                    account.env.cr, lambda: account.sudo().write({"reconciliation_at": now})
                )
                return False
        number = account.reconciliation_page or 1
        query = {
            "filter[status_id]": ",".join(str(status.keycrm_id) for status in statuses),
            "sort": "id",
        }
        page = client.page("/order", query, number)

        def note():
            seen = dict((number > 1 and account.sudo().reconciliation_seen) or {})
            since = account.enabled_since or account.create_date
            for order, row in page.numbered.items():
                listed = OrderRow.parse(row)
                if listed.is_deleted:
                    continue
                moved = max(
                    filter(None, (listed.created_at, listed.status_changed_at)), default=since
                )
                seen[str(order)] = [listed.status_id, listed.client_id, moved >= since]
            if not page.is_last:
                account.sudo().write(
                    {"reconciliation_page": number + 1, "reconciliation_seen": seen}
                )
                return True
            differing = self._differing(account, seen)
            # An empty or shortened list makes all orders differ: some are asked for, the rest only
            # when the next list says the same. Asking does no harm, thousands of requests would.
            told, rest = differing[:MOST_TOLD], differing[MOST_TOLD:]
            self.env["keycrm.event"]._tell(account, EVENT_RECONCILIATION, told)
            again = now - timedelta(seconds=RECONCILIATION_SECONDS - REST_SECONDS) if rest else now
            account.sudo().write(
                {"reconciliation_page": 0, "reconciliation_seen": False, "reconciliation_at": again}
            )
            return bool(told)

        return run_in_transaction(account.env.cr, note)

    @api.model
    def _open_orders(self, account):
        """Return the orders that may still change: not archived, not cancelled, not known as deleted."""
        return self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", account.id),
                ("keycrm_archived", "=", False),
                ("keycrm_deleted", "=", False),
                ("state", "!=", "cancel"),
            ]
        )

    @api.model
    def _listed_statuses(self, account):
        """Return the statuses of Odoo's open orders, and those whose orders Odoo is to have."""
        wanted = account.status_ids.filtered(
            lambda status: (
                status.order_action in ("quotation", "confirm")
                and status.group in LISTED_GROUPS
                and status not in account.archive_status_ids
            )
        )
        return wanted | self._open_orders(account).keycrm_status_id

    @api.model
    def _differing(self, account, seen):
        """Choose orders that Odoo lacks, and those that the lists show otherwise than Odoo has them.

        :param seen: ``{"number": [status, buyer, whether it was made, or came to its status, since the
            integration was enabled]}`` of all listed statuses
        :return: list of numbers; those that an event already tells of are left out
        """
        listed = self.env["sale.order"].search(
            [("keycrm_account_id", "=", account.id), ("keycrm_id", "in", [int(n) for n in seen])]
        )
        differing = self._missing(account, seen, listed)
        differing += [
            order.keycrm_id
            for order in listed | self._open_orders(account)
            if not self._is_as_seen(order, seen.get(str(order.keycrm_id)))
        ]
        waiting = self.env["keycrm.event"]._waiting_numbers(account, differing)
        return [number for number in differing if number not in waiting]

    @api.model
    def _missing(self, account, seen, listed):
        """Choose the listed orders that Odoo does not have.

        What is older than the integration comes by a synchronization alone, since a person chooses it; and
        an order that failed waits for a person.

        :param listed: ``sale.order`` records of the listed orders
        :return: list of numbers
        """
        skipped = account.status_ids.filtered(lambda status: status.order_action == "skip")
        skipped_ids = set(skipped.mapped("keycrm_id"))
        known = set(listed.mapped("keycrm_id"))
        missing = [
            int(number)
            for number, (status, _client, is_new) in seen.items()
            if is_new and int(number) not in known and status not in skipped_ids
        ]
        failed = self.env["keycrm.event"].search(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", missing),
                ("state", "=", "failed"),
            ]
        )
        failed_numbers = set(failed.mapped("keycrm_order_id"))
        return [number for number in missing if number not in failed_numbers]

    @api.model
    def _is_as_seen(self, order, seen):
        """Return whether an order is in the status and of the buyer that KeyCRM's list says."""
        status, client, _is_new = seen or (None, None, False)
        ours = order.keycrm_status_id
        if status != ours.keycrm_id or order.keycrm_deleted:
            return False
        # Of an order that is not followed the status alone is taken over.
        return not client or client == order.keycrm_client_id or ours.order_action == "skip"
