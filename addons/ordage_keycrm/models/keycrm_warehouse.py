from odoo import api, fields, models
from odoo.exceptions import ValidationError


class KeycrmWarehouse(models.Model):
    """A warehouse of KeyCRM, and the Odoo warehouses whose stock it shows, summed.

    KeyCRM has no list of warehouses (confirmed): they are learnt from stock rows and orders, or typed
    in by number.
    """

    _name = "keycrm.warehouse"
    _description = "KeyCRM warehouse"
    _order = "account_id, name, id"
    _check_company_auto = True

    account_id = fields.Many2one(
        "keycrm.account",
        required=True,
        ondelete="cascade",
        index=True,
        default=lambda self: self.env["keycrm.account"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        ),
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    name = fields.Char(required=True)
    warehouse_ids = fields.Many2many(
        "stock.warehouse",
        "keycrm_warehouse_stock_warehouse_rel",
        "keycrm_warehouse_id",
        "warehouse_id",
        string="Odoo warehouses",
        domain="[('company_id', '=', company_id)]",
        check_company=True,
        help="Their stock is summed and sent to this KeyCRM warehouse.",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This warehouse of KeyCRM is already there."
    )

    @api.constrains("warehouse_ids", "account_id")
    def _check_one_keycrm_warehouse(self):
        for warehouse in self:
            others = self.search(
                [
                    ("account_id", "=", warehouse.account_id.id),
                    ("id", "!=", warehouse.id),
                    ("warehouse_ids", "in", warehouse.warehouse_ids.ids),
                ]
            )
            for other in others:
                twice = (other.warehouse_ids & warehouse.warehouse_ids)[:1]
                raise ValidationError(
                    self.env._(
                        "The stock of “%(odoo)s” already goes to the KeyCRM warehouse “%(other)s”. An "
                        "Odoo warehouse can feed only one KeyCRM warehouse, or its goods would be "
                        "offered twice.",
                        odoo=twice.name,
                        other=other.name,
                    )
                )
