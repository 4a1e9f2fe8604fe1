from odoo import api, models

from ..keycrm.errors import ImportProblem
from ..outcome import Outcome


class KeycrmOrderImporter(models.AbstractModel):
    """Write orders of KeyCRM into Odoo: the same way wherever they come from.

    The flow reads top to bottom in :meth:`_import_batch`; the parts stand in ``keycrm_import_*``:
    buyers, products, lines, status, payments. All of them work on a batch, with one query for each
    kind of record, and none asks KeyCRM: what is needed was read before.

    Called in the orders' worker alone, under the company lock, in a savepoint: whatever is raised here
    leaves nothing half done.
    """

    _name = "keycrm.order.importer"
    _description = "KeyCRM order import"

    @api.model
    def _import_batch(self, account, orders):
        """Create or update the orders.

        :param account: ``keycrm.account``, one
        :param orders: list of :class:`~..keycrm.records.Order`, each number once
        :return: ``{number: Outcome}``
        :raise ImportProblem: when one of them cannot be written and a person has to act
        """
        self = self._quiet(account)
        known = self._known_orders(account, orders)
        statuses = account._by_keycrm_id(
            account.with_context(active_test=False).status_ids
        )
        outcomes, wanted = {}, []
        for order in orders:
            status = statuses.get(order.status_id)
            if status and status.order_action == "skip" and order.id not in known:
                outcomes[order.id] = Outcome(skipped=True)
            else:
                wanted.append(order)
        if not wanted:
            return outcomes
        partners = self._partners(account, wanted)
        products = self._products(account, wanted, known)
        header = {
            order.id: self._order_vals(account, order, statuses.get(order.status_id), partners)
            for order in wanted
        }
        new = [order for order in wanted if order.id not in known]
        created = self._create_orders(account, new, header, products, statuses)
        for order in wanted:
            if order.id in known:
                self._update_order(known[order.id], order, header[order.id], products)
        records = {**known, **created}
        self._import_payments(account, wanted, records)
        self._apply_statuses(account, wanted, records, statuses, created)
        for order in wanted:
            outcomes[order.id] = Outcome(records[order.id].id, created=order.id in created)
        return outcomes

    # === READING WHAT IS THERE ===#

    @api.model
    def _quiet(self, account):
        """Write as the bridge: no tracking mails, in the company's language and as nobody's draft."""
        lang = account.company_id.partner_id.lang or self.env.lang
        return self.sudo().with_context(
            tracking_disable=True,
            mail_notrack=True,
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            keycrm_import=True,
            lang=lang,
        )

    @api.model
    def _known_orders(self, account, orders):
        """:return: ``{number: sale.order}`` of those that Odoo has"""
        found = self.env["sale.order"].search(
            [
                ("keycrm_account_id", "=", account.id),
                ("keycrm_id", "in", [order.id for order in orders]),
            ]
        )
        return account._by_keycrm_id(found)

    # === HEADER ===#

    @api.model
    def _order_vals(self, account, order, status, partners):
        """Values of the order's head.

        :raise ImportProblem: when its currency is not usable in Odoo
        """
        partner, delivery = partners[order.id]
        currency = self._currency(account, order)
        pricelist = self._pricelist(account, currency)
        return {
            "partner_id": partner.id,
            "partner_invoice_id": partner.id,
            "partner_shipping_id": delivery.id,
            "pricelist_id": pricelist.id,
            "client_order_ref": order.number or False,
            "origin": f"KeyCRM #{order.id}",
            "date_order": order.ordered_at or order.created_at,
            "keycrm_number": order.number or str(order.id),
            "keycrm_status_id": status.id if status else False,
            "keycrm_total": float(order.grand_total or 0),
            "keycrm_updated_at": order.updated_at,
            "keycrm_payment_status": order.payment_status or False,
            "keycrm_tracking_code": (order.shipping and order.shipping.tracking_code) or False,
            "keycrm_buyer_comment": order.buyer_comment or False,
            "keycrm_manager_comment": order.manager_comment or False,
        }

    @api.model
    def _currency(self, account, order):
        """Say in which currency the order is: its source's, else its payments', else the company's.

        :raise ImportProblem: when Odoo does not have it or it is not active
        """
        source = self.env["keycrm.source"].search(
            [("account_id", "=", account.id), ("keycrm_id", "=", order.source_id or 0)]
        )
        codes = {payment.currency_code for payment in order.payments if payment.currency_code}
        code = source.currency_code or (codes.pop() if len(codes) == 1 else "")
        currency = account._currency_for(code)
        if not currency:
            raise ImportProblem("currency_unknown", currency=code)
        if not currency.active:
            raise ImportProblem("currency_inactive", currency=code)
        return currency

    @api.model
    def _pricelist(self, account, currency):
        """Give the pricelist that puts an order into a currency; none is needed for the company's own."""
        Pricelist = self.env["product.pricelist"]
        if currency == account.company_id.currency_id:
            return Pricelist
        company = account.company_id
        found = Pricelist.search(
            [
                ("currency_id", "=", currency.id),
                ("company_id", "in", (company.id, False)),
                ("item_ids", "=", False),
            ],
            limit=1,
        )
        return found or Pricelist.create(
            {
                "name": f"KeyCRM {currency.name}",
                "currency_id": currency.id,
                "company_id": company.id,
            }
        )

    # === WRITING ===#

    @api.model
    def _create_orders(self, account, orders, header, products, statuses):
        """:return: ``{number: sale.order}`` of the new ones"""
        if not orders:
            return {}
        warehouse = account.warehouse_id or self.env["stock.warehouse"].search(
            [("company_id", "=", account.company_id.id)], limit=1
        )
        if not warehouse:
            raise ImportProblem("no_warehouse")
        archive = account.archive_status_ids
        created = self.env["sale.order"].create(
            [
                {
                    **header[order.id],
                    "company_id": account.company_id.id,
                    "warehouse_id": warehouse.id,
                    "user_id": False,
                    "keycrm_account_id": account.id,
                    "keycrm_id": order.id,
                    # First seen when it was over already: it never moves stock, for good.
                    "keycrm_never_moves": statuses.get(order.status_id) in archive,
                    "order_line": self._new_line_commands(account, order, products),
                }
                for order in orders
            ]
        )
        return account._by_keycrm_id(created)

    @api.model
    def _update_order(self, record, order, vals, products):
        """Bring a known order to what KeyCRM has now; only what differs is written."""
        if record.state not in ("draft", "sent"):
            # What accounting and deliveries hang on stays as it was confirmed.
            for name in ("partner_id", "partner_invoice_id", "pricelist_id"):
                vals = {key: value for key, value in vals.items() if key != name}
        changed = {
            name: value for name, value in vals.items() if not _same(record, name, value)
        }
        if changed:
            if "partner_id" in changed and "pricelist_id" in vals:
                # A new buyer makes Odoo choose the price list anew.
                changed["pricelist_id"] = vals["pricelist_id"]
            record.write(changed)
        self._update_lines(record, order, products)


def _same(record, name, value):
    field = record._fields[name]
    current = record[name]
    if field.type == "many2one":
        return current.id == (value or False)
    if field.type in ("float", "monetary"):
        return abs((current or 0) - (value or 0)) < 1e-6
    return (current or False) == (value or False)
