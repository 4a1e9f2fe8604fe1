from odoo import api, fields, models

from ....services.bridge import as_bridge
from ....services.catalogs import Catalogs, by_keycrm_id
from .batch import Batch
from .result import ImportResult


class KeycrmOrderImporter(models.AbstractModel):
    """Write orders of KeyCRM into Odoo: the same way wherever they come from.

    The flow reads top to bottom in :meth:`_import_batch`; the other files of this folder hold
    the parts: buyers, products, header, lines, status, payments. All of them work on a batch, with one
    query for each kind of record, and none sends a request: what is needed was read before.

    Called in the orders' worker alone, under the company lock, in a savepoint: whatever is raised here
    leaves nothing half done.
    """

    _name = "keycrm.order.importer"
    _description = "KeyCRM order import"

    @api.model
    def _import_batch(self, account, orders):
        """Create or update the orders.

        :param account: ``keycrm.account``, one
        :param orders: list of :class:`~..keycrm.orders.Order`, each number once
        :return: ``{number: ImportResult}``
        :raise ImportProblem: when one of them cannot be written and a person has to act
        """
        self = self._quiet(account)
        batch = self._prefetch(account, orders)
        self._match_lines(batch)
        outcomes = self._set_aside_skipped(batch)
        if not batch.orders:
            self._enqueue_stock(batch)
            return outcomes
        note = self._make_room(batch)
        batch.partners = self._partners(batch)
        batch.invoice_addresses = self._invoice_addresses(account, batch.partners)
        batch.products = self._products(batch)
        heads = {order.id: self._head_vals(batch, order) for order in batch.orders}
        self._create_orders(batch, heads)
        for order in batch.orders:
            if order.id in batch.known:
                vals = {**heads[order.id], **self._changed_source_vals(batch, order)}
                self._update_head(batch.known[order.id], vals)
                self._update_lines(batch, order)
        self._balance(batch)
        if note:
            self._post_digits_note(batch, note)
        self._show_remarks(batch)
        self._import_payments(batch)
        self._apply_statuses(batch)
        self._enqueue_stock(batch)
        for order in batch.orders:
            record = batch.record(order)
            outcomes[order.id] = ImportResult(record.id, created=order.id in batch.created)
        return outcomes

    # === READING WHAT IS THERE ===#

    @api.model
    def _quiet(self, account):
        """Write as the bridge: no tracking, no mails, in the company's language."""
        lang = account.company_id.partner_id.lang or self.env.lang
        companies = self.env["res.company"].sudo().search_count([], limit=2)
        return as_bridge(self).with_context(
            tracking_disable=True,
            mail_notrack=True,
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            sale_no_log_for_new_lines=True,
            keycrm_import=True,
            # KeyCRM names no tax number: one that a contact takes from its company is not checked anew.
            no_vat_validation=True,
            keycrm_one_company=companies == 1,
            keycrm_analytic_rules=bool(
                self.env["account.analytic.distribution.model"].sudo().search_count([], limit=1)
            ),
            lang=lang,
        )

    @api.model
    def _prefetch(self, account, orders):
        """Look up once for the batch what its orders refer to.

        :return: :class:`~..batch.Batch`
        """
        known = self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", account.id),
                ("keycrm_id", "in", [order.id for order in orders]),
            ]
        )
        Catalogs(account).upsert_order_statuses(orders)
        seen = {
            line.warehouse.id: line.warehouse for o in orders for line in o.lines if line.warehouse
        }
        warehouses = by_keycrm_id(account.warehouse_ids)
        if seen.keys() - warehouses.keys():
            Catalogs(account).upsert_warehouses(seen.values())
            account.invalidate_recordset(["warehouse_ids"])
            warehouses = by_keycrm_id(account.warehouse_ids)
        sources = self.env["keycrm.source"].search([("account_id", "=", account.id)])
        return Batch(
            account=account,
            orders=orders,
            known=by_keycrm_id(known),
            statuses=by_keycrm_id(account.status_ids),
            sources=by_keycrm_id(sources),
            warehouses=warehouses,
        )

    @api.model
    def _set_aside_skipped(self, batch):
        """Orders in a status that is not imported: new ones stay out, of known ones only the status
        that is shown changes, and what KeyCRM holds of stock for them.

        :return: ``{number: ImportResult}`` of those; they are taken out of the batch
        """
        outcomes, kept = {}, []
        for order in batch.orders:
            if batch.action(order) != "skip":
                kept.append(order)
                continue
            record = batch.known.get(order.id)
            if record:
                self._update_head(
                    record,
                    {
                        "keycrm_status_id": batch.status(order).id,
                        "keycrm_updated_at": order.updated_at or False,
                        "keycrm_read_fresh": self._is_fresh(order),
                    },
                )
                self._update_held(batch, record, order)
            outcomes[order.id] = ImportResult(record.id if record else False, skipped=not record)
        batch.orders = kept
        return outcomes

    # === WRITING ===#

    @api.model
    def _create_orders(self, batch, heads):
        """Make the orders that are new, all with one create."""
        account = batch.account
        new = [order for order in batch.orders if order.id not in batch.known]
        if not new:
            return
        defaults = self._order_defaults(account)
        names = self._order_names(account.company_id, [heads[order.id] for order in new])
        batch.runs_about_gone = self._syncs_with_shipped_statuses(account, new)
        created = self.env["sale.order"].create(
            [
                {
                    **defaults,
                    **name,
                    "user_id": False,
                    "warehouse_id": self._warehouse(batch, order).id,
                    **heads[order.id],
                    **self._source_vals(batch, order),
                    "company_id": account.company_id.id,
                    "keycrm_account_id": account.id,
                    "keycrm_id": order.id,
                    "keycrm_skip_delivery": self._is_already_shipped(batch, order),
                    "order_line": self._new_line_commands(batch, order),
                }
                for order, name in zip(new, names, strict=True)
            ]
        )
        batch.created = by_keycrm_id(created)
        batch.grown.update(batch.created)

    @api.model
    def _order_defaults(self, account):
        """Give what Odoo fills in, once: at each order it would look for quotation documents anew."""
        SaleOrder = self.env["sale.order"]
        defaults = SaleOrder.default_get([name for name in SaleOrder._fields if name != "name"])
        if not account.notify_buyers:
            # Odoo would take the company's, with its lines, terms and e-mail.
            defaults["sale_order_template_id"] = False
        return defaults

    @api.model
    def _order_names(self, company, heads):
        """Draw the orders' names; Odoo would look for the sequence at each of them.

        :param heads: values of the orders, with their date
        :return: list of values, empty where there is no sequence
        """
        sequence = self.env["ir.sequence"].search(
            [("code", "=", "sale.order"), ("company_id", "in", (company.id, False))],
            order="company_id",
            limit=1,
        )
        if not sequence:
            return [{} for _head in heads]
        dates = [fields.Datetime.to_datetime(head.get("date_order")) for head in heads]
        return [
            {
                "name": sequence._next(
                    date and fields.Datetime.context_timestamp(self.env["sale.order"], date)
                )
            }
            for date in dates
        ]

    @api.model
    def _update_head(self, record, vals):
        """Bring the head of a known order to what KeyCRM has now; only what differs is written."""
        if record.state == "sale":
            # What accounting and deliveries hang on stays as it was confirmed, but the recipient.
            vals = {name: value for name, value in vals.items() if name not in _FIXED_BY_CONFIRMING}
        changed = {name: value for name, value in vals.items() if not _same(record, name, value)}
        if "partner_id" in changed and "pricelist_id" in vals:
            # A new buyer makes Odoo choose the price list anew.
            changed["pricelist_id"] = vals["pricelist_id"]
        if changed:
            record.write(changed)

    @api.model
    def _show_remarks(self, batch):
        """Tell a person what Odoo did not accept of an order that was written all the same."""
        summary = self.env._("Odoo did not accept all data of the order")
        for order in batch.orders:
            record, rows = batch.record(order), batch.remarks.get(order.id)
            if rows:
                record._keycrm_schedule_activity(summary, rows, lasting=True)
            elif record.keycrm_told:
                record._keycrm_unlink_activity(summary)

    @api.model
    def _enqueue_stock(self, batch):
        """KeyCRM moved stock by itself: what it is known to have of these products is to be read anew."""
        batch.touched.update(
            batch.products[line.id].id
            for order in batch.orders
            if order.id in batch.created
            for line in order.lines
            if line.stock_status
        )
        if batch.touched:
            self.env["keycrm.stock.change"]._record_orders(
                batch.account, batch.touched, from_move=True
            )


#: Head fields that stay as they were when an order was confirmed.
_FIXED_BY_CONFIRMING = ("pricelist_id", "partner_invoice_id", "team_id", "warehouse_id")


def _same(record, name, value):
    field = record._fields[name]
    current = record[name]
    if field.type == "many2one":
        return current.id == (value or False)
    if field.type in ("float", "monetary"):
        return abs((current or 0) - (value or 0)) < 1e-6
    if field.type == "many2many":
        return set(current.ids) == set(value[0][2])
    return (current or False) == (value or False)
