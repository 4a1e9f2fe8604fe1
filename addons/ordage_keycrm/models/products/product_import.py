from odoo import api, fields, models


class KeycrmProductImport(models.Model):
    """One run of "Load products from KeyCRM".

    ``services/products/product_import.py`` processes it.
    """

    _name = "keycrm.product.import"
    _description = "KeyCRM product import"
    _inherit = ["keycrm.job.mixin"]
    _check_company_auto = True

    _pieces = ("load", "orders")

    # === FIELDS ===#

    make_missing = fields.Boolean(
        string="Create missing products",
        default=True,
        help="If off, offers are only linked to existing Odoo products, and the others are listed "
        "in the report.",
    )
    page = fields.Integer(readonly=True, copy=False, default=1)
    total_count = fields.Integer(string="Offers in KeyCRM", readonly=True, copy=False)
    done_count = fields.Integer(string="Checked", readonly=True, copy=False)
    mapped_count = fields.Integer(string="Found in Odoo", readonly=True, copy=False)
    created_count = fields.Integer(string="New in Odoo", readonly=True, copy=False)
    row_ids = fields.One2many("keycrm.product.import.line", "load_id", string="Report", copy=False)
    missing_count = fields.Integer(string="Without SKU", compute="_compute_row_counts")
    repeated_count = fields.Integer(string="Repeated SKUs", compute="_compute_row_counts")
    only_here_count = fields.Integer(string="Only in Odoo", compute="_compute_row_counts")
    only_there_count = fields.Integer(string="Only in KeyCRM", compute="_compute_row_counts")

    # For the workers' query for running jobs; finished ones are kept for long.
    _running_index = models.Index("(account_id) WHERE state = 'running'")

    # === COMPUTE METHODS ===#

    @api.depends("row_ids")
    def _compute_row_counts(self):
        groups = self.env["keycrm.product.import.line"]._read_group(
            [("load_id", "in", self.ids)], ["load_id", "kind"], ["__count"]
        )
        counts = {(load.id, kind): count for load, kind, count in groups}
        for load in self:
            load.missing_count = counts.get((load.id, "missing_sku"), 0)
            load.repeated_count = counts.get((load.id, "repeated_sku"), 0)
            load.only_here_count = counts.get((load.id, "only_here"), 0)
            load.only_there_count = counts.get((load.id, "only_there"), 0)

    # === ACTION METHODS ===#

    def action_open_rows(self):
        """Show the report.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ordage_keycrm.keycrm_product_import_line_action"
        )
        return dict(action, domain=[("load_id", "=", self.id)])

    # === BUSINESS METHODS ===#

    def _start_vals(self):
        return {**super()._start_vals(), "page": 1, "mapped_count": 0, "created_count": 0}

    def _begin(self):
        self.row_ids.unlink()
        return super()._begin()

    def _title(self):
        return self.env._("Product import")

    def _summary(self):
        return self.env._(
            "Finished: %(mapped)s found in Odoo, %(created)s created in Odoo.",
            mapped=self.mapped_count,
            created=self.created_count,
        )

    def _add_rows(self, rows):
        """Add rows to the report.

        :param rows: list of values
        """
        self.env["keycrm.product.import.line"].sudo().create(
            [{"load_id": self.id, **row} for row in rows]
        )


class KeycrmProductImportLine(models.Model):
    """One row of the report on the catalog."""

    _name = "keycrm.product.import.line"
    _inherit = "keycrm.error.mixin"
    _description = "Report on KeyCRM products"
    _order = "kind, sku, id"
    _rec_name = "name"

    # Indexed for the report of a load.
    load_id = fields.Many2one(
        "keycrm.product.import",
        string="Product import",
        required=True,
        ondelete="cascade",
        index=True,
    )
    kind = fields.Selection(
        [
            ("missing_sku", "Without SKU"),
            ("repeated_sku", "Repeated SKU"),
            ("created", "New in Odoo"),
            ("only_there", "Only in KeyCRM"),
            ("only_here", "Only in Odoo"),
        ],
        required=True,
    )
    keycrm_id = fields.Integer(string="KeyCRM offer", aggregator=None)
    sku = fields.Char(string="SKU")
    name = fields.Char()
    # Indexed for the deletion of products.
    product_id = fields.Many2one("product.product", ondelete="cascade", index="btree_not_null")
    error = fields.Char(string="Note")
