from datetime import timedelta

from odoo import api, fields, models

#: A hundred years; more would exceed the range of dates.
MAX_DAYS = 36500
#: Records that one pass of the autovacuum deletes of an account and model: some seconds' work, after
#: which Odoo calls again.
GC_BATCH = 10000
#: Finished records, by model: their final states, and the field with their age.
FINISHED = {
    "keycrm.event": (("done", "ignored"), "received_at"),
    "keycrm.status.update": (("done", "ignored"), "create_date"),
    "keycrm.order.sync": (("done", "cancelled"), "create_date"),
    "keycrm.product.import": (("done", "cancelled"), "create_date"),
    "keycrm.stock.comparison": (("done", "cancelled"), "create_date"),
    "keycrm.stock.export": (("done", "cancelled"), "create_date"),
}
#: The newest record of each domain is kept: users still read it, and KeyCRM's numbers from before a
#: preview can be written back.
NEWEST_STAYS = {
    "keycrm.product.import": ([],),
    "keycrm.stock.comparison": ([], [("choice", "in", ("send", "opening"))]),
}


class KeycrmAccount(models.Model):
    """Delete old finished records, so that logs do not grow forever."""

    _inherit = "keycrm.account"

    def _kept_since(self):
        """Return the time before which finished records are deleted."""
        return fields.Datetime.now() - timedelta(days=min(self.keep_days, MAX_DAYS))

    @api.autovacuum
    def _gc_finished(self):
        """Delete old finished records; pending and failed ones are kept at any age.

        :return: (deleted, whether there are more), so that the autovacuum calls again
        """
        cleared, more = 0, False
        for account in self.sudo().search([("keep_days", ">", 0)]):
            before = account._kept_since()
            for name, (states, date_field) in FINISHED.items():
                Model = self.env[name].sudo()
                domain = [("account_id", "=", account.id), ("state", "in", states)]
                newest = Model.browse()
                for more_of in NEWEST_STAYS.get(name, ()):
                    newest |= Model.search([*domain, *more_of], order="id desc", limit=1)
                domain += [(date_field, "<", before), ("id", "not in", newest.ids)]
                old = Model.search(domain, order="id", limit=GC_BATCH)
                old.unlink()
                cleared += len(old)
                more = more or len(old) == GC_BATCH
        return cleared, more
