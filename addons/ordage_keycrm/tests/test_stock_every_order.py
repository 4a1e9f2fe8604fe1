import os
from dataclasses import replace
from types import SimpleNamespace

from odoo.fields import Command
from odoo.tests import tagged

from .stock_common import RULES, StockCase
from .stock_model import (
    COMPLETED,
    NEW,
    QUANTITIES,
    STATUSES,
    Account,
    Coverage,
    after,
    first,
    step_sequences,
)

#: Every step in every situation, with every kind of account; takes most of an hour. Without it the
#: account that reserves and writes off does every step of one side after every step of the other, and the
#: other accounts every step where their orders stand as that one's never do.
EVERYTHING = os.environ.get("SLOW") == "1"
BOTH = Account(reserves=True, writes_off=True)


@tagged("post_install", "-at_install")
class TestEveryOrderOfEvents(StockCase):
    """Every order in which KeyCRM and Odoo can do what they do with an order's goods.

    The sequences run side by side, a product and an order each; after each step KeyCRM shows the
    expected quantity, and again when another definition is chosen.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.archive_status_ids = cls.account.status_ids.filtered(
            lambda status: status.keycrm_id == COMPLETED
        )
        cls.other_customer = cls.env["res.partner"].create({"name": "Other customer"})

    # === THE ACCOUNTS ===#

    def test_quantities_of_an_account_that_reserves_and_writes_off(self):
        self.run_sequences(BOTH)

    def test_quantities_of_an_account_that_only_reserves(self):
        self.run_sequences(Account(reserves=True, writes_off=False))

    def test_quantities_of_an_account_that_only_writes_off(self):
        self.run_sequences(Account(reserves=False, writes_off=True))

    def test_quantities_of_an_account_that_does_neither(self):
        self.run_sequences(Account(reserves=False, writes_off=False))

    def test_quantities_of_an_account_that_reserves_at_once(self):
        self.run_sequences(Account(reserves=True, writes_off=True, reserve_from=NEW))

    def test_quantities_of_an_account_that_releases_only_by_cancellation(self):
        self.run_sequences(Account(reserves=True, writes_off=True, reverts=False))

    def test_quantities_of_orders_that_are_never_confirmed(self):
        self.account.status_ids.filtered(
            lambda status: status.order_action == "confirm"
        ).order_action = "quotation"
        for reserves in (True, False):
            for writes_off in (True, False):
                with self.subTest(reserves=reserves, writes_off=writes_off):
                    self.run_sequences(Account(reserves, writes_off, confirms=False))

    # === RUNNING SEQUENCES ===#

    def run_sequences(self, account):
        self.keycrm.set_switches(
            status_reserve="on" if account.reserves else "off",
            status_write_off="on" if account.writes_off else "off",
            reserve_from=account.reserve_from,
            status_back="follow" if account.reverts else "keep",
        )
        length = 4 if EVERYTHING else 6
        both = replace(BOTH, confirms=account.confirms)
        coverage = Coverage(EVERYTHING, known=None if account == both else both)
        sequences = step_sequences(account, length, coverage)
        for start in range(0, len(sequences), 100):
            self.account.stock_quantity = RULES[0]
            runs = [self.begin(account, *one) for one in sequences[start : start + 100]]
            self.import_changed(runs)
            self.check(runs)
            for number in range(length):
                if number % 2:
                    self.choose_next_rule()
                    self.check(runs)
                unfinished = [run for run in runs if number < len(run.steps)]
                for run in unfinished:
                    self.step(account, run, *run.steps[number])
                self.import_changed(unfinished)
                self.check(runs)
            for run in runs:
                run.product.active = False

    def begin(self, account, status, steps):
        """Twenty pieces on both sides, and an order in KeyCRM."""
        self.number_of_goods = getattr(self, "number_of_goods", 0) + 1
        product = self.goods(f"{self._testMethodName}-{self.number_of_goods}", keycrm={1: 20})
        self.count(product, 20)
        lines = [{"offer_id": self.number(product), "quantity": 5}]
        return SimpleNamespace(
            product=product,
            steps=steps,
            done=[status],
            expected=first(account, status),
            order_id=self.new_order(lines, status_id=status),
            record=None,
            changed=True,
        )

    def import_changed(self, runs):
        """Let the orders that changed come, ten at a time as the worker does."""
        pending = self.env["keycrm.event"].search([("state", "=", "pending")])
        numbers = set(pending.mapped("keycrm_order_id"))
        pending.write({"state": "done", "next_try_at": False})
        changed = [run for run in runs if run.changed or run.order_id in numbers]
        for start in range(0, len(changed), 10):
            part = changed[start : start + 10]
            for run, record in zip(part, self.arrive(*(p.order_id for p in part)), strict=True):
                run.record, run.changed = record, False

    def step(self, account, run, side, step):
        if run.expected.freed:
            self.deliveries(run).action_assign()
        run.expected = after(account, run.expected, side, step)
        run.done.append(f"{side} {step}")
        if side == "KeyCRM":
            run.changed = True
            if step in STATUSES:
                self.keycrm.set_status(run.order_id, STATUSES[step], webhook=False)
            else:
                (line,) = self.keycrm.order(run.order_id)["answer"]["products"]
                self.keycrm.patch_line(
                    run.order_id, line["id"], quantity=QUANTITIES[step], webhook=False
                )
            return
        getattr(self, "odoo_" + step.replace(",", "").replace(" ", "_"))(run)

    # === ODOO'S STEPS ===#

    def deliveries(self, run):
        return run.record.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "outgoing"
        ).sorted("id")

    def odoo_frees(self, run):
        self.deliveries(run).do_unreserve()

    def odoo_reserves_for_it(self, run):
        self.deliveries(run).action_assign()

    def ship(self, run, most=100, backorder=True):
        for picking in self.deliveries(run):
            quantity = min(most, picking.move_ids.product_uom_qty)
            if not quantity:
                if not backorder:
                    picking.action_cancel()
                continue
            most -= quantity
            picking.move_ids.write({"quantity": quantity, "picked": True})
            context = {} if backorder else {"picking_ids_not_to_backorder": picking.ids}
            picking.with_context(skip_backorder=True, **context).button_validate()
            self.assertEqual(picking.state, "done")

    def odoo_ships_part(self, run):
        self.ship(run, 2)

    def odoo_ships_part_no_backorder(self, run):
        self.ship(run, 2, backorder=False)

    def odoo_ships_all(self, run):
        self.ship(run)

    def odoo_takes_one_back(self, run):
        """The storekeeper takes the transfer that waits for it, or makes one."""
        back = run.record.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "incoming"
        )[:1]
        if not back:
            sent = run.record.picking_ids.filtered(
                lambda p: p.move_ids and p.move_ids._keycrm_still_out()
            )[:1]
            wizard = self.env["stock.return.picking"].create({"picking_id": sent.id})
            wizard.product_return_moves.quantity = 1
            back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.move_ids.write({"quantity": 1, "picked": True})
        back.with_context(skip_backorder=True).button_validate()
        self.assertEqual(back.state, "done")

    def odoo_sells_to_another(self, run):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.other_customer.id,
                "order_line": [
                    Command.create({"product_id": run.product.id, "product_uom_qty": 3})
                ],
            }
        )
        order.action_confirm()
        order.picking_ids.action_assign()

    def odoo_cancels_first(self, run):
        run.record.locked = False
        run.record._action_cancel()

    # === WHAT KEYCRM SHOWS ===#

    def next_rule(self):
        return RULES[(RULES.index(self.account.stock_quantity) + 1) % len(RULES)]

    def choose_next_rule(self):
        self.account.stock_quantity = self.next_rule()

    def check(self, runs):
        self.work()
        rule = self.account.stock_quantity
        stocks = {row["offer_id"]: row["warehouses"]["1"] for row in self.keycrm.stocks()}
        for run in runs:
            stock = stocks[self.number(run.product)]
            shown, reserve = float(stock["quantity"]), float(stock["reserve"])
            order = run.expected
            message = f"{rule} after {', '.join(map(str, run.done))}: {order}"
            if rule == "available":
                self.assertEqual(shown - reserve, order.free, message)
            else:
                wanted = order.on_hand if rule == "on_hand" else order.unreserved
                self.assertEqual(shown, wanted, message)
