"""To-dos for people: what Odoo cannot decide by itself."""

from markupsafe import Markup


def note_html(rows):
    """Write sentences as the list that a to-do shows.

    :param rows: list of sentences
    :return: safe HTML
    """
    return Markup("<ul>%s</ul>") % Markup("").join(Markup("<li>%s</li>") % row for row in rows)


def schedule(record, user, summary, rows):
    """Leave a to-do on a record; the same one is not left twice.

    :param record: one record with activities
    :param user: ``res.users`` whom it is for
    :param summary: one line
    :param rows: list of sentences
    """
    note = note_html(rows)
    if not record.activity_ids.filtered(
        lambda activity: activity.summary == summary and activity.note == note
    ):
        record.activity_schedule(
            "mail.mail_activity_data_todo", summary=summary, note=note, user_id=user.id
        )


def unlink(record, summary):
    """Take back to-dos that need not be done any more.

    :param record: one record with activities
    :param summary: their line
    """
    record.activity_ids.filtered(lambda activity: activity.summary == summary).unlink()
