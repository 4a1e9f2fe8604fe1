from odoo import models


class KeycrmEvent(models.Model):
    _inherit = "keycrm.event"

    # The overview counts what waits and what failed, however many done events there are.
    _open_index = models.Index(
        "(account_id, state, keycrm_order_id) WHERE state IN ('pending', 'failed')"
    )


class KeycrmStockLevel(models.Model):
    _inherit = "keycrm.stock.level"

    # And what KeyCRM refused, among a number for each product and warehouse.
    _refused_index = models.Index("(account_id) WHERE error IS NOT NULL")
