"""Define the database errors that are retried, and clear caches after a commit."""

from contextlib import contextmanager

from psycopg2.errors import (
    ConfigurationLimitExceeded,
    DiskFull,
    OutOfMemory,
    ReadOnlySqlTransaction,
    UniqueViolation,
)

from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: The work is retried in a new transaction, which sees the rows of the concurrent one. Odoo does so for
#: requests, ``services/common/transactions.py`` for scheduled actions.
CONCURRENCY_ERRORS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
#: Errors of a full disk or a read-only database. A hosting provider may make a database read-only when
#: its disk is almost full.
STORAGE_ERRORS = (DiskFull, OutOfMemory, ConfigurationLimitExceeded, ReadOnlySqlTransaction)
#: Errors that the worker handles: they are never recorded as the failure of one order, product or
#: payment.
ERRORS_OF_NO_RECORD = (*CONCURRENCY_ERRORS, *STORAGE_ERRORS)


@contextmanager
def retry_on_unique_violation(what):
    """Retry the creation of a row that another transaction may create concurrently.

    Examples are a record read from KeyCRM and a tag. After a unique violation the other row is not
    visible in this transaction, so the whole transaction has to be retried.

    :param what: what is created, for the log
    :raise ConcurrencyError: when another transaction created the same row; the retry finds it
    """
    try:
        yield
    except UniqueViolation as error:
        raise ConcurrencyError(f"{what}: made by another transaction too") from error


def clear_caches_after_commit(env, *names):
    """Clear Odoo's caches in all processes once the change is visible to them.

    Odoo clears its caches at the write. Until the commit another thread of this process may read and
    cache the former value again, and other processes are notified only when a worker's run ends.

    :param env: Odoo's environment, after the write
    :param names: names of caches; without any, all caches are cleared
    """
    registry = env.registry

    def clear():
        if names:
            registry.clear_cache(*names)
        else:
            registry.clear_all_caches()
        # While modules are installed there is no other process to notify.
        if registry.ready:
            registry.signal_changes()

    env.cr.postcommit.add(clear)
