"""Write contacts although Odoo or another module may refuse some of their values.

An import writes them without savepoints, which would flush all pending writes. An order that is refused
as a whole is imported again alone, in tolerant mode: then each contact has savepoints, and refused
values are skipped.
"""

from psycopg2 import IntegrityError

from odoo.exceptions import RedirectWarning, UserError

#: Errors by which a model refuses values: its own rule or a constraint of the database.
REFUSALS = (UserError, RedirectWarning, IntegrityError)


def tolerant(records):
    """Return records in tolerant mode, in which only refused values are skipped.

    :param records: recordset
    :return: the records with a marked context
    """
    return records.with_context(keycrm_tolerant=True)


def create(Partner, vals_list, optional):
    """Create contacts; in tolerant mode without the refused values.

    :param Partner: ``res.partner``
    :param vals_list: values of the contacts
    :param optional: names of the fields that a contact does not require, the most likely causes first
    :return: list of (``res.partner``, ``{field: reason}``); where even the required values are refused,
        the contact is empty and the field is ``""``
    """
    if Partner.env.context.get("keycrm_tolerant"):
        return [_create_one(Partner, vals, optional) for vals in vals_list]
    return [(partner, {}) for partner in Partner.create(vals_list)]


def write(partner, vals):
    """Write to a contact; in tolerant mode only the accepted values.

    :param partner: ``res.partner``, one
    :param vals: values
    :return: ``{field: reason}`` of the refused values
    """
    if not partner.env.context.get("keycrm_tolerant"):
        partner.write(vals)
        return {}
    try:
        with partner.env.cr.savepoint():
            partner.write(dict(vals))
    except REFUSALS as error:
        if len(vals) == 1:
            return dict.fromkeys(vals, reason(error))
        refused = {}
        for name, value in vals.items():
            refused.update(write(partner, {name: value}))
        return refused
    return {}


def _create_one(Partner, vals, optional):
    present = [name for name in optional if vals.get(name)]
    first = ""
    for dropped in ([], *([name] for name in present), present):
        kept = {name: value for name, value in vals.items() if name not in dropped}
        try:
            with Partner.env.cr.savepoint():
                return Partner.create([kept]), dict.fromkeys(dropped, first)
        except REFUSALS as error:
            first = first or reason(error)
    return Partner, {"": first}


def reason(error):
    """Return the message of a refusal in one line.

    :param error: one of :data:`REFUSALS`
    """
    text = error.diag.message_primary if isinstance(error, IntegrityError) else error.args[0]
    return " ".join(str(text or "").split())[:500]
