from odoo import api, fields, models

from ...services.common import crons


class KeycrmEndedOffer(models.Model):
    """An offer whose mapping ended: KeyCRM would still sell its last quantity until it is zero.

    By KeyCRM's numbers, since mapping and product may be deleted. A row is deleted once KeyCRM has the
    zero, or another product has the offer.
    """

    _name = "keycrm.ended.offer"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM offer without product"
    _order = "id"
    _log_access = False
    _rec_name = "sku"

    account_id = fields.Many2one(index=True)
    offer_number = fields.Integer(string="KeyCRM number", required=True, aggregator=None)
    warehouse_number = fields.Integer(
        string="KeyCRM warehouse number", required=True, aggregator=None
    )
    sku = fields.Char(string="SKU")
    quantity = fields.Float(string="In KeyCRM", digits=(16, 3))
    is_held = fields.Boolean(
        string="On hold", help="One of many that would drop to zero at once. A user decides."
    )
    is_allowed = fields.Boolean(string="Allowed", help="A user decided that it drops to zero.")

    @api.model
    def _enqueue(self, account, levels):
        """Enqueue zeros for offers whose mapping ends.

        :param account: ``keycrm.account``, one
        :param levels: their ``keycrm.stock.level``
        """
        self.create(
            [
                {
                    "account_id": account.id,
                    "offer_number": level.offer_id.keycrm_id,
                    "warehouse_number": level.keycrm_warehouse_id.keycrm_id,
                    "sku": level.offer_id.sku,
                    "quantity": max(level.quantity, 0 if level.is_known else level.sent_quantity),
                }
                for level in levels
            ]
        )
        # Their SKUs are looked up again: another product may have them.
        product_ids = [*levels.product_id.ids, None]
        self.env["keycrm.stock.change"].sudo()._enqueue_rows(
            [(account.id, one) for one in product_ids]
        )
        crons.trigger(account, crons.STOCK)

    @api.model
    def _held(self, account):
        """Return the offers of an account whose zero is on hold until a user decides.

        :param account: ``keycrm.account``, one
        """
        return self.search([("account_id", "=", account.id), ("is_held", "=", True)])

    def _release(self, *, is_allowed):
        """Release zeros on hold, so that the stock queue decides again.

        :param is_allowed: whether they are sent however many there are
        """
        if self:
            self.write({"is_held": False, "is_allowed": is_allowed})
            self.env["keycrm.stock.change"].sudo()._enqueue_rows([(self.account_id.id, None)])
