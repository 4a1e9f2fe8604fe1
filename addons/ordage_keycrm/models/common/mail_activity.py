from odoo import fields, models


class MailActivity(models.Model):
    """Activities that need a decision are rows of their account's overview until they are done."""

    _name = "mail.activity"
    _inherit = ["mail.activity", "keycrm.guard.mixin"]

    # === FIELDS ===#

    keycrm_account_id = fields.Many2one(
        "keycrm.account",
        string="KeyCRM account",
        readonly=True,
        copy=False,
        help="The overview shows the activity below “Needs your decision”.",
        groups="base.group_user",
    )

    # The summary is in a language of Odoo, and a translation may change.
    keycrm_code = fields.Char(
        string="KeyCRM code", readonly=True, copy=False, groups="base.group_user"
    )

    # For the overview's count, independent of the number of other activities and of done ones.
    _keycrm_open_index = models.Index(
        "(keycrm_account_id) WHERE keycrm_account_id IS NOT NULL AND active IS TRUE"
    )
