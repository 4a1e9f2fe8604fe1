from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: Seconds for which a write may still be on its way after KeyCRM accepted it (assumed).
SETTLE_SECONDS = 60


class KeycrmStockLevel(models.Model):
    """What KeyCRM is known to have of an offer in a warehouse: what was last sent or read.

    Written by the stock worker alone, thousands of rows with one statement. Before a number leaves,
    its row says that KeyCRM's number is not known: whatever breaks off then, it is sent again.
    """

    _name = "keycrm.stock.level"
    _description = "KeyCRM stock level"
    _order = "sent_at desc nulls last, id desc"
    _rec_name = "offer_id"

    # === FIELDS ===#

    # Found by the offer through the unique index.
    offer_id = fields.Many2one("keycrm.offer", required=True, ondelete="cascade")
    # Indexed for what a person does with a whole warehouse or account: match, forget, list.
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(related="offer_id.account_id", store=True, index=True)
    company_id = fields.Many2one(related="account_id.company_id")
    # Indexed for products' and moves' forms, which show what KeyCRM has.
    product_id = fields.Many2one(related="offer_id.product_id", store=True, index=True)
    is_known = fields.Boolean(
        string="Quantity is known", help="If off, the quantity is sent again in any case."
    )
    quantity = fields.Float(
        string="In KeyCRM", digits=(16, 3), help="The last known quantity in KeyCRM."
    )
    sent_quantity = fields.Float(string="Sent", digits=(16, 3))
    sent_at = fields.Datetime(string="Last sent")
    read_at = fields.Datetime(string="Last read")
    checked_at = fields.Datetime(
        string="Last matched on",
        help="When the quantity in KeyCRM last matched the quantity in Odoo.",
    )
    error = fields.Char(string="Refusal reason")

    _offer_warehouse_unique = models.Constraint(
        "UNIQUE(offer_id, keycrm_warehouse_id)",
        "An offer can have only one stock level per warehouse.",
    )

    # What is in doubt is looked for whenever nothing else is to be done. In the words in which Odoo asks:
    # PostgreSQL does not see that others mean the same.
    _doubt_index = models.Index(
        "(account_id, sent_at) WHERE is_known IS NOT TRUE AND read_at IS NOT NULL"
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _of(self, warehouse, offers):
        """:return: ``{offer id: keycrm.stock.level}`` in a KeyCRM warehouse"""
        found = self.search(
            [("keycrm_warehouse_id", "=", warehouse.id), ("offer_id", "in", offers.ids)],
            order="id",
        )
        return {level.offer_id.id: level for level in found}

    @api.model
    def _leaving(self, warehouse, quantities):
        """Note that numbers are about to leave: until KeyCRM answers, nobody knows what it has.

        :param quantities: ``{offer id: quantity}``
        """
        self._upsert(
            warehouse,
            quantities,
            SQL(
                """is_known = FALSE, sent_quantity = given.quantity, sent_at = given.now,
                   read_at = NULL"""
            ),
        )

    @api.model
    def _arrived(self, warehouse, quantities):
        """Note that KeyCRM accepted numbers."""
        self._upsert(
            warehouse,
            quantities,
            SQL(
                """is_known = TRUE, quantity = given.quantity, error = NULL,
                   sent_quantity = given.quantity, sent_at = given.now, checked_at = given.now"""
            ),
        )

    @api.model
    def _refused(self, warehouse, quantities, error):
        """Note that KeyCRM does not accept numbers; the one it has is unknown then.

        :param error: what KeyCRM said
        """
        change = SQL("is_known = FALSE, sent_quantity = given.quantity, error = %s", error)
        self._upsert(warehouse, quantities, change)

    @api.model
    def _read_as(self, warehouse, quantities):
        """Note what was read from KeyCRM.

        A number that differs from what was sent a moment ago may be one from before: KeyCRM
        possibly writes some seconds after it answered. It is in doubt then, and read once more later.
        """
        change = SQL(
            """quantity = given.quantity, read_at = given.now, error = NULL,
               is_known = keycrm_stock_level.sent_at IS NULL
                       OR keycrm_stock_level.sent_quantity = given.quantity
                       OR keycrm_stock_level.sent_at < given.now - make_interval(secs => %s)""",
            SETTLE_SECONDS,
        )
        self._upsert(warehouse, quantities, change)

    def _is_in_doubt(self):
        """Tell whether a number was read so soon after a write that it may be an old one."""
        return bool(not self.is_known and self.read_at)

    @api.model
    def _doubts(self, account):
        """Give the levels in doubt whose last write must have taken effect by now."""
        return self.search(
            [
                ("account_id", "=", account.id),
                ("is_known", "=", False),
                ("read_at", "!=", False),
                ("sent_at", "<", fields.Datetime.now() - timedelta(seconds=SETTLE_SECONDS)),
            ]
        )

    @api.model
    def _right(self, level_ids):
        """Note that KeyCRM is known to have the number of Odoo, without sending it."""
        if not level_ids:
            return
        self.env.cr.execute(
            SQL(
                "UPDATE keycrm_stock_level SET checked_at = %s WHERE id = ANY(%s)",
                fields.Datetime.now(),
                list(level_ids),
            )
        )
        self.invalidate_model(["checked_at"])

    @api.model
    def _upsert(self, warehouse, quantities, change):
        """Write the levels of a warehouse with two statements, since they may be thousands.

        :param quantities: ``{offer id: quantity}``
        :param change: SQL of what is set; ``given`` has ``quantity`` and ``now``
        """
        if not quantities:
            return
        self.flush_model()
        offer_ids = list(quantities)
        self.env.cr.execute(
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
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_stock_level SET %s
                     FROM (SELECT offer_id AS id, quantity, %s::timestamp AS now
                             FROM unnest(%s::int[], %s::numeric[]) AS row(offer_id, quantity)) AS
                             given WHERE keycrm_stock_level.offer_id = given.id
                      AND keycrm_stock_level.keycrm_warehouse_id = %s""",
                change,
                fields.Datetime.now(),
                offer_ids,
                [round(quantity, 3) for quantity in quantities.values()],
                warehouse.id,
            )
        )
        self.invalidate_model()
