from datetime import timedelta
from functools import partial

from odoo import models, sql_db
from odoo.tools import SQL

from .. import bell, scheduler

#: A wake-up that is due within so many seconds is soon: whatever is left to it is hardly late.
SOON_SECONDS = 2.0


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _register_hook(self):
        super()._register_hook()
        scheduler.watch()

    def _trigger_keycrm(self, delay=0.0, *, patient=False):
        """Trigger several scheduled actions with one insert.

        Never left out because a trigger is already there: a running job may have consumed it.

        :param delay: seconds from now, of the database server's clock
        :param patient: leave it to wake-ups that are due soon, where each of the actions has one
        """
        if not self:
            return
        # The database server's time, with which the scheduler compares: this host's may be ahead. In
        # whole seconds: an action that begins clears what was due by its own whole second, and would
        # leave a wake-up of the same second for a second, empty run.
        at = self.env.cr.now() + timedelta(seconds=delay)
        at = at.replace(microsecond=0) + timedelta(seconds=1 if delay else 0)
        self.env["ir.cron.trigger"].sudo().create(
            [{"cron_id": cron.id, "call_at": at} for cron in self]
        )
        if delay:
            due = (at - self.env.cr.now()).total_seconds()
            self.env.cr.postcommit.add(partial(bell.ring, self.env.cr.dbname, due))
        else:
            self.env.cr.postcommit.add(scheduler.revive)
            notify = self._notify_unless_due_soon if patient else self._notifydb
            self.env.cr.postcommit.add(notify)

    def _notify_unless_due_soon(self):
        """Wake the schedulers, unless each of these actions is woken in a moment anyway.

        Asked after the commit and in a transaction of its own: what this one wrote is seen by a run that
        is still to come, and its own view of the database is as old as itself.
        """
        with sql_db.db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute(self._due_soon_query())
            due_soon = cr.fetchone()[0]
        if due_soon < len(self):
            self._notifydb()

    def _is_due_soon(self):
        """Tell whether each of these actions has a wake-up of a moment later."""
        self.env.cr.execute(self._due_soon_query())
        return bool(self) and self.env.cr.fetchone()[0] == len(self)

    def _due_soon_query(self):
        return SQL(
            """SELECT count(DISTINCT cron_id) FROM ir_cron_trigger,
                      LATERAL (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now) clock
                WHERE cron_id = ANY(%s) AND call_at > now
                  AND call_at <= now + make_interval(secs => %s)""",
            self.ids,
            SOON_SECONDS,
        )
