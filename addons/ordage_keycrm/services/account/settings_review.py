from datetime import timedelta

from odoo.tools import SQL, format_datetime

from ..common.service import Service

#: A scheduled action, due each minute, is reported when it is overdue by this long.
CRON_IS_LATE = timedelta(minutes=10)
#: Models whose records are further settings of an account.
SETTINGS_MODELS = (
    *("keycrm.warehouse", "keycrm.source", "keycrm.payment.method", "keycrm.delivery.service"),
)
#: References of settings that may be archived: statuses keep their meaning when KeyCRM deactivates them, and
#: the setup displays the currency.
MAY_BE_ARCHIVED = ("company_id", "archive_status_ids", "missed_status_ids", "keycrm_currency_id")


class SettingsReview(Service):
    """Find settings and scheduled actions that a user has to repair."""

    def missing_actions(self):
        """Return what is to be repaired about missing scheduled actions, which run all work.

        :return: list of (sentence, since when; naive UTC)
        """
        if not self.account.enabled:
            return []
        queues = (
            (self.account.orders_cron_id, self.env._("orders")),
            (self.account.stock_cron_id, self.env._("stock")),
        )
        return [
            (
                self.env._(
                    "The scheduled action for %(queue)s was deleted or archived. Disable and enable "
                    "the integration to restore it.",
                    queue=name,
                ),
                # Nothing remains of a deleted one.
                cron.write_date or self.account.polled_at,
            )
            for cron, name in queues
            if not cron.active
        ]

    def late_actions(self):
        """Return what is to be repaired about active scheduled actions that are overdue.

        Without worker processes Odoo's scheduler threads end for good when PostgreSQL restarts.

        :return: list of (sentence, since when; naive UTC)
        """
        late = (self.account.orders_cron_id | self.account.stock_cron_id).filtered(
            lambda cron: cron.active and cron.nextcall < self.env.cr.now() - CRON_IS_LATE
        )
        if not self.account.enabled or not late:
            return []
        since = min(cron.lastcall or cron.nextcall for cron in late)
        text = self.env._(
            "Scheduled actions have not run since %(time)s. Restart Odoo, or ask its administrator to.",
            time=format_datetime(self.env, since),
        )
        return [(text, since)]


def archived_references(accounts):
    """Return sentences about the archived records to which settings refer.

    By SQL: one query for all references, since each overview looks for them.

    :param accounts: ``keycrm.account``
    :return: ``{account: list of (sentence, last change of the record; naive UTC)}``
    """
    env = accounts.env
    by_id = {account._origin.id: account for account in accounts if account._origin}
    references = [
        (env[model], name)
        for model in ("keycrm.account", *SETTINGS_MODELS)
        for name in _reference_names(env[model])
    ]
    if not by_id:
        return {}
    rows = env.execute_query(
        SQL(" UNION ALL ").join(
            _archived_query(records, name, number, list(by_id))
            for number, (records, name) in enumerate(references)
        )
    )
    sentences = {}
    for number, account_id, record_id, value_id, changed_at in sorted(rows):
        records, name = references[number]
        value = env[records._fields[name].comodel_name].browse(value_id)
        names = {
            "field": records.fields_get([name], ["string"])[name]["string"],
            "record": records.browse(record_id).display_name,
            "value": value.display_name,
        }
        if "active" in value._fields:
            text = env._(
                "%(field)s of “%(record)s”: “%(value)s” is archived. Choose another one.",
                **names,
            )
        else:
            text = env._(
                "%(field)s of “%(record)s”: KeyCRM no longer has “%(value)s”. Choose another one.",
                **names,
            )
        sentences.setdefault(by_id[account_id], []).append((text, changed_at))
    return sentences


def _active_name(comodel):
    """Return the name of the field that shows whether a record is active.

    KeyCRM's records are deactivated there, not archived in Odoo.
    """
    return next((name for name in ("active", "is_active") if name in comodel._fields), None)


def _reference_names(records):
    """Return the fields of settings that refer to records which can be archived.

    :param records: recordset
    """
    return [
        name
        for name, field in records._fields.items()
        if field.type in ("many2one", "many2many")
        and field.store
        and not (field.readonly or field.related)
        and name not in MAY_BE_ARCHIVED
        and _active_name(records.env[field.comodel_name])
    ]


def _archived_query(records, name, number, account_ids):
    """Return the query of the archived records to which a field refers.

    :param records: model of the settings
    :param name: name of the field
    :param number: first column of the rows, which identifies the field
    :param account_ids: ids of accounts
    :return: query of rows (number, account, record, archived record, its last change)
    """
    field = records._fields[name]
    comodel = records.env[field.comodel_name]
    active = _active_name(comodel)
    account = "id" if records._name == "keycrm.account" else "account_id"
    records.flush_model([name])
    comodel.flush_model([active])
    if field.type == "many2one":
        link = SQL("other.id = own.%s", SQL.identifier(name))
    else:
        link = SQL(
            "other.id IN (SELECT %s FROM %s WHERE %s = own.id)",
            SQL.identifier(field.column2),
            SQL.identifier(field.relation),
            SQL.identifier(field.column1),
        )
    return SQL(
        """SELECT %s, own.%s, own.id, other.id, other.write_date
             FROM %s own JOIN %s other ON %s
            WHERE other.%s IS NOT TRUE AND own.%s = ANY(%s)""",
        number,
        SQL.identifier(account),
        SQL.identifier(records._table),
        SQL.identifier(comodel._table),
        link,
        SQL.identifier(active),
        SQL.identifier(account),
        account_ids,
    )
