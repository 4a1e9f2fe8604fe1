import logging
from datetime import timedelta

from odoo import api, fields, models

from ...const import (
    EVENT_POLLING,
    EVENT_RECONCILIATION,
    EVENT_REFRESH,
    EVENT_STOCK,
    EVENT_SYNC,
    POLLING_OVERLAP,
    ROW_LOCKED_PAUSE,
)
from ...keycrm import addresses
from ...keycrm.naming import sku_key
from ...services.common import crons

_logger = logging.getLogger(__name__)

#: Maximum number of recent webhooks that are counted; an order may have several.
RECENT_ROWS = 20
#: Failures that a user solves by correcting or choosing products.
PRODUCT_PROBLEMS = ("sku_ambiguous", "barcode_ambiguous")


class KeycrmEvent(models.Model):
    """The inbox: everything received from KeyCRM, and its result.

    Append-only and without a unique key; repeats are deduplicated when they are processed. A unique key
    would drop a webhook that is received between the worker's read and its commit.
    """

    _name = "keycrm.event"
    _inherit = ["keycrm.retry.mixin"]
    _description = "KeyCRM event"
    _order = "id desc"
    _log_access = False
    _rec_name = "event"

    # === FIELDS ===#

    # The table grows, so each query has its own index, below.
    event = fields.Char(required=True)
    keycrm_order_id = fields.Integer(string="KeyCRM order", index="btree_not_null")
    # Not prefetched: an unreadable payload must not prevent the other fields from being read.
    payload = fields.Json(
        string="Data from KeyCRM", prefetch=False, groups="ordage_keycrm.group_manager"
    )
    from_webhook = fields.Boolean(string="Received from KeyCRM")
    received_at = fields.Datetime(string="Received", required=True, default=fields.Datetime.now)
    done_at = fields.Datetime(string="Processed on")
    details = fields.Text(string="Technical details", groups="ordage_keycrm.group_manager")
    order_text = fields.Char(
        string="Content of the order",
        readonly=True,
        help="Buyer, sum and products of an order that could not be imported.",
    )
    order_facts = fields.Json(
        string="Order in KeyCRM",
        readonly=True,
        help="Buyer, sum and lines of an order that could not be imported.",
    )
    # Indexed for the order's list of events, and for the deletion of orders and synchronizations.
    sale_order_id = fields.Many2one(ondelete="set null", index="btree_not_null")
    sync_id = fields.Many2one(
        "keycrm.order.sync", string="Synchronization", ondelete="set null", index="btree_not_null"
    )
    buyer_name = fields.Char(string="Buyer", compute="_compute_order_facts")
    order_total = fields.Char(string="Sum", compute="_compute_order_facts")
    problem_line = fields.Char(
        string="Product with the problem",
        compute="_compute_order_facts",
        help="The order cannot be imported because of this line.",
    )
    candidate_ids = fields.Many2many(
        "product.product",
        string="Products to choose from",
        compute="_compute_candidate_ids",
        help="The products with the SKU or barcode that KeyCRM sent.",
    )
    event_name = fields.Char(string="Event type", compute="_compute_event_name")
    keycrm_url = fields.Char(string="KeyCRM link", compute="_compute_keycrm_url")

    # For the worker's poll of the inbox, independent of the number of finished events.
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")
    # For an account's first and last webhook. The condition is written as Odoo's ORM writes it.
    _webhook_index = models.Index("(account_id, id) WHERE from_webhook IS TRUE")
    # After each change of a SKU or barcode, the failed orders that waited for it are searched.
    _failed_index = models.Index("(error_code) WHERE state = 'failed'")
    # The overview counts pending and failed events, however many done ones there are.
    _open_index = models.Index(
        "(account_id, state, keycrm_order_id) WHERE state IN ('pending', 'failed')"
    )
    # The stock queue searches pending stock webhooks.
    _stock_index = models.Index(
        "(account_id, id) WHERE event = 'offers.stock' AND state = 'pending'"
    )

    # === COMPUTE METHODS ===#

    @api.depends("event")
    @api.depends_context("lang")
    def _compute_event_name(self):
        names = self._event_names()
        for event in self:
            event.event_name = names.get(event.event, event.event)

    @api.depends("event", "keycrm_order_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for event in self:
            event.display_name = (
                self.env._(
                    "%(event)s: order %(order)s",
                    event=event.event_name,
                    order=event.keycrm_order_id,
                )
                if event.keycrm_order_id
                else event.event_name
            )

    @api.depends("order_facts", "error_params")
    @api.depends_context("lang")
    def _compute_order_facts(self):
        sources = self.env["keycrm.source"].sudo()
        sources = sources.search([("account_id", "in", self.account_id.ids)])
        codes = {(one.account_id, one.keycrm_id): one.currency_code for one in sources}
        for event in self:
            facts = event.order_facts or {}
            sku = (event.error_params or {}).get("sku")
            lines = [line for line in facts.get("lines", ()) if sku and line["sku"] == sku]
            event.buyer_name = facts.get("buyer")
            code = codes.get((event.account_id, facts.get("source_id")))
            event.order_total = event._order_total(code or facts.get("payment_currency"))
            event.problem_line = ", ".join(
                f"{line['name']} × {line['quantity']} ({line['sku']})" for line in lines
            )

    def _order_total(self, currency_code):
        """Return the sum of an order that could not be imported, with its currency.

        :param currency_code: of its source or payments; without one, the KeyCRM currency counts
        """
        total = (self.order_facts or {}).get("total")
        if not total:
            return ""
        code = currency_code or self.account_id.sudo().keycrm_currency_id.name
        return self.env["keycrm.error.message"]._amount(total, code)

    @api.depends("state", "error_code", "error_params")
    def _compute_candidate_ids(self):
        Product = self.env["product.product"]
        for event in self:
            params = event.error_params or {}
            domain = []
            if event.state == "failed" and event.error_code in PRODUCT_PROBLEMS:
                by_sku = ("keycrm_sku_key", "=", sku_key(params.get("sku") or ""))
                by_barcode = ("barcode", "=", params.get("barcode"))
                domain = [by_sku if event.error_code == "sku_ambiguous" else by_barcode]
            event.candidate_ids = domain and Product.search(
                [*domain, *Product._check_company_domain(event.account_id.company_id)], limit=20
            )

    def _compute_keycrm_url(self):
        for event in self:
            event.keycrm_url = addresses.order_url(
                event.account_id.cabinet_url, event.keycrm_order_id
            )

    # === ACTION METHODS ===#

    def action_open_order(self):
        """Open the order that the event created or changed.

        :return: an action
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.sale_order_id.id,
            "view_mode": "form",
            "views": [[False, "form"]],
        }

    def action_open_in_keycrm(self):
        """Open the order in KeyCRM's cabinet.

        :return: an action
        """
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.keycrm_url, "target": "new"}

    def action_choose_product(self):
        """Open the choice of a product for a SKU that several products have; it is stored.

        :return: an action
        """
        self.ensure_one()
        sku = (self.error_params or {}).get("sku") or False
        return self.env["keycrm.product.mapping"]._open_choice(self.account_id, sku=sku)

    # === BUSINESS METHODS ===#

    def _choose_product(self, sku, product):
        """Store which product a SKU stands for; the orders that failed because of it are retried.

        :param sku: KeyCRM's
        :param product: ``product.product``, one
        """
        Mapping = self.env["keycrm.product.mapping"]
        account = [("account_id", "=", self.account_id.id)]
        mapping = Mapping.search([*account, ("sku_key", "=", sku_key(sku))])
        if mapping:
            mapping.product_id = product
        else:
            Mapping.create({"account_id": self.account_id.id, "sku": sku, "product_id": product.id})

    def _retryable(self):
        """Return the events with an order: only those can be processed."""
        return super()._retryable().filtered("keycrm_order_id")

    @api.model
    def _due(self, account, limit):
        """Return the due events, and other unfinished ones of the same orders.

        :param account: ``keycrm.account``, one
        :param limit: number of orders
        """
        waiting = self._waiting(account, limit)
        return self._unfinished(account, [order.number for order in waiting])

    @api.model
    def _recent_count(self, account):
        """Count the orders with webhooks of the last second or two, processed ones too.

        :param account: ``keycrm.account``, one
        :return: number of orders, of which no more than a few are counted
        """
        last = self.sudo().search_fetch(
            [("account_id", "=", account.id), ("from_webhook", "=", True)],
            ["keycrm_order_id", "received_at"],
            order="id desc",
            limit=RECENT_ROWS,
        )
        now = fields.Datetime.now()
        # Not in the future: another host's clock may be ahead.
        return len(
            {
                event.keycrm_order_id
                for event in last
                if event.keycrm_order_id and now - timedelta(seconds=1) <= event.received_at <= now
            }
        )

    @api.model
    def _enqueue(self, account, event, numbers, sync=None):
        """Enqueue orders that no webhook reported.

        :param account: ``keycrm.account``, one
        :param event: kind of the event, which shows users the reason
        :param numbers: KeyCRM's numbers
        :param sync: the ``keycrm.order.sync`` that lists them
        """
        sync_id = sync.id if sync else False
        self.sudo().create(
            [
                {
                    "account_id": account.id,
                    "event": event,
                    "keycrm_order_id": number,
                    "sync_id": sync_id,
                }
                for number in numbers
            ]
        )

    @api.model
    def _enqueue_failed(self, account, event, results, sync=None):
        """Enqueue orders that failed outside the inbox, where they are listed and retried.

        :param account: ``keycrm.account``, one
        :param event: kind of the event, which shows users the reason
        :param results: ``{KeyCRM order number: ImportResult}``; successful ones are left out
        :param sync: the ``keycrm.order.sync`` in which they failed
        """
        failed = {number: result for number, result in results.items() if result.is_failure}
        if not failed:
            return
        sync_id = sync.id if sync else False
        existing = self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("event", "=", event),
                ("sync_id", "=", sync_id),
                ("keycrm_order_id", "in", list(failed)),
                ("state", "=", "failed"),
            ]
        )
        new = self.sudo().create(
            [
                {
                    "account_id": account.id,
                    "event": event,
                    "keycrm_order_id": number,
                    "sync_id": sync_id,
                }
                for number in failed
                if number not in existing.mapped("keycrm_order_id")
            ]
        )
        (existing | new)._finish(failed)

    @api.model
    def _resolve_failures(self, account, results):
        """Finish the failed events of orders that were imported from another source.

        :param account: ``keycrm.account``, one
        :param results: ``{KeyCRM order number: ImportResult}``
        """
        imported = [number for number, result in results.items() if not result.is_failure]
        self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", imported),
                ("state", "=", "failed"),
            ]
        )._finish(results)

    @api.model
    def _waiting_numbers(self, account, numbers):
        """Return the numbers of the orders that wait in the inbox already.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's
        :return: set of numbers
        """
        groups = self.sudo()._read_group(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", numbers),
                ("state", "in", ("pending", "failed")),
                ("next_try_at", "!=", False),
            ],
            ["keycrm_order_id"],
        )
        return {number for (number,) in groups}

    @api.model
    def _first_webhook_at(self, account):
        """Return when the first webhook of an account was received.

        :param account: ``keycrm.account``, one
        :return: naive UTC; False when there is none
        """
        webhooks = [("account_id", "=", account.id), ("from_webhook", "=", True)]
        return self.sudo().search(webhooks, order="id", limit=1).received_at

    @api.model
    def _last_webhooks(self, account, numbers):
        """Return when the last webhook of each order was received.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's order numbers
        :return: ``{number: naive UTC}`` of the orders that have any
        """
        groups = self.sudo()._read_group(
            [
                ("account_id", "=", account.id),
                ("from_webhook", "=", True),
                ("keycrm_order_id", "in", numbers),
            ],
            ["keycrm_order_id"],
            ["received_at:max"],
        )
        return dict(groups)

    @api.model
    def _unread_rows(self, account, numbers):
        """Return the rows because of which other orders failed.

        :param account: ``keycrm.account``, one
        :param numbers: KeyCRM's numbers of orders that do not count
        :return: ``{(kind, number)}``; see :func:`~.keycrm.errors.of_row`
        """
        failed = self.sudo().search_fetch(
            [
                ("account_id", "=", account.id),
                ("state", "=", "failed"),
                ("keycrm_order_id", "not in", numbers),
            ],
            ["error_params"],
        )
        params = [event.error_params or {} for event in failed]
        return {(one["row"], one["number"]) for one in params if "row" in one}

    def _time_hints(self):
        """Return the period in which the orders of these events were most likely updated.

        :return: ``{"since", "until"}``, naive UTC
        """
        received = self.mapped("received_at")
        overlap = timedelta(seconds=POLLING_OVERLAP)
        return {"since": min(received) - overlap, "until": max(received) + overlap}

    def _begin_one_order(self):
        """Choose the order that failed least, and mark it as failed before it is processed.

        So the attempt counts even if it ends the process.

        :return: the events of that order
        """
        first = min(self, key=lambda event: (event.attempts, event.id))
        chosen = self.filtered(lambda event: event.keycrm_order_id == first.keycrm_order_id)
        for event in chosen:
            event._end_try(event._failed_vals("worker_died", {}))
        return chosen

    def _activity_code(self):
        # An order may have several events.
        return f"{self._name}:{self.keycrm_order_id}"

    def _activity_summary(self):
        return self.env._("KeyCRM order %(order)s does not arrive", order=self.keycrm_order_id)

    def _finish(self, results):
        """Record the results of orders on their events.

        :param results: ``{KeyCRM order number: ImportResult}``; events of other orders are unchanged
        """
        now = self.env.cr.now()
        deferred = self.browse()
        for event in self.exists():
            result = results.get(event.keycrm_order_id)
            if result:
                event._end_try(event._finish_vals(result, now))
                deferred |= event if result.is_deferred else deferred
        crons.trigger(deferred.account_id, crons.ORDERS, delay=ROW_LOCKED_PAUSE)

    def _finish_stock(self, state, error=None):
        """Record the result of stock webhooks.

        :param state: ``done``, ``ignored`` or ``failed``
        :param error: the exception of a failed one. It is not retried: a comparison finds the change
        """
        self.write(
            {
                "state": state,
                "done_at": fields.Datetime.now(),
                "attempts": 1,
                "error_code": "unexpected" if error else False,
                "error_params": {"kind": type(error).__name__} if error else False,
            }
        )

    def _finish_vals(self, result, now):
        if result.is_deferred:
            return {
                "next_try_at": now + timedelta(seconds=ROW_LOCKED_PAUSE),
                "error_code": result.code,
                "error_params": False,
            }
        if result.skipped or not result.code:
            return {
                **self._done_vals(ignored=result.skipped, code=result.code, params=result.params),
                "done_at": now,
                "details": False,
                "order_text": False,
                "order_facts": False,
                "sale_order_id": result.order_id,
            }
        return {
            **self._failed_vals(result.code, result.params, is_outage=result.is_outage),
            "details": result.details or False,
            "order_text": result.order_text or self.order_text,
            "order_facts": result.order_facts or self.order_facts,
            "sale_order_id": result.order_id or self.sale_order_id.id,
        }

    @api.model
    def _retry_product_problems_after_commit(self):
        """Retry orders that failed because of their products, after the commit.

        Odoo writes products in many places, one at a time: a query for each of these writes would slow
        users down, as there is almost never such an order.
        """
        postcommit = self.env.cr.postcommit
        if "keycrm_retry_for_products" not in postcommit.data:
            postcommit.data["keycrm_retry_for_products"] = True
            postcommit.add(self._retry_product_problems_in_new_transaction)

    @api.model
    def _retry_product_problems_in_new_transaction(self):
        try:
            with self.env.registry.cursor() as cr:
                # The user waits meanwhile, and an upgrade may lock the table.
                cr.execute("SET LOCAL lock_timeout = '1s'")
                self.with_env(self.env(cr=cr))._retry_product_problems()
        except Exception:
            # The user's changes are committed, and the orders are retried with backoff anyway.
            _logger.info("KeyCRM: failed orders are not retried now", exc_info=True)

    @api.model
    def _retry_product_problems(self, accounts=None):
        """Enqueue orders again that failed because of their products.

        New events are appended and the failed ones are unchanged, so a user who edits a product never
        waits for the worker's row locks. The order finishes the failed ones when it is imported.

        :param accounts: ``keycrm.account``; None for all
        """
        Event = self.sudo()
        domain = [
            ("state", "=", "failed"),
            ("error_code", "in", PRODUCT_PROBLEMS),
            ("account_id.enabled", "=", True),
        ]
        if accounts is not None:
            domain.append(("account_id", "in", accounts.ids))
        failed = Event.search(domain)
        if not failed:
            return
        waiting = Event.search(
            [
                ("state", "=", "pending"),
                ("account_id", "in", failed.account_id.ids),
                ("keycrm_order_id", "in", failed.mapped("keycrm_order_id")),
            ]
        )
        enqueued = {(event.account_id.id, event.keycrm_order_id) for event in waiting}
        orders = {(event.account_id.id, event.keycrm_order_id) for event in failed} - enqueued
        Event.create(
            [
                {"account_id": account_id, "event": EVENT_REFRESH, "keycrm_order_id": order_id}
                for account_id, order_id in sorted(orders)
            ]
        )
        crons.trigger(failed.account_id, crons.ORDERS)

    @api.model
    def _event_names(self):
        return {
            "order.change_order_status": self.env._("Order status changed"),
            "order.change_payment_status": self.env._("Payment status changed"),
            "lead.change_lead_status": self.env._("Lead status changed"),
            EVENT_STOCK: self.env._("Stock changed in KeyCRM"),
            EVENT_REFRESH: self.env._("Refreshed by a user"),
            EVENT_SYNC: self.env._("Synchronization"),
            EVENT_POLLING: self.env._("Found by polling"),
            EVENT_RECONCILIATION: self.env._("Found by hourly reconciliation"),
            "?": self.env._("Unknown message"),
        }
