import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from functools import partial

from odoo.tools import SQL

from ...const import LOOKUP_ROWS, RETRY_PAUSES
from ...keycrm import offer_values, rate_limit_rules
from ...keycrm.catalog import Offer
from ...keycrm.errors import KeyCrmError
from ...keycrm.fault_isolation_rules import Isolation
from ...keycrm.offer_values import Value
from ...keycrm.parsing import parsed_rows
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.live_updates import notify_clients
from ..common.service import Service
from ..common.transactions import run_in_transaction
from ..orders.open_orders import open_orders_domain
from ..stock.stock_lookup import StockLookup

#: Rows of the outbox that one pass takes; repeats of a product are coalesced.
OUTBOX_BATCH = 20000
#: Products that are compared at once; a stock export of the same worker waits for them.
PART = 250
#: Seconds after which the comparison checks whether stock is more urgent.
CHECK_SECONDS = 0.5
#: Offers whose values are read before they are sent; of more, the values are sent unread.
MOST_READ = 500
#: Seconds for which changes are collected: a receipt of many products changes the cost of each in turn.
DEBOUNCE_SECONDS = 1.0
#: Seconds until a value is tried again that KeyCRM could not process while it is available: after the
#: first failure, and after further ones.
FIRST_RETRY, FURTHER_RETRY = RETRY_PAUSES[0], RETRY_PAUSES[2]


@dataclass(slots=True)
class Comparison:
    """Hold what the comparison of changed products found.

    :param values: list of :class:`~.keycrm.offer_values.Value` that differ
    :param rest: ``{kind: ids of products}`` that were not compared, since stock became more urgent
    :param without_rate: ``{kind: ids of offers}`` whose currency has no rate
    :param solved: ``{kind: ids of offers}`` that could not be sent before and now do not differ
    :param costed: ids of products whose cost changed
    """

    values: list = field(default_factory=list)
    rest: dict = field(default_factory=dict)
    without_rate: dict = field(default_factory=lambda: defaultdict(set))
    solved: dict = field(default_factory=lambda: defaultdict(set))
    costed: set = field(default_factory=set)


class OfferExport(Service):
    """Send costs and prices of offers to KeyCRM: what differs, thousands in one request."""

    def process(self):
        """Drain the outbox once: compare, send, and delete exactly the rows that were read.

        Values are read after the rows and are absolute, so a repeated or late run is still right.

        :return: True when there was something
        """
        account = self.account.sudo()
        kinds = [kind for kind in offer_values.OFFER_FIELDS if account._sends(kind)]
        if not kinds:
            return False
        if not self._enqueue_daily(kinds):
            return True
        changes, wait = self._waiting(kinds)
        if not changes:
            return False
        if wait > 0:
            self.account.sudo().stock_cron_id._keycrm_trigger(wait)
            self.env.cr.commit()
            return False
        found = self._compare(changes)
        # No transaction is open during the requests.
        self.env.cr.commit()
        left, error = self._send(found.values)
        run_in_transaction(self.env.cr, lambda: self._finish(changes, found, left))
        if error:
            raise error
        return True

    def _waiting(self, kinds):
        """Read the outbox.

        :param kinds: kinds of values
        :return: ``[(row id, product id, kind)]``; seconds until the oldest one is due
        """
        self.env.cr.execute(
            SQL(
                """SELECT id, product_id, kind,
                          extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - changed_at)::float
                     FROM keycrm_offer_change
                    WHERE account_id = %s AND kind = ANY(%s)
                      AND changed_at <= clock_timestamp() AT TIME ZONE 'UTC'
                    ORDER BY id LIMIT %s""",
                self.account.id,
                kinds,
                OUTBOX_BATCH,
            )
        )
        rows = self.env.cr.fetchall()
        wait = DEBOUNCE_SECONDS - max((age for *_row, age in rows), default=0.0)
        return [row for *row, _age in rows], 0.0 if len(rows) >= OUTBOX_BATCH else wait

    def _enqueue_daily(self, kinds):
        """Once a day compare the values that KeyCRM is known to have; equal ones cost no request.

        :param kinds: kinds of values
        :return: False when stock became more urgent before all were compared
        """
        account, today = self.account.sudo(), self.env.cr.now().date()
        begun = time.monotonic()
        while account.values_checked_on != today:
            run_in_transaction(self.env.cr, lambda: self._enqueue_next(kinds, today))
            if account.values_checked_on != today and self._is_interrupted(begun):
                return False
        return True

    def _enqueue_next(self, kinds, today):
        """Enqueue what differs, or could not be sent, of the next offers of the daily comparison.

        :param kinds: kinds of values
        :param today: the day
        """
        account = self.account.sudo()
        after = [("account_id", "=", account.id), ("id", ">", account.values_checked_id)]
        offers = self.env["keycrm.offer"].sudo().search(after, order="id", limit=PART)
        for kind in kinds:
            failed = offers.filtered(f"{offer_values.OFFER_FIELDS[kind]}_error_code")
            known = offers.filtered(f"{offer_values.OFFER_FIELDS[kind]}_at")
            values, _without_rate = self._differing(kind, known)
            products = (failed | offers.browse([one.offer_id for one in values])).product_id
            self.env["keycrm.offer.change"]._enqueue_rows(account, kind, products.ids)
        if len(offers) < PART:
            account.write({"values_checked_on": today, "values_checked_id": False})
        else:
            account.values_checked_id = offers[-1].id

    def _compare(self, changes):
        """Compare the values of changed products with KeyCRM's, until stock becomes more urgent.

        :param changes: of :meth:`_waiting`
        :return: :class:`Comparison`
        """
        products, found, begun = defaultdict(set), Comparison(), time.monotonic()
        for _row, product_id, kind in changes:
            products[kind].add(product_id)
        is_interrupted = False
        for kind, product_ids in products.items():
            if None in product_ids:
                product_ids = product_ids - {None} | set(self._mapped().product_id.ids)
            is_read = self._count_unknown(kind, product_ids) <= MOST_READ
            rest = sorted(product_ids)
            while rest and not is_interrupted:
                part = rest[:PART]
                offers = self._offers(kind, part, is_read=is_read)
                if offers is None:
                    is_interrupted = True
                    break
                self._compare_part(kind, part, offers, found)
                rest = rest[PART:]
                is_interrupted = self._is_interrupted(begun)
            found.rest[kind] = set(rest)
        return found

    def _compare_part(self, kind, product_ids, offers, found):
        """Compare some values with KeyCRM's.

        :param kind: kind of value
        :param product_ids: ids of changed products
        :param offers: of :meth:`_offers`
        :param found: :class:`Comparison` to which the result is added
        """
        values, without_rate = self._differing(kind, offers)
        differing = offers.browse([one.offer_id for one in values])
        failed = offers.filtered(f"{offer_values.OFFER_FIELDS[kind]}_error_code")
        found.values += values
        found.without_rate[kind].update(without_rate.ids)
        found.solved[kind].update((failed - differing - without_rate).ids)
        if kind == "cost":
            # One-off products have no offer.
            found.costed.update(set(product_ids) - set(offers.product_id.ids))
            found.costed.update(differing.product_id.ids)

    def _count_unknown(self, kind, product_ids):
        """Count the offers whose value was never read nor sent.

        :param kind: kind of value
        :param product_ids: ids of products
        """
        domain = [
            ("account_id", "=", self.account.id),
            ("product_id", "in", list(product_ids)),
            (f"{offer_values.OFFER_FIELDS[kind]}_at", "=", False),
        ]
        return self.env["keycrm.offer"].sudo().search_count(domain, limit=MOST_READ + 1)

    def _offers(self, kind, product_ids, *, is_read):
        """Find the offers of changed products.

        :param kind: kind of value
        :param product_ids: ids of changed products
        :param is_read: whether values that are not known are read
        :return: ``keycrm.offer``; None when stock became more urgent before all was read
        """
        changed = self.env["product.product"].browse(product_ids).exists()
        # A user of several companies may write the cost of another one's product.
        own = changed._check_company_domain(self.account.company_id)
        changed = changed.filtered_domain(own)
        products = self.env["keycrm.offer.value"]._affected_products(self.account, kind, changed)
        offers = self._mapped(products)
        unmapped = (products - offers.product_id).filtered(
            lambda product: product.default_code and product.active and product.type != "service"
        )
        name = f"{offer_values.OFFER_FIELDS[kind]}_at"
        if not unmapped and (not is_read or all(offers.mapped(name))):
            return offers
        with open_client(self.account, rate_limit_rules.BULK) as client:
            if unmapped:
                lookup = StockLookup(self.account, client, self.options)
                if not lookup.map_by_sku(unmapped, self._is_stock_waiting):
                    return None
                offers = self._mapped(products)
            unknown = offers.filtered(lambda offer: not offer[name])
            if is_read and not self._read(client, kind, unknown):
                return None
        return offers

    def _mapped(self, products=None):
        domain = [("account_id", "=", self.account.id)]
        if products is not None:
            domain.append(("product_id", "in", products.ids))
        return self.env["keycrm.offer"].sudo().search(domain)

    def _read(self, client, kind, offers):
        """Read values that were never read.

        :param offers: ``keycrm.offer``
        :return: False when stock is more urgent; what was read is kept
        """
        by_number = offers.grouped("keycrm_id")
        numbers = list(by_number)
        for start in range(0, len(numbers), LOOKUP_ROWS):
            part = numbers[start : start + LOOKUP_ROWS]
            # No transaction is open during the request.
            self.env.cr.commit()
            try:
                page = client.page("/offers", {"filter[id]": ",".join(map(str, part))})
            except KeyCrmError as error:
                if not self.service(CircuitBreaker).is_request_at_fault(error):
                    raise
                # One offer may make the request fail. Values that are not known are sent.
                continue
            read = [one for one in parsed_rows(Offer.parse, page.rows) if one]

            def record(read=read):
                for one in read:
                    if offer := by_number.get(one.id):
                        amount = getattr(one, offer_values.OFFER_FIELDS[kind])
                        # Without a value it is known, too.
                        offer._record_read(kind, amount or 0, one.updated_at)

            run_in_transaction(self.env.cr, record)
            # Offers that KeyCRM does not have stay unknown: without them there would be no progress.
            if read and self._is_stock_waiting():
                return False
        return True

    def _differing(self, kind, offers):
        """Compare values with what KeyCRM is known to have.

        :param kind: kind of value
        :param offers: ``keycrm.offer``
        :return: list of :class:`~.keycrm.offer_values.Value`; offers whose currency has no rate
        """
        computed = self.env["keycrm.offer.value"]
        amounts = computed._amounts(self.account, kind, offers.product_id)
        step = computed._step(self.account)
        values, without_rate = [], offers.browse()
        for offer in offers:
            amount = amounts[offer.product_id.id]
            if amount is None:
                without_rate += offer
            elif offer_values.differs(amount, offer._known_value(kind), step):
                values.append(Value(offer.id, offer.keycrm_id, kind, amount))
        return values, without_rate

    def _send(self, values):
        """Send values, many in one request; faulty ones are isolated, request by request.

        :param values: list of :class:`~.keycrm.offer_values.Value`
        :return: the values that are left, because stock is more urgent or KeyCRM takes no more requests;
            the error that ended it, or None
        """
        left = values
        if not values:
            return left, None
        # Bulk: neither an order nor a stock export waits for it.
        with open_client(self.account, rate_limit_rules.BULK) as client:
            while left:
                isolation = Isolation(**(self.account.sudo().offer_isolation or {}))
                most = self.account.sudo().offer_rows or offer_values.PUT_ROWS
                start, end = isolation.bounds(0, len(left), most)
                part, error, begun = left[start:end], None, time.monotonic()
                try:
                    client.put("/offers", offer_values.body(part))
                except KeyCrmError as failure:
                    error = failure
                    breaker = self.service(CircuitBreaker)
                    if not breaker.is_request_at_fault(error, trusts_refusal=True):
                        return left, error
                    isolation = isolation.after_failure(len(part))
                else:
                    isolation = isolation.after_success()
                    most = offer_values.rows_within(len(part), time.monotonic() - begun, most)
                if not error or len(part) == 1:
                    left = left[:start] + left[end:]
                state = isolation if left else Isolation()
                run_in_transaction(self.env.cr, partial(self._record, part, error, state, most))
                if isolation.is_all_failing:
                    return left, error
                if left and self._is_stock_waiting():
                    break
        return left, None

    def _is_interrupted(self, begun):
        """Return whether a comparison ends, since it took some time and stock is more urgent.

        :param begun: when it began, of ``time.monotonic()``
        """
        return time.monotonic() - begun > CHECK_SECONDS and self._is_stock_waiting()

    def _is_stock_waiting(self):
        """Return whether the stock queue has more urgent work, or the run's time is up."""
        account = self.account
        return self.options.is_time_up() or bool(
            account.push_stock
            and not account.stock_paused
            and self.env["keycrm.stock.change"]
            .sudo()
            .search_count([("account_id", "=", account.id)], limit=1)
        )

    def _record(self, part, error, isolation, most):
        """Record the result of a request.

        :param part: the values that were sent
        :param error: the :class:`~.keycrm.errors.KeyCrmError` of the request, or None
        :param isolation: :class:`~.keycrm.fault_isolation_rules.Isolation` for the next request
        :param most: rows that the next request may have
        """
        offers = self.env["keycrm.offer"].sudo()
        if not error:
            offers._record_sent(part)
        elif len(part) == 1:
            offer, kind = offers.browse(part[0].offer_id).exists(), part[0].kind
            has_failed = any(offer.mapped(f"{offer_values.OFFER_FIELDS[kind]}_error_code"))
            offer._record_error(kind, error.code, error.params)
            if error.transient:
                self.env["keycrm.offer.change"]._enqueue_rows(
                    self.account,
                    kind,
                    offer.product_id.ids,
                    FURTHER_RETRY if has_failed else FIRST_RETRY,
                )
        state = asdict(isolation) if isolation != Isolation() else False
        account = self.account.sudo()
        if (account.offer_isolation or False) != state:
            account.offer_isolation = state
        if (account.offer_rows or offer_values.PUT_ROWS) != most:
            account.offer_rows = most if most < offer_values.PUT_ROWS else 0

    def enqueue_orders(self, product_ids=None):
        """Enqueue open orders, whose lines get the costs of their products.

        :param product_ids: ids of ``product.product`` whose cost changed; None for all
        """
        domain = [
            ("keycrm_id", "!=", False),
            ("order_id", "any", open_orders_domain(self.account)),
        ]
        if product_ids is not None:
            domain.append(("product_id", "in", sorted(product_ids)))
        orders = self.env["sale.order.line"].sudo().search(domain).order_id
        if orders:
            self.env["keycrm.order.update"]._enqueue_orders("cost", orders)

    def _finish(self, changes, found, left):
        """Delete the rows of the outbox that are done, append what is left, and show what was not sent.

        :param changes: of :meth:`_waiting`
        :param found: of :meth:`_compare`
        :param left: values that were not sent yet
        """
        done = [row for row, product, kind in changes if product not in found.rest[kind]]
        self.env.cr.execute(SQL("DELETE FROM keycrm_offer_change WHERE id = ANY(%s)", done))
        offers, Change = self.env["keycrm.offer"].sudo(), self.env["keycrm.offer.change"]
        for kind, rest in found.rest.items():
            waiting = offers.browse([one.offer_id for one in left if one.kind == kind]).product_id
            # The row of a price rule stands for all products.
            read = {product for _row, product, own in changes if own == kind}
            again = (rest - read if None in read else set()) | set(waiting.ids)
            Change._enqueue_rows(self.account, kind, sorted(again))
            if kind == "cost":
                found.costed.difference_update(waiting.ids)
            solved, failed = found.solved[kind], found.without_rate[kind]
            offers.browse(solved).exists()._record_error(kind)
            if failed:
                params = self.env["keycrm.offer.value"]._missing_rate(self.account, kind)
                offers.browse(failed).exists()._record_error(kind, "value_rate_missing", params)
        if found.costed:
            self.enqueue_orders(found.costed)
        is_changed = any((*found.solved.values(), *found.without_rate.values()))
        if len(left) < len(found.values) or is_changed:
            notify_clients(self.account)
