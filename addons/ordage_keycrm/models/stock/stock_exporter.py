from collections import Counter

from odoo import fields, models

from ...const import STOCK_PUT_ROWS
from ...keycrm import stock_quantities
from ...keycrm.errors import KeyCrmError, Refused
from ...services import activities, crons
from ...services.circuit_breaker import CircuitBreaker, end_backoff
from ...services.live_updates import notify_clients
from ...services.transactions import run_in_transaction
from .stock_isolation import MOST_FAULTS

#: Refusals one after another, with nothing accepted in between, after which the rest is taken for
#: refused too: then it is no single row's fault.
MOST_REFUSALS = 40
#: Products that the activity about held zeros names.
HELD_NAMES = 20


class KeycrmAccount(models.Model):
    """What the stock worker sends: what differs, as KeyCRM takes it, never too many zeros at
    once."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    stock_whole_numbers = fields.Boolean(
        string="Whole numbers only",
        copy=False,
        help="This KeyCRM account does not accept fractions: they are rounded down. Detected "
        "automatically.",
    )
    stock_no_negatives = fields.Boolean(
        string="No negative quantities",
        copy=False,
        help="This KeyCRM account does not accept negative quantities: zero is sent instead. "
        "Detected automatically.",
    )
    stock_zero_limit = fields.Integer(
        string="Confirm zeroing above (products)",
        default=20,
        required=True,
        help="Zeros without a move, a count or an order, as after a change of locations: if there are "
        "more at once, they wait for confirmation. Everything else is sent.",
    )
    stock_zero_percent = fields.Float(
        string="Confirm zeroing above (% of products)", default=10.0, required=True
    )
    stock_held_zeros = fields.Integer(
        string="Would drop to zero",
        readonly=True,
        copy=False,
        help="Zeros that wait for confirmation: too many products would drop to zero in KeyCRM.",
    )

    # === ACTION METHODS ===#

    def action_allow_zeros(self):
        """Send the zeros that are held back, this once.

        :return: True
        """
        self._check_manager()
        self._enqueue_held(from_move=True)
        end_backoff(self)
        return True

    # === BUSINESS METHODS ===#

    def _send_offers(self, client, offers, changes):
        """Send what differs of these offers' stock to all KeyCRM warehouses.

        :param changes: :class:`~.stock_queue.WaitingChanges`
        :return: False when a request failed and the rest has to be sent with fewer rows
        """
        plans, right = {}, []
        for warehouse in self._sending_warehouses():
            plans[warehouse], equal = self._plan(warehouse, offers)
            right += equal
        held = self._zeros_to_hold(plans, changes.moved_ids)
        plans = {
            warehouse: [row for row in rows if (warehouse.id, row[0]) not in held]
            for warehouse, rows in plans.items()
        }
        debounce_seconds = changes.debounce_seconds

        def note():
            Level = self.env["keycrm.stock.level"].sudo()
            Level._mark_verified(right)
            Level.browse(held.values()).filtered(lambda level: not level.is_held).is_held = True
            for warehouse, rows in plans.items():
                Level._mark_pending(warehouse, _by_offer(rows))
            self._report_held()
            if debounce_seconds:
                # Before it sends: who moves goods meanwhile has nobody to wake.
                crons.trigger(self, crons.STOCK, delay=debounce_seconds)

        # Nothing is held open while KeyCRM is told, and if that breaks off, it is sent again.
        run_in_transaction(self.env.cr, note)
        for warehouse, rows in plans.items():
            refusals = [MOST_REFUSALS]
            for part in self._request_parts(rows, STOCK_PUT_ROWS):
                if not self._put_rows(client, warehouse, part, refusals):
                    return False
        return True

    def _send_ended_mappings(self, client, changes):
        """Send zero for offers whose mapping a user removed, unless a product sends theirs again.

        :param changes: :class:`~.stock_queue.WaitingChanges`
        """
        if not changes.ended:
            return
        numbers = [number for number, _warehouse in changes.ended]
        offers = self.env["keycrm.offer"].sudo()
        offers = offers.search([("account_id", "=", self.id), ("keycrm_id", "in", numbers)])
        sent = set(self._counted_product_ids(offers.product_id.ids))
        kept = {offer.keycrm_id for offer in offers if offer.product_id.id in sent}
        # Nothing is held open during the request.
        self.env.cr.commit()
        for warehouse in self._sending_warehouses():
            rows = [
                (None, number, 0.0)
                for number in sorted(set(numbers) - kept)
                if (number, warehouse.keycrm_id) in changes.ended
            ]
            in_row = Counter()
            for part in self._parts_of(rows, STOCK_PUT_ROWS):
                self._put_ended(client, warehouse, part, in_row)

    def _put_ended(self, client, warehouse, rows, in_row):
        """Send zero for offers that have no mapping any more; when a request fails, bisect.

        An offer that KeyCRM does not have any more needs no zero.

        :param rows: ``[(None, KeyCRM's number, 0.0)]``
        :param in_row: number of refusals and of faulty rows with nothing accepted in between
        :raise KeyCrmError: when KeyCRM is unavailable, or each row fails
        """
        try:
            self._put(client, warehouse, rows)
        except KeyCrmError as error:
            is_refused = isinstance(error, Refused)
            if not is_refused and not CircuitBreaker(self).is_request_at_fault(error):
                raise
            failure = error
        else:
            in_row.clear()
            return
        middle = len(rows) // 2
        if is_refused:
            in_row["refused"] += 1
            if not middle or in_row["refused"] >= MOST_REFUSALS:
                return
        elif not middle:
            in_row["failed"] += 1
            if in_row["failed"] >= MOST_FAULTS:
                raise failure
            self._report_ended(warehouse, rows[0][1], failure)
            return
        self._put_ended(client, warehouse, rows[:middle], in_row)
        self._put_ended(client, warehouse, rows[middle:], in_row)

    def _report_ended(self, warehouse, number, error):
        """Let a user set an offer to zero in KeyCRM, which Odoo could not."""
        reason = self._reason_of(error)

        def schedule():
            account = self.with_context(lang=self.company_id.partner_id.lang or self.env.lang)
            text = account.env._(
                "Offer %(offer)s is not linked to a product any more, and KeyCRM did not accept that its "
                "stock in %(warehouse)s is zero: %(reason)s Set it to zero in KeyCRM.",
                offer=number,
                warehouse=warehouse.name,
                reason=reason,
            )
            user = account._activity_user(self.env["res.users"])
            summary = account.env._("KeyCRM: stock of an offer remains")
            activities.schedule(account, user, summary, [text])

        run_in_transaction(self.env.cr, schedule)

    def _plan(self, warehouse, offers):
        """Compare what a KeyCRM warehouse is to show with what it is known to have.

        :return: ``[(offer id, KeyCRM's number, quantity)]`` to be sent; ids of levels that are
        right
        """
        targets = self.env["keycrm.stock.calculator"]._targets(warehouse, offers.product_id)
        levels = self.env["keycrm.stock.level"].sudo()._of(warehouse, offers)
        rows, right = [], []
        for offer in offers:
            number = self._fitted(targets[offer.product_id.id])
            level = levels.get(offer.id)
            if not level and number <= 0:
                # KeyCRM was asked and did not answer for it: a zero might wipe what nobody has seen.
                continue
            if level and self._is_right(level, number):
                right.append(level.id)
            elif not (level and level._is_refused(number)):
                # A number that was refused is not offered again until something about it changes.
                rows.append((offer.id, offer.keycrm_id, number))
        return rows, right

    def _fitted(self, number):
        return stock_quantities.fitted(
            number, whole=self.stock_whole_numbers, positive=self.stock_no_negatives
        )

    @staticmethod
    def _is_right(level, number):
        """Return whether KeyCRM is known to have a number, or what it made of it.

        A number in doubt is right for now when it is the wanted one: it is read again later.
        """
        in_doubt = level._is_unverified()
        if not (level.is_known or in_doubt):
            return False
        if stock_quantities.is_same(level.quantity, number):
            return True
        return (
            bool(level.read_at)
            and stock_quantities.is_same(level.sent_quantity, number)
            and stock_quantities.is_kept_as(number, level.quantity)
        )

    def _zeros_to_hold(self, plans, moved_ids):
        """Choose the zeros that no movement of goods explains, when they are too many.

        A zero that a move, a count or an order brought is everyday trade. Many zeros without one may
        come from a mistake: a mapping, an archived range, a location moved elsewhere.

        :param plans: ``{warehouse: [(offer id, KeyCRM's number, quantity)]}``
        :param moved_ids: products that a move, a count or an order changed
        :return: ``{(warehouse id, offer id): level id}``
        """
        Level = self.env["keycrm.stock.level"].sudo()
        guarded = Level
        for warehouse, rows in plans.items():
            zeros = self.env["keycrm.offer"].browse([row[0] for row in rows if row[2] <= 0])
            guarded += Level.browse(
                [
                    level.id
                    for level in (Level._of(warehouse, zeros) if zeros else {}).values()
                    if level.quantity > 0 and level.product_id.id not in moved_ids
                ]
            )
        if not guarded:
            return {}
        offers = (guarded | Level._held(self)).offer_id
        if not self._is_too_much(len(offers)):
            return {}
        return {(level.keycrm_warehouse_id.id, level.offer_id.id): level.id for level in guarded}

    def _enqueue_held(self, from_move=False):
        """Let the stock worker decide anew about zeros that are held back.

        :param from_move: whether they are sent however many they are
        """
        for account in self:
            products = self.env["keycrm.stock.level"].sudo()._held(account).product_id
            self.env["keycrm.stock.change"].sudo()._append(
                [(account.id, product_id) for product_id in products.ids], from_move=from_move
            )
            crons.trigger(account, crons.STOCK)

    def _report_held(self):
        """Record how many products are held back; a user is notified once, by an activity."""
        held = self.env["keycrm.stock.level"].sudo()._held(self)
        account, count = self.sudo(), len(held.offer_id)
        if count == account.stock_held_zeros:
            return
        was_held, account.stock_held_zeros = bool(account.stock_held_zeros), count
        account = account.with_context(lang=self.company_id.partner_id.lang or self.env.lang)
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
            activities.schedule(
                account, account._activity_user(self.env["res.users"]), summary, rows
            )
        notify_clients(account)

    def _is_too_much(self, count):
        """Return whether so many offers are too many to become zero at once."""
        catalog = self.env["keycrm.offer"].sudo().search_count([("account_id", "=", self.id)])
        account = self.sudo()
        return stock_quantities.is_too_much(
            count, catalog, account.stock_zero_limit, account.stock_zero_percent
        )

    def _put_rows(self, client, warehouse, rows, refusals):
        """Send rows; when a request fails, bisect until the faulty row is alone.

        :param rows: ``[(offer id, KeyCRM's number, quantity)]``
        :param refusals: how many more are looked into, a list with one number
        :return: False when the caller has to try again with fewer rows
        """
        Level = self.env["keycrm.stock.level"].sudo()
        # What was learnt from a row before goes for these too.
        rows = [(offer_id, number, self._fitted(quantity)) for offer_id, number, quantity in rows]
        try:
            self._put(client, warehouse, rows)
        except Refused as refusal:
            refusals[0] -= 1
            if len(rows) > 1 and refusals[0] > 0:
                middle = len(rows) // 2
                return self._put_rows(client, warehouse, rows[:middle], refusals) and (
                    self._put_rows(client, warehouse, rows[middle:], refusals)
                )
            if len(rows) == 1 and self._put_fitted(client, warehouse, rows[0]):
                return True
            error = refusal.params.get("message") or refusal.code
            run_in_transaction(
                self.env.cr, lambda: Level._refused(warehouse, _by_offer(rows), error)
            )
            return True
        except KeyCrmError as error:
            if not self._is_single_fault(error, rows, "PUT"):
                return False
            reason = self._reason_of(error)
            run_in_transaction(self.env.cr, lambda: self._mark_failed(warehouse, rows[0], reason))
            return True
        # Some are accepted, so it is single rows' fault: the others are looked into as well.
        refusals[0] = max(refusals[0], MOST_REFUSALS)
        run_in_transaction(self.env.cr, lambda: self._mark_accepted(warehouse, _by_offer(rows)))
        return True

    def _mark_failed(self, warehouse, row, reason):
        """Set one row aside and come back for its retry."""
        offer_id, _number, quantity = row
        Level = self.env["keycrm.stock.level"].sudo()
        pause = Level._failed(warehouse, offer_id, quantity, reason)
        crons.trigger(self, crons.STOCK, delay=pause)

    def _put(self, client, warehouse, rows):
        client.put(
            "/offers/stocks",
            {
                "warehouse_id": warehouse.keycrm_id,
                "stocks": [
                    {"id": number, "quantity": stock_quantities.as_number(quantity)}
                    for _offer_id, number, quantity in rows
                ],
            },
        )

    def _put_fitted(self, client, warehouse, row):
        """Offer a refused fraction or negative number as KeyCRM may take it, and learn from it.

        :return: True when KeyCRM took it
        """
        offer_id, number, quantity = row
        for whole, positive in ((True, False), (False, True), (True, True)):
            fitted = stock_quantities.fitted(quantity, whole=whole, positive=positive)
            if stock_quantities.is_same(fitted, quantity):
                continue
            try:
                self._put(client, warehouse, [(offer_id, number, fitted)])
            except Refused:
                continue

            def note(fitted=fitted, whole=whole, positive=positive):
                learnt = {}
                if whole and quantity % 1:
                    learnt["stock_whole_numbers"] = True
                if positive and quantity < 0:
                    learnt["stock_no_negatives"] = True
                self.sudo().write(learnt)
                self._mark_accepted(warehouse, {offer_id: fitted})

            run_in_transaction(self.env.cr, note)
            return True
        return False

    def _mark_accepted(self, warehouse, quantities):
        """KeyCRM accepted numbers: note them, and that it will echo them.

        :param quantities: ``{offer id: quantity}``
        """
        self.env["keycrm.stock.level"].sudo()._mark_confirmed(warehouse, quantities)
        self._end_isolation("PUT")
        self._expect_echoes(list(quantities))


def _by_offer(rows):
    return {offer_id: quantity for offer_id, _number, quantity in rows}
