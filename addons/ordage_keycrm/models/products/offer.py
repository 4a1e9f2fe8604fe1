from odoo import api, fields, models
from odoo.tools import SQL

from ...keycrm.naming import sku_key
from ...keycrm.offer_values import OFFER_FIELDS, to_money


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
    purchased_price = fields.Float(
        string="Cost in KeyCRM",
        digits=(16, 2),
        readonly=True,
        copy=False,
        help="In KeyCRM's currency, as last read there or sent.",
    )
    price = fields.Float(
        string="Price in KeyCRM",
        digits=(16, 2),
        readonly=True,
        copy=False,
        help="In KeyCRM's currency, as last read there or sent.",
    )
    price_at = fields.Datetime(
        string="Price known since", readonly=True, copy=False, help="Empty: never read nor sent."
    )
    purchased_price_at = fields.Datetime(
        string="Cost known since", readonly=True, copy=False, help="Empty: never read nor sent."
    )
    values_sent_at = fields.Datetime(string="Values last sent", readonly=True, copy=False)
    price_error_code = fields.Char(
        string="Price error type", readonly=True, copy=False, index="btree_not_null"
    )
    price_error_params = fields.Json(string="Price error details", readonly=True, copy=False)
    purchased_price_error_code = fields.Char(
        string="Cost error type", readonly=True, copy=False, index="btree_not_null"
    )
    purchased_price_error_params = fields.Json(
        string="Cost error details", readonly=True, copy=False
    )
    send_error = fields.Char(string="Not sent because", compute="_compute_send_error")
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

    @api.depends(
        *("price_error_code", "price_error_params"),
        *("purchased_price_error_code", "purchased_price_error_params"),
    )
    @api.depends_context("lang")
    def _compute_send_error(self):
        explain = self.env["keycrm.error.message"]
        kinds = dict(
            self.env["keycrm.offer.change"]._fields["kind"]._description_selection(self.env)
        )
        for offer in self:
            sentences = {
                kind: explain._sentence(offer[f"{name}_error_code"], offer[f"{name}_error_params"])
                for kind, name in OFFER_FIELDS.items()
            }
            offer.send_error = (
                " ".join(f"{kinds[kind]}: {text}" for kind, text in sentences.items() if text)
                or False
            )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        offers = super().create(vals_list)
        offers._enqueue_values()
        return offers

    def write(self, vals):
        result = super().write(vals)
        if "product_id" in vals:
            self._enqueue_values()
        return result

    # === BUSINESS METHODS ===#

    def _enqueue_values(self, kinds=tuple(OFFER_FIELDS)):
        """Enqueue values of mapped products.

        :param kinds: kinds of values
        """
        Change = self.env["keycrm.offer.change"]
        for company, offers in self.grouped("company_id").items():
            for kind in kinds:
                Change._enqueue(kind, offers.product_id.ids, company)

    @api.model
    def _enqueue_without_rate(self):
        """Enqueue the values that wait for an exchange rate."""
        for kind, name in OFFER_FIELDS.items():
            waiting = self.sudo().search([(f"{name}_error_code", "=", "value_rate_missing")])
            waiting._enqueue_values([kind])

    @api.model
    def _with_numbers(self, account, numbers):
        """Return the offers with these numbers of KeyCRM.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's
        :return: ``keycrm.offer`` in superuser mode
        """
        domain = [("account_id", "=", account.id), ("keycrm_id", "in", list(numbers))]
        return self.sudo().search(domain)

    def _known_value(self, kind):
        """Return a value that KeyCRM is known to have; None where it was never read nor sent.

        :param kind: kind of value, see :data:`~.keycrm.offer_values.OFFER_FIELDS`
        """
        name = OFFER_FIELDS[kind]
        return self[name] if self[f"{name}_at"] else None

    @api.model
    def _record_sent(self, values):
        """Record values that KeyCRM accepted, with one statement for thousands of them.

        :param values: list of :class:`~.keycrm.offer_values.Value`
        """
        for kind in {value.kind for value in values}:
            own = [value for value in values if value.kind == kind]
            self.flush_model()
            self.env.cr.execute(
                SQL(
                    """UPDATE keycrm_offer o
                          SET %(field)s = sent.amount, %(at)s = %(now)s, values_sent_at = %(now)s,
                              %(code)s = NULL, %(params)s = NULL
                         FROM unnest(%(ids)s::int[], %(amounts)s::numeric[]) AS sent(id, amount)
                        WHERE o.id = sent.id""",
                    field=SQL.identifier(OFFER_FIELDS[kind]),
                    at=SQL.identifier(f"{OFFER_FIELDS[kind]}_at"),
                    code=SQL.identifier(f"{OFFER_FIELDS[kind]}_error_code"),
                    params=SQL.identifier(f"{OFFER_FIELDS[kind]}_error_params"),
                    now=self.env.cr.now().replace(microsecond=0),
                    ids=[value.offer_id for value in own],
                    amounts=[value.amount for value in own],
                )
            )
            self.invalidate_model()

    def _record_error(self, kind, code=False, params=False):
        """Record why a value is not sent; without a code, that there is no reason any more.

        :param kind: kind of value
        :param code: error code
        :param params: its parameters
        """
        name = OFFER_FIELDS[kind]
        vals = {f"{name}_error_code": code, f"{name}_error_params": params}
        self.filtered(
            lambda offer: any((offer[field] or False) != value for field, value in vals.items())
        ).write(vals)

    def _record_read(self, kind, amount, updated_at=None):
        """Record a value that was read in KeyCRM, unless it was read before the last one was sent.

        :param kind: kind of value
        :param amount: number, or None where KeyCRM sent none
        :param updated_at: when the offer changed in KeyCRM, where that is known
        :return: whether KeyCRM has another value than was known
        """
        self.ensure_one()
        if amount is None or (
            updated_at and self.values_sent_at and updated_at <= self.values_sent_at
        ):
            return False
        name, known = OFFER_FIELDS[kind], self._known_value(kind)
        if known is not None and to_money(known) == to_money(amount):
            return False
        self.write({name: float(amount), f"{name}_at": self.env.cr.now()})
        return True

    def _enqueue_picture(self, url):
        """Enqueue the catalog's picture: it is fetched outside of any order's transaction.

        :param url: address as KeyCRM sent it, may be empty
        """
        if url and self.picture_url != url:
            self.write({"picture_url": url, "picture_state": "wanted", "picture_tries": 0})
