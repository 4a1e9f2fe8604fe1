from odoo import fields, models

from ...services import activities


class SaleOrder(models.Model):
    """To-dos about imported orders: each is left once, also when its order arrives again and again."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_told = fields.Json(
        string="Created activities",
        copy=False,
        readonly=True,
        help="What users were already notified of: a completed activity is not created again at "
        "the next update.",
    )

    # === BUSINESS METHODS ===#

    def _keycrm_schedule_activity(self, summary, rows, *, lasting=False):
        """Leave a to-do for the salesperson, unless that very thing was told already.

        :param summary: one line
        :param rows: list of sentences
        :param lasting: whether another status of the order is no reason to tell it again
        """
        self = self.sudo()
        self.ensure_one()
        note = activities.note_html(rows)
        told = dict(self.keycrm_told or {})
        # What is said of a status counts for that status: an order that is cancelled twice is told
        # of twice.
        said = [str(note), 0 if lasting else self.keycrm_status_id.id]
        if told.get(summary) == said:
            return
        self.keycrm_told = {**told, summary: said}
        current = self.activity_ids.filtered(lambda activity: activity.summary == summary)[:1]
        if current:
            current.note = note
            return
        user = self.keycrm_account_id._activity_user(self.user_id)
        activities.schedule(self, user, summary, rows)

    def _keycrm_unlink_activity(self, *summaries):
        """What was to be done is settled in KeyCRM itself: the to-do goes, and may come anew."""
        self = self.sudo()
        self.ensure_one()
        told = self.keycrm_told or {}
        if told.keys().isdisjoint(summaries):
            return
        self.keycrm_told = {key: said for key, said in told.items() if key not in summaries}
        for summary in summaries:
            activities.unlink(self, summary)
