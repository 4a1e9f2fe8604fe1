from ...const import STOCK_PUT_ROWS
from ...keycrm import stock_plan, stock_quantities
from ...keycrm.errors import KeyCrmError, Refused
from ...keycrm.stock_plan import Row
from ..common import activities, crons
from ..common.language import company_language
from ..common.live_updates import notify_clients
from ..common.service import Service
from ..common.transactions import run_in_transaction
from .echo_matcher import EchoMatcher
from .fault_isolation import SEND, FaultIsolation

#: Refusals in a row, with nothing accepted in between, after which the remaining rows are recorded as
#: refused without bisecting them: then no single row is at fault.
MAX_REFUSALS = 40
#: Products that the activity about zeros on hold names.
HELD_NAMES = 20


class StockExporter(Service):
    """Send the quantities that differ, in the form that KeyCRM accepts; many zeros wait for a user."""

    def send_offers(self, offers, levels, changes):
        """Send what differs of these offers' stock to all KeyCRM warehouses.

        :param offers: ``keycrm.offer``
        :param levels: ``{keycrm.warehouse: {offer id: keycrm.stock.level}}``, as they are now
        :param changes: :class:`~.keycrm.outbox.WaitingChanges`
        :return: False when a request failed and the rest has to be sent with fewer rows
        """
        Level = self.env["keycrm.stock.level"].sudo()
        # A kit is sold out because its component is.
        zero_allowed_ids = set(
            self.env["keycrm.stock.calculator"]._affected_product_ids(
                self.account, changes.zero_allowed_ids
            )
        )
        plans = {
            warehouse: self._plan(warehouse, offers, known, zero_allowed_ids)
            for warehouse, known in levels.items()
        }
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
            held = Level.browse(ids("held"))
            held.filtered(lambda level: not level.is_held).is_held = True
            for warehouse, plan in plans.items():
                Level._mark_pending(warehouse, _by_offer(plan.rows))
            if held or self.account.stock_held_zeros:
                self._record_held()
            if changes.debounce_seconds:
                # Before the requests, so that users' transactions meanwhile need no trigger.
                crons.trigger(self.account, crons.STOCK, delay=changes.debounce_seconds)

        # No transaction is open during the requests; an interrupted one is sent again.
        run_in_transaction(self.env.cr, record)
        return all(self.put(warehouse, plan.rows) for warehouse, plan in plans.items())

    # === DECISIONS ===#

    def _plan(self, warehouse, offers, levels, zero_allowed_ids):
        """Decide which quantities of offers are sent to a KeyCRM warehouse.

        :param warehouse: ``keycrm.warehouse``, one
        :param offers: ``keycrm.offer``
        :param levels: ``{offer id: keycrm.stock.level}``
        :param zero_allowed_ids: ids of products whose zeros are sent however many there are
        :return: :class:`~.keycrm.stock_plan.Plan`
        """
        targets = self.env["keycrm.stock.calculator"]._targets(warehouse, offers.product_id)
        rows = []
        for offer in offers:
            product_id = offer.product_id.id
            quantity = self.fitted(targets[product_id])
            rows.append(Row(offer.id, offer.keycrm_id, quantity, product_id in zero_allowed_ids))
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

    def is_too_much(self, count, ended=0):
        """Return whether so many offers are too many to become zero at once.

        :param count: number of offers
        :param ended: how many offers have no mapping any more
        """
        account = self.account.sudo()
        catalog = self.env["keycrm.offer"].sudo().search_count([("account_id", "=", account.id)])
        return stock_quantities.is_too_much(
            count, catalog + ended, account.stock_zero_limit, account.stock_zero_percent
        )

    def _record_held(self, *, is_new=False):
        """Record how many offers are on hold; an activity notifies a user once.

        :param is_new: whether the user is notified again
        """
        held = self.env["keycrm.stock.level"].sudo()._held(self.account)
        ended = self.env["keycrm.ended.offer"].sudo()._held(self.account)
        account = self.account.sudo()
        count = len(held.offer_id) + len(ended.grouped("offer_number"))
        if count == account.stock_held_zeros and not is_new:
            return
        was_held, account.stock_held_zeros = bool(account.stock_held_zeros), count
        account = account.with_context(lang=company_language(account.company_id))
        code, summary = "stock_held", account.env._("KeyCRM: stock is on hold")
        if is_new or not count:
            activities.unlink(account, code)
        if is_new or (count and not was_held):
            rows = self._held_rows(account, held, ended)
            activities.schedule(account, account, code, summary, rows, is_decision=False)
        notify_clients(account)

    def _held_rows(self, account, held, ended):
        """Return the sentences of the activity about zeros on hold.

        :param account: ``keycrm.account``, one, in the user's language
        :param held: ``keycrm.stock.level``
        :param ended: ``keycrm.ended.offer``
        """
        rows = []
        if held:
            rows += [
                account.env._(
                    "%(count)s products would drop to zero in KeyCRM although none of them was moved "
                    "or counted. Check them in the list “Stock: Odoo and KeyCRM”, then click “Send "
                    "anyway” on the KeyCRM account, or correct the stock.",
                    count=len(held.offer_id),
                ),
                ", ".join(held.product_id[:HELD_NAMES].mapped("display_name")),
            ]
        if ended:
            offers = ended.grouped("offer_number")
            rows += [
                account.env._(
                    "%(count)s KeyCRM offers are not linked to a product any more, and KeyCRM still sells "
                    "their last quantities. Link them again, or click “Send anyway” on the KeyCRM account "
                    "to set them to zero.",
                    count=len(offers),
                ),
                ", ".join(
                    same[0].sku or str(number) for number, same in list(offers.items())[:HELD_NAMES]
                ),
            ]
        return rows

    # === REQUESTS ===#

    def put(self, warehouse, rows, max_refusals=MAX_REFUSALS):
        """Send rows in requests of a suitable size.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~.keycrm.stock_plan.Row`
        :param max_refusals: refusals in a row that are bisected
        :return: False when the caller has to try again with fewer rows
        :raise KeyCrmError: when KeyCRM is unavailable, or each row fails
        """
        isolation, refusals = self.service(FaultIsolation), max_refusals
        for part in isolation.request_parts(rows, STOCK_PUT_ROWS, SEND):
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
                        reason = refusal.params.get("message") or refusal.code
                        self._record(self._store_refused, warehouse, sent, reason)
                except KeyCrmError as error:
                    is_known = len(sent) == 1 and self._record(self._has_failed, sent[0])
                    if not isolation.is_single_fault(error, sent, SEND, is_known=is_known):
                        return False
                    reason = isolation.reason_of(error)
                    self._record(self._store_failed, warehouse, sent[0], reason)
                    isolation.raise_if_all_fail(error, SEND)
                else:
                    # KeyCRM accepted rows, so single rows are at fault, and further refusals are
                    # bisected too.
                    refusals = max(refusals, MAX_REFUSALS)
                    self._record(self._accept, warehouse, sent)
        return True

    def _put_fitted(self, warehouse, row):
        """Send a refused fraction or negative number rounded, and record what KeyCRM accepts.

        :param warehouse: ``keycrm.warehouse``, one
        :param row: :class:`~.keycrm.stock_plan.Row`
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
            accepted = [row._replace(quantity=fitted)]
            self._record(self._accept, warehouse, accepted, detected)
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

    # === RESULTS ===#

    def _record(self, store, *args):
        """Record the result of a request in a transaction of its own: none is open during the next.

        :param store: called with the arguments
        :return: its result
        """
        return run_in_transaction(self.env.cr, lambda: store(*args))

    def _accept(self, warehouse, rows, detected=None):
        """Record that KeyCRM accepted rows.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~.keycrm.stock_plan.Row`
        :param detected: values of the account: which quantities it was found to accept
        """
        if detected:
            self.account.sudo().write(detected)
        self._store_accepted(warehouse, rows)
        self.service(FaultIsolation).accepted(SEND)

    def _store_accepted(self, warehouse, rows):
        """Record that KeyCRM accepted rows, and that it will echo them.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~.keycrm.stock_plan.Row`
        """
        quantities = _by_offer(rows)
        self.env["keycrm.stock.level"].sudo()._mark_confirmed(warehouse, quantities)
        self.service(EchoMatcher).expect(list(quantities))

    def _store_refused(self, warehouse, rows, reason):
        """Record that KeyCRM refuses rows.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~.keycrm.stock_plan.Row`
        :param reason: KeyCRM's message
        """
        Level = self.env["keycrm.stock.level"].sudo()
        Level._mark_refused(warehouse, _by_offer(rows), reason)

    def _store_failed(self, warehouse, row, reason):
        """Defer one row and trigger the queue for its retry.

        :param warehouse: ``keycrm.warehouse``, one
        :param row: :class:`~.keycrm.stock_plan.Row`
        :param reason: sentence for users
        """
        Level = self.env["keycrm.stock.level"].sudo()
        pause = Level._mark_failed(warehouse, row.offer_id, row.quantity, reason)
        crons.trigger(self.account, crons.STOCK, delay=pause)

    def _has_failed(self, row):
        """Return whether a row had failed alone before, in any warehouse.

        :param row: :class:`~.keycrm.stock_plan.Row`
        """
        failed = [("offer_id", "=", row.offer_id), ("attempts", ">", 0)]
        return bool(self.env["keycrm.stock.level"].sudo().search_count(failed, limit=1))


def _by_offer(rows):
    return {row.offer_id: row.quantity for row in rows}
