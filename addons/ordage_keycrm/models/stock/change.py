from odoo import api, fields, models
from odoo.tools import SQL

from ...services.common import crons
from ...services.common.transactions import pending_changes

#: Key under which the changes of one transaction are kept until it is flushed or committed.
PENDING = "keycrm_stock_changes"


class KeycrmStockChange(models.Model):
    """The outbox: "this product's stock may have changed", for each account that sends stock.

    Append-only and without a unique key, so two users' pickings of the same product never conflict. The
    changes of a transaction are kept in ``cr.precommit.data`` alone and written with one insert when
    the transaction is flushed before a savepoint or committed: a flag kept elsewhere would survive the
    rollback of a savepoint and lose the trigger.
    """

    _name = "keycrm.stock.change"
    _inherit = ["keycrm.account.mixin", "keycrm.outbox.mixin"]
    _description = "Stock change for KeyCRM"
    _order = "id"
    _log_access = False
    _rec_name = "product_id"

    # The stock queue reads the outbox of an account.
    account_id = fields.Many2one(index=True)
    # Empty: only mappings ended.
    product_id = fields.Many2one("product.product", ondelete="cascade")
    refresh_first = fields.Boolean(
        string="Read before sending", help="Read the quantity in KeyCRM before sending."
    )
    zero_allowed = fields.Boolean(
        string="Zero allowed",
        help="A zero is sent without confirmation: a move, a count or an order explains it, it was sent "
        "before, or a user allowed it.",
    )
    # Indexed for the count of a running export, without the rows of no export: those are written in users'
    # transactions. There is no index of products, for the same reason.
    export_id = fields.Many2one(
        "keycrm.stock.export",
        string="Full stock export",
        ondelete="set null",
        index="btree_not_null",
    )
    changed_at = fields.Datetime(string="Changed on", required=True, default=fields.Datetime.now)

    @api.model
    def _enqueue(self, product_ids, company_id, *, zero_allowed=False):
        """Enqueue products whose stock may have changed at the commit; costs no query before it.

        :param product_ids: ids of ``product.product``
        :param company_id: id of the company whose stock it is
        :param zero_allowed: whether a zero is sent however many there are: goods or orders changed, and
            not only which goods count
        """
        if company_id not in self._sending_accounts("push_stock"):
            return
        pending = pending_changes(self.env.cr, PENDING, dict, lambda: self.sudo()._insert_pending())
        products = pending.setdefault(company_id, {})
        for product_id in product_ids:
            products[product_id] = products.get(product_id, False) or zero_allowed

    @api.model
    def _enqueue_everywhere(self, product_ids):
        """Enqueue products for all companies after a change that decides whether and how they are sent.

        :param product_ids: ids of ``product.product``
        """
        for company_id in self._sending_accounts("push_stock"):
            self._enqueue(product_ids, company_id)

    @api.model
    def _insert_pending(self):
        """Write the changes of this transaction, rows and triggers, with one statement."""
        pending = self.env.cr.precommit.data.pop(PENDING, {})
        rows, cron_ids = [], []
        for company_id, products in pending.items():
            for sending in self._sending_accounts("push_stock").get(company_id, ()):
                cron_ids.append(sending.stock_cron_id)
                rows += [(sending.account_id, *product) for product in sorted(products.items())]
        if rows:
            self._insert_and_trigger(self._insert_statement(rows), cron_ids)

    @api.model
    def _enqueue_rows(self, rows, refresh_first=False, export_id=None, zero_allowed=False):
        """Insert rows with one statement.

        :param rows: ``[(account id, product id)]``; no product where only mappings ended
        :param refresh_first: whether KeyCRM's quantity is read before anything is sent
        :param export_id: id of the full export that they belong to
        :param zero_allowed: whether their zeros are sent however many there are
        """
        if rows:
            self.env.cr.execute(
                self._insert_statement(
                    [(*row, zero_allowed) for row in rows], refresh_first, export_id
                )
            )

    @api.model
    def _insert_statement(self, rows, refresh_first=False, export_id=None):
        """Return the statement that inserts rows.

        In SQL, because the ORM would insert and read back in batches, and this runs in every user's
        stock operation.

        :param rows: ``[(account id, product id, zero_allowed)]``
        """
        return SQL(
            """INSERT INTO keycrm_stock_change
                      (account_id, product_id, zero_allowed, refresh_first, export_id, changed_at)
               SELECT a, p, m, %s, %s::int, now() AT TIME ZONE 'UTC'
                 FROM unnest(%s::int[], %s::int[], %s::boolean[]) AS changed(a, p, m)""",
            refresh_first,
            export_id,
            *(list(column) for column in zip(*rows, strict=True)),
        )

    @api.model
    def _finish(self, account, change_ids):
        """Delete exactly these rows after sending, and record how long they waited.

        Rows of a full export do not count as waiting.

        :param account: ``keycrm.account``, one
        :param change_ids: ids of the rows that were read
        """
        self.env.cr.execute(
            SQL(
                """WITH sent AS (DELETE FROM keycrm_stock_change WHERE id = ANY(%s)
                                 RETURNING changed_at, export_id)
                   SELECT count(*), extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC'
                                                     - min(changed_at))::float
                     FROM sent WHERE export_id IS NULL""",
                change_ids,
            )
        )
        count, waited = self.env.cr.fetchone()
        if count:
            self.env["keycrm.latency"]._record(account, "out", waited, count)

    @api.model
    def _enqueue_refresh(self, account, product_ids, *, zero_allowed=False):
        """Enqueue products whose quantity in KeyCRM is not known any more.

        Those of order lines whose stock status, quantity or warehouse changed there: KeyCRM's own reserve
        or write-off has changed it. And those that were just mapped. The quantity in KeyCRM is read again
        before anything is sent. Only rows are appended, so the orders worker and the stock worker never
        conflict.

        :param account: ``keycrm.account``, one
        :param product_ids: ids of ``product.product``; repeats are deduplicated
        :param zero_allowed: whether their zeros are sent however many there are
        """
        if not product_ids or not (account.enabled and account.push_stock):
            return
        self._enqueue_rows(
            [(account.id, product_id) for product_id in sorted(set(product_ids))],
            refresh_first=True,
            zero_allowed=zero_allowed,
        )
        crons.trigger(account, crons.STOCK)

    @api.model
    def _waiting(self, products):
        """Return which products wait to be sent.

        :param products: ``product.product``
        :return: set of ids
        """
        rows = self.sudo()._read_group([("product_id", "in", products.ids)], ["product_id"])
        return {product.id for (product,) in rows}
