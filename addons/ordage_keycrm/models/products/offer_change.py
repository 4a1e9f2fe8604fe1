from odoo import api, fields, models
from odoo.tools import SQL

from ...services.common import crons
from ...services.common.transactions import pending_changes
from ...services.sending.kinds import KINDS, selection_of
from ...services.sending.offers import OfferKind

#: Under this key the changes of one transaction are kept until it is flushed or committed.
PENDING = "keycrm_offer_changes"


class KeycrmOfferChange(models.Model):
    """The outbox of values of offers: "this product's cost may have changed", for each account.

    Append-only and without a unique key, like the outbox of stock: two users who change the same
    product never conflict. Repeats are coalesced when the stock worker sends
    (``services/sending/offer_export.py``).
    """

    _name = "keycrm.offer.change"
    _inherit = ["keycrm.account.mixin", "keycrm.outbox.mixin"]
    _description = "Change of an offer's value for KeyCRM"
    _order = "id"
    _log_access = False
    _rec_name = "product_id"

    account_id = fields.Many2one(index=True)
    product_id = fields.Many2one(
        "product.product", ondelete="cascade", help="Empty: all products, as after a price rule."
    )
    kind = fields.Selection(selection_of(OfferKind), string="Value", required=True)
    changed_at = fields.Datetime(
        string="Changed on",
        required=True,
        default=fields.Datetime.now,
        help="For a value that KeyCRM could not process: time of the next attempt.",
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _enqueue(self, kind, product_ids, company=None):
        """Enqueue a changed value of products at the commit; costs no query before it.

        :param kind: kind of value, see :data:`~.keycrm.offer_values.OFFER_FIELDS`
        :param product_ids: ids of ``product.product``
        :param company: ``res.company`` whose value it is; the current one without it
        """
        company_id = (company or self.env.company).id
        if product_ids and company_id in self._sending_accounts(KINDS[kind].switch):
            self._add_pending(kind, company_id, product_ids)

    @api.model
    def _enqueue_everywhere(self, kind, product_ids):
        """Enqueue a value of products that changed in every company.

        :param kind: kind of value
        :param product_ids: ids of ``product.product``; None stands for all
        """
        if product_ids:
            for company_id in self._sending_accounts(KINDS[kind].switch):
                self._add_pending(kind, company_id, product_ids)

    @api.model
    def _enqueue_price_list(self, vals):
        """Enqueue all prices after accounts got another price list.

        :param vals: values that were written to accounts
        """
        if "price_list_id" in vals:
            self._enqueue_everywhere("price", [None])

    @api.model
    def _add_pending(self, kind, company_id, product_ids):
        pending = pending_changes(self.env.cr, PENDING, dict, lambda: self.sudo()._insert_pending())
        pending.setdefault((kind, company_id), set()).update(product_ids)

    @api.model
    def _insert_pending(self):
        """Write what this transaction changed, rows and triggers, with one statement."""
        pending = self.env.cr.precommit.data.pop(PENDING, {})
        rows, cron_ids = [], []
        for (kind, company_id), product_ids in pending.items():
            ids = [None] if None in product_ids else sorted(product_ids)
            for sending in self._sending_accounts(KINDS[kind].switch).get(company_id, ()):
                cron_ids.append(sending.stock_cron_id)
                rows += [(sending.account_id, product_id, kind) for product_id in ids]
        if rows:
            self._insert_and_trigger(self._insert_statement(rows), cron_ids)

    @api.model
    def _enqueue_rows(self, account, kind, product_ids, delay=0):
        """Insert rows of one account with one statement.

        :param account: ``keycrm.account``, one
        :param kind: kind of value
        :param product_ids: ids of ``product.product``
        :param delay: seconds until they are due
        """
        if product_ids:
            rows = [(account.id, one, kind) for one in product_ids]
            self.env.cr.execute(self._insert_statement(rows, delay))
            crons.trigger(account, crons.STOCK, delay=delay)

    @api.model
    def _insert_statement(self, rows, delay=0):
        """Return the insert: by SQL, since it runs in users' transactions.

        :param rows: ``[(account id, product id, kind)]``
        :param delay: seconds until they are due
        """
        return SQL(
            """INSERT INTO keycrm_offer_change (account_id, product_id, kind, changed_at)
               SELECT a, p, k, now() AT TIME ZONE 'UTC' + %s * interval '1 s'
                 FROM unnest(%s::int[], %s::int[], %s::text[]) AS changed(a, p, k)""",
            delay,
            *(list(column) for column in zip(*rows, strict=True)),
        )
