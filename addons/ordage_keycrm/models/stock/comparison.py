from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ...keycrm.client import PAGE_SIZE
from ...services.common import crons
from ...services.common.circuit_breaker import end_backoff
from ...services.common.live_updates import notify_clients
from ...services.stock.stock_settings import StockSettings

#: A choice later than this after the preview began to read is followed by a comparison.
STALE = timedelta(minutes=1)
#: Values of ``opening`` of products that opening quantities leave as they are, for a reason.
_SKIPPED = ("serials", "lots", "not_stored", "unread", "changed", "refused")
#: Field that counts the lines of an outcome.
_COUNT_FIELDS = {
    "zero": "zero_count",
    "lower": "lower_count",
    "higher": "higher_count",
    "not_in_keycrm": "unmatched_count",
    "unread": "unmatched_count",
    "not_in_odoo": "unmatched_count",
    "uncounted": "unmatched_count",
    "same": "same_count",
}


class KeycrmStockComparison(models.Model):
    """A snapshot of KeyCRM's whole stock next to Odoo's: a comparison, or a preview (dry run).

    The snapshot is read page by page in the background and stored in ``keycrm.stock.snapshot`` until it
    is complete: an interrupted one changes nothing. ``services/stock/stock_comparison.py`` reads and
    compares. After a preview a person chooses: Odoo's quantities, KeyCRM's as opening quantities
    (``services/stock/opening_quantities.py``), or KeyCRM's former ones
    (``services/stock/write_back.py``).
    """

    _name = "keycrm.stock.comparison"
    _description = "Stock comparison with KeyCRM"
    _inherit = ["keycrm.job.mixin"]

    _busy_states = ("reading", "checking", "taking", "undoing")
    _pieces = ("comparison", "stock")

    # === FIELDS ===#

    kind = fields.Selection(
        [("comparison", "Comparison"), ("preview", "Preview")],
        required=True,
        default="comparison",
    )
    state = fields.Selection(default="reading")
    started_at = fields.Datetime(required=True, default=fields.Datetime.now)
    next_page = fields.Integer(string="Next page", default=1)
    total_count = fields.Integer(string="Offers in KeyCRM", readonly=True, copy=False)
    done_count = fields.Integer(string="Read", readonly=True, copy=False)
    # Ids of offers, or of lines whose opening quantities are taken.
    to_check = fields.Json(string="Rows to check")
    check_count = fields.Integer(string="Double-checked", readonly=True)
    keycrm_warehouse_ids = fields.Many2many("keycrm.warehouse", string="KeyCRM warehouses")
    line_ids = fields.One2many("keycrm.stock.comparison.line", "comparison_id", string="Products")
    compared_count = fields.Integer(string="Compared")
    difference_count = fields.Integer(string="Differences")
    zero_count = fields.Integer(string="Will drop to zero")
    lower_count = fields.Integer(string="Will decrease")
    higher_count = fields.Integer(string="Will increase")
    same_count = fields.Integer(string="Unchanged")
    unmatched_count = fields.Integer(
        string="Not sent",
        help="Never counted in Odoo, present on one side only, or not returned by KeyCRM.",
    )
    choice = fields.Selection(
        [
            ("send", "Use Odoo quantities"),
            ("opening", "Opening quantities from KeyCRM"),
            ("not_now", "Not now"),
        ],
        readonly=True,
    )
    written_back_at = fields.Datetime(string="Restored on", readonly=True)
    to_write_back = fields.Boolean(string="Quantities to restore", readonly=True)
    left_out_count = fields.Integer(
        string="Skipped opening quantities",
        readonly=True,
        help="Products that must be counted in Odoo; the list shows the reasons.",
    )

    can_write_back = fields.Boolean(string="Can be restored", compute="_compute_can_undo")
    can_undo_opening = fields.Boolean(string="Can be undone", compute="_compute_can_undo")

    # === COMPUTE METHODS ===#

    @api.depends("state", "choice", "to_write_back", "written_back_at", "line_ids.opening")
    def _compute_can_undo(self):
        """Offer to undo only what was done: sent to KeyCRM, or changed in Odoo."""
        Line = self.env["keycrm.stock.comparison.line"].sudo()
        Level = self.env["keycrm.stock.level"].sudo()
        for comparison in self:
            is_over = comparison.kind == "preview" and comparison.state in ("done", "canceled")
            mine = [("comparison_id", "=", comparison.id)]
            applied = [*mine, ("opening", "=", "applied")]
            comparison.can_undo_opening = is_over and bool(Line.search_count(applied, limit=1))
            sent = [
                ("keycrm_warehouse_id", "in", comparison.keycrm_warehouse_ids.ids),
                ("sent_at", ">=", comparison.finished_at),
            ]
            comparison.can_write_back = (
                is_over
                and comparison.choice in ("send", "opening")
                and not comparison.to_write_back
                and not comparison.written_back_at
                and bool(
                    Level.search_count(sent, limit=1)
                    or Line.search_count([*mine, ("was_sent", "=", True)], limit=1)
                )
            )

    @api.model
    def _states(self):
        others = [state for state in super()._states() if state[0] not in ("draft", "running")]
        reading = self.env._("Reading KeyCRM")
        checking = self.env._("Checking differences")
        ready = self.env._("Needs your decision")
        taking = self.env._("Applying opening quantities")
        return [
            ("reading", reading),
            ("checking", checking),
            ("ready", ready),
            ("taking", taking),
            ("undoing", self.env._("Undoing opening quantities")),
            *others,
        ]

    @api.depends("to_check", "check_count")
    def _compute_progress(self):
        return super()._compute_progress()

    @api.depends("to_check", "check_count")
    def _compute_remaining_text(self):
        return super()._compute_remaining_text()

    @api.depends("kind", "started_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for comparison in self:
            moment = format_datetime(self.env, comparison.started_at, dt_format="short")
            comparison.display_name = self.env._(
                "%(kind)s of %(moment)s", kind=kinds[comparison.kind], moment=moment
            )

    # === ACTION METHODS ===#

    def action_send(self):
        """Use Odoo's quantities: send what differs, and from now on every change.

        :return: True
        :raise UserError: when a choice was made already
        """
        self._check_ready()
        settings = StockSettings(self.account_id)
        settings.begin_sending(self, "send")
        differing = self._lines([("outcome", "in", ("zero", "lower", "higher"))]).product_id
        # The preview has shown the user how many quantities become zero.
        settings.enqueue(differing, zero_allowed=True)
        # Changes in Odoo since the preview are not recorded; equal quantities cost no request.
        others = self._lines([("outcome", "in", ("same", "uncounted"))]).product_id
        settings.enqueue(others - differing)
        end_backoff(self.account_id)
        self._compare_if_outdated()
        return True

    def action_take_opening(self):
        """Use KeyCRM's quantities: the stock queue brings Odoo's stock to them.

        Products that people have to count stay as they are on both sides, listed with the reason.

        :return: True
        :raise UserError: when a choice was made already, or the integration is off
        """
        self._check_ready()
        self.account_id._check_can_work()
        lines = self._lines([("opening", "=", "taken")])
        self.sudo().write(
            {
                "state": "taking",
                "user_id": self.env.uid != SUPERUSER_ID and self.env.uid,
                "to_check": lines.ids,
                "total_count": len(lines),
                "done_count": 0,
            }
        )
        end_backoff(self.account_id)
        return True

    def action_not_now(self):
        """Change nothing, send nothing.

        :return: True
        """
        self._check_ready()
        self.sudo().write({"state": "canceled", "choice": "not_now"})
        return True

    def action_write_back(self):
        """Restore KeyCRM's former quantities; sending is disabled.

        :return: True
        :raise UserError: when nothing was sent after this preview, or the integration is off
        """
        self.ensure_one()
        account = self.account_id
        account._check_manager()
        if self.kind != "preview" or self.choice not in ("send", "opening"):
            raise UserError(self.env._("Nothing was sent to KeyCRM after this preview."))
        if not account.enabled:
            # The stock queue would not run.
            raise UserError(self.env._("Enable the integration first."))
        account.sudo().push_stock = False
        self.sudo().write({"to_write_back": True, "error_code": False, "error_params": False})
        end_backoff(account)
        return True

    def action_undo_opening(self):
        """Bring Odoo's stock back to what it was before the opening quantities; sending is disabled.

        :return: True
        :raise UserError: when no opening quantities were taken, or the integration is off
        """
        self.ensure_one()
        account = self.account_id
        account._check_manager()
        account._check_can_work()
        if not self.can_undo_opening:
            raise UserError(self.env._("There are no opening quantities to undo."))
        account.sudo().push_stock = False
        lines = self._lines([("opening", "=", "applied")])
        self.sudo().write(
            {
                "state": "undoing",
                "to_check": lines.ids,
                "total_count": len(lines),
                "done_count": 0,
            }
        )
        end_backoff(account)
        return True

    # === BUSINESS METHODS ===#

    def _recount(self):
        """Count the lines by their outcome."""
        counts = dict.fromkeys(_COUNT_FIELDS.values(), 0)
        for outcome, count in self.env["keycrm.stock.comparison.line"]._read_group(
            [("comparison_id", "=", self.id)], ["outcome"], ["__count"]
        ):
            counts[_COUNT_FIELDS[outcome]] += count
        self.write(counts)

    def _lines(self, domain):
        """Search lines: a preview may have hundreds of thousands.

        :param domain: which ones
        """
        return self.env["keycrm.stock.comparison.line"].search(
            [("comparison_id", "=", self.id), *domain]
        )

    @api.model
    def _running(self, account, kind):
        """Return the comparisons or previews that still read or check.

        :param account: ``keycrm.account``, one
        :param kind: ``comparison`` or ``preview``
        :return: ``keycrm.stock.comparison``
        """
        return self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("kind", "=", kind),
                ("state", "in", ("reading", "checking")),
            ]
        )

    @api.model
    def _restart(self, account):
        """Compare from the beginning: what a running comparison has read may be outdated.

        :param account: ``keycrm.account``, one
        """
        self._running(account, "comparison")._end("canceled")
        self._start(account, "comparison")

    @api.model
    def _start(self, account, kind):
        """Start a comparison, unless one of the same kind is still running.

        :param account: ``keycrm.account``, one
        :param kind: ``comparison`` or ``preview``
        :return: ``keycrm.stock.comparison``
        """
        running = self._running(account, kind)
        if running:
            return running[:1]
        warehouses = account.warehouse_ids.filtered("warehouse_ids")
        if kind == "comparison":
            warehouses = account.warehouse_ids._sending()
        comparison = self.sudo().create(
            {
                "account_id": account.id,
                "kind": kind,
                "user_id": self.env.uid != SUPERUSER_ID and self.env.uid,
                "keycrm_warehouse_ids": [Command.set(warehouses.ids)],
            }
        )
        crons.trigger(account, crons.STOCK)
        return comparison

    def _compare_if_outdated(self):
        """Compare after a choice: KeyCRM's quantities may have changed since the preview read them."""
        if self.started_at < fields.Datetime.now() - STALE:
            self._restart(self.account_id)

    def _amounts(self):
        """Count the offers that are read once more, too."""
        done, total = super()._amounts()
        if self.state != "checking":
            return done, total
        checked = self.check_count - len(self.to_check or [])
        return done + checked, total + self.check_count

    def _is_still_running(self):
        return super()._is_still_running() or self.to_write_back

    def _end(self, state, **vals):
        """Record the end, and delete the snapshot: the lines hold the result."""
        self.env.cr.execute(
            SQL("DELETE FROM keycrm_stock_snapshot WHERE comparison_id = ANY(%s)", self.ids)
        )
        return super()._end(state, to_check=False, to_write_back=False, **vals)

    def _fail(self, error):
        """Record an error; a failed restoring can be started again, so the choice and its time stay."""
        if not self.to_write_back:
            return super()._fail(error)
        self.write({"to_write_back": False, "error_code": error.code, "error_params": error.params})
        self._notify_user()
        notify_clients(self.account_id)
        return None

    def _mark_written_back(self):
        self.write({"to_write_back": False, "written_back_at": fields.Datetime.now()})
        notify_clients(self.account_id)

    def _check_ready(self):
        """Check that this is a preview that waits for a choice.

        :raise UserError: when it is not
        """
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "preview" or self.state != "ready":
            raise UserError(
                self.env._("There is nothing to choose, or the choice was already made.")
            )

    def _replace_earlier(self):
        """Close previews that still wait for a choice: their quantities are outdated."""
        earlier = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("kind", "=", "preview"),
                ("state", "=", "ready"),
                ("id", "!=", self.id),
            ]
        )
        earlier.write({"state": "canceled", "choice": "not_now"})

    def _skipped_lines(self):
        """Return the lines that opening quantities leave as they are, for a reason."""
        return self._lines([("opening", "in", _SKIPPED)])

    def _has_sent(self, level):
        """Return whether a quantity was sent after this preview.

        :param level: ``keycrm.stock.level``, one
        """
        return bool(level.sent_at) and level.sent_at >= self.finished_at

    def _record_sent(self, levels):
        """Record on the lines which quantities were sent, before their levels are deleted.

        :param levels: ``keycrm.stock.level`` of one KeyCRM warehouse
        """
        sent = levels.filtered("sent_at")
        lines = self.env["keycrm.stock.comparison.line"].search(
            [
                ("comparison_id.choice", "in", ("send", "opening")),
                ("keycrm_warehouse_id", "=", levels.keycrm_warehouse_id.id),
                ("offer_id", "in", sent.offer_id.ids),
            ]
        )
        by_offer = {level.offer_id: level for level in sent}
        lines.filtered(
            lambda line: line.comparison_id._has_sent(by_offer[line.offer_id])
        ).was_sent = True

    def _title(self):
        if self.kind == "preview":
            return self.env._("Preview")
        return self.env._("Comparison")

    def _summary(self):
        if self._lines([("opening", "=", "undone")]):
            return self.env._(
                "The opening quantities were undone. Stock is not sent until you turn it on again."
            )
        if self.choice == "opening":
            return self.env._(
                "The opening quantities were taken from KeyCRM, and stock is sent from now on. "
                "Skipped: %(count)s; the list shows the reasons.",
                count=self.left_out_count,
            )
        if self.kind == "preview":
            return self.env._(
                "The preview is ready. Nothing has been sent yet: choose which quantities are "
                "right."
            )
        return self.env._(
            "Finished: %(compared)s products compared, %(differences)s differences found and "
            "being corrected.",
            compared=self.compared_count,
            differences=self.difference_count,
        )

    def _store_page(self, page, rows):
        """Store one page of KeyCRM's stock.

        :param page: :class:`~.keycrm.client.Page`
        :param rows: ``{offer number: [StockRow]}``
        """
        snapshot = [
            (
                number,
                entries[0].sku if entries else "",
                entry.warehouse.id if entry else 0,
                round(float(entry.quantity), 3) if entry else 0.0,
            )
            for number, entries in rows.items()
            for entry in (entries or [None])
        ]
        # One record a page: checking the foreign key of each number cost more than storing it.
        self.env["keycrm.stock.snapshot"].create({"comparison_id": self.id, "rows": snapshot})
        self._record_unread(page.unread)
        self.write(
            {
                "next_page": page.number + 1,
                "total_count": page.total,
                "done_count": min(page.total, page.number * PAGE_SIZE),
            }
        )

    def _snapshots(self):
        """Return the complete snapshot.

        :return: ``{offer number: (sku, {KeyCRM's warehouse number: quantity})}``
        """
        pages = self.env["keycrm.stock.snapshot"].search(
            [("comparison_id", "=", self.id)], order="id"
        )
        found = {}
        for page in pages:
            for number, sku, warehouse_number, quantity in page.rows or ():
                # Of a row that two pages contain, the later one counts.
                found.setdefault(number, (sku, {}))[1][warehouse_number] = quantity
        return found


class KeycrmStockSnapshot(models.Model):
    """A page of KeyCRM's stock as a comparison read it; nothing is concluded from some pages alone."""

    _name = "keycrm.stock.snapshot"
    _description = "KeyCRM stock snapshot"
    _log_access = False
    _rec_name = "comparison_id"

    # The pages of a comparison are read together when it ends.
    comparison_id = fields.Many2one(
        "keycrm.stock.comparison", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="comparison_id.account_id.company_id")
    # One page: offer, SKU, KeyCRM's warehouse (0: in none) and quantity of each row.
    rows = fields.Json(string="Stock rows")
