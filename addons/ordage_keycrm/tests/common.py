"""Base class of the tests inside Odoo: a KeyCRM that answers over HTTP, and an account that uses it.

The sandbox is a real HTTP server in a thread of this process. Workers commit and therefore belong to
the whole-system tests; here the functions that they call are tested in the test's own transaction.
"""

from contextlib import contextmanager
from datetime import UTC, datetime
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import TransactionCase

from sandbox.threaded import ThreadedSandbox

from ..keycrm import client
from ..keycrm.orders import Order
from ..services.common.api_gateway import open_client
from ..services.orders import order_inbox, order_priorities, webhook_inbox
from ..services.orders.order_inbox import order_query
from ..services.orders.order_writer import OrderWriter

#: Searched in everything that users, logs and other programs can read.
KEY = "the-secret-key-of-this-shop"


class KeycrmCase(TransactionCase):
    """A company with an enabled account on a sandbox of its own for each test class.

    The sandbox has no orders; ``self.keycrm`` is its control side.
    """

    switches = {"rate_limit": 0}
    #: Whether KeyCRM is emptied before each test; what ``setUpClass`` made there is lost then.
    forget = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox = cls.enterClassContext(ThreadedSandbox(KEY, switches=cls.switches))
        cls.keycrm = cls.sandbox.control
        cls.company = cls.env.company
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.account = cls.env["keycrm.account"].create(
            {
                "name": "Shop",
                "api_key": cls.sandbox.key,
                "api_url": cls.sandbox.api_url,
                "request_limit": 100000,
                "weight_unit": "product_uom_gram",
            }
        )
        cls.account.enabled = True
        cls.account.action_refresh_statuses()
        cls.settle_currency()
        # Tests send many webhooks within a second, and wait for no more of them.
        cls.enterClassContext(patch.object(order_inbox, "DEBOUNCE_PAUSE", 0.0))
        # That the pauses grow is tested without Odoo.
        cls.enterClassContext(patch.object(client, "RETRY_PAUSE", 0.0))

    @classmethod
    def settle_currency(cls):
        """Let the company work in hryvnias, by the setup's own button."""
        cls.account.keycrm_currency_id = cls.env.ref("base.UAH")
        cls.account.action_set_company_currency()

    def setUp(self):
        super().setUp()
        order_priorities._states.clear()
        if self.forget:
            # Odoo forgets what a test did; KeyCRM has to forget it too.
            self.keycrm.reset(keep_switches=True)

    def cursor(self, name):
        """Return how far a list of KeyCRM was read: ``keycrm.sync.cursor``."""
        return self.env["keycrm.sync.cursor"]._position(self.account, name)

    def queries_of(self, action, *args):
        """Return the number of queries of an action and of what it leaves to be flushed."""
        self.env.cr.flush()
        before = self.env.cr.sql_log_count
        action(*args)
        self.env.cr.flush()
        return self.env.cr.sql_log_count - before

    def report_changes(self, count, every=1):
        """Let KeyCRM have orders whose status changed, and Odoo the webhooks of it.

        :param every: 2 lets Odoo have the webhooks of every second one only
        :return: numbers of the orders
        """
        self.keycrm.seed(orders=count, lines=1, status_ids=[1])
        numbers = self.keycrm.order_ids()
        self.keycrm.set_statuses(numbers, 2, webhook=False)
        self.receive_webhook(*numbers[::every])
        self.keycrm.clear_log()
        return numbers

    def stop_polling(self):
        """Let nothing be due to be polled: only webhooks and the test itself bring orders."""
        # The transaction is the class's: in the time of its beginning, polling may be due again.
        self.env.cr._now = now = datetime.now(UTC).replace(tzinfo=None)
        self.account.polled_at = now
        self.cursor("orders").read_until = now
        self.cursor("open_orders").read_until = now

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        """Odoo's own guard lets requests to this machine through, but knows time-outs as one number."""
        if isinstance(options.get("timeout"), tuple):
            options["timeout"] = max(options["timeout"])
        return super()._request_handler(session, request, **options)

    @classmethod
    def second_key(cls, key="the-secret-key-of-another-account"):
        """:return: a key for one more account: each key is connected once"""
        cls.keycrm.add_key(key)
        return key

    @classmethod
    def status(cls, group=1, name=None):
        """Find a status by its group, or by its name."""
        statuses = cls.account.status_ids
        if name:
            return statuses.filtered(lambda status: status.name == name)[:1]
        return statuses.filtered(lambda status: status.group == str(group))[:1]

    @classmethod
    def new_order(cls, lines=None, **fields):
        """Make an order in KeyCRM; no webhook is sent.

        :param lines: as the sandbox takes them; a catalog line by default
        :return: its number
        """
        if lines is not None:
            fields["lines"] = lines
        return cls.keycrm.create_order(webhook=False, **fields)["id"]

    @classmethod
    def read_order(cls, number):
        """Read an order from KeyCRM as the worker does.

        :return: :class:`~.keycrm.orders.Order`
        """
        with open_client(cls.account) as client:
            return Order.parse(client.get(f"/order/{number}", order_query(cls.account)))

    @classmethod
    def outcomes(cls, *numbers):
        """Import orders as the worker writes them.

        :return: ``{number: ImportResult}``
        """
        orders = [cls.read_order(number) for number in numbers]
        return OrderWriter(cls.account).import_orders(orders)

    @classmethod
    def arrive(cls, *numbers):
        """Import orders and expect that all of them succeed.

        :return: their ``sale.order`` records
        """
        outcomes = cls.outcomes(*numbers)
        failed = {
            number: (outcome.code, outcome.params, outcome.details)
            for number, outcome in outcomes.items()
            if outcome.code
        }
        assert not failed, failed
        return cls.env["sale.order"].browse(
            [outcomes[number].order_id for number in numbers if outcomes[number].order_id]
        )

    @classmethod
    def receive_webhook(cls, *numbers, event="order.change_order_status", **context):
        """Store webhooks of orders in the inbox, without HTTP.

        :param context: further fields of the webhook
        """
        for number in numbers:
            webhook_inbox.receive(
                cls.account, {"event": event, "context": {"id": number, **context}}
            )

    def assertDecisions(self, *records):
        """Assert that the overview has one row for each of these records, and is green without any.

        :param records: single records; for an activity the record to which it belongs
        """
        self.env.flush_all()
        self.account.invalidate_recordset()
        found = []
        for row in self.account.get_overview()["decisions"]:
            self.assertTrue(row["since"] and row["buttons"], row)
            record = self.env[row["model"]].browse(row["id"])
            if record._name == "mail.activity":
                record = self.env[record.res_model].browse(record.res_id)
            found.append(record)
        self.assertCountEqual(found, records)
        self.assertEqual(self.account.overview_state, "decision" if records else "connected")

    def assertRefused(self, call, *args):
        """Expect that Odoo refuses: for want of a right, or since there is no such method."""
        try:
            with self.env.cr.savepoint():
                answer = call(*args)
        except (UserError, ValueError):
            return
        self.fail(f"It was not refused, but answered: {answer!r:.200}")

    @contextmanager
    def committing(self):
        """Let code under test "commit": the test's transaction goes on, precommit hooks are run.

        For parts of the workers that commit between a request and writing. What a real commit and a real
        second process do is tested by the whole-system tests.
        """
        cr = self.env.cr
        # A worker's transaction begins now; the test's one began with the class.
        cr._now = datetime.now(UTC).replace(tzinfo=None)

        def commit():
            cr.flush()
            cr.clear()
            cr.postcommit.clear()

        def rollback():
            cr.clear()
            cr.postcommit.clear()

        with patch.object(cr, "commit", commit), patch.object(cr, "rollback", rollback):
            yield
