from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_time

from ...const import SETTLE_SECONDS
from ...keycrm.errors import NotFound, Refused
from ...keycrm.naming import sku_key
from ...keycrm.product_export_rules import MAX_ROWS, code_problems

#: Products that were requested within this time and are not found may still appear, so they are not
#: created again yet.
UNCLEAR = timedelta(seconds=SETTLE_SECONDS)


class KeycrmProductExport(models.Model):
    """One run of "Create in KeyCRM": products of Odoo become products of KeyCRM, never twice.

    The list is a preview with what is missing; nothing is sent before a user starts the run. The orders'
    worker processes some products at a time as bulk work (``services/products/product_creation.py``).
    """

    _name = "keycrm.product.export"
    _description = "KeyCRM product creation"
    _inherit = ["keycrm.job.mixin"]

    _pieces = ("create_products", "orders")

    # === FIELDS ===#

    line_ids = fields.One2many("keycrm.product.export.line", "export_id", string="Products")
    ready_count = fields.Integer(string="To create", compute="_compute_counts")
    problem_count = fields.Integer(string="With problems", compute="_compute_counts")
    created_count = fields.Integer(string="In KeyCRM now", compute="_compute_counts")
    rate_text = fields.Char(string="Left out", compute="_compute_rate_text")

    # Of ``keycrm.fault_isolation_rules.Isolation``
    isolation = fields.Json(
        string="Isolation of a faulty product", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    # For the workers' query for running exports.
    _running_index = models.Index("(account_id) WHERE state = 'running'")

    # === COMPUTE METHODS ===#

    @api.depends("line_ids.state")
    def _compute_counts(self):
        groups = self.env["keycrm.product.export.line"]._read_group(
            [("export_id", "in", self.ids)], ["export_id", "state"], ["__count"]
        )
        counts = {(export.id, state): count for export, state, count in groups}
        for export in self:
            export.ready_count = counts.get((export.id, "ready"), 0)
            export.problem_count = counts.get((export.id, "problem"), 0)
            export.created_count = counts.get((export.id, "done"), 0)

    @api.depends("account_id.keycrm_currency_id", "account_id.company_id.currency_id")
    @api.depends_context("lang")
    def _compute_rate_text(self):
        today = self.env.cr.now().date()
        for export in self:
            company, currency = export.account_id.company_id, export.account_id.keycrm_currency_id
            own = company.currency_id
            lacks = bool(currency) and own._keycrm_rate(currency, company, today) is None
            export.rate_text = lacks and self.env._(
                "Prices and costs are left out: an exchange rate of %s is missing in Odoo. Enter one "
                "(Invoicing → Configuration → Accounting → Currencies).",
                currency.name,
            )

    # === ACTION METHODS ===#

    def action_check_again(self):
        """Check products with problems again, after they were corrected.

        :return: True
        """
        self.account_id._check_manager()
        self.sudo().line_ids.filtered(lambda line: line.state == "problem")._check()
        return True

    # === BUSINESS METHODS ===#

    @api.model
    def _prepare_for(self, products, account=None):
        """Create the preview for products.

        :param products: ``product.product``
        :param account: ``keycrm.account``, one; without it the first one that lacks some of them
        :return: an action that opens it
        :raise UserError: when there is no account, or the user may not create products in it
        """
        products = products.exists()
        account = account or self._account_without(products)
        if not account:
            raise UserError(self.env._("Connect a KeyCRM account of this company first."))
        account._check_manager()
        products.check_access("read")
        export = self.sudo().create(
            {
                "account_id": account.id,
                "line_ids": [(0, 0, {"product_id": product.id}) for product in products],
            }
        )
        export.line_ids._check()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Create in KeyCRM"),
            "res_model": self._name,
            "res_id": export.id,
            "view_mode": "form",
        }

    @api.model
    def _account_without(self, products):
        """Return the first account that lacks some products, of the enabled ones where there are any.

        :param products: ``product.product``
        """
        accounts = self.env["keycrm.account"].search([("company_id", "=", self.env.company.id)])
        enabled = accounts.filtered("enabled")
        mapped = (
            self.env["keycrm.offer"]
            .sudo()
            ._read_group(
                [("account_id", "in", enabled.ids), ("product_id", "in", products.ids)],
                ["account_id"],
                ["product_id:count_distinct"],
            )
        )
        complete = [account.id for account, count in mapped if count == len(products)]
        return (enabled.filtered(lambda one: one.id not in complete) or enabled or accounts)[:1]

    def _check_can_start(self):
        if not self.ready_count:
            raise UserError(
                self.env._("None of the listed products can be created. Fix their problems first.")
            )

    def _begin(self):
        # Products may have changed since the preview.
        self.line_ids.filtered(lambda line: line.state == "ready")._check()
        self.total_count = self.ready_count
        self.account_id.sudo().creates_products = True
        return super()._begin()

    def _next_lines(self):
        """Return the lines of the next step.

        Products without variants come first, then the variants of one product.
        What was requested is looked up first, then what was looked up is created.
        """
        ready = self.line_ids.filtered(lambda line: line.state == "ready")
        ready -= ready.filtered(lambda line: line._unclear_until())
        group = ready.filtered(lambda line: not line._has_siblings())
        if ready and not group:
            template = ready[0].product_id.product_tmpl_id
            group = ready.filtered(lambda line: line.product_id.product_tmpl_id == template)
        requested = group.filtered("requested_at")
        looked_up = group.filtered(lambda line: line._is_looked_up())
        return (requested or looked_up or group)[:MAX_ROWS]

    def _unclear_until(self):
        """Return until when all that is left waits, since requests without an answer may take effect.

        :return: time in UTC; None where a product can be processed now, or all are
        """
        ready = self.line_ids.filtered(lambda line: line.state == "ready")
        times = [line._unclear_until() for line in ready]
        return min(times) if times and all(times) else None

    def _waiting_reason(self):
        reason, until = super()._waiting_reason(), self._unclear_until()
        if reason or not until:
            return reason
        return self.env._(
            "KeyCRM did not answer a request, which may still take effect. The products are looked up "
            "again at %s, before they are created.",
            format_time(self.env, until, tz=self.env.user.tz, time_format="short"),
        )

    def _title(self):
        return self.env._("Product creation")

    def _summary(self):
        return self.env._(
            "Finished: %(done)s in KeyCRM, %(problems)s with problems.",
            done=self.created_count,
            problems=self.problem_count,
        )


class KeycrmProductExportLine(models.Model):
    _name = "keycrm.product.export.line"
    _inherit = "keycrm.error.mixin"
    _description = "Product to create in KeyCRM"
    _order = "state desc, id"

    export_id = fields.Many2one(
        "keycrm.product.export", required=True, readonly=True, ondelete="cascade", index=True
    )
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, ondelete="cascade"
    )
    sku = fields.Char(related="product_id.default_code", string="SKU")
    category = fields.Char(string="Category in KeyCRM", compute="_compute_extras")
    has_picture = fields.Boolean(
        string="Picture",
        compute="_compute_extras",
        help="KeyCRM downloads the picture from the public address of Odoo, where that serves pictures.",
    )
    state = fields.Selection(
        [("ready", "To create"), ("problem", "Problem"), ("done", "In KeyCRM")],
        required=True,
        default="ready",
        readonly=True,
    )
    looked_up_at = fields.Datetime(
        string="Looked up on",
        readonly=True,
        help="When KeyCRM had no offer with this SKU; empty since the product was requested.",
    )
    requested_at = fields.Datetime(string="Requested on", readonly=True)
    keycrm_product_id = fields.Integer(
        string="KeyCRM product", readonly=True, help="The product that gets this variant."
    )
    error = fields.Char(string="Reason")

    # === COMPUTE METHODS ===#

    @api.depends("product_id")
    def _compute_extras(self):
        for account, lines in self.grouped(lambda line: line.export_id.account_id).items():
            categories = self.env["keycrm.category"]._for_products(account, lines.product_id)
            for line in lines:
                line.category = categories[line.product_id.id].name
                line.has_picture = bool(line.product_id._keycrm_picture_url(account))

    # === BUSINESS METHODS ===#

    def _has_siblings(self):
        """Return whether the product is one of several variants."""
        return bool(self.product_id.product_template_attribute_value_ids)

    def _is_looked_up(self):
        """Return whether a recent lookup found that KeyCRM has no such SKU."""
        return bool(
            not self.requested_at
            and self.looked_up_at
            and self.looked_up_at > self.env.cr.now() - UNCLEAR
        )

    def _unclear_until(self):
        """Return until when a product that was requested and is not found may still appear.

        :return: time in UTC; None where that is over, or was not requested
        """
        if not self.requested_at or not self.looked_up_at:
            return None
        until = self.requested_at + UNCLEAR
        return until if until > self.env.cr.now() else None

    def _recent_requests(self):
        """Return when products were requested in any run, so shortly ago that they may still appear.

        :return: ``{product: time in UTC}``
        """
        return dict(
            self.sudo()._read_group(
                [
                    ("export_id.account_id", "in", self.export_id.account_id.ids),
                    ("product_id", "in", self.product_id.ids),
                    ("requested_at", ">", self.env.cr.now() - UNCLEAR),
                ],
                ["product_id"],
                ["requested_at:max"],
            )
        )

    def _record_failure(self, error, *, is_alone):
        """Record that KeyCRM refused or could not process a request.

        A refused product is not created; another failure may be over at the next attempt, so it ends the
        product only when it fails again.

        :param error: :class:`~.keycrm.errors.KeyCrmError`
        :param is_alone: whether the products of the request were at fault, and no other one
        """
        if isinstance(error, NotFound | Refused):
            self.requested_at = False
        if isinstance(error, NotFound):
            # The product that was to get the variants was deleted in KeyCRM.
            self.keycrm_product_id = False
        if not is_alone:
            return
        is_final = not error.transient or all(self.mapped("error_code"))
        self._end("problem" if is_final else "ready", error.code, error.params)

    def _check(self):
        """Check without a request that each product can be mapped and has a usable SKU of its own."""
        account = self.export_id.account_id
        products = self.product_id
        mapped = self.env["keycrm.offer"].sudo()
        mapped = mapped.search(
            [("account_id", "=", account.id), ("product_id", "in", products.ids)]
        ).product_id
        keys = [sku_key(product.default_code or "") for product in products]
        usable = products._check_company_domain(account.company_id)
        owners = dict(
            products.sudo()._read_group(
                [("keycrm_sku_key", "in", keys), *usable], ["keycrm_sku_key"], ["__count"]
            )
        )
        lines = self.filtered(lambda line: line.product_id not in mapped)
        (self - lines)._end("done")
        codes = [
            ((line.product_id.default_code or "").strip(), line.product_id.barcode or "")
            for line in lines
        ]
        problems = code_problems(codes, owners, self._taken_barcodes(lines.product_id))
        for line, code in zip(lines, problems, strict=True):
            code = line._unfit_code() or code
            line._end("problem" if code else "ready", code)

    def _taken_barcodes(self, products):
        """Return the barcodes of products that KeyCRM has in another product, which may be archived.

        :param products: ``product.product`` without a mapping
        """
        offers = self.env["keycrm.offer"].sudo().with_context(active_test=False)
        barcodes = [barcode for barcode in products.mapped("barcode") if barcode]
        own = [("account_id", "=", self.export_id.account_id.id)]
        found = offers.search([*own, ("product_id.barcode", "in", barcodes)])
        return set(found.product_id.mapped("barcode"))

    def _unfit_code(self):
        """Return the error code of a product that cannot be sold in KeyCRM; empty where it can."""
        product, company = self.product_id, self.export_id.account_id.company_id
        if not product.filtered_domain(product._check_company_domain(company)):
            return "create_other_company"
        if not product.active:
            return "create_archived"
        return "create_combo" if product.type == "combo" else ""

    def _end(self, state, code=False, params=False):
        """Record a result.

        :param state: the new state
        :param code: error code
        :param params: its parameters
        """
        self.write({"state": state, "error_code": code, "error_params": params})
