from odoo import fields, models

from ..const import STOCK_PUT_ROWS
from ..keycrm import stock as rules
from ..keycrm.errors import Refused

#: Refusals one after another, with nothing accepted in between, after which the rest is taken for
#: refused too: then it is no single row's fault.
MOST_REFUSALS = 40


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
        help="If one sync would set more products than this to zero, it stops and waits for "
        "confirmation.",
    )
    stock_zero_percent = fields.Float(
        string="Confirm zeroing above (% of products)", default=10.0, required=True
    )
    stock_held_zeros = fields.Integer(
        string="Would drop to zero",
        readonly=True,
        copy=False,
        help="Stock sync waits for confirmation: too many products would drop to zero in KeyCRM.",
    )
    stock_zeros_allowed = fields.Boolean(string="Zeroing allowed", readonly=True, copy=False)

    # === ACTION METHODS ===#

    def action_allow_zeros(self):
        """Send although many products become zero, this once.

        :return: True
        """
        self._check_manager()
        self.write({"stock_zeros_allowed": True, "stock_held_zeros": 0})
        self._wake_stock()
        return True

    # === BUSINESS METHODS ===#

    def _send_offers(self, client, offers, gather_seconds):
        """Send what differs of these offers' stock to all KeyCRM warehouses.

        :param gather_seconds: how long what changes from now on is gathered; 0.0 for not at all
        :return: False when it would zero too much, and a person has to say so first
        """
        plans, right = {}, []
        for warehouse in self._sending_warehouses():
            plans[warehouse], equal = self._plan(warehouse, offers)
            right += equal
        if self._is_held(plans):
            return False

        def note():
            self.env["keycrm.stock.level"].sudo()._right(right)
            for warehouse, rows in plans.items():
                self.env["keycrm.stock.level"].sudo()._leaving(warehouse, _by_offer(rows))
            if gather_seconds:
                # Before it sends: who moves goods meanwhile has nobody to wake.
                self.sudo().stock_cron_id._trigger_keycrm(gather_seconds)

        # Nothing is held open while KeyCRM is told, and if that breaks off, it is sent again.
        self._committed(note)
        for warehouse, rows in plans.items():
            refusals = [MOST_REFUSALS]
            for part in self._parts_of(rows, STOCK_PUT_ROWS):
                self._put_rows(client, warehouse, part, refusals)
        return True

    def _plan(self, warehouse, offers):
        """Compare what a KeyCRM warehouse is to show with what it is known to have.

        :return: ``[(offer id, KeyCRM's number, quantity)]`` to be sent; ids of levels that are
        right
        """
        targets = self.env["keycrm.stock.terms"]._targets(warehouse, offers.product_id)
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
            elif not (level and level.error and rules.is_same(level.sent_quantity, number)):
                # A number that was refused is not offered again until something about it changes.
                rows.append((offer.id, offer.keycrm_id, number))
        return rows, right

    def _fitted(self, number):
        return rules.fitted(
            number, whole=self.stock_whole_numbers, positive=self.stock_no_negatives
        )

    @staticmethod
    def _is_right(level, number):
        """Tell whether KeyCRM is known to have a number, or what it made of it.

        A number in doubt is right for now when it is the wanted one: it is read again later.
        """
        in_doubt = level._is_in_doubt()
        if not (level.is_known or in_doubt):
            return False
        if rules.is_same(level.quantity, number):
            return True
        return (
            bool(level.read_at)
            and rules.is_same(level.sent_quantity, number)
            and rules.is_kept_as(number, level.quantity)
        )

    def _is_held(self, plans):
        """Tell whether a pass would zero so many products that it waits for a person.

        It is reckoned anew at every pass: when the goods come back, it goes on by itself.
        """
        Level = self.env["keycrm.stock.level"].sudo()
        zeroed = set()
        for warehouse, rows in plans.items():
            none_left = self.env["keycrm.offer"].browse(
                [offer_id for offer_id, _number, quantity in rows if quantity <= 0]
            )
            levels = Level._of(warehouse, none_left) if none_left else {}
            zeroed |= {offer_id for offer_id, level in levels.items() if level.quantity > 0}
        account = self.sudo()
        held = bool(zeroed) and not account.stock_zeros_allowed and self._is_too_much(len(zeroed))
        vals = {"stock_held_zeros": len(zeroed) if held else 0, "stock_zeros_allowed": False}
        if any(account[name] != value for name, value in vals.items()):
            self._committed(lambda: account.write(vals))
        return held

    def _is_too_much(self, count):
        """Tell whether so many offers are too many to become zero at once."""
        catalogue = self.env["keycrm.offer"].sudo().search_count([("account_id", "=", self.id)])
        account = self.sudo()
        return rules.is_too_much(
            count, catalogue, account.stock_zero_limit, account.stock_zero_percent
        )

    def _put_rows(self, client, warehouse, rows, refusals):
        """Send rows; when KeyCRM refuses them, halve until the ones it refuses stand alone.

        :param rows: ``[(offer id, KeyCRM's number, quantity)]``
        :param refusals: how many more are looked into, a list with one number
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
                self._put_rows(client, warehouse, rows[:middle], refusals)
                self._put_rows(client, warehouse, rows[middle:], refusals)
                return
            if len(rows) == 1 and self._put_fitted(client, warehouse, rows[0]):
                return
            error = refusal.params.get("message") or refusal.code
            self._committed(lambda: Level._refused(warehouse, _by_offer(rows), error))
            return
        # Some are accepted, so it is single rows' fault: the others are looked into as well.
        refusals[0] = max(refusals[0], MOST_REFUSALS)
        self._committed(lambda: self._note_arrived(warehouse, _by_offer(rows)))

    def _put(self, client, warehouse, rows):
        client.put(
            "/offers/stocks",
            {
                "warehouse_id": warehouse.keycrm_id,
                "stocks": [
                    {"id": number, "quantity": rules.as_number(quantity)}
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
            fitted = rules.fitted(quantity, whole=whole, positive=positive)
            if rules.is_same(fitted, quantity):
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
                self._note_arrived(warehouse, {offer_id: fitted})

            self._committed(note)
            return True
        return False

    def _note_arrived(self, warehouse, quantities):
        """KeyCRM accepted numbers: note them, and that it will echo them.

        :param quantities: ``{offer id: quantity}``
        """
        self.env["keycrm.stock.level"].sudo()._arrived(warehouse, quantities)
        self._expect_echoes(list(quantities))


def _by_offer(rows):
    return {offer_id: quantity for offer_id, _number, quantity in rows}
