"""What another transaction being faster looks like."""

from contextlib import contextmanager

from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: The work is done again in a new transaction, which sees what the other one made. Odoo does so for
#: requests, ``keycrm.account._run_in_transaction`` for scheduled actions.
CONCURRENCY_ERRORS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


@contextmanager
def retry_on_unique_violation(what):
    """Make something that others may make at the same time: a list learnt from KeyCRM, a tag.

    After a unique violation the other's row cannot be seen in this transaction.

    :param what: what is made, for the log
    :raise ConcurrencyError: when another transaction made the same; done again, it is found
    """
    try:
        yield
    except UniqueViolation as error:
        raise ConcurrencyError(f"{what}: made by another transaction too") from error


def clear_caches_after_commit(env):
    """Clear Odoo's caches in all processes once the change is visible to them.

    Odoo clears its caches at the write. Until the commit another thread of this process may read the
    former value again and keep it, and other processes are notified only when a worker's run ends.

    :param env: Odoo's environment, after the write
    """
    registry = env.registry

    def clear():
        registry.clear_all_caches()
        # While modules are installed there is no other process to notify.
        if registry.ready:
            registry.signal_changes()

    env.cr.postcommit.add(clear)
