from odoo import api, fields, models

from ...keycrm.naming import sku_key


class KeycrmOffer(models.Model):
    """The mapping between an offer (a catalog variant of KeyCRM) and an Odoo variant."""

    _name = "keycrm.offer"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM offer"
    _order = "account_id, sku, id"
    _rec_name = "sku"
    _check_company_auto = True

    # === FIELDS ===#

    company_id = fields.Many2one(store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    # Indexed for new variants: those of one product become variants in Odoo.
    keycrm_product_id = fields.Integer(
        string="KeyCRM product",
        readonly=True,
        aggregator=None,
        index="btree_not_null",
        help="KeyCRM number of the product this offer is a variant of.",
    )
    sku = fields.Char(string="SKU", help="The SKU in KeyCRM. It may differ from the SKU in Odoo.")
    # Lines are matched by SKU.
    sku_key = fields.Char(
        string="SKU lookup key", compute="_compute_sku_key", store=True, index="btree_not_null"
    )
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="cascade", index=True, check_company=True
    )
    level_ids = fields.One2many("keycrm.stock.level", "offer_id", string="Stock in KeyCRM")
    keycrm_updated_at = fields.Datetime(string="Updated in KeyCRM", readonly=True)
    catalog_at = fields.Datetime(
        string="Catalog last read", readonly=True, help="When it was last read, in UTC."
    )
    catalog_price = fields.Float(
        string="Catalog price",
        readonly=True,
        help="For a product variant, in the company's currency, as last received from KeyCRM.",
    )
    picture_url = fields.Char(string="Image", readonly=True)
    picture_state = fields.Selection(
        [("wanted", "Download pending"), ("done", "Downloaded"), ("failed", "Failed")],
        string="Image status",
        readonly=True,
    )
    picture_tries = fields.Integer(string="Image download attempts", readonly=True)
    problem_code = fields.Char(string="Problem code", readonly=True, copy=False)
    problem_params = fields.Json(string="Problem parameters", readonly=True, copy=False)
    problem = fields.Char(string="Problem description", compute="_compute_problem")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM offer is already linked to a product."
    )

    # === COMPUTE METHODS ===#

    @api.depends("sku")
    def _compute_sku_key(self):
        for offer in self:
            offer.sku_key = sku_key(offer.sku or "") or False

    @api.depends("problem_code", "problem_params")
    @api.depends_context("lang")
    def _compute_problem(self):
        self.env["keycrm.error.message"]._compute_sentences(self, "problem", "problem")

    # === BUSINESS METHODS ===#

    def _queue_picture(self, url):
        """Queue the catalog's picture.

        It is fetched outside of any order's transaction.

        :param url: address as KeyCRM sent it, may be empty
        """
        if url and self.picture_url != url:
            self.write({"picture_url": url, "picture_state": "wanted", "picture_tries": 0})
