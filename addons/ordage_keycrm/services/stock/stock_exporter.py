from ...const import STOCK_PUT_ROWS
from ...keycrm import stock_plan, stock_quantities
from ...keycrm.errors import KeyCrmError, Refused
from ...keycrm.stock_plan import Row
from ..common import activities, crons
from ..common.circuit_breaker import CircuitBreaker
from ..common.live_updates import notify_clients
from ..common.service import Service
from ..common.transactions import run_in_transaction
from .echo_matcher import EchoMatcher

#: Refusals in a row, with nothing accepted in between, after which the remaining rows are recorded as
#: refused without bisecting them: then no single row is at fault.
MAX_REFUSALS = 40
#: Failures in a row, with no request of their kind accepted in between, after which no row is isolated
#: any more: then no single row is at fault.
MAX_FAULTS = 3
#: Products that the activity about zeros on hold names.
HELD_NAMES = 20


class StockExporter(Service):
    """Send the quantities that differ, as KeyCRM accepts them, and never too many zeros at once."""

    def send_offers(self, offers, changes):
        """Send what differs of these offers' stock to all KeyCRM warehouses.

        :param offers: ``keycrm.offer``
        :param changes: :class:`~..keycrm.outbox.WaitingChanges`
        :return: False when a request failed and the rest has to be sent with fewer rows
        """
        Level = self.env["keycrm.stock.level"].sudo()
        plans, levels = {}, {}
        # A kit is sold out because its component is.
        moved_ids = set(
            self.env["keycrm.stock.calculator"]._affected_product_ids(
                self.account, changes.moved_ids
            )
        )
        for warehouse in self.account.warehouse_ids._sending():
            levels[warehouse] = Level._levels_for(warehouse, offers)
            plans[warehouse] = self._plan(warehouse, offers, levels[warehouse], moved_ids)
        zeros = {offer_id for plan in plans.values() for offer_id in plan.unexplained_zeros}
        if zeros and self.is_too_much(len(zeros.union(Level._held(self.account).offer_id.ids))):
            plans = {warehouse: plan.hold_zeros() for warehouse, plan in plans.items()}

        def ids(name):
            return [
                levels[warehouse][offer_id].id
                for warehouse, plan in plans.items()
                for offer_id in getattr(plan, name)
            ]

        def record():
            Level._mark_verified(ids("confirmed"))
            Level.browse(ids("held")).filtered(lambda level: not level.is_held).is_held = True
            for warehouse, plan in plans.items():
                Level._mark_pending(warehouse, _by_offer(plan.rows))
            self._record_held()
            if changes.debounce_seconds:
                # Before the requests, so that users' transactions meanwhile need no trigger.
                crons.trigger(self.account, crons.STOCK, delay=changes.debounce_seconds)

        # No transaction is open during the requests; an interrupted one is sent again.
        run_in_transaction(self.env.cr, record)
        return all(self.put(warehouse, plan.rows) for warehouse, plan in plans.items())

    def send_ended_mappings(self, changes):
        """Send zero for offers whose mapping a user removed, unless another product has them now.

        :param changes: :class:`~..keycrm.outbox.WaitingChanges`
        """
        if not changes.ended:
            return
        numbers = [number for number, _warehouse in changes.ended]
        offers = self.env["keycrm.offer"].sudo()
        offers = offers.search([("account_id", "=", self.account.id), ("keycrm_id", "in", numbers)])
        sent = set(
            self.env["keycrm.stock.calculator"]._counted_product_ids(
                self.account, offers.product_id.ids
            )
        )
        kept = {offer.keycrm_id for offer in offers if offer.product_id.id in sent}
        # No transaction is open during the requests.
        self.env.cr.commit()
        for warehouse in self.account.warehouse_ids._sending():
            self._put_ended(
                warehouse,
                [
                    Row(0, number, 0.0)
                    for number in sorted(set(numbers) - kept)
                    if (number, warehouse.keycrm_id) in changes.ended
                ],
            )

    # === DECISIONS ===#

    def _plan(self, warehouse, offers, levels, moved_ids):
        """Decide which quantities of offers are sent to a KeyCRM warehouse.

        :param warehouse: ``keycrm.warehouse``, one
        :param offers: ``keycrm.offer``
        :param levels: ``{offer id: keycrm.stock.level}``
        :param moved_ids: ids of products that a move, a count or an order changed
        :return: :class:`~..keycrm.stock_plan.Plan`
        """
        targets = self.env["keycrm.stock.calculator"]._targets(warehouse, offers.product_id)
        rows = []
        for offer in offers:
            product_id = offer.product_id.id
            quantity = self.fitted(targets[product_id])
            rows.append(Row(offer.id, offer.keycrm_id, quantity, product_id in moved_ids))
        return stock_plan.plan(
            rows, {offer_id: level._plain() for offer_id, level in levels.items()}
        )

    def fitted(self, number):
        """Return a quantity as this KeyCRM account accepts it.

        :param number: computed quantity
        """
        return stock_quantities.fitted(
            number,
            whole=self.account.stock_whole_numbers,
            positive=self.account.stock_no_negatives,
        )

    def is_too_much(self, count):
        """Return whether so many offers are too many to become zero at once.

        :param count: number of offers
        """
        account = self.account.sudo()
        catalog = self.env["keycrm.offer"].sudo().search_count([("account_id", "=", account.id)])
        return stock_quantities.is_too_much(
            count, catalog, account.stock_zero_limit, account.stock_zero_percent
        )

    def _record_held(self):
        """Record how many products are on hold; an activity notifies a user once."""
        held = self.env["keycrm.stock.level"].sudo()._held(self.account)
        account, count = self.account.sudo(), len(held.offer_id)
        if count == account.stock_held_zeros:
            return
        was_held, account.stock_held_zeros = bool(account.stock_held_zeros), count
        account = account.with_context(lang=account.company_id.partner_id.lang or self.env.lang)
        summary = account.env._("KeyCRM: stock is on hold")
        if not count:
            activities.unlink(account, summary)
        elif not was_held:
            rows = [
                account.env._(
                    "%(count)s products would drop to zero in KeyCRM although none of them was moved "
                    "or counted. Check them in the list Stock in KeyCRM, then click “Send anyway” on "
                    "the KeyCRM account, or correct the stock.",
                    count=count,
                ),
                ", ".join(held.product_id[:HELD_NAMES].mapped("display_name")),
            ]
            activities.schedule(account, activities.assignee(account), summary, rows)
        notify_clients(account)

    # === REQUESTS ===#

    def put(self, warehouse, rows, max_refusals=MAX_REFUSALS):
        """Send rows in requests of a suitable size.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~..keycrm.stock_plan.Row`
        :param max_refusals: refusals in a row that are bisected
        :return: False when the caller has to try again with fewer rows
        """
        isolation, refusals = self.part(FaultIsolation), max_refusals
        for part in isolation.request_parts(rows, STOCK_PUT_ROWS):
            # Of a refused request, both halves are sent, until the refused row is alone.
            pending = [part]
            while pending:
                # An earlier row may have shown which quantities the account accepts.
                sent = [row._replace(quantity=self.fitted(row.quantity)) for row in pending.pop()]
                try:
                    self._request(warehouse, sent)
                except Refused as refusal:
                    refusals -= 1
                    if len(sent) > 1 and refusals > 0:
                        middle = len(sent) // 2
                        pending += [sent[middle:], sent[:middle]]
                    elif len(sent) > 1 or not self._put_fitted(warehouse, sent[0]):
                        self._record_refused(warehouse, sent, refusal)
                except KeyCrmError as error:
                    if not isolation.is_single_fault(error, sent, "PUT"):
                        return False
                    self._record_failed(warehouse, sent[0], isolation.reason_of(error))
                else:
                    # Single rows are at fault, so further refusals are bisected too.
                    refusals = max(refusals, MAX_REFUSALS)
                    self._record_accepted(warehouse, _by_offer(sent))
        return True

    def _put_ended(self, warehouse, rows):
        """Send zero for offers that have no mapping any more; failed requests are bisected.

        An offer that KeyCRM does not have any more needs no zero.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~..keycrm.stock_plan.Row`
        :raise KeyCrmError: when KeyCRM is unavailable, or each row fails
        """
        # Refusals and faulty rows in a row, with nothing accepted in between.
        refused = failed = 0
        starts = range(0, len(rows), STOCK_PUT_ROWS)
        pending = [rows[start : start + STOCK_PUT_ROWS] for start in reversed(starts)]
        while pending:
            part = pending.pop()
            middle = len(part) // 2
            try:
                self._request(warehouse, part)
            except Refused:
                refused += 1
                if not middle or refused >= MAX_REFUSALS:
                    continue
            except KeyCrmError as error:
                if not self.part(CircuitBreaker).is_request_at_fault(error):
                    raise
                if not middle:
                    failed += 1
                    if failed >= MAX_FAULTS:
                        raise
                    self._report_ended(warehouse, part[0].number, error)
                    continue
            else:
                refused = failed = 0
                continue
            pending += [part[middle:], part[:middle]]

    def _report_ended(self, warehouse, number, error):
        """Schedule an activity: a user sets an offer to zero in KeyCRM, which Odoo could not.

        :param warehouse: ``keycrm.warehouse``, one
        :param number: KeyCRM's number of the offer
        :param error: :class:`~..keycrm.errors.KeyCrmError`
        """
        reason = self.part(FaultIsolation).reason_of(error)

        def record():
            lang = self.account.company_id.partner_id.lang or self.env.lang
            account = self.account.with_context(lang=lang)
            text = account.env._(
                "Offer %(offer)s is not linked to a product any more, and KeyCRM did not accept that its "
                "stock in %(warehouse)s is zero: %(reason)s Set it to zero in KeyCRM.",
                offer=number,
                warehouse=warehouse.name,
                reason=reason,
            )
            user = activities.assignee(account)
            summary = account.env._("KeyCRM: stock of an offer remains")
            activities.schedule(account, user, summary, [text])

        run_in_transaction(self.env.cr, record)

    def _put_fitted(self, warehouse, row):
        """Send a refused fraction or negative number rounded, and record what KeyCRM accepts.

        :param warehouse: ``keycrm.warehouse``, one
        :param row: :class:`~..keycrm.stock_plan.Row`
        :return: True when KeyCRM accepted it
        """
        quantity = row.quantity
        for whole, positive in ((True, False), (False, True), (True, True)):
            fitted = stock_quantities.fitted(quantity, whole=whole, positive=positive)
            if stock_quantities.is_same(fitted, quantity):
                continue
            try:
                self._request(warehouse, [row._replace(quantity=fitted)])
            except Refused:
                continue
            detected = {}
            if whole and quantity % 1:
                detected["stock_whole_numbers"] = True
            if positive and quantity < 0:
                detected["stock_no_negatives"] = True
            self._record_accepted(warehouse, {row.offer_id: fitted}, detected)
            return True
        return False

    def _request(self, warehouse, rows):
        self.client.put(
            "/offers/stocks",
            {
                "warehouse_id": warehouse.keycrm_id,
                "stocks": [
                    {"id": row.number, "quantity": stock_quantities.as_number(row.quantity)}
                    for row in rows
                ],
            },
        )

    def _record_accepted(self, warehouse, quantities, account_vals=None):
        """Record that KeyCRM accepted quantities, and that it will echo them.

        :param warehouse: ``keycrm.warehouse``, one
        :param quantities: ``{offer id: quantity}``
        :param account_vals: which quantities the account was found to accept
        """

        def record():
            if account_vals:
                self.account.sudo().write(account_vals)
            self.env["keycrm.stock.level"].sudo()._mark_confirmed(warehouse, quantities)
            self.part(FaultIsolation).end("PUT")
            self.part(EchoMatcher).expect(list(quantities))

        run_in_transaction(self.env.cr, record)

    def _record_refused(self, warehouse, rows, refusal):
        """Record that KeyCRM refuses rows.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~..keycrm.stock_plan.Row`
        :param refusal: :class:`~..keycrm.errors.Refused`
        """
        reason = refusal.params.get("message") or refusal.code
        Level = self.env["keycrm.stock.level"].sudo()
        run_in_transaction(
            self.env.cr, lambda: Level._mark_refused(warehouse, _by_offer(rows), reason)
        )

    def _record_failed(self, warehouse, row, reason):
        """Set one row aside and trigger the queue for its retry.

        :param warehouse: ``keycrm.warehouse``, one
        :param row: :class:`~..keycrm.stock_plan.Row`
        :param reason: sentence for users
        """

        def record():
            Level = self.env["keycrm.stock.level"].sudo()
            pause = Level._mark_failed(warehouse, row.offer_id, row.quantity, reason)
            crons.trigger(self.account, crons.STOCK, delay=pause)

        run_in_transaction(self.env.cr, record)


class FaultIsolation(Service):
    """Isolate the one row that makes a stock request fail while KeyCRM itself is available.

    A failed request is bisected: the next ones have half as many rows, until the faulty row is alone
    and set aside with its reason. The size is stored on the account, so that a run that ends, as after
    a time-out, continues from there; rows that were accepted meanwhile are not sent again.
    """

    def request_rows(self, most):
        """Return the number of rows of the next stock request.

        :param most: rows that one request may have
        """
        return min(most, (self.account.sudo().stock_isolation or {}).get("rows") or most)

    def request_parts(self, items, most):
        """Split rows into requests; their size follows from the results of earlier requests.

        :param items: a list or recordset
        :param most: rows that one request may have
        :return: iterator over parts
        """
        start = 0
        while start < len(items):
            part = items[start : start + self.request_rows(most)]
            yield part
            start += len(part)

    def is_single_fault(self, error, items, method="GET"):
        """Decide whether the failure of a stock request is the fault of one row.

        :param error: the :class:`~..keycrm.errors.KeyCrmError` of the request
        :param items: its rows
        :param method: ``GET`` or ``PUT``
        :return: True when the one row is at fault and the caller has to set it aside; False when the
            caller has to try again with fewer rows
        :raise KeyCrmError: the same one, when KeyCRM as a whole is unavailable or refuses everything
        """
        state = dict(self.account.sudo().stock_isolation or {})
        breaker = self.part(CircuitBreaker)
        if not breaker.is_request_at_fault(error) or state.get(method, 0) >= MAX_FAULTS:
            raise error
        is_alone = len(items) == 1
        if is_alone:
            state[method] = state.get(method, 0) + 1
        state["rows"] = 0 if is_alone else len(items) // 2
        run_in_transaction(
            self.env.cr, lambda: self.account.sudo().write({"stock_isolation": state})
        )
        return is_alone

    def end(self, method=None):
        """Record that requests succeed again, within a transaction of the stock worker.

        :param method: ``GET`` or ``PUT``: the kind of request that was accepted; None after a whole
            pass
        """
        state = self.account.sudo().stock_isolation
        if state and (method in state or not method):
            kept = {key: count for key, count in state.items() if key != (method or "rows")}
            self.account.sudo().stock_isolation = kept or False

    def reason_of(self, error):
        """Return the sentence of an error for users, in the company's language.

        :param error: :class:`~..keycrm.errors.KeyCrmError`
        """
        if error.params.get("message"):
            return error.params["message"]
        lang = self.account.company_id.partner_id.lang or self.env.lang
        explain = self.env["keycrm.error.message"].with_context(lang=lang)
        return explain._sentence(error.code, error.params)


def _by_offer(rows):
    return {row.offer_id: row.quantity for row in rows}
