"""Schedule and remove activities, which ask users for decisions."""

from markupsafe import Markup


def note_html(rows):
    """Format sentences as the HTML list that an activity shows.

    :param rows: list of sentences
    :return: safe HTML
    """
    return Markup("<ul>%s</ul>") % Markup("").join(Markup("<li>%s</li>") % row for row in rows)


def schedule(account, record, summary, rows, *, salesperson=None, is_decision=True):
    """Schedule an activity on a record unless an identical one exists (idempotent).

    :param account: ``keycrm.account``, one
    :param record: one record with activities
    :param summary: one line
    :param rows: list of sentences
    :param salesperson: see :func:`assignee`
    :param is_decision: whether it is a row of the overview until it is done; False where the record has
        a row of another kind, or where nothing needs a decision
    :return: the activity
    """
    note = note_html(rows)
    existing = record.activity_ids.filtered(
        lambda activity: activity.summary == summary and activity.note == note
    )
    return existing[:1] or record.sudo().activity_schedule(
        "mail.mail_activity_data_todo",
        summary=summary,
        note=note,
        user_id=assignee(account, salesperson).id,
        keycrm_account_id=is_decision and account.id,
    )


def unlink(record, summary):
    """Remove activities that are no longer needed.

    :param record: one record with activities
    :param summary: summary of the activities to remove
    """
    record.activity_ids.filtered(lambda activity: activity.summary == summary).unlink()


def assignee(account, salesperson=None):
    """Return the assignee of an activity, always an active user.

    :param account: ``keycrm.account``, one
    :param salesperson: ``res.users`` responsible for the order, if any
    :return: one of ``res.users``
    """
    admin = account.env.ref("base.user_admin")
    users = (salesperson or admin.browse()) | account.user_id | admin
    return users.sudo().filtered("active")[:1] or administrators(account)[:1] or admin


def administrators(account):
    """Return the users who may set up KeyCRM in the account's company.

    :param account: ``keycrm.account``, one
    :return: ``res.users``, the oldest first
    """
    group = account.env.ref("ordage_keycrm.group_manager")
    return (
        account.env["res.users"]
        .sudo()
        .search(
            [("all_group_ids", "in", group.ids), ("company_ids", "in", account.company_id.ids)],
            order="id",
        )
    )
