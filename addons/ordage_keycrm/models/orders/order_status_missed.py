from datetime import timedelta

from odoo import api, fields, models

from ...keycrm.orders import OrderRow
from ...keycrm.webhook import OrderHint

#: Seconds for which a webhook may still be on its way.
ON_ITS_WAY = 60
#: An order whose status changed so soon after it was made, in seconds, still has its first status:
#: whether KeyCRM calls for that is not known (unconfirmed).
FIRST_STATUS = 5
#: So many minutes later than it was to ask, Odoo itself was off and took no webhook.
OFF_MINUTES = 10


class KeycrmOrderStatus(models.Model):
    """Statuses that KeyCRM's trigger lacks: orders came to them, and no webhook told of it."""

    _inherit = "keycrm.order.status"

    # === FIELDS ===#

    missed_at = fields.Datetime(
        string="Missed by webhooks",
        readonly=True,
        help="When an order moved to this status without a webhook and was found by polling. "
        "Cleared by the next webhook.",
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _missed(self, account, rows):
        """Find the statuses of orders that asking found although a webhook should have told of them.

        :param account: ``keycrm.account``, one
        :param rows: KeyCRM's orders that Odoo had not seen in this state
        :return: ``keycrm.order.status``
        """
        now = fields.Datetime.now()
        first = account._first_webhook_at() if rows else None
        asked = account.polled_at
        longest = timedelta(minutes=account.poll_minutes + OFF_MINUTES)
        if not first or not asked or asked < now - longest:
            return self.browse()
        moved = {}
        for row in map(OrderRow.parse, rows):
            at, made = row.status_changed_at, row.created_at
            if not at or at < first or at > now - timedelta(seconds=ON_ITS_WAY):
                continue
            if not made or at - made > timedelta(seconds=FIRST_STATUS):
                moved[row.id] = (row.status_id, at)
        for number, at in account._told_of(list(moved)).items():
            if at >= moved[number][1] - timedelta(seconds=ON_ITS_WAY):
                del moved[number]
        known = {
            order.keycrm_id: order.keycrm_status_id.keycrm_id
            for order in self.env["sale.order"].search(
                [("keycrm_account_id", "=", account.id), ("keycrm_id", "in", list(moved))]
            )
        }
        missed = {
            status_id
            for number, (status_id, _at) in moved.items()
            if known.get(number) != status_id
        }
        return account.status_ids.filtered(lambda status: status.keycrm_id in missed)

    @api.model
    def _record_missed(self, missed):
        """Remember what :meth:`_missed` found.

        :param missed: ``keycrm.order.status``
        """
        if missed:
            missed.sudo().missed_at = fields.Datetime.now()

    @api.model
    def _record_received(self, account, events):
        """Webhooks came: the trigger has the statuses that they name.

        :param events: ``keycrm.event`` records that were worked
        """
        missed = self.sudo().search([("account_id", "=", account.id), ("missed_at", "!=", False)])
        if not missed:
            return
        told = {
            OrderHint.parse(event.payload).status_id
            for event in events.sudo().exists()
            if event.from_webhook
        }
        over = missed.filtered(lambda status: status.keycrm_id in told)
        over.missed_at = False


class KeycrmAccount(models.Model):
    _inherit = "keycrm.account"

    # === FIELDS ===#

    missed_status_ids = fields.Many2many(
        "keycrm.order.status",
        string="Statuses missing in trigger",
        compute="_compute_missed_status_ids",
    )

    # === COMPUTE METHODS ===#

    @api.depends("status_ids.missed_at")
    def _compute_missed_status_ids(self):
        for account in self:
            account.missed_status_ids = account.status_ids.filtered("missed_at")

    # === BUSINESS METHODS ===#

    def _first_webhook_at(self):
        """:return: when KeyCRM called for the first time, naive UTC; False before"""
        return (
            self.env["keycrm.event"]
            .sudo()
            .search(
                [("account_id", "=", self.id), ("from_webhook", "=", True)], order="id", limit=1
            )
            .received_at
        )

    def _told_of(self, numbers):
        """Return when webhooks last told of orders.

        :param numbers: KeyCRM's order numbers
        :return: ``{number: naive UTC}`` of those that any told of
        """
        groups = (
            self.env["keycrm.event"]
            .sudo()
            ._read_group(
                [
                    ("account_id", "=", self.id),
                    ("from_webhook", "=", True),
                    ("keycrm_order_id", "in", numbers),
                ],
                ["keycrm_order_id"],
                ["received_at:max"],
            )
        )
        return dict(groups)
