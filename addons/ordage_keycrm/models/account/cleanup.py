from datetime import timedelta

from odoo import api, fields, models

#: A hundred years are for ever; more would leave the calendar.
MOST_DAYS = 36500
#: Records that one pass of the autovacuum clears of an account and model: some seconds' deleting, after
#: which Odoo calls again.
GC_BATCH = 10000
#: What is over, by model: its last states, and the moment that says how old it is.
FINISHED = {
    "keycrm.event": (("done", "ignored"), "received_at"),
    "keycrm.status.update": (("done", "ignored"), "create_date"),
    "keycrm.order.sync": (("done", "cancelled"), "create_date"),
    "keycrm.product.import": (("done", "cancelled"), "create_date"),
    "keycrm.stock.comparison": (("done", "cancelled"), "create_date"),
    "keycrm.stock.export": (("done", "cancelled"), "create_date"),
}
#: Of these the newest one stays: people look at it, and KeyCRM's numbers from before a preview can be
#: written back. One for each domain.
NEWEST_STAYS = {
    "keycrm.product.import": ([],),
    "keycrm.stock.comparison": ([], [("choice", "in", ("send", "opening"))]),
}


class KeycrmAccount(models.Model):
    """Logs do not grow for ever."""

    _inherit = "keycrm.account"

    def _kept_since(self):
        """:return: the moment before which what is over is cleared"""
        return fields.Datetime.now() - timedelta(days=min(self.keep_days, MOST_DAYS))

    @api.autovacuum
    def _gc_finished(self):
        """Clear what was over long ago; what waits or failed stays whatever its age.

        :return: (cleared, whether there is more), for the autovacuum to come back
        """
        cleared, more = 0, False
        for account in self.sudo().search([("keep_days", ">", 0)]):
            before = account._kept_since()
            for name, (states, moment) in FINISHED.items():
                Model = self.env[name].sudo()
                domain = [("account_id", "=", account.id), ("state", "in", states)]
                newest = Model.browse()
                for more_of in NEWEST_STAYS.get(name, ()):
                    newest |= Model.search([*domain, *more_of], order="id desc", limit=1)
                domain += [(moment, "<", before), ("id", "not in", newest.ids)]
                old = Model.search(domain, order="id", limit=GC_BATCH)
                old.unlink()
                cleared += len(old)
                more = more or len(old) == GC_BATCH
        return cleared, more
