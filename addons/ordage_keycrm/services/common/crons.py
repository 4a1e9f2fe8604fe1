"""Create, restore, trigger and delete the two scheduled actions of an account, one per queue."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of an account's work, with a scheduled action of its own.

    :param name: name of its circuit breaker
    :param cron_field: field of ``keycrm.account`` with the scheduled action
    :param entry: method of ``keycrm.account`` that the scheduled action calls
    :param title: name of the scheduled action
    """

    name: str
    cron_field: str
    entry: str
    title: str


#: Inbox, status updates, polling and bulk work.
ORDERS = Queue("orders", "orders_cron_id", "_cron_orders", "KeyCRM: orders of account %s")
#: Outbox, stock webhooks and comparisons.
STOCK = Queue("stock", "stock_cron_id", "_cron_stock", "KeyCRM: stock of account %s")
QUEUES = (ORDERS, STOCK)


def scheduled_actions(accounts, *queues):
    """Return the scheduled actions of accounts.

    :param accounts: ``keycrm.account``
    :param queues: :data:`ORDERS`, :data:`STOCK`; both when there is none
    :return: ``ir.cron``
    """
    accounts = accounts.sudo()
    crons = accounts.env["ir.cron"]
    for queue in queues or QUEUES:
        crons |= accounts[queue.cron_field]
    return crons


def trigger(accounts, *queues, delay=0.0):
    """Trigger scheduled actions of accounts, several with one insert.

    :param accounts: ``keycrm.account``
    :param queues: :data:`ORDERS`, :data:`STOCK`; both when there is none
    :param delay: seconds from now; 0.0 for at once
    """
    scheduled_actions(accounts, *queues)._keycrm_trigger(delay)


def ensure(accounts):
    """Create missing scheduled actions; existing ones are never written (idempotent).

    A running ``ir.cron`` refuses writes. So intervals are fields of the account, and the actions of a
    deleted account are deleted later.

    :param accounts: ``keycrm.account``
    """
    env = accounts.env
    model = env["ir.model"]._get("keycrm.account")
    for account in accounts.sudo():
        for queue in QUEUES:
            if account[queue.cron_field]:
                continue
            account[queue.cron_field] = (
                env["ir.cron"]
                .sudo()
                .create(
                    {
                        "name": queue.title % account.id,
                        "model_id": model.id,
                        "state": "code",
                        "code": f"model.{queue.entry}({account.id})",
                        "user_id": env.ref("base.user_root").id,
                        "interval_number": 1,
                        "interval_type": "minutes",
                        "priority": 4,
                    }
                )
            )


def restore(accounts):
    """Recreate deleted scheduled actions and activate archived ones.

    A user who enables an account expects it to work. An archived action does not run, so it can be
    written.

    :param accounts: ``keycrm.account``
    """
    ensure(accounts)
    crons = scheduled_actions(accounts.with_context(active_test=False))
    crons.filtered(lambda cron: not cron.active).active = True


def delete_unused(env):
    """Delete the scheduled actions of deleted accounts.

    :param env: Odoo's environment
    """
    # All accounts, disabled ones too: only a few.
    kept = env["keycrm.account"].sudo().search([("id", "!=", False)])
    crons = (
        env["ir.cron"]
        .sudo()
        .with_context(active_test=False)
        .search(
            [
                ("model_id.model", "=", "keycrm.account"),
                ("code", "like", "model._cron_%"),
                ("id", "not in", scheduled_actions(kept).ids),
            ]
        )
    )
    for cron in crons.try_lock_for_update():
        cron.unlink()
