"""Write contacts although Odoo or another module may refuse some of their values.

An import writes them without savepoints, which would flush all pending writes. An order that is refused
as a whole is imported again alone, in tolerant mode: then each contact has savepoints, and refused
values are skipped.
"""

from dataclasses import dataclass

from psycopg2 import IntegrityError

from odoo.exceptions import RedirectWarning, UserError

#: Errors by which a model refuses values: its own rule or a constraint of the database.
REFUSALS = (UserError, RedirectWarning, IntegrityError)


@dataclass(frozen=True, slots=True)
class ContactRules:
    """What the import of a batch looked up once, instead of Odoo for each contact.

    In the context, because it concerns what Odoo does within ``create`` and ``write`` of a contact. A
    context received over RPC holds JSON and can never contain this object.

    :param is_only_company: whether the database has one company only
    :param closed_parent_ids: ids of contacts that keep their own address
    """

    is_only_company: bool = False
    closed_parent_ids: frozenset[int] = frozenset()

    @classmethod
    def of(cls, env):
        """Return the rules in the context of an environment.

        :param env: Odoo's environment
        """
        rules = env.context.get("keycrm_contact_rules")
        return rules if isinstance(rules, cls) else cls()


def create(Partner, vals_list, optional, *, is_tolerant=False):
    """Create contacts; in tolerant mode without the refused values.

    :param Partner: ``res.partner``
    :param vals_list: values of the contacts
    :param optional: names of the fields that a contact does not require, the most likely causes first
    :param is_tolerant: whether refused values are skipped
    :return: list of (``res.partner``, ``{field: reason}``); where even the required values are refused,
        the contact is empty and the field is ``""``
    """
    if is_tolerant:
        return [_create_one(Partner, vals, optional) for vals in vals_list]
    return [(partner, {}) for partner in Partner.create(vals_list)]


def write(partner, vals, *, is_tolerant=False):
    """Write to a contact; in tolerant mode only the accepted values.

    :param partner: ``res.partner``, one
    :param vals: values
    :param is_tolerant: whether refused values are skipped
    :return: ``{field: reason}`` of the refused values
    """
    if not is_tolerant:
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
            refused.update(write(partner, {name: value}, is_tolerant=True))
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
