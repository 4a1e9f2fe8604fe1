"""Correct times that are ahead, delete old records, and restore references of accounts."""

from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...const import CIRCUIT_PAUSES, RETRY_PAUSES
from . import crons

#: A time further ahead than this was recorded by a clock that was ahead.
TOLERANCE = timedelta(minutes=1)
#: Period that is polled again: changes made while the clock was ahead may have been missed.
REPOLL_PERIOD = timedelta(days=1)
#: Fields of an account and of its positions in lists with a past time or the time of the next attempt, by
#: which the workers decide what is due.
ACCOUNT_TIMES = ("polled_at", "circuit_open_until")
CURSOR_TIMES = ("started_at", "read_until")
#: ``(model, field)`` of records that wait for their next attempt.
ATTEMPTS = (
    ("keycrm.event", "next_try_at"),
    ("keycrm.order.update", "next_try_at"),
    ("keycrm.order.update", "requested_at"),
    ("keycrm.stock.level", "retry_at"),
    ("keycrm.offer.change", "changed_at"),
)
#: A hundred years; more would exceed the range of dates.
MAX_DAYS = 36500
#: Records that one pass of the autovacuum deletes of an account and model: some seconds' work, after
#: which Odoo calls again.
GC_BATCH = 10000
#: Finished records, by model: their final states, and the field with their age.
FINISHED = {
    "keycrm.event": (("done", "ignored"), "received_at"),
    "keycrm.order.update": (("done", "ignored"), "create_date"),
    "keycrm.send.preview": (("done", "canceled"), "create_date"),
    "keycrm.order.sync": (("done", "canceled"), "create_date"),
    "keycrm.product.import": (("done", "canceled"), "create_date"),
    "keycrm.product.export": (("draft", "done", "canceled"), "create_date"),
    "keycrm.stock.comparison": (("done", "canceled"), "create_date"),
    "keycrm.stock.export": (("done", "canceled"), "create_date"),
}
#: Finished records that are deleted, where not all are: an imported payment is compared with the updates
#: that sent money, also after years.
DELETED_ONLY = {"keycrm.order.update": [("kind", "!=", "payment")]}
#: The newest record of each domain is kept: users still read it, and KeyCRM's quantities before a
#: preview can be restored from it.
NEWEST_STAYS = {
    "keycrm.product.import": ([],),
    "keycrm.stock.comparison": ([], [("choice", "in", ("send", "opening"))]),
}


def was_clock_set_back(account):
    """Return whether a past time, or the end of a backoff, is too far ahead.

    :param account: ``keycrm.account``, one
    """
    now = account.env.cr.now() + TOLERANCE
    pause = timedelta(seconds=CIRCUIT_PAUSES[-1])
    return bool(
        (account.polled_at and account.polled_at > now)
        or (account.circuit_open_until and account.circuit_open_until > now + pause)
    )


def reset_future_times(account):
    """Make everything due now whose time is too far ahead.

    :param account: ``keycrm.account``, one
    """
    account, env, now = account.sudo(), account.env, account.env.cr.now()
    account.work_circuits = False
    for records, names in ((account, ACCOUNT_TIMES), (account.cursor_ids, CURSOR_TIMES)):
        for record in records:
            late = [name for name in names if record[name] and record[name] > now]
            record.write(dict.fromkeys(late, now - REPOLL_PERIOD))
    env["keycrm.stock.comparison"].sudo().search(
        [("account_id", "=", account.id), ("started_at", ">", now)]
    ).started_at = now
    for model, name in ATTEMPTS:
        env[model].flush_model([name])
        env.cr.execute(
            SQL(
                "UPDATE %(table)s SET %(field)s = %(now)s "
                "WHERE account_id = %(account)s AND %(field)s > %(latest)s",
                table=SQL.identifier(env[model]._table),
                field=SQL.identifier(name),
                now=fields.Datetime.to_string(now),
                account=account.id,
                latest=now + timedelta(seconds=RETRY_PAUSES[-1]) + TOLERANCE,
            )
        )
        env[model].invalidate_model([name])


def kept_since(account):
    """Return the time before which finished records are deleted.

    :param account: ``keycrm.account``, one
    """
    return fields.Datetime.now() - timedelta(days=min(account.keep_days, MAX_DAYS))


def delete_finished(env):
    """Delete old finished records; pending and failed ones are kept at any age.

    :param env: Odoo's environment
    :return: (deleted, whether there are more), so that the autovacuum calls again
    """
    cleared, more = 0, False
    for account in env["keycrm.account"].sudo().search([("keep_days", ">", 0)]):
        before = kept_since(account)
        for name, (states, date_field) in FINISHED.items():
            Model = env[name].sudo()
            domain = [
                ("account_id", "=", account.id),
                ("state", "in", states),
                *DELETED_ONLY.get(name, ()),
            ]
            newest = Model.browse()
            for more_of in NEWEST_STAYS.get(name, ()):
                newest |= Model.search([*domain, *more_of], order="id desc", limit=1)
            domain += [(date_field, "<", before), ("id", "not in", newest.ids)]
            old = Model.search(domain, order="id", limit=GC_BATCH)
            old.unlink()
            cleared += len(old)
            more = more or len(old) == GC_BATCH
    return cleared, more


def restore_references(env):
    """Recreate deleted scheduled actions, and use the only warehouse that is left.

    :param env: Odoo's environment
    """
    for account in env["keycrm.account"].sudo().search([("enabled", "=", True)]):
        crons.ensure(account)
        if not account.database_identity:
            account._record_database()
        warehouse = account._warehouse_of_orders()
        if warehouse and warehouse != account.warehouse_id:
            account.warehouse_id = warehouse
