from odoo import api, fields, models
from odoo.exceptions import UserError

from ...keycrm.naming import sku_key
from ...keycrm.product_export import MAX_ROWS, sku_problems


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

    # Workers look at each run for what goes on.
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
    def _prepare_for(self, products):
        """Create the preview for products.

        :param products: ``product.product``
        :return: an action that opens it
        :raise UserError: when there is no account, or the user may not create products in it
        """
        account = self._default_account()
        if not account:
            raise UserError(self.env._("Connect a KeyCRM account of this company first."))
        account._check_manager()
        products = products.exists()
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

    def _check_can_start(self):
        if not self.ready_count:
            raise UserError(
                self.env._("No product of the list can be created. Correct them first.")
            )

    def _start_vals(self):
        return {**super()._start_vals(), "total_count": self.ready_count}

    def _begin(self):
        self.account_id.sudo().creates_products = True
        return super()._begin()

    def _next_lines(self):
        """Return the next lines: products without variants together, the variants of one product apart."""
        ready = self.line_ids.filtered(lambda line: line.state == "ready")
        single = ready.filtered(lambda line: not line._has_siblings())[:MAX_ROWS]
        if single or not ready:
            return single
        template = ready[0].product_id.product_tmpl_id
        return ready.filtered(lambda line: line.product_id.product_tmpl_id == template)[:MAX_ROWS]

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
    state = fields.Selection(
        [("ready", "To create"), ("problem", "Problem"), ("done", "In KeyCRM")],
        required=True,
        default="ready",
        readonly=True,
    )
    requested_at = fields.Datetime(string="Requested on", readonly=True)
    error = fields.Char(string="Reason")

    # === BUSINESS METHODS ===#

    def _has_siblings(self):
        """Return whether the product is one of several variants."""
        return bool(self.product_id.product_template_attribute_value_ids)

    def _check(self):
        """Check what can be known without KeyCRM: a usable SKU of its own, not mapped yet."""
        account = self.export_id.account_id
        products = self.product_id
        mapped = self.env["keycrm.offer"].sudo()
        mapped = mapped.search(
            [("account_id", "=", account.id), ("product_id", "in", products.ids)]
        ).product_id
        keys = [sku_key(product.default_code or "") for product in products]
        company = ("company_id", "in", (account.company_id.id, False))
        owners = dict(
            self.env["product.product"]
            .sudo()
            ._read_group([("keycrm_sku_key", "in", keys), company], ["keycrm_sku_key"], ["__count"])
        )
        lines = self.filtered(lambda line: line.product_id not in mapped)
        (self - lines)._end("done")
        skus = [(line.product_id.default_code or "").strip() for line in lines]
        for line, code in zip(lines, sku_problems(skus, owners), strict=True):
            line._end("problem" if code else "ready", code)

    def _end(self, state, code=False, params=False):
        """Record a result.

        :param state: the new state
        :param code: error code
        :param params: its parameters
        """
        self.write({"state": state, "error_code": code, "error_params": params})
