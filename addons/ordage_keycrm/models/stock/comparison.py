from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Command
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ...keycrm import stock_quantities
from ...keycrm.client import PAGE_SIZE
from ...services import crons


class KeycrmStockComparison(models.Model):
    """A snapshot of KeyCRM's whole stock beside Odoo's: a comparison, or a preview (dry run).

    The snapshot is read page by page in the background and stored in ``keycrm.stock.snapshot`` until it
    is complete: an interrupted one changes nothing. ``stock_reconciliation`` reads and compares;
    ``preview``, ``opening_quantities`` and ``write_back`` do what a person chooses afterwards.
    """

    _name = "keycrm.stock.comparison"
    _description = "Stock comparison with KeyCRM"
    _inherit = ["keycrm.job.mixin"]

    _busy_states = ("reading", "checking", "taking")
    _pieces = ("_work_comparison", "_work_stock")

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
    # What is still to be worked: ids of offers, or of lines whose opening quantities are taken.
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
        string="Not sent", help="Never counted in Odoo, or present on one side only."
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
    # === COMPUTE METHODS ===#

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
            comparison.display_name = f"{kinds[comparison.kind]}, {moment}"

    # === BUSINESS METHODS ===#

    @api.model
    def _start(self, account, kind):
        """Begin a comparison; one of the same kind that is still going on is not begun again.

        :return: ``keycrm.stock.comparison``
        """
        Comparison = self.sudo()
        running = Comparison.search(
            [
                ("account_id", "=", account.id),
                ("kind", "=", kind),
                ("state", "in", ("reading", "checking")),
            ],
            limit=1,
        )
        if running:
            return running
        warehouses = account.warehouse_ids.filtered("warehouse_ids")
        if kind == "comparison":
            warehouses = account._sending_warehouses()
        comparison = Comparison.create(
            {
                "account_id": account.id,
                "kind": kind,
                "user_id": self.env.uid != SUPERUSER_ID and self.env.uid,
                "keycrm_warehouse_ids": [Command.set(warehouses.ids)],
            }
        )
        crons.trigger(account, crons.STOCK)
        return comparison

    def _amounts(self):
        """What seemed to differ is read once more, as many at a time as the list gives."""
        done, total = super()._amounts()
        if self.state != "checking":
            return done, total
        checked = self.check_count - len(self.to_check or [])
        return done + checked, total + self.check_count

    def _is_still_running(self):
        return super()._is_still_running() or self.to_write_back

    def _end(self, state, **vals):
        """End it, and forget what was read: its lines hold what matters."""
        self.env.cr.execute(
            SQL("DELETE FROM keycrm_stock_snapshot WHERE comparison_id = ANY(%s)", self.ids)
        )
        return super()._end(state, to_check=False, to_write_back=False, **vals)

    def _title(self):
        if self.kind == "preview":
            return self.env._("Preview")
        return self.env._("Comparison")

    def _summary(self):
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
        """Keep one page of KeyCRM's stock aside.

        :param page: :class:`~..keycrm.client.Page`
        :param rows: ``{offer number: [StockRow]}``
        """
        readings = [
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
        self.env["keycrm.stock.snapshot"].create({"comparison_id": self.id, "rows": readings})
        self.write(
            {
                "next_page": page.number + 1,
                "total_count": page.total,
                "done_count": min(page.total, page.number * PAGE_SIZE),
            }
        )

    def _snapshots(self):
        """Return what was read, whole.

        :return: ``{offer number: (sku, {KeyCRM's warehouse number: quantity})}``
        """
        pages = self.env["keycrm.stock.snapshot"].search(
            [("comparison_id", "=", self.id)], order="id"
        )
        found = {}
        for page in pages:
            for number, sku, warehouse_number, quantity in page.rows or ():
                # A row that came on two pages counts once: the later one.
                found.setdefault(number, (sku, {}))[1][warehouse_number] = quantity
        return found

    @staticmethod
    def _outcome(odoo, keycrm):
        """Return what would become of KeyCRM's number."""
        if stock_quantities.is_same(odoo, keycrm):
            return "same"
        if odoo <= 0 < keycrm:
            return "zero"
        return "lower" if odoo < keycrm else "higher"


class KeycrmStockSnapshot(models.Model):
    """What a comparison has read so far of KeyCRM's stock; nothing is concluded from a part of
    it."""

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


class KeycrmStockComparisonLine(models.Model):
    """One product in one KeyCRM warehouse: Odoo's number, KeyCRM's, and the difference."""

    _name = "keycrm.stock.comparison.line"
    _description = "Line of a stock comparison"
    _order = "comparison_id desc, id"
    _rec_name = "sku"

    # The report of a comparison.
    comparison_id = fields.Many2one(
        "keycrm.stock.comparison", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(related="comparison_id.account_id")
    company_id = fields.Many2one(related="account_id.company_id")
    product_id = fields.Many2one("product.product", ondelete="set null")
    offer_id = fields.Many2one("keycrm.offer", ondelete="set null")
    keycrm_id = fields.Integer(string="KeyCRM offer", aggregator=None)
    sku = fields.Char(string="SKU")
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", ondelete="cascade"
    )
    odoo_quantity = fields.Float(string="Odoo", digits=(16, 3))
    keycrm_quantity = fields.Float(string="KeyCRM", digits=(16, 3))
    difference = fields.Float(digits=(16, 3), help="Quantity in Odoo minus quantity in KeyCRM.")
    outcome = fields.Selection(
        [
            ("zero", "Drops to zero"),
            ("lower", "Decreases"),
            ("higher", "Increases"),
            ("same", "Unchanged"),
            ("uncounted", "Never counted in Odoo: not sent"),
            ("not_in_keycrm", "Not in KeyCRM"),
            ("not_in_odoo", "Not in Odoo"),
        ],
        required=True,
    )
