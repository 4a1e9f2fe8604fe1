from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import EVENT_SYNC
from ...keycrm import rate_limit
from ...keycrm.parsing import utc_text
from ...services.api_gateway import open_client
from ...services.transactions import run_in_transaction

#: How often a list is read that shows fewer rows than it counts.
MOST_LOOKS = 3


class KeycrmOrderSync(models.Model):
    """One run of "Synchronize orders": the orders of chosen statuses, page by page.

    The orders' worker does one page at a time and commits the cursor with it, so a restart repeats at
    most one page, which changes nothing that is already there.
    """

    _name = "keycrm.order.sync"
    _description = "KeyCRM order synchronization"
    _inherit = ["keycrm.job.mixin"]
    _check_company_auto = True

    _pieces = ("sync", "_work_orders")

    # === FIELDS ===#

    status_ids = fields.Many2many(
        "keycrm.order.status", string="Statuses", domain="[('account_id', '=', account_id)]"
    )
    shipped_status_ids = fields.Many2many(
        "keycrm.order.status",
        "keycrm_order_sync_gone_status_rel",
        "sync_id",
        "status_id",
        string="Already shipped in these statuses",
        domain="[('id', 'in', status_ids)]",
        compute="_compute_shipped_status_ids",
        store=True,
        readonly=False,
        help="New orders in these statuses are imported completely but do not affect stock: they "
        "do not have to be shipped again.",
    )
    shipped_if_written_off = fields.Boolean(
        string="Also orders KeyCRM has already written off",
        default=True,
        help="New orders whose lines KeyCRM has completely written off do not affect stock in "
        "Odoo.",
    )
    date_from = fields.Datetime(string="Ordered from")
    date_to = fields.Datetime(string="Ordered until")
    page = fields.Integer(readonly=True, copy=False, default=1)
    # How often the list was read from its begin, and how many different rows of it were seen so far.
    look = fields.Integer(string="Pass", readonly=True, copy=False, default=1)
    seen_count = fields.Integer(string="Rows checked", readonly=True, copy=False)
    last_seen = fields.Integer(string="Last order read", readonly=True, copy=False)
    total_count = fields.Integer(string="Orders in KeyCRM", readonly=True, copy=False)
    created_count = fields.Integer(string="New in Odoo", readonly=True, copy=False)
    updated_count = fields.Integer(string="Already in Odoo", readonly=True, copy=False)
    failed_count = fields.Integer(string="Failed", readonly=True, copy=False)
    event_ids = fields.One2many("keycrm.event", "sync_id", string="Failed orders", copy=False)

    # Workers ask at each run what goes on; those that are over stay for a long time.
    _running_index = models.Index("(account_id) WHERE state = 'running'")

    # === COMPUTE METHODS ===#

    @api.depends("status_ids")
    def _compute_shipped_status_ids(self):
        """Preset: what is in delivery or completed has left the shelf."""
        for sync in self:
            sync.shipped_status_ids = sync.status_ids._with_shipped_goods()

    # === BUSINESS METHODS ===#

    def _check_can_start(self):
        if not self.status_ids:
            raise UserError(self.env._("Choose the statuses to import."))

    def _start_vals(self):
        counts = ("created_count", "updated_count", "failed_count")
        begin = {"page": 1, "look": 1, "seen_count": 0, "last_seen": 0}
        return {**super()._start_vals(), **begin, **dict.fromkeys(counts, 0)}

    def _held_by(self):
        if self.account_id._is_before_start():
            return self.env._(
                "The orders are loaded as soon as “Enable integration” is turned on in the setup."
            )
        return super()._held_by()

    def _title(self):
        return self.env._("Order synchronization")

    def _summary(self):
        return self.env._(
            "Finished: %(created)s new orders, %(updated)s already in Odoo, %(failed)s failed.",
            created=self.created_count,
            updated=self.updated_count,
            failed=self.failed_count,
        )

    def _work_page(self, client):
        """Read one page and write its orders.

        :param client: bulk client
        """
        self.ensure_one()
        # What it reads goes on across commits, where the cache that its prefetch relies on is gone.
        account = self.account_id.with_prefetch().with_context(
            keycrm_shipped_status_ids=self.shipped_status_ids.ids,
            keycrm_shipped_if_written_off=self.shipped_if_written_off,
        )
        number, before = self.page, self.total_count
        page = client.page("/order", self._query(), number)
        left_alone = self._not_to_be_repeated(page)
        read = {
            order_id: account._parsed(row)
            for order_id, row in page.numbered.items()
            if order_id not in left_alone
        }

        worked = {}

        def note(outcomes):
            worked.update(outcomes)
            self.env["keycrm.event"]._enqueue_failed(account, EVENT_SYNC, outcomes, self)

        with open_client(account, rate_limit.LIVE) as live_client:
            account._write_page(client, live_client, read, note)

        def turn():
            # Counted with the cursor: a page that is repeated after a restart is counted once.
            if self.state == "running":
                self.write({**self._counts(worked.values()), **self._turn_vals(page, before)})
                if not self.page:
                    self._end("done")

        run_in_transaction(account.env.cr, turn)

    def _query(self):
        self.ensure_one()
        query = {
            **self.account_id._order_query(),
            "filter[status_id]": ",".join(str(s.keycrm_id) for s in self.status_ids),
            "sort": "id",
        }
        if self.date_from or self.date_to:
            first = self.date_from or fields.Datetime.to_datetime("2000-01-01")
            last = self.date_to or fields.Datetime.now()
            query["filter[created_between]"] = f"{utc_text(first)},{utc_text(last)}"
        return query

    def _not_to_be_repeated(self, page):
        """A second look is for what the first one missed: what is in Odoo is left alone.

        :return: KeyCRM's numbers
        """
        if self.look == 1:
            return set()
        orders = self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", self.account_id.id),
                ("keycrm_id", "in", list(page.numbered)),
            ]
        )
        return set(orders.mapped("keycrm_id"))

    def _turn_vals(self, page, total_before):
        """Return where the run goes on.

        Orders that left the chosen statuses since the last page pull the rest forward, across the begin
        of this page too: the run steps back by as many pages as may have moved, so that none is missed.
        Where as many came as went, the total tells nothing: at the end, fewer different rows than
        KeyCRM counts mean one more look.
        """
        back = page.pages_back(total_before)
        numbers = [number for number in page.numbered if number > self.last_seen]
        vals = {
            "total_count": page.total,
            "page": max(1, page.number - back) if back else page.number + 1,
            "seen_count": self.seen_count + len(numbers),
            "last_seen": max([self.last_seen, *numbers]),
        }
        is_last = page.is_last and not back
        if is_last and vals["seen_count"] < page.total and self.look < MOST_LOOKS:
            vals.update(page=1, look=self.look + 1, seen_count=0, last_seen=0)
        elif is_last:
            vals["page"] = 0
        return vals

    def _counts(self, outcomes):
        created = sum(outcome.created for outcome in outcomes)
        failed = sum(outcome.is_failure for outcome in outcomes)
        there = sum(bool(outcome.order_id) for outcome in outcomes if not outcome.is_failure)
        return {
            "done_count": self.done_count + len(outcomes),
            "created_count": self.created_count + created,
            "updated_count": self.updated_count + there - created,
            "failed_count": self.failed_count + failed,
        }
