"""Run the work of scheduled actions in transactions, and serialize the workers of a company."""

import random
import time
from contextlib import contextmanager

from psycopg2.errors import LockNotAvailable

from odoo.tools import SQL

from .concurrency import CONCURRENCY_ERRORS

#: First key of the advisory lock that serializes the accounts of one company ("KCRM").
COMPANY_LOCK = 0x4B43524D
#: How long a worker waits for a lock that another transaction holds.
LOCK_TIMEOUT = "1500ms"
#: Attempts of one piece of work after concurrency errors.
CONCURRENCY_TRIES = 6


def run_in_transaction(cr, work):
    """Run a piece of work in its own transaction, and retry concurrency errors.

    Odoo retries requests after a serialization failure, but not scheduled actions.

    :param cr: cursor of the work
    :param work: called without arguments; must be idempotent
    :return: its result
    """
    for attempt in range(1, CONCURRENCY_TRIES + 1):
        try:
            result = work()
            cr.commit()
            return result
        except LockNotAvailable:
            # The timeout has passed already; the other transaction may hold the row for long.
            cr.rollback()
            raise
        except CONCURRENCY_ERRORS:
            cr.rollback()
            if attempt == CONCURRENCY_TRIES:
                raise
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        except Exception:
            cr.rollback()
            raise
    raise AssertionError("unreachable")


@contextmanager
def company_lock(account):
    """Serialize the workers of a company that create products, contacts and SKUs.

    The lock is taken for the session and committed before the work starts, because a REPEATABLE READ
    transaction uses the snapshot of its first statement: waiting inside it would hide the rows that the
    other worker created.

    :param account: ``keycrm.account``, one
    """
    cr = account.env.cr
    key = (COMPANY_LOCK, account.company_id.id)
    cr.commit()
    cr.execute(SQL("SELECT pg_advisory_lock(%s, %s)", *key))
    cr.commit()
    try:
        yield
    except BaseException:
        cr.rollback()
        raise
    finally:
        cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", *key))
        cr.commit()


def check_company_is_free(account):
    """Check before requests that the company lock can be taken after them.

    Otherwise the answers would be thrown away and requested again while another worker holds the lock for
    long. One that holds it for a batch is waited for: trying alone, an account next to a synchronization
    would rarely succeed.

    :param account: ``keycrm.account``, one
    :raise LockNotAvailable: when the lock is held for longer than the lock timeout
    """
    key = (COMPANY_LOCK, account.company_id.id)
    account.env.cr.execute(
        SQL(
            """SELECT CASE WHEN pg_try_advisory_lock(%s, %s)
                           THEN pg_advisory_unlock(%s, %s) ELSE FALSE END""",
            *key,
            *key,
        )
    )
    if not account.env.cr.fetchone()[0]:
        with company_lock(account):
            pass


def set_lock_timeout(cr, timeout):
    """Set how long this database session waits for a lock.

    Of the session, not of each transaction, which would be one more query each.

    :param cr: cursor
    :param timeout: PostgreSQL's ``lock_timeout``
    """
    cr.execute(SQL("SELECT set_config('lock_timeout', %s, false)", timeout))
    cr.commit()


def pending_changes(cr, key, empty, write):
    """Return what this transaction has collected under a key, to be written once before its commit.

    Kept in ``cr.precommit.data``, which a rollback clears together with the call of the function.

    :param cr: cursor
    :param key: text
    :param empty: called without arguments for an empty collection
    :param write: called without arguments when the transaction is flushed or committed; takes the
        collection out of ``cr.precommit.data``
    """
    pending = cr.precommit.data.get(key)
    if pending is None:
        pending = cr.precommit.data[key] = empty()
        cr.precommit.add(write)
    return pending
