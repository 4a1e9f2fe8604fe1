from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...const import RETRY_PAUSES, SETTLE_SECONDS
from ...keycrm.stock_plan import Level


class KeycrmStockLevel(models.Model):
    """The last quantity of an offer in a KeyCRM warehouse that was sent or read.

    Written by the stock queue alone, thousands of rows with one statement. Before a quantity is sent, its
    row is marked as unknown: after an interruption it is sent again.
    """

    _name = "keycrm.stock.level"
    _description = "KeyCRM stock level"
    _order = "sent_at desc nulls last, id desc"
    _rec_name = "offer_id"

    # === FIELDS ===#

    # Found by the offer through the unique index.
    offer_id = fields.Many2one("keycrm.offer", required=True, ondelete="cascade")
    # Indexed for changes of a whole warehouse or account: match, unmatch, list.
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(related="offer_id.account_id", store=True, index=True)
    company_id = fields.Many2one(related="account_id.company_id")
    # Indexed for products' and moves' forms, which show the quantity in KeyCRM.
    product_id = fields.Many2one(related="offer_id.product_id", store=True, index=True)
    is_known = fields.Boolean(
        string="Quantity is known", help="If off, the quantity is sent again in any case."
    )
    quantity = fields.Float(
        string="In KeyCRM", digits=(16, 3), help="The last known quantity in KeyCRM."
    )
    odoo_quantity = fields.Float(
        string="In Odoo",
        digits=(16, 3),
        compute="_compute_odoo_quantity",
        help="The quantity that KeyCRM should show, as the account's settings define it.",
    )
    difference = fields.Float(
        digits=(16, 3),
        compute="_compute_odoo_quantity",
        help="Quantity in Odoo minus quantity in KeyCRM.",
    )
    sent_quantity = fields.Float(string="Sent", digits=(16, 3))
    sent_at = fields.Datetime(string="Last sent")
    read_at = fields.Datetime(string="Last read")
    checked_at = fields.Datetime(
        string="Last matched on",
        help="When the quantity in KeyCRM last matched the quantity in Odoo.",
    )
    error = fields.Char(string="Refusal reason")
    refused_at = fields.Datetime(string="Refused since")
    retry_at = fields.Datetime(
        string="Next retry", help="When a quantity whose request failed is sent again."
    )
    attempts = fields.Integer(readonly=True, help="Failed requests in a row.")
    is_held = fields.Boolean(
        string="On hold",
        help="Would drop to zero in KeyCRM together with many others. A user decides.",
    )

    _offer_warehouse_unique = models.Constraint(
        "UNIQUE(offer_id, keycrm_warehouse_id)",
        "An offer can have only one stock level per warehouse.",
    )

    # Unverified levels are searched whenever the queue is empty. The conditions are written as Odoo
    # writes them in queries: PostgreSQL does not recognize equivalent ones.
    _unverified_index = models.Index(
        "(account_id, sent_at) WHERE is_known IS NOT TRUE AND read_at IS NOT NULL"
    )
    _retry_index = models.Index("(account_id, retry_at) WHERE retry_at IS NOT NULL")
    _held_index = models.Index("(account_id) WHERE is_held IS TRUE")
    # The overview counts refused quantities, among a level for each product and warehouse.
    _refused_index = models.Index("(account_id) WHERE error IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("product_id", "keycrm_warehouse_id", "quantity")
    def _compute_odoo_quantity(self):
        for warehouse, levels in self.grouped("keycrm_warehouse_id").items():
            targets = self.env["keycrm.stock.report"]._targets(warehouse, levels.product_id)
            for level in levels:
                level.odoo_quantity = targets.get(level.product_id.id, 0.0)
                level.difference = level.odoo_quantity - level.quantity

    # === BUSINESS METHODS ===#

    @api.model
    def _levels_for(self, warehouse, offers):
        """Return the levels of offers in a KeyCRM warehouse.

        :param warehouse: ``keycrm.warehouse``, one
        :param offers: ``keycrm.offer``
        :return: ``{offer id: keycrm.stock.level}``
        """
        found = self.search_fetch(
            [("keycrm_warehouse_id", "=", warehouse.id), ("offer_id", "in", offers.ids)],
            order="id",
        )
        return {level.offer_id.id: level for level in found}

    @api.model
    def _mark_pending(self, warehouse, quantities):
        """Mark quantities as unknown before they are sent, until KeyCRM answers.

        :param warehouse: ``keycrm.warehouse``, one
        :param quantities: ``{offer id: quantity}``
        """
        self._upsert(
            warehouse,
            quantities,
            SQL(
                """is_known = FALSE, sent_quantity = given.quantity, sent_at = given.now,
                   read_at = NULL, retry_at = NULL, is_held = FALSE"""
            ),
        )

    @api.model
    def _mark_confirmed(self, warehouse, quantities):
        """Record that KeyCRM accepted quantities.

        :param warehouse: ``keycrm.warehouse``, one
        :param quantities: ``{offer id: quantity}``
        """
        self._upsert(
            warehouse,
            quantities,
            SQL(
                """is_known = TRUE, quantity = given.quantity, error = NULL, retry_at = NULL,
                   attempts = 0, sent_quantity = given.quantity, sent_at = given.now,
                   checked_at = given.now"""
            ),
        )

    @api.model
    def _mark_refused(self, warehouse, quantities, error):
        """Record that KeyCRM refuses quantities; the quantities that it has are unknown then.

        :param warehouse: ``keycrm.warehouse``, one
        :param quantities: ``{offer id: quantity}``
        :param error: KeyCRM's message
        """
        change = SQL(
            """is_known = FALSE, sent_quantity = given.quantity, error = %s,
               refused_at = CASE WHEN keycrm_stock_level.error IS NULL THEN given.now
                                 ELSE keycrm_stock_level.refused_at END""",
            error,
        )
        self._upsert(warehouse, quantities, change)

    @api.model
    def _mark_failed(self, warehouse, offer_id, quantity, error):
        """Record that the request of one row fails although KeyCRM is available; it is retried.

        :param warehouse: ``keycrm.warehouse``, one
        :param offer_id: id of ``keycrm.offer``
        :param quantity: quantity of the row
        :param error: sentence for users
        :return: seconds until the retry
        """
        self._mark_refused(warehouse, {offer_id: quantity}, error)
        level = self._levels_for(warehouse, self.env["keycrm.offer"].browse(offer_id))[offer_id]
        return level._schedule_retry()

    def _schedule_retry(self):
        """Set the next retry, with backoff.

        :return: seconds until it is due
        """
        self.ensure_one()
        pause = RETRY_PAUSES[min(self.attempts, len(RETRY_PAUSES) - 1)]
        self.attempts += 1
        self.retry_at = fields.Datetime.now() + timedelta(seconds=pause)
        return pause

    def _plain(self):
        """Return the level as plain data, :class:`~.keycrm.stock_plan.Level`."""
        is_due = bool(self.retry_at) and self.retry_at <= fields.Datetime.now()
        return Level(
            quantity=self.quantity,
            is_known=self.is_known,
            was_read=bool(self.read_at),
            sent_quantity=self.sent_quantity,
            is_refused=bool(self.error) and not is_due,
        )

    @api.model
    def _held(self, account):
        """Return the levels of an account whose zero is on hold until a user decides.

        :param account: ``keycrm.account``, one
        """
        return self.search([("account_id", "=", account.id), ("is_held", "=", True)])

    @api.model
    def _record_read(self, warehouse, quantities):
        """Record quantities that were read from KeyCRM.

        A quantity that differs from the one sent a moment ago may be the former one: KeyCRM possibly
        writes some seconds after its answer. It is unverified then, and read once more later.

        :param warehouse: ``keycrm.warehouse``, one
        :param quantities: ``{offer id: quantity}``
        """
        change = SQL(
            """quantity = given.quantity, read_at = given.now, error = NULL, retry_at = NULL,
               is_known = keycrm_stock_level.sent_at IS NULL
                       OR keycrm_stock_level.sent_quantity = given.quantity
                       OR keycrm_stock_level.sent_at < given.now - make_interval(secs => %s)""",
            SETTLE_SECONDS,
        )
        self._upsert(warehouse, quantities, change)

    @api.model
    def _unverified(self, account):
        """Return the levels to be read and sent again.

        They are unverified, with their last write settled by now, or failed and due for a retry.

        :param account: ``keycrm.account``, one
        """
        now = fields.Datetime.now()
        return self.search(
            Domain("account_id", "=", account.id)
            & (
                Domain("retry_at", "<", now)
                | Domain("is_known", "=", False)
                & Domain("read_at", "!=", False)
                & Domain("sent_at", "<", now - timedelta(seconds=SETTLE_SECONDS))
            )
        )

    @api.model
    def _mark_verified(self, level_ids):
        """Record that quantities in KeyCRM equal those of Odoo, without sending them.

        :param level_ids: list of ids
        """
        if not level_ids:
            return
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_stock_level SET checked_at = %s, is_held = FALSE
                    WHERE id = ANY(%s)""",
                fields.Datetime.now(),
                list(level_ids),
            )
        )
        self.invalidate_model(["checked_at", "is_held"])

    @api.model
    def _upsert(self, warehouse, quantities, change):
        """Write the levels of a warehouse; with one statement where all exist, since they may be thousands.

        :param warehouse: ``keycrm.warehouse``, one
        :param quantities: ``{offer id: quantity}``
        :param change: SQL of the assignments; ``given`` has ``quantity`` and ``now``
        """
        if not quantities:
            return
        self.flush_model()
        offer_ids, cr = list(quantities), self.env.cr
        update = SQL(
            """UPDATE keycrm_stock_level SET %s
                 FROM (SELECT offer_id AS id, quantity, %s::timestamp AS now
                         FROM unnest(%s::int[], %s::numeric[]) AS row(offer_id, quantity)) AS given
                WHERE keycrm_stock_level.offer_id = given.id
                  AND keycrm_stock_level.keycrm_warehouse_id = %s""",
            change,
            fields.Datetime.now(),
            offer_ids,
            [round(quantity, 3) for quantity in quantities.values()],
            warehouse.id,
        )
        cr.execute(update)
        if cr.rowcount < len(offer_ids):
            cr.execute(
                SQL(
                    """INSERT INTO keycrm_stock_level
                              (offer_id, keycrm_warehouse_id, account_id, product_id, is_known)
                       SELECT offer.id, %s, offer.account_id, offer.product_id, FALSE
                         FROM keycrm_offer offer WHERE offer.id = ANY(%s)
                       ON CONFLICT (offer_id, keycrm_warehouse_id) DO NOTHING""",
                    warehouse.id,
                    offer_ids,
                )
            )
            cr.execute(update)
        self.invalidate_model()
