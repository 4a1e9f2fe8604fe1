"""What another transaction being faster looks like."""

from contextlib import contextmanager

from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: The work is done again in a new transaction, which sees what the other one made. Odoo does so for
#: requests, ``keycrm.account._committed`` for scheduled actions.
OTHER_WAS_FASTER = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


@contextmanager
def found_if_done_again(what):
    """Make something that others may make at the same time: a list learnt from KeyCRM, a tag.

    After a unique violation the other's row cannot be seen in this transaction.

    :param what: what is made, for the log
    :raise ConcurrencyError: when another transaction made the same; done again, it is found
    """
    try:
        yield
    except UniqueViolation as error:
        raise ConcurrencyError(f"{what}: made by another transaction too") from error
