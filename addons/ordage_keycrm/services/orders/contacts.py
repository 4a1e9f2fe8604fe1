"""Write contacts even if Odoo or another module refuses some of their values.

An import writes them without savepoints, which would flush all pending writes. An order that is refused
as a whole is imported again alone, in tolerant mode: then each contact has savepoints, and refused
values are skipped.
"""

import logging
from dataclasses import dataclass

from psycopg2 import Error as DatabaseError
from psycopg2 import IntegrityError

from odoo.exceptions import RedirectWarning, UserError

from ...keycrm.errors import KeyCrmError
from ..common.concurrency import ERRORS_OF_NO_RECORD

_logger = logging.getLogger(__name__)

#: Errors by which a model refuses values on purpose: its own rule or a constraint of the database.
_INTENDED = (UserError, RedirectWarning, IntegrityError)


@dataclass(frozen=True, slots=True)
class ContactRules:
    """Hold facts that the import of a batch looks up once, and Odoo for each contact.

    In the context, because it concerns what Odoo does within ``create`` and ``write`` of a contact. A
    context received over RPC holds JSON and can never contain this object.

    :param is_only_company: whether the database has one company only
    :param closed_parent_ids: ids of contacts that keep their own address
    """

    is_only_company: bool = False
    closed_parent_ids: frozenset[int] = frozenset()

    @classmethod
    def in_context(cls, env):
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
    except Exception as error:
        text = refusal_reason(error)
        if len(vals) == 1:
            return dict.fromkeys(vals, text)
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
        except Exception as error:
            text = refusal_reason(error)
            first = first or text
    return Partner, {"": first}


def is_refusal(error):
    """Return whether Odoo or another module refused the values, also by an error in its code.

    :param error: the exception
    """
    return not isinstance(error, (KeyCrmError, *ERRORS_OF_NO_RECORD))


def refusal_reason(error):
    """Return the message of a refusal in one line.

    :param error: the exception that is being handled
    :raise Exception: the same where it is no refusal
    """
    if not is_refusal(error):
        raise error
    if isinstance(error, DatabaseError):
        text = error.diag.message_primary or str(error)
    elif isinstance(error, _INTENDED):
        text = error.args[0]
    else:
        text = f"{type(error).__name__}: {error}"
    if not isinstance(error, _INTENDED):
        _logger.warning("KeyCRM: refused by an unexpected error", exc_info=error)
    return " ".join(str(text or "").split())[:500]
