from odoo import api, models
from odoo.exceptions import UserError

from ...const import DEFAULT_ACTION_BY_GROUP
from ...keycrm.catalog import PaymentMethod, Source, Status, StockRow
from ...keycrm.errors import KeyCrmError
from ...keycrm.parsing import parsed_rows
from ...services import crons
from ...services.api_gateway import open_user_client
from ...services.circuit_breaker import CircuitBreaker
from ...services.concurrency import retry_on_unique_violation

#: Maximum number of pages of the lists of statuses, sources and payment methods.
CATALOG_PAGES = 40


class KeycrmAccount(models.Model):
    """Mirror KeyCRM's small lists: statuses, sources, payment methods, warehouses."""

    _inherit = "keycrm.account"

    # === ACTION METHODS ===#

    def action_test_connection(self):
        """Read KeyCRM's lists, store them, and report the result.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()
        self._request_for_user(self._refresh_catalogs)
        self._mark_key_valid()
        return self._notification(
            self.env._(
                "Connected. KeyCRM has %(count)s order statuses.",
                count=len(self._active_statuses()),
            )
        )

    def action_refresh_statuses(self):
        """Read statuses, sources and payment methods again.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()
        self._request_for_user(self._refresh_catalogs)
        return self._notification(
            self.env._("KeyCRM has %(count)s order statuses.", count=len(self._active_statuses()))
        )

    def action_refresh_warehouses(self):
        """Read the warehouses of the stock list's first page; the worker reads the rest.

        KeyCRM has no list of warehouses (confirmed): their names are in stock rows and orders.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()

        self._request_for_user(self._refresh_warehouses)
        return self._notification(
            self.env._(
                "KeyCRM has %(count)s warehouses with stock. You can add a warehouse without "
                "stock by its number.",
                count=len(self.warehouse_ids),
            )
        )

    # === BUSINESS METHODS ===#

    def _request_for_user(self, request):
        """Send requests on behalf of a user who waits for the result.

        :param request: called with the client
        :return: its result
        :raise UserError: in the user's language, for any error of KeyCRM
        """
        self.ensure_one()
        try:
            with open_user_client(self) as client:
                answer = request(client)
        except KeyCrmError as error:
            raise UserError(
                self.env["keycrm.error.message"]._sentence(error.code, error.params)
            ) from None
        self.sudo()._mark_key_working()
        if self.trouble_count:
            # KeyCRM is available again; no work has to wait for the next probe.
            CircuitBreaker(self).reset()
            crons.trigger(self)
        return answer

    def _refresh_catalogs(self, client):
        """Read and store the lists that orders refer to.

        :param client: :class:`~..keycrm.client.KeyCrmClient`
        """
        read = {
            path: [row for page in self._some_pages(client, path) for row in page.rows]
            for path in ("/order/status", "/order/source", "/order/payment-method")
        }
        self._store_statuses(parsed_rows(Status.parse, read["/order/status"]))
        self._store_sources(parsed_rows(Source.parse, read["/order/source"]))
        methods = parsed_rows(PaymentMethod.parse, read["/order/payment-method"])
        self._store_catalog("keycrm.payment.method", {m.id: {"name": m.name} for m in methods})

    def _refresh_warehouses(self, client):
        """Read the first page of the stock list; the worker reads the others.

        :param client: :class:`~..keycrm.client.KeyCrmClient`
        """
        page = client.page("/offers/stocks", {"filter[details]": "true"})
        self._upsert_stock_warehouses(page.rows)
        if not page.is_last:
            self.sudo().warehouse_list_page = 2
            crons.trigger(self, crons.ORDERS)

    def _active_statuses(self):
        """Return the statuses that KeyCRM's list contains."""
        return self.status_ids.filtered("is_active")

    @staticmethod
    def _some_pages(client, path):
        """Read a list up to :data:`CATALOG_PAGES` pages.

        :param client: :class:`~..keycrm.client.KeyCrmClient`
        :param path: path of the list
        :return: iterator over pages
        """
        for page in client.pages(path):
            yield page
            if page.number >= CATALOG_PAGES:
                return

    def _store_statuses(self, statuses):
        """Upsert names and groups; a user's settings of a status remain.

        A status that the list no longer contains was disabled or deleted in KeyCRM: orders still have
        it, so it keeps its settings.

        :param statuses: list of :class:`~..keycrm.catalog.Status`
        """
        self._upsert_statuses(
            {
                status.id: {"sequence": index, **self._status_vals(status)}
                for index, status in enumerate(statuses)
            }
        )
        if statuses:
            listed = {status.id for status in statuses}
            self.status_ids.filtered(
                lambda status: status.is_active and status.keycrm_id not in listed
            ).sudo().is_active = False

    def _upsert_order_statuses(self, orders):
        """Upsert the statuses of orders, since KeyCRM's list lacks some of them.

        :param orders: list of :class:`~..keycrm.orders.Order`
        """
        known = self._by_keycrm_id(self.status_ids)
        new = {}
        for status in {order.status.id: order.status for order in orders if order.status}.values():
            record, vals = known.get(status.id), self._status_vals(status)
            # A status without a name in the order is only created.
            differs = record and status.name and any(record[n] != vals[n] for n in vals)
            if not record or differs:
                new[status.id] = vals
        if new:
            self._upsert_statuses(new)

    @api.model
    def _status_vals(self, status):
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
        known = set(self.status_ids.mapped("keycrm_id"))
        for number, vals in vals_by_id.items():
            if number not in known:
                group = int(vals["group"] or 0)
                vals["order_action"] = DEFAULT_ACTION_BY_GROUP.get(group, "quotation")
        self._store_catalog("keycrm.order.status", vals_by_id)
        self.invalidate_recordset(["status_ids"])

    def _store_sources(self, sources):
        """Upsert order sources.

        :param sources: list of :class:`~..keycrm.catalog.Source`
        """
        self._store_catalog(
            "keycrm.source",
            {s.id: {"name": s.name, "currency_code": s.currency_code} for s in sources},
        )

    def _upsert_stock_warehouses(self, rows):
        """Upsert the warehouses in rows of ``/offers/stocks``.

        :param rows: the decoded rows
        """
        self._upsert_warehouses(
            entry.warehouse for row in parsed_rows(StockRow.parse_list, rows) for entry in row
        )

    def _upsert_warehouses(self, warehouses):
        """Upsert warehouses of stock rows or orders.

        :param warehouses: iterable of :class:`~..keycrm.catalog.Warehouse`
        """
        self._store_catalog("keycrm.warehouse", {w.id: {"name": w.name} for w in warehouses})

    def _store_catalog(self, model, vals_by_id):
        """Upsert the rows of a small list: create new ones, write changed values.

        :param model: a model with ``account_id`` and ``keycrm_id``
        :param vals_by_id: values by KeyCRM's id
        :raise ConcurrencyError: when another transaction created the same row (for example a button and
            the worker); the retry finds it
        """
        self.ensure_one()
        if not vals_by_id:
            return
        Record = self.env[model].sudo().with_context(active_test=False)
        known = {
            record.keycrm_id: record
            for record in Record.search(
                [("account_id", "=", self.id), ("keycrm_id", "in", list(vals_by_id))]
            )
        }
        for keycrm_id, vals in vals_by_id.items():
            record = known.get(keycrm_id)
            changed = record and {
                name: value for name, value in vals.items() if record[name] != value
            }
            if changed:
                record.write(changed)
        new = [
            {"account_id": self.id, "keycrm_id": keycrm_id, **vals}
            for keycrm_id, vals in vals_by_id.items()
            if keycrm_id not in known
        ]
        with retry_on_unique_violation(model):
            Record.create(new)

    @api.model
    def _by_keycrm_id(self, records):
        return {record.keycrm_id: record for record in records}
