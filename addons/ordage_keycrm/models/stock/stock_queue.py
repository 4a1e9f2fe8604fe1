from dataclasses import dataclass
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...const import RETRY_PAUSES
from ...services import crons
from ...services.circuit_breaker import end_backoff
from ...services.transactions import run_in_transaction

#: When a failed row is sent again whose retry did not come to an end.
LONGEST_RETRY = timedelta(seconds=RETRY_PAUSES[-1])
#: Rows of the outbox that one pass takes; repeats of a product are folded. Twice as many as fit into one PUT:
#: an inventory of ten thousand products that orders take from meanwhile is still one pass.
OUTBOX_BATCH = 20000
#: When changes come faster than they are sent one by one, they are gathered for so many seconds, and up
#: to one more: KeyCRM takes no more than a request a second in the long run, and a worker that ran
#: after each of many users' moves would take a fifth of the time that they wait for.
DEBOUNCE_SECONDS = 1.0
#: In a rush longer: a request a second would leave nothing of KeyCRM's limit to the orders, and eight
#: users who work in the same process wait a tenth longer for their own clicks.
HIGH_LOAD_SECONDS = 4.0
#: So many transactions that one pass finds are a rush: five users do that in one to two seconds, or two in
#: four to five. A synchronization of confirmed orders does not: it commits once or twice a second, and a
#: user's own change is not to wait for it.
HIGH_LOAD_COMMITS = 8


@dataclass(frozen=True, slots=True)
class WaitingChanges:
    """What one pass takes from the outbox.

    :param ids: of the rows
    :param product_ids: each once
    :param look_ids: of these, whose stock in KeyCRM is read first
    :param moved_ids: of these, changed by a move, a count or an order: their zeros are sent
    :param commits: how many transactions changed something
    :param ended: ``{(offer, warehouse)}``, KeyCRM's numbers, whose mapping a user removed
    """

    ids: list[int]
    product_ids: list[int]
    look_ids: set[int]
    moved_ids: set[int]
    commits: int
    ended: set[tuple[int, int]]

    @property
    def debounce_seconds(self):
        """How long to gather before the next pass; 0.0 where changes come one by one, or more lie there."""
        if self.commits < 2 or len(self.ids) >= OUTBOX_BATCH:
            return 0.0
        return HIGH_LOAD_SECONDS if self.commits >= HIGH_LOAD_COMMITS else DEBOUNCE_SECONDS


class KeycrmAccount(models.Model):
    """The stock worker: the only place from which quantities leave for KeyCRM.

    Its loop is here. ``stock_lookup`` reads from KeyCRM, ``stock_exporter`` sends, ``echo`` handles the
    stock webhook, and ``stock_reconciliation`` compares the whole catalog.
    """

    _inherit = "keycrm.account"

    # === FIELDS ===#

    stock_paused = fields.Boolean(
        string="Stock sync is paused",
        readonly=True,
        copy=False,
        tracking=True,
        help="Changes are collected and sent together when stock sync is resumed.",
    )

    # Once anything was sent, a new matching of warehouses is previewed first.
    stock_has_sent = fields.Boolean(string="Stock was sent", readonly=True, copy=False)

    stock_to_preview = fields.Boolean(string="Preview needed", compute="_compute_stock_to_preview")

    # === COMPUTE METHODS ===#

    @api.depends("enabled", "push_stock", "warehouse_ids.send_state")
    def _compute_stock_to_preview(self):
        for account in self:
            states = account.warehouse_ids.mapped("send_state")
            account.stock_to_preview = (
                account.enabled and account.push_stock and "preview" in states
            )

    # === ACTION METHODS ===#

    def action_push_all_stock(self):
        """Send every product that was ever counted or moved, whatever KeyCRM has.

        :return: an action that shows how far it is
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        self._check_can_send()
        end_backoff(self)
        push = self.env["keycrm.stock.export"].search(
            [("account_id", "=", self.id), ("state", "=", "running")], limit=1
        )
        if not push:
            push = push.create({"account_id": self.id})
            push.action_start()
        return self._open_run(push, self.env._("Send all"))

    def action_pause_stock(self):
        """Send nothing until a person says so; changes are collected meanwhile.

        :return: True
        """
        self._check_manager()
        self.sudo().stock_paused = True
        return True

    def action_resume_stock(self):
        """Go on sending; what was collected goes out in one pass.

        :return: True
        """
        self._check_manager()
        self.sudo().stock_paused = False
        end_backoff(self)
        return True

    # === BUSINESS METHODS ===#

    def _start_stock(self):
        """Sending was switched on: changes of before were not collected, so nothing is known any
        more."""
        self.env["keycrm.stock.level"].sudo().search([("account_id", "in", self.ids)]).write(
            {"is_known": False}
        )
        self.warehouse_ids._allow_sending()

    def _catch_up_stock(self):
        """The integration was off: what changed meanwhile was not collected, so all is compared."""
        for account in self:
            if account.push_stock and account._sending_warehouses():
                Comparison = self.env["keycrm.stock.comparison"].with_user(SUPERUSER_ID)
                Comparison._start(account, "comparison")

    def _mark_has_sent(self):
        """Remember that something was sent, before the levels that tell of it are cleared."""
        Level = self.env["keycrm.stock.level"].sudo()
        for account in self.sudo().filtered(lambda account: not account.stock_has_sent):
            sent = [("account_id", "=", account.id), ("sent_at", "!=", False)]
            account.stock_has_sent = bool(Level.search_count(sent, limit=1))

    def _forget_stock_accounts(self):
        """Accounts changed: the hook in ``stock.quant`` has to look anew which ones send stock."""
        registry = self.env.registry
        registry.clear_cache("stable")

        def forget_again():
            # Until the commit others see, and keep, what was before. Odoo tells other processes after a
            # request, but of a scheduled action not before its end, and its run goes on sending.
            registry.clear_cache("stable")
            if registry.ready:
                registry.signal_changes()

        self.env.cr.postcommit.add(forget_again)

    def _check_can_send(self):
        """Make sure that there is something to send to.

        :raise UserError: when sending is off, or no warehouse is ready
        """
        self.ensure_one()
        self._check_manager()
        if not (self.enabled and self.push_stock):
            raise UserError(self.env._("First turn on “Send stock to KeyCRM”."))
        self._check_has_place()
        if not self._sending_warehouses():
            raise UserError(
                self.env._(
                    "The warehouse match was changed. First see what would change in KeyCRM: "
                    "click “Preview changes”."
                )
            )

    def _stock_settings_changed(self, vals):
        """Enqueue what other settings of stock change in KeyCRM.

        :param vals: values that were written
        """
        if not vals.keys().isdisjoint(("stock_quantity", "stock_when_ended")):
            self.filtered(lambda account: account.enabled and account.push_stock)._enqueue_counted()
        if not vals.keys().isdisjoint(("stock_zero_limit", "stock_zero_percent")):
            self._enqueue_held()

    def _check_has_place(self):
        """Make sure that there is a place for the numbers.

        :raise UserError: when no KeyCRM warehouse is matched
        """
        if not self.warehouse_ids.warehouse_ids:
            raise UserError(
                self.env._("Match at least one KeyCRM warehouse with an Odoo warehouse.")
            )

    def _sending_warehouses(self):
        """:return: the KeyCRM warehouses that are matched and previewed"""
        return self.warehouse_ids.filtered(lambda w: w.send_state == "sending" and w.warehouse_ids)

    def _enqueue_counted(self):
        """Queue every product that was counted or moved."""
        for account in self:
            product_ids = account._counted_product_ids()
            self.env["keycrm.stock.change"].sudo()._append(
                [(account.id, product_id) for product_id in product_ids]
            )
            crons.trigger(account, crons.STOCK)

    def _counted_product_ids(self, product_ids=None):
        """Return the products of this company that were ever counted or moved; others are never sent.

        Products that are archived, not tracked or of another company only where KeyCRM was sent
        their number: it would go on selling them. The same goes for offers that now belong to a
        product never counted.

        :param product_ids: look among these only
        """
        among = SQL("") if product_ids is None else SQL("AND p.id = ANY(%s)", list(product_ids))
        self.env["keycrm.stock.level"].flush_model(["product_id"])
        self.env.cr.execute(
            SQL(
                """SELECT p.id
                     FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE (p.active AND t.is_storable
                           AND (t.company_id IS NULL OR t.company_id = %(company)s)
                           AND (EXISTS (SELECT FROM stock_quant q
                                         WHERE q.product_id = p.id AND q.company_id = %(company)s
                                           AND q.quantity <> 0)
                                OR EXISTS (SELECT FROM stock_move m
                                            WHERE m.product_id = p.id AND m.state = 'done'
                                              AND m.company_id = %(company)s))
                           OR EXISTS (SELECT FROM keycrm_stock_level l
                                       WHERE l.product_id = p.id AND l.account_id = %(account)s
                                         AND (l.checked_at IS NOT NULL OR l.sent_at IS NOT NULL)))
                      %(among)s
                    ORDER BY p.id""",
                company=self.company_id.id,
                account=self.id,
                among=among,
            )
        )
        return [product_id for (product_id,) in self.env.cr.fetchall()]

    # === THE LOOP ===#

    def _work_stock(self, client, options=None):
        """Do one piece of work, the most urgent one.

        :param client: live client
        :param options: :class:`~...services.service.Options` of the worker
        :return: True when there may be more
        """
        self.ensure_one()
        self = self._with_options(options)
        if self.stock_paused or not self.enabled:
            # A preview may go on: it sends nothing.
            return self._run_guarded("_work_comparison", self._work_comparison)
        return (
            self._work_expired()
            or self._work_changes(client)
            or self._work_stock_events()
            or self._work_unverified()
            or self._run_guarded("_work_comparison", self._work_comparison)
        )

    def _work_changes(self, client):
        """Drain the outbox once: read quantities, send what KeyCRM does not have, forget the rows.

        Exactly the rows that were read are forgotten: what changes meanwhile stays for the next
        run. Quantities are absolute and read after the rows, so a repeated or late run is still
        right.

        :return: True when there was something
        """
        if self.sudo().stock_cron_id._is_due_soon():
            return False
        changes = self._waiting_changes()
        if not changes:
            return False
        if self.push_stock and self._sending_warehouses():
            offers = self._offers_to_send(client, changes)
            if offers is None:
                return True
            if not self._send_offers(client, offers, changes):
                return True
            self._send_ended_mappings(client, changes)

        def forget():
            self.env["keycrm.stock.change"]._forget(self, changes.ids)
            self._end_isolation()
            self.env["keycrm.stock.export"]._count(self)

        run_in_transaction(self.env.cr, forget)
        return True

    def _offers_to_send(self, client, changes):
        """Find the offers of products that changed, and read what is not known of them.

        :return: ``keycrm.offer``; None when the time was up before all was read
        """
        products = self._products_to_send(changes.product_ids)
        offers = self._offers_of(products)
        unmapped = products - offers.product_id
        if unmapped:
            if not self._map_by_sku(client, unmapped):
                return None
            offers = self._offers_of(products)
        to_look_at = self._levels_to_read(offers, changes.look_ids)
        if to_look_at:
            if not self._read_levels(client, to_look_at, changes.ids):
                return None
            offers = self._offers_of(products)
        return offers

    def _work_unverified(self):
        """Queue what was read too soon after a write to be believed.

        :return: True when there was something
        """
        # Doubts first: there are hardly ever any, and each pass asks.
        if not self.env["keycrm.stock.level"].sudo()._unverified(self):
            return False
        if not (self.push_stock and self._sending_warehouses()):
            return False
        run_in_transaction(self.env.cr, self._queue_unverified)
        return True

    def _queue_unverified(self):
        doubts = self.env["keycrm.stock.level"].sudo()._unverified(self)
        self.env["keycrm.stock.change"].sudo()._append(
            [(self.id, product_id) for product_id in doubts.product_id.ids],
            refresh_first=True,
            from_move=True,  # it was sent before, so no guard holds it now
        )
        # Where the product is not sent any more, nobody reads it again.
        doubts.write({"read_at": False})
        # The retry itself sets the next one, where it fails too.
        doubts.filtered("retry_at").retry_at = fields.Datetime.now() + LONGEST_RETRY

    def _products_to_send(self, product_ids):
        """Choose the products that are sent: see :meth:`_counted_product_ids`.

        :param product_ids: ids from the outbox
        :return: ``product.product``
        """
        return self.env["product.product"].browse(self._counted_product_ids(product_ids))

    def _waiting_changes(self):
        """Read the outbox, by SQL because a full push has a row for every product.

        :return: :class:`WaitingChanges`; None when nothing waits
        """
        self.env.cr.execute(
            SQL(
                """SELECT id, product_id, refresh_first, changed_at, from_move, ended_offer,
                          ended_warehouse FROM keycrm_stock_change
                    WHERE account_id = %s ORDER BY id LIMIT %s""",
                self.id,
                OUTBOX_BATCH,
            )
        )
        rows = self.env.cr.fetchall()
        if not rows:
            return None
        return WaitingChanges(
            ids=[row[0] for row in rows],
            product_ids=list(dict.fromkeys(row[1] for row in rows)),
            look_ids={row[1] for row in rows if row[2]},
            moved_ids={row[1] for row in rows if row[4]},
            commits=len({row[3] for row in rows}),
            ended={row[5:] for row in rows if row[5]},
        )

    @api.model
    def _parts_of(self, items, size):
        items = list(items)
        return [items[start : start + size] for start in range(0, len(items), size)]
