"""The rate limiter in the database: how long a request waits for room."""

from unittest.mock import patch

from odoo.tests import TransactionCase

from ..keycrm import rate_limit_rules as rules
from ..keycrm.errors import QuotaExceeded
from ..models.common.rate_limit import WORKER_MAX_SLEEP, DatabaseRateLimiter


class TestWaiting(TransactionCase):
    def acquire(self, waits, *, max_wait=None, first_wait=None, continues=False):
        """Book one request where the quota has room after these waits.

        :return: the seconds that were slept
        """
        limiter = DatabaseRateLimiter(self.env.cr.dbname, "digest", 60, max_wait, first_wait)
        slept = []
        with (
            patch.object(
                limiter, "_apply_to_row", side_effect=[*((wait, 60) for wait in waits), (0, 60)]
            ),
            patch("odoo.addons.ordage_keycrm.models.common.rate_limit.time.sleep", slept.append),
        ):
            limiter.acquire("orders", continues=continues)
        return slept

    def test_request_waits_for_quota(self):
        self.assertEqual(len(self.acquire([0.5, 0.25])), 2)

    def test_request_of_started_work_waits_longer_than_a_first_one(self):
        longer = rules.max_wait(60)
        self.assertGreater(longer, 0)
        wait = max(WORKER_MAX_SLEEP, longer) + 1
        for continues in (False, True):
            with self.subTest(continues=continues), self.assertRaises(QuotaExceeded):
                self.acquire([wait], continues=continues)

    def test_bulk_work_does_not_start_while_it_would_wait(self):
        with self.assertRaises(QuotaExceeded):
            self.acquire([0.1], first_wait=0.05)
        self.assertTrue(self.acquire([WORKER_MAX_SLEEP], first_wait=0.05, continues=True))

    def test_request_of_a_button_waits_up_to_its_limit(self):
        self.assertTrue(self.acquire([WORKER_MAX_SLEEP * 3], max_wait=WORKER_MAX_SLEEP * 4))
        with self.assertRaises(QuotaExceeded):
            self.acquire([2], max_wait=1)
