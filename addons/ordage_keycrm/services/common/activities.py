"""Schedule and remove activities, which ask users for decisions."""

from markupsafe import Markup

from .values import changed_values


def note_html(rows):
    """Format sentences as the HTML list that an activity shows.

    :param rows: list of sentences
    :return: safe HTML
    """
    return Markup("<ul>%s</ul>") % Markup("").join(Markup("<li>%s</li>") % row for row in rows)


def schedule(account, record, code, summary, rows, *, salesperson=None, is_decision=True):
    """Schedule an activity on a record, or update its open one with the same code (idempotent).

    :param account: ``keycrm.account``, one
    :param record: one record with activities
    :param code: by which the activity is recognized in all languages
    :param summary: one line
    :param rows: list of sentences
    :param salesperson: see :func:`assignee`
    :param is_decision: whether it is a row of the overview until it is done; False where the record has
        a row of another kind, or where nothing needs a decision
    :return: the activity
    """
    texts = {"summary": summary, "note": note_html(rows)}
    existing = _with_code(record, code)[:1]
    if existing:
        changed = changed_values(existing, texts)
        if changed:
            existing.write(changed)
        return existing
    return record.sudo().activity_schedule(
        "mail.mail_activity_data_todo",
        **texts,
        user_id=assignee(account, salesperson).id,
        keycrm_account_id=is_decision and account.id,
        keycrm_code=code,
    )


def unlink(record, code):
    """Remove activities that are no longer needed.

    :param record: one record with activities
    :param code: of the activities to remove
    """
    _with_code(record, code).unlink()


def _with_code(record, code):
    return record.sudo().activity_ids.filtered(lambda activity: activity.keycrm_code == code)


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
