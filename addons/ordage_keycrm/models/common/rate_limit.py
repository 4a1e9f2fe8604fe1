import hashlib
import json
import time
from datetime import UTC, datetime

from odoo import api, fields, models, sql_db
from odoo.tools import SQL

from ...const import WORKER_MAX_SLEEP
from ...keycrm import rate_limit_rules
from ...keycrm.client import RateLimiter, normalized_address
from ...keycrm.errors import QuotaExceeded
from ...keycrm.rate_limit_rules import Quota


class KeycrmRateLimit(models.Model):
    """Store the request quota of an API key, shared by all processes and hosts.

    One row per key, found by the key's hash: two accounts with one key share it, and a key is never
    stored here. Rows are read and written only by :class:`DatabaseRateLimiter`, each time in a short
    transaction of its own: the calling transaction may be rolled back, a sent request cannot be.
    """

    _name = "keycrm.rate.limit"
    _description = "KeyCRM rate limit"
    _log_access = False
    _rec_name = "key_digest"

    key_digest = fields.Char(string="API key digest", required=True)
    times = fields.Json(
        string="Request times", help="When the requests of the last minute were sent, in seconds."
    )
    current_limit = fields.Integer(
        string="Requests allowed now", required=True, default=rate_limit_rules.DEFAULT_LIMIT
    )
    blocked_until = fields.Float(string="Blocked until", digits=(16, 3))
    limit_until = fields.Float(string="Limit is raised at", digits=(16, 3))
    raise_after = fields.Float(string="Seconds between two raises", digits=(16, 3))
    lowered_at = fields.Float(string="Limit lowered since", digits=(16, 3))

    _key_digest_unique = models.Constraint(
        "UNIQUE(key_digest)", "A key can have only one rate limit."
    )

    def _rate_limiter(self, api_key, base_url, limit, max_wait=None, first_wait=None):
        """Return the rate limiter of a key.

        :param api_key: the key
        :param base_url: address of the API
        :param limit: requests per minute, as set for the account
        :param max_wait: seconds that one request may wait for the quota before it is given up; None: as
            long as suits a worker
        :param first_wait: the same of a request that begins work; None: as ``max_wait``
        :return: :class:`DatabaseRateLimiter`
        """
        return DatabaseRateLimiter(
            self.env.cr.dbname, self._digest(api_key, base_url), limit, max_wait, first_wait
        )

    @api.model
    def _digest(self, api_key, base_url):
        """Return the identifier of a key's row: one for all spellings of the address.

        :param api_key: the key
        :param base_url: address of the API
        :return: hexadecimal
        """
        key = f"{normalized_address(base_url)}\0{api_key}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(key).hexdigest()

    @api.model
    def _usage(self, accounts):
        """Return how much of the quota is used, for display; takes no lock.

        :param accounts: ``keycrm.account``
        :return: ``{account id: (requests of the last minute, limit, since when an early 429 lowered it)}``,
            naive UTC, False if none did
        """
        digests = {
            account.id: self._digest(
                account._api_key() or "", (account.sudo().api_url or "").strip()
            )
            for account in accounts
        }
        # A transaction of its own, as the rate limiter has: the snapshot of the current one may be
        # older.
        with sql_db.db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute(
                SQL(
                    """SELECT key_digest, times, current_limit, blocked_until, limit_until, raise_after,
                              lowered_at, extract(epoch FROM clock_timestamp())::float
                         FROM keycrm_rate_limit WHERE key_digest = ANY(%s)""",
                    list(digests.values()),
                )
            )
            rows = {row[0]: row[1:] for row in cr.fetchall()}
        found = {}
        for account in accounts:
            allowed = account.sudo().request_limit
            found[account.id] = (0, allowed, False)
            if digests[account.id] in rows:
                *row, now = rows[digests[account.id]]
                quota = rate_limit_rules.refreshed(_quota_of(row, allowed), now)
                since = quota.lowered_at and datetime.fromtimestamp(int(quota.lowered_at), UTC)
                found[account.id] = (
                    len(quota.times),
                    quota.limit,
                    since.replace(tzinfo=None) if since else False,
                )
        return found


class DatabaseRateLimiter(RateLimiter):
    """Book requests in the database, which all processes share.

    Times are of the database server's clock, because the clocks of hosts may differ.
    """

    def __init__(self, dbname, digest, limit, max_wait, first_wait=None):
        """Bind the limiter to the row of a key.

        :param dbname: name of the database
        :param digest: identifier of the row
        :param limit: requests per minute, as set for the account
        :param max_wait: seconds that one request may wait; None for a worker's
        :param first_wait: the same of a request that begins work; None: as ``max_wait``
        """
        self._dbname = dbname
        self._digest = digest
        self._limit = limit
        self._max_wait = max_wait
        self._first_wait = first_wait

    def acquire(self, queue, *, continues=False):
        """Wait for the quota and book one request.

        :param queue: ``live`` or ``bulk``
        :param continues: whether it belongs to a piece of work that would have to be restarted without it
        :raise QuotaExceeded: when it would take too long; nothing is booked then
        """
        waited = 0.0
        while True:
            wait, limit = self._apply_to_row(lambda quota, now: self._book(quota, now, queue))
            if not wait:
                return
            if waited + wait > self._max_wait_for(continues, limit):
                raise QuotaExceeded(wait)
            # Slightly longer than computed, so that the next check is not a millisecond too early.
            time.sleep(wait + 0.005)
            waited += wait

    def refused(self, retry_after):
        """Record a 429 for all accounts and processes that use the key.

        :param retry_after: seconds named by KeyCRM, or None
        """
        self._apply_to_row(
            lambda quota, now: (rate_limit_rules.refused(quota, now, retry_after), 0.0)
        )

    def _max_wait_for(self, continues, limit):
        """Return how long a request may wait.

        A worker must not block a scheduler thread for long. But under a low limit the pause between two
        requests is longer than the usual maximum: work of several requests would be deferred, restarted
        each time and never end.

        :param continues: whether the request belongs to work that has started
        :param limit: requests per minute that are assumed to be allowed now
        :return: seconds
        """
        if self._first_wait is not None and not continues:
            return self._first_wait
        if self._max_wait is not None:
            return self._max_wait
        return max(WORKER_MAX_SLEEP, rate_limit_rules.max_wait(limit) if continues else 0.0)

    @staticmethod
    def _book(quota, now, queue):
        """Book a request in a quota, where it has capacity.

        :param quota: current quota
        :param now: time of the database server
        :param queue: ``live`` or ``bulk``
        :return: ``(quota, (seconds to wait, limit))``; the request is booked where there is no wait
        """
        quota = rate_limit_rules.refreshed(quota, now)
        wait = rate_limit_rules.wait_for(quota, now, queue)
        return (quota if wait else rate_limit_rules.booked(quota, now)), (wait, quota.limit)

    def _apply_to_row(self, change):
        """Apply a pure function to the row under its lock.

        READ COMMITTED, because under Odoo's REPEATABLE READ a transaction that waited for the row lock
        would fail with a serialization error instead of reading the other one's write.

        :param change: ``(quota, now) -> (new quota, result)``
        :return: the result
        """
        with sql_db.db_connect(self._dbname).cursor() as cr:
            cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            row = self._locked_row(cr)
            *row, now = row
            quota = _quota_of(row, self._limit)
            changed, result = change(quota, now)
            if changed != quota:
                cr.execute(
                    SQL(
                        """UPDATE keycrm_rate_limit
                              SET times = %s::jsonb, current_limit = %s,
                                  blocked_until = %s, limit_until = %s, raise_after = %s,
                                  lowered_at = %s
                            WHERE key_digest = %s""",
                        json.dumps(changed.times),
                        changed.limit,
                        changed.blocked_until,
                        changed.limit_until,
                        changed.raise_after,
                        changed.lowered_at,
                        self._digest,
                    )
                )
            return result

    def _locked_row(self, cr):
        """Return the locked row of the key, inserting it where it is missing.

        :param cr: cursor
        :return: its values and the database server's time
        """
        # The clock is read outside of the locking subquery, so its time is that at which the lock was
        # acquired.
        query = SQL(
            """SELECT locked.*, extract(epoch FROM clock_timestamp())::float
                 FROM (SELECT times, current_limit, blocked_until, limit_until, raise_after,
                              lowered_at
                         FROM keycrm_rate_limit WHERE key_digest = %s FOR UPDATE) AS locked""",
            self._digest,
        )
        cr.execute(query)
        row = cr.fetchone()
        if not row:
            cr.execute(
                SQL(
                    """INSERT INTO keycrm_rate_limit (key_digest, current_limit)
                       VALUES (%s, %s) ON CONFLICT DO NOTHING""",
                    self._digest,
                    self._limit,
                )
            )
            cr.execute(query)
            row = cr.fetchone()
        return row


def _quota_of(row, full_limit):
    """Convert a row into a quota of the pure rules.

    :param row: times, limit, blocked until, raised at, seconds between raises, lowered at
    :param full_limit: requests per minute, as set for the account
    :return: :class:`~.keycrm.rate_limit_rules.Quota`
    """
    times, limit, *seconds = row
    blocked, until, pause, lowered_at = (float(value or 0.0) for value in seconds)
    return Quota(tuple(times or ()), limit, blocked, until, full_limit, pause, lowered_at)
