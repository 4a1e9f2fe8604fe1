"""Find records by KeyCRM's id, and compare values with them, so that only changes are written."""

from odoo.fields import Command

#: Numbers that differ by less are equal.
PRECISION = 1e-6


def by_keycrm_id(records):
    """Return records by KeyCRM's id.

    :param records: recordset of a model with ``keycrm_id``
    """
    return {record.keycrm_id: record for record in records}


def is_equal(record, name, value):
    """Return whether a field of a record has a value already.

    :param record: one record
    :param name: name of the field
    :param value: value as in ``write``; of many2many fields one command, which sets or clears
    """
    field, current = record._fields[name], record[name]
    if field.type == "many2one":
        return current.id == (value or False)
    if field.type in ("float", "monetary"):
        return abs((current or 0.0) - (value or 0.0)) < PRECISION
    if field.type == "many2many":
        (command,) = value
        return set(current.ids) == set(command[2] if command[0] == Command.SET else ())
    return (current or False) == (value or False)


def changed_values(record, vals):
    """Return the values that differ from a record's.

    :param record: one record
    :param vals: values as in ``write``
    """
    return {name: value for name, value in vals.items() if not is_equal(record, name, value)}
