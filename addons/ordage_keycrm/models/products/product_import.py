from odoo import api, fields, models

from ...keycrm.product_data import Goods
from ...services.transactions import company_lock, run_in_transaction


class KeycrmProductImport(models.Model):
    """One run of "Load products from KeyCRM": the whole catalog is mapped or made, page by page.

    The orders' worker does one page at a time. A page's products, its rows of the report and the
    cursor are one transaction, so a restart repeats nothing and counts nothing twice.
    """

    _name = "keycrm.product.import"
    _description = "KeyCRM product load"
    _inherit = ["keycrm.job.mixin"]
    _check_company_auto = True

    _pieces = ("load", "_work_orders")

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

    # Workers ask at each run what goes on; those that are over stay for a long time.
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
        return self.env._("Product load")

    def _summary(self):
        return self.env._(
            "Finished: %(mapped)s found in Odoo, %(created)s created in Odoo.",
            mapped=self.mapped_count,
            created=self.created_count,
        )

    def _work_page(self, client):
        """Read one page of the catalog, mapping or make its products, and note what is odd.

        :param client: bulk client
        """
        self.ensure_one()
        account = self.account_id.with_prefetch()
        page = client.page("/offers", {"include": "product", "sort": "id"}, self.page)
        offers = account._parsed_offers(page.rows)

        def work():
            if self.state != "running":
                return
            self._load(account, list(offers.values()))
            # Offers that disappeared since the last page pull the rest forward.
            back = page.pages_back(self.total_count)
            self.write(
                {
                    "total_count": page.total,
                    "done_count": self.done_count + len(page.rows),
                    "page": max(1, page.number + 1 - back),
                }
            )
            if page.is_last and not back:
                self._finish(account)

        with company_lock(account):
            run_in_transaction(account.env.cr, work)

    def _load(self, account, offers):
        """Map or make the products of offers; archived ones are mapped only where Odoo has them."""
        quiet = self.env["keycrm.order.importer"]._quiet(account)
        matcher = quiet.env["keycrm.product.matcher"].with_company(account.company_id)
        last_id = quiet.env["product.product"].with_context(active_test=False)
        newest = last_id.search([], order="id desc", limit=1).id or 0
        rows, mapped, created = [], 0, 0
        for archived in (False, True):
            goods = [Goods.of_offer(one) for one in offers if one.is_archived == archived]
            if not goods:
                continue
            found, problems = matcher._match(
                account, goods, make=self.make_missing and not archived
            )
            for one in goods:
                product = found.get(one.key)
                is_new = bool(product) and product.id > newest
                created += is_new
                mapped += bool(product) and not is_new
                if not archived:
                    rows += self._odd_rows(one, product, is_new, problems.get(one.key))
        self._note(rows)
        self.write(
            {
                "mapped_count": self.mapped_count + mapped,
                "created_count": self.created_count + created,
            }
        )

    def _odd_rows(self, goods, product, is_new, problem):
        """Return what is to be reported of one offer."""
        said = {
            "keycrm_id": goods.offer_id,
            "sku": goods.sku or False,
            "name": goods.full_name,
            "product_id": product.id if product else False,
        }
        if not goods.sku:
            yield {**said, "kind": "missing_sku"}
        if problem:
            yield {
                **said,
                "kind": "repeated_sku",
                "error_code": problem.code,
                "error_params": problem.params,
            }
        elif is_new or not product:
            yield {**said, "kind": "only_there"}

    def _finish(self, account):
        """Record what only the whole shows: SKUs that KeyCRM has twice, and what it does not have."""
        seen = [("account_id", "=", account.id), ("catalog_at", ">=", self.started_at)]
        repeated = self.env["keycrm.offer"]._read_group(
            [*seen, ("sku_key", "!=", False)],
            ["sku_key"],
            ["id:recordset"],
            having=[("__count", ">", 1)],
        )
        rows = [
            {
                "kind": "repeated_sku",
                "keycrm_id": offer.keycrm_id,
                "sku": offer.sku,
                "name": offer.product_id.name,
                "product_id": offer.product_id.id,
            }
            for _key, offers in repeated
            for offer in offers
        ]
        products = self.env["product.product"].search(
            [
                ("is_storable", "=", True),
                ("company_id", "in", (account.company_id.id, False)),
                ("keycrm_origin", "!=", "one_off"),
                ("keycrm_offer_ids", "not any", seen),
            ]
        )
        rows += [
            {
                "kind": "only_here",
                "sku": product.default_code,
                "name": product.name,
                "product_id": product.id,
            }
            for product in products
        ]
        self._note(rows)
        self._end("done")

    def _note(self, rows):
        self.env["keycrm.product.import.line"].sudo().create(
            [{"load_id": self.id, **row} for row in rows]
        )


class KeycrmProductImportLine(models.Model):
    """One row of the report on the catalog."""

    _name = "keycrm.product.import.line"
    _description = "Report on KeyCRM products"
    _order = "kind, sku, id"
    _rec_name = "name"

    # Indexed for the report of a load.
    load_id = fields.Many2one(
        "keycrm.product.import",
        string="Product load",
        required=True,
        ondelete="cascade",
        index=True,
    )
    kind = fields.Selection(
        [
            ("missing_sku", "Without SKU"),
            ("repeated_sku", "Repeated SKU"),
            ("only_there", "Only in KeyCRM"),
            ("only_here", "Only in Odoo"),
        ],
        required=True,
    )
    keycrm_id = fields.Integer(string="KeyCRM offer", aggregator=None)
    sku = fields.Char(string="SKU")
    name = fields.Char()
    # Indexed for who deletes a product.
    product_id = fields.Many2one("product.product", ondelete="cascade", index="btree_not_null")
    error_code = fields.Char(string="Error code")
    error_params = fields.Json(string="Error parameters")
    note = fields.Char(compute="_compute_note")

    @api.depends("error_code", "error_params")
    @api.depends_context("lang")
    def _compute_note(self):
        self.env["keycrm.error.message"]._compute_sentences(self, "note")
