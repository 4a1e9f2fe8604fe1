from odoo import fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """The KeyCRM buyer of an order, and what to do when KeyCRM merged two."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_client_id = fields.Integer(
        string="KeyCRM buyer", copy=False, readonly=True, aggregator=None
    )
    keycrm_former_partner_id = fields.Many2one(
        "res.partner", string="Previous buyer", copy=False, readonly=True, ondelete="set null"
    )

    # === ACTION METHODS ===#

    def action_keycrm_merge_contacts(self):
        """Open Odoo's merging of contacts with the former buyer and the present one.

        :return: an action
        :raise UserError: when there is nothing to merge
        """
        self.ensure_one()
        partners = self.keycrm_former_partner_id.exists() | self.partner_id
        if len(partners) < 2:
            raise UserError(self.env._("There are no longer two contacts to merge."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Merge contacts"),
            "res_model": "base.partner.merge.automatic.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "active_model": "res.partner",
                "active_ids": partners.ids,
                "default_dst_partner_id": self.partner_id.id,
            },
        }
