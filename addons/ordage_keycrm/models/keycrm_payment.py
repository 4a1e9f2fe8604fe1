from odoo import fields, models


class KeycrmPayment(models.Model):
    """A payment of a KeyCRM order, as KeyCRM has it."""

    _name = "keycrm.payment"
    _description = "KeyCRM payment"
    _order = "date desc, id desc"
    _rec_name = "keycrm_id"

    account_id = fields.Many2one("keycrm.account", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="account_id.company_id")
    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    sale_order_id = fields.Many2one("sale.order", required=True, ondelete="cascade", index=True)
    amount = fields.Monetary()
    currency_id = fields.Many2one("res.currency", required=True)
    status = fields.Selection(
        [("paid", "Paid"), ("not_paid", "Not paid"), ("canceled", "Cancelled")], required=True
    )
    date = fields.Datetime()
    method_id = fields.Many2one("keycrm.payment.method", ondelete="set null")
    transaction_uuid = fields.Char(string="Bank transaction", index="btree_not_null")
    description = fields.Char()
    payment_id = fields.Many2one("account.payment", ondelete="set null", copy=False)

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This payment of KeyCRM is already there."
    )

    def _write_changed(self, vals):
        """Write only what differs."""
        self.ensure_one()
        changed = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != value
        }
        if changed:
            self.write(changed)
