from odoo import api, fields, models
from odoo.tools import SQL

from ....keycrm.errors import ImportProblem
from ....keycrm.offer_values import differs
from ....keycrm.parcels import COMING_BACK
from ....services.common.bridge import as_bridge
from ....services.common.language import company_language
from ....services.common.overrides import is_overridden
from ....services.common.reference_lists import ReferenceLists
from ....services.common.values import by_keycrm_id, changed_values
from ....services.orders import contacts
from ....services.orders.open_orders import open_orders_domain
from ....services.orders.order_import import ImportOptions, ImportResult
from .batch import Batch


class KeycrmOrderImporter(models.AbstractModel):
    """Write orders of KeyCRM into Odoo, from all sources of orders.

    :meth:`_import_batch` has the whole flow; the other files of this folder contain its parts: buyers,
    products, header, lines, status, payments. All of them process a batch, with one query for each kind of
    record. None sends a request: enrichment has read everything before.

    Called by the orders queue only, under the company lock, in a savepoint.
    """

    _name = "keycrm.order.importer"
    _description = "KeyCRM order import"

    @api.model
    def _import_batch(self, account, orders, options=None):
        """Create or update the orders.

        :param account: ``keycrm.account``, one
        :param orders: list of :class:`~.keycrm.orders.Order`, each number once
        :param options: :class:`~.services.orders.order_import.ImportOptions`
        :return: ``{number: ImportResult}``
        :raise ImportProblem: when one of them cannot be written until a user acts
        """
        self = self._with_import_context(account)
        batch = self._prefetch(account, orders, options or ImportOptions())
        self._match_lines(batch)
        before = self._snapshot(batch.known.values())
        results = self._split_skipped(batch) | self._split_former(batch)
        if not batch.orders:
            self._log_changes(before)
            self._enqueue_stock(batch)
            return results
        note = self._raise_quantity_digits(batch)
        batch.partners = self._partners(batch)
        batch.invoice_addresses = self._invoice_addresses(account, batch.partners)
        batch.products = self._products(batch)
        heads = {order.id: self._prepare_order_values(batch, order) for order in batch.orders}
        self._create_orders(batch, heads)
        for order in batch.orders:
            if order.id in batch.known:
                vals = {**heads[order.id], **self._changed_source_vals(batch, order)}
                self._update_header(batch.known[order.id], vals)
                self._update_lines(batch, order)
        self._add_rounding_line(batch)
        if note:
            self._post_digits_note(batch, note)
        self._report_remarks(batch)
        self._import_payments(batch)
        self._apply_statuses(batch)
        self._log_changes(before)
        self._enqueue_stock(batch)
        self._enqueue_costs(batch)
        for order in batch.orders:
            record = batch.record(order)
            results[order.id] = ImportResult(record.id, created=order.id in batch.created)
        return results

    # === READING ===#

    @api.model
    def _with_import_context(self, account):
        """Return the importer in the company's language, without tracking and emails.

        :param account: ``keycrm.account``, one
        """
        lang = company_language(account.company_id)
        companies = self.env["res.company"].sudo().search_count([], limit=2)
        return as_bridge(self).with_context(
            tracking_disable=True,
            mail_notrack=True,
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            sale_no_log_for_new_lines=True,
            # KeyCRM has no tax numbers: a contact inherits that of its company, which is valid already.
            no_vat_validation=True,
            keycrm_contact_rules=contacts.ContactRules(is_only_company=companies == 1),
            lang=lang,
        )

    @api.model
    def _prefetch(self, account, orders, options):
        """Read once for the batch the records to which its orders refer.

        :return: :class:`~.batch.Batch`
        """
        known = self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", account.id),
                ("keycrm_id", "in", [order.id for order in orders]),
            ]
        )
        ReferenceLists(account).upsert_order_statuses(orders)
        seen = {
            line.warehouse.id: line.warehouse for o in orders for line in o.lines if line.warehouse
        }
        own = [("account_id", "=", account.id)]
        Warehouse = self.env["keycrm.warehouse"]
        warehouses = by_keycrm_id(Warehouse.search_fetch(own, ["keycrm_id"]))
        if seen.keys() - warehouses.keys():
            ReferenceLists(account).upsert_warehouses(seen.values())
            account.invalidate_recordset(["warehouse_ids"])
            warehouses = by_keycrm_id(Warehouse.search_fetch(own, ["keycrm_id"]))
        sources = self.env["keycrm.source"].search_fetch(
            own, ["keycrm_id", "currency_code", "team_id", "warehouse_id", "journal_id"]
        )
        return Batch(
            account=account,
            orders=orders,
            known=by_keycrm_id(known),
            statuses=by_keycrm_id(account.status_ids),
            sources=by_keycrm_id(sources),
            warehouses=warehouses,
            options=options,
            has_analytic_rules=self._has_analytic_rules(),
        )

    @api.model
    def _has_analytic_rules(self):
        """Return whether Odoo may set the analytic distribution of a line.

        By a rule, by a default value, or by another module: that of projects takes it from the project.
        """
        Line = self.env["sale.order.line"]
        rules = self.env["account.analytic.distribution.model"].sudo()
        return bool(
            is_overridden(Line, "_compute_analytic_distribution", "sale", "analytic")
            or Line.default_get(["analytic_distribution"]).get("analytic_distribution")
            or rules.search_count([], limit=1)
        )

    @api.model
    def _split_skipped(self, batch):
        """Remove orders in skipped statuses from the batch.

        New ones are not created; of known ones, only the status and the stock that KeyCRM holds are updated.

        :return: ``{number: ImportResult}`` of the removed orders
        """
        results, kept = {}, []
        for order in batch.orders:
            if batch.action(order) != "skip":
                kept.append(order)
                continue
            record = batch.known.get(order.id)
            if record:
                self._update_header(
                    record,
                    {
                        "keycrm_status_id": batch.status(order).id,
                        "keycrm_updated_at": order.updated_at or False,
                        "keycrm_read_fresh": self._is_fresh(order),
                    },
                )
                self._update_reserved(batch, record, order)
            results[order.id] = ImportResult(record.id if record else False, skipped=not record)
        batch.orders = kept
        return results

    @api.model
    def _split_former(self, batch):
        """Remove new orders that Odoo has since before the addon was uninstalled.

        Their numbers were deleted; the source document is left. Otherwise they would arrive twice.

        :return: ``{number: ImportResult}`` of the removed orders
        """
        new = {o.source_document: o for o in batch.orders if o.id not in batch.known}
        if not new:
            return {}
        former = self.env["sale.order"].search(
            [
                ("company_id", "=", batch.account.company_id.id),
                ("keycrm_account_id", "=", False),
                ("state", "!=", "cancel"),
                ("origin", "in", list(new)),
            ]
        )
        results = {}
        for origin, records in former.grouped("origin").items():
            order, names = new[origin], ", ".join(records.mapped("name"))
            problem = ImportProblem("imported_before", order=order.id, name=names)
            results[order.id] = ImportResult.failed(problem, order)
        batch.orders = [order for order in batch.orders if order.id not in results]
        return results

    # === WRITING ===#

    @api.model
    def _create_orders(self, batch, heads):
        """Create the new orders, all at once."""
        account = batch.account
        new = [order for order in batch.orders if order.id not in batch.known]
        if not new:
            return
        defaults = self._order_defaults(account)
        names = self._order_names(account.company_id, [heads[order.id] for order in new])
        batch.shipped_syncs = self._shipped_syncs(account, new)
        created = self.env["sale.order"].create(
            [
                {
                    **defaults,
                    **name,
                    "user_id": False,
                    "warehouse_id": self._warehouse(batch, order).id,
                    **heads[order.id],
                    **self._prepare_source_values(batch, order),
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
        batch.changed_orders.update(batch.created)

    @api.model
    def _order_defaults(self, account):
        """Return Odoo's default values of relations, once: Odoo would search them for each order.

        Not those of other fields, which may differ for each order, such as a token.
        """
        SaleOrder = self.env["sale.order"]
        defaults = SaleOrder.default_get(
            [name for name, field in SaleOrder._fields.items() if field.relational]
        )
        if not account.notify_buyers:
            # Otherwise Odoo applies the company's template, with its lines, terms and email.
            defaults["sale_order_template_id"] = False
        return defaults

    @api.model
    def _order_names(self, company, heads):
        """Return the orders' names from the sequence.

        Odoo would search the sequence for each of them, and query each number of a usual sequence.

        :param heads: values of the orders, with their date
        :return: list of values, empty where there is no sequence
        """
        sequence = self.env["ir.sequence"].search_fetch(
            [("code", "=", "sale.order"), ("company_id", "in", (company.id, False))],
            ["implementation", "use_date_range", "prefix", "suffix", "padding"],
            order="company_id",
            limit=1,
        )
        if not sequence:
            return [{} for _head in heads]
        if (
            sequence.implementation == "standard"
            and not sequence.use_date_range
            and not any(is_overridden(sequence, name, "base") for name in ("_next", "_next_do"))
        ):
            numbers = self.env.execute_query(
                SQL(
                    "SELECT nextval(%s) FROM generate_series(1, %s)",
                    f"ir_sequence_{sequence.id:03d}",
                    len(heads),
                )
            )
            return [{"name": sequence.get_next_char(number)} for number in numbers]
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
    def _update_header(self, record, vals):
        """Update the header of a known order; only values that differ are written.

        :param record: ``sale.order``, one
        :param vals: values of the header
        """
        if record.state == "sale":
            # Accounting and deliveries depend on them. The recipient may change.
            vals = {name: value for name, value in vals.items() if name not in _FIXED_BY_CONFIRMING}
        changed, problem = changed_values(record, vals), record.keycrm_problem_code
        if "partner_id" in changed and "pricelist_id" in vals:
            # Odoo chooses another pricelist for a new buyer.
            changed["pricelist_id"] = vals["pricelist_id"]
        if changed:
            record.write(changed)
        if changed.get("keycrm_shipping_status") in COMING_BACK:
            # Returns that a user canceled earlier are expected again.
            record._keycrm_forget_declined_returns()
        if record.state == "sale" and record.keycrm_problem_code != problem:
            # The context of the write leaves out the activities of Odoo.
            record = record.with_context(mail_activity_automation_skip=False)
            record._keycrm_report_new_problem(problem)

    @api.model
    def _report_remarks(self, batch):
        """Report values that Odoo refused of orders that were written nevertheless."""
        code, summary = "data_refused", self.env._("Odoo did not accept all data of the order")
        for order in batch.orders:
            record, remarks = batch.record(order), batch.remarks.get(order.id)
            if remarks:
                rows, facts = list(remarks.values()), list(remarks)
                record._keycrm_schedule_activity(code, summary, rows, facts=facts, lasting=True)
            elif record.keycrm_created_activities:
                record._keycrm_unlink_activity(code)

    @api.model
    def _enqueue_stock(self, batch):
        """Enqueue products whose stock KeyCRM itself changed: their quantities are read again."""
        batch.affected_products.update(
            batch.products[line.id].id
            for order in batch.orders
            if order.id in batch.created
            for line in order.lines
            if line.stock_status
        )
        if batch.affected_products:
            self.env["keycrm.stock.change"]._enqueue_refresh(
                batch.account, batch.affected_products, zero_allowed=True
            )

    @api.model
    def _enqueue_costs(self, batch):
        """Enqueue open orders with new lines whose cost in KeyCRM is not Odoo's."""
        if not batch.account.send_cost:
            return
        given = {line.id: line.purchased_price for order in batch.orders for line in order.lines}
        records = self.env["sale.order"].union(
            *(batch.record(order) for order in batch.orders if order.id in batch.changed_orders)
        )
        records = records.filtered_domain(open_orders_domain(batch.account))
        differing, values = self.env["sale.order.line"], self.env["keycrm.offer.value"]
        for currency, same in records.grouped("currency_id").items():
            lines = same.order_line.filtered(lambda line: line.keycrm_id in given)
            costs = values._converted(batch.account, "cost", lines.product_id, currency)
            step = values._step(batch.account, currency)
            for line in lines:
                cost, known = line._keycrm_cost(costs), given[line.keycrm_id]
                if cost is not None and differs(cost, known, line._keycrm_per_unit(step)):
                    differing |= line
        if differing:
            self.env["keycrm.order.update"]._enqueue_orders("cost", differing.order_id)


#: Fields of the header that do not change once the order is confirmed.
_FIXED_BY_CONFIRMING = ("pricelist_id", "partner_invoice_id", "team_id", "warehouse_id")
