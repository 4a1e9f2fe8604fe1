from datetime import timedelta
from functools import partial

from odoo import models
from odoo.tools import SQL

from ...services.common import cron_notify


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _keycrm_trigger(self, delay=0.0, *, coalesce=False, along_with=None):
        """Trigger several scheduled actions with one insert.

        Always inserted: a running job may already have consumed an existing trigger.

        :param delay: seconds from now, by the database server's clock
        :param coalesce: skip the notification where triggers of all these actions are due soon, and
            send it from a background thread, so that the committing user does not wait for it
        :param along_with: an insert, as ``SQL``, that the same statement performs; also performed when
            there is no action to trigger
        """
        if not self:
            if along_with:
                self.env.cr.execute(along_with)
            return
        # By the database server's clock, which the scheduler uses too: this host's clock may be ahead.
        # In whole seconds: when an action starts, it clears the triggers that are due at its own whole
        # second. A later one within that second would cause another, empty run.
        at = self.env.cr.now() + timedelta(seconds=delay)
        at = at.replace(microsecond=0) + timedelta(seconds=1 if delay else 0)
        # By SQL: this runs in every stock operation of a user, and the ORM takes ten times as long.
        self.env.cr.execute(
            SQL(
                """%(along_with)s INSERT INTO ir_cron_trigger
                          (cron_id, call_at, create_uid, create_date, write_uid, write_date)
                   SELECT cron_id, %(at)s, %(uid)s, %(now)s, %(uid)s, %(now)s
                     FROM unnest(%(crons)s::int[]) cron_id""",
                along_with=SQL("WITH done AS (%s)", along_with) if along_with else SQL(),
                crons=self.ids,
                at=at,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        if delay:
            due = (at - self.env.cr.now()).total_seconds()
            self.env.cr.postcommit.add(
                partial(cron_notify.notify, self.env.cr.dbname, due, self.ids)
            )
        else:
            notify = partial(cron_notify.notify, self.env.cr.dbname, cron_ids=self.ids)
            self.env.cr.postcommit.add(notify if coalesce else self._notifydb)

    def _is_due_soon(self):
        """Return whether each action has a recently created trigger that is due soon."""
        return cron_notify.are_due_soon(self.env.cr, self.ids)
