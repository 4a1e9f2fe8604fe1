"""Mirror KeyCRM's small lists: statuses, sources, payment methods, warehouses."""

from odoo.exceptions import UserError

from ...const import DEFAULT_ACTION_BY_GROUP
from ...keycrm.catalog import Category, PaymentMethod, Source, Status, StockRow
from ...keycrm.errors import KeyCrmError
from ...keycrm.parsing import parsed_rows
from . import crons, key_check
from .api_gateway import open_user_client
from .circuit_breaker import CircuitBreaker
from .concurrency import retry_on_unique_violation
from .list_pages import ListPages
from .service import Service
from .transactions import run_in_transaction
from .values import by_keycrm_id, changed_values

#: Query of the stock list with its warehouses.
STOCK_QUERY = {"filter[details]": "true"}


def request_for_user(account, request):
    """Send requests on behalf of a user who waits for the result.

    :param account: ``keycrm.account``, one
    :param request: called with the client
    :return: its result
    :raise UserError: in the user's language, for any error of KeyCRM
    """
    account.ensure_one()
    try:
        with open_user_client(account) as client:
            answer = request(client)
    except KeyCrmError as error:
        raise UserError(
            account.env["keycrm.error.message"]._sentence(error.code, error.params)
        ) from None
    key_check.mark_working(account.sudo())
    if account.circuit_failures:
        # KeyCRM is available again; no work has to wait for the next probe.
        CircuitBreaker(account).reset()
        crons.trigger(account)
    return answer


def check_key(account):
    """Test the key that a user just pasted, and record the result.

    Nothing is raised: the key is kept, and the error is displayed next to it.

    :param account: ``keycrm.account``, one
    """
    account = account.sudo()
    if not account.api_key_secret:
        return
    try:
        with open_user_client(account) as client:
            lists = ReferenceLists(account, client)
            lists.refresh()
            key_check.mark_valid(account)
            # The next steps need them. If the request fails, "Refresh list" reads them.
            lists.refresh_warehouses()
    except KeyCrmError as error:
        if not account.key_checked_at:
            account.write({"key_error_code": error.code, "key_error_params": error.params})


class ReferenceLists(Service):
    """Read and store the lists that orders and stock refer to; a user's settings remain."""

    def refresh(self):
        """Read and store the lists that orders refer to."""
        lists = ("/order/status", "/order/source", "/order/payment-method")
        read, complete = {}, {}
        for path in lists:
            read[path], complete[path] = self.service(ListPages).short_list(path)
        self.store_statuses(
            parsed_rows(Status.parse, read["/order/status"]),
            is_complete=complete["/order/status"],
        )
        self._store_sources(parsed_rows(Source.parse, read["/order/source"]))
        methods = parsed_rows(PaymentMethod.parse, read["/order/payment-method"])
        self.store("keycrm.payment.method", {m.id: {"name": m.name} for m in methods})

    def refresh_categories(self):
        """Read and store the categories of products."""
        rows, _is_complete = self.service(ListPages).short_list("/products/categories")
        categories = parsed_rows(Category.parse, rows)
        self.store("keycrm.category", {one.id: {"name": one.name} for one in categories})

    def refresh_warehouses(self):
        """Read the first page of the stock list; the worker reads the others.

        Also the first one where KeyCRM cannot return it although it is available.
        """
        try:
            page = self.client.page("/offers/stocks", STOCK_QUERY)
        except KeyCrmError as error:
            if not self.service(CircuitBreaker).is_request_at_fault(error):
                raise
            next_page = 1
        else:
            self._upsert_stock_warehouses(page.rows)
            next_page = 0 if page.is_last else 2
        if next_page:
            self.cursor("warehouses").page = next_page
            crons.trigger(self.account, crons.ORDERS)

    def store_statuses(self, statuses, *, is_complete=True):
        """Upsert names and groups; a user's settings of a status remain.

        A status that the list no longer contains was disabled or deleted in KeyCRM: orders still have
        it, so it keeps its settings.

        :param statuses: list of :class:`~.keycrm.catalog.Status`
        :param is_complete: whether the list lacks none that KeyCRM could not return
        """
        self._upsert_statuses(
            {
                status.id: {"sequence": index, **self._status_vals(status)}
                for index, status in enumerate(statuses)
            }
        )
        if statuses and is_complete:
            listed = {status.id for status in statuses}
            self.account.status_ids.filtered(
                lambda status: status.is_active and status.keycrm_id not in listed
            ).sudo().is_active = False

    def upsert_order_statuses(self, orders):
        """Upsert the statuses of orders, since KeyCRM's list lacks some of them.

        :param orders: list of :class:`~.keycrm.orders.Order`
        """
        known = by_keycrm_id(self.account.status_ids)
        new = {}
        for status in {order.status.id: order.status for order in orders if order.status}.values():
            record, vals = known.get(status.id), self._status_vals(status)
            # A status without a name in the order is only created.
            differs = record and status.name and any(record[n] != vals[n] for n in vals)
            if not record or differs:
                new[status.id] = vals
        if new:
            self._upsert_statuses(new)

    @staticmethod
    def _status_vals(status):
        return {
            "name": status.name or str(status.id),
            "alias": status.alias,
            "group": str(status.group) if 1 <= status.group <= 6 else False,
            "is_active": status.is_active,
        }

    def _upsert_statuses(self, vals_by_id):
        """Upsert statuses; new ones get the default action of their group.

        :param vals_by_id: values by KeyCRM's id
        """
        known = set(self.account.status_ids.mapped("keycrm_id"))
        for number, vals in vals_by_id.items():
            if number not in known:
                group = int(vals["group"] or 0)
                vals["order_action"] = DEFAULT_ACTION_BY_GROUP.get(group, "quotation")
        self.store("keycrm.order.status", vals_by_id)
        self.account.invalidate_recordset(["status_ids"])

    def _store_sources(self, sources):
        """Upsert order sources.

        :param sources: list of :class:`~.keycrm.catalog.Source`
        """
        self.store(
            "keycrm.source",
            {s.id: {"name": s.name, "currency_code": s.currency_code} for s in sources},
        )

    def _upsert_stock_warehouses(self, rows):
        """Upsert the warehouses in rows of ``/offers/stocks``.

        :param rows: the decoded rows
        """
        self.upsert_warehouses(
            entry.warehouse for row in parsed_rows(StockRow.parse_list, rows) for entry in row
        )

    def upsert_warehouses(self, warehouses):
        """Upsert warehouses of stock rows or orders.

        :param warehouses: iterable of :class:`~.keycrm.catalog.Warehouse`
        """
        self.store("keycrm.warehouse", {w.id: {"name": w.name} for w in warehouses})

    def store(self, model, vals_by_id):
        """Upsert the rows of a small list: create new ones, write changed values.

        :param model: a model with ``account_id`` and ``keycrm_id``
        :param vals_by_id: values by KeyCRM's id
        :raise ConcurrencyError: when another transaction created the same row (for example a button and
            the worker); the retry finds it
        """
        self.account.ensure_one()
        if not vals_by_id:
            return
        Record = self.env[model].sudo().with_context(active_test=False)
        known = by_keycrm_id(
            Record.search(
                [("account_id", "=", self.account.id), ("keycrm_id", "in", list(vals_by_id))]
            )
        )
        for keycrm_id, vals in vals_by_id.items():
            record = known.get(keycrm_id)
            if record and (changed := changed_values(record, vals)):
                record.write(changed)
        new = [
            {"account_id": self.account.id, "keycrm_id": keycrm_id, **vals}
            for keycrm_id, vals in vals_by_id.items()
            if keycrm_id not in known
        ]
        with retry_on_unique_violation(model):
            Record.create(new)

    def process(self):
        """Read one more page of the stock list for its warehouses; see "Refresh list".

        :return: True when a page was read
        """
        cursor = self.cursor("warehouses")
        number = cursor.page
        if not number:
            return False
        page = self.service(ListPages).read_page(
            "warehouses", "/offers/stocks", STOCK_QUERY, number
        )

        def record():
            self._upsert_stock_warehouses(page.rows)
            cursor.page = 0 if page.is_last else number + 1

        run_in_transaction(self.env.cr, record)
        return True
