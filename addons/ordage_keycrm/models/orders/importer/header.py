from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools.sql import escape_psql

from ....keycrm import order_totals
from ....keycrm.errors import ImportProblem
from ....keycrm.naming import normalized_phone, phone_numbers
from ....services.concurrency import retry_on_unique_violation
from ....services.currency import AccountCurrency

#: KeyCRM's times have whole seconds, and its clock may differ a little from ours.
FRESH_SECONDS = 3


class KeycrmOrderImporter(models.AbstractModel):
    """The head of an order: contacts, dates, currency, comments, where it comes from."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _head_vals(self, batch, order):
        """Values of the order's head that follow KeyCRM.

        :raise ImportProblem: when its currency is not usable in Odoo
        """
        partner, delivery = batch.partners[order.id]
        pricelist = self._pricelist_of(batch, order)
        status = batch.status(order)
        shipping = order.shipping
        ordered_at = order.ordered_at or order.created_at
        return {
            **({"date_order": ordered_at} if ordered_at else {}),
            "partner_id": partner.id,
            "keycrm_client_id": order.client_id or 0,
            "partner_invoice_id": batch.invoice_address(partner).id,
            "partner_shipping_id": delivery.id,
            "pricelist_id": pricelist.id,
            "client_order_ref": order.number or False,
            "origin": f"KeyCRM #{order.id}",
            "keycrm_number": order.number or str(order.id),
            "keycrm_parent_id": order.parent_id or 0,
            "keycrm_status_id": status.id if status else False,
            "keycrm_total": float(order.grand_total or 0),
            "keycrm_updated_at": order.updated_at or False,
            "keycrm_read_fresh": self._is_fresh(order),
            "keycrm_payment_status": self._payment_status(order),
            **self._paid_vals(batch, order),
            "keycrm_tracking_code": (shipping and shipping.tracking_code) or False,
            "keycrm_delivery_service": (shipping and shipping.delivery_service) or False,
            "keycrm_buyer_comment": order.buyer_comment or False,
            "keycrm_is_gift": order.is_gift,
            "keycrm_gift_message": order.gift_message or False,
            "keycrm_gift_wrap": order.gift_wrap,
            "keycrm_buyer_note": (order.buyer and order.buyer.note) or False,
            "keycrm_other_phones": self._other_phones(order),
            "keycrm_shipping_status": self._shipping_status(order),
            **self._shipping_date_vals(batch, order),
            "keycrm_manager_comment": order.manager_comment or False,
            "keycrm_manager_name": order.manager_name or False,
            "keycrm_promocode": order.promocode or False,
            "keycrm_deleted": False,
            **self._problem_vals(batch, order),
            "tag_ids": [Command.set(self._tags(batch, order.tags).ids)],
            **self._marketing_vals(batch, order),
        }

    @api.model
    def _other_phones(self, order):
        """:return: the numbers that neither the buyer's nor the recipient's contact shows; False for none"""
        typed = (
            order.buyer.phones if order.buyer else (),
            (order.shipping.recipient_phone,) if order.shipping else (),
        )
        numbers = [
            [normalized_phone(one) or one for text in texts for one in phone_numbers(text)]
            for texts in typed
        ]
        shown = {one for several in numbers for one in several[:1]}
        others = dict.fromkeys(one for several in numbers for one in several if one not in shown)
        return ", ".join(others) or False

    @api.model
    def _shipping_status(self, order):
        """:return: what the delivery service says of the parcel; nothing for what is not known here"""
        known = self.env["sale.order"]._fields["keycrm_shipping_status"].get_values(self.env)
        status = order.shipping.status if order.shipping else ""
        return status if status in known else False

    @api.model
    def _shipping_date_vals(self, batch, order):
        """The planned day becomes Odoo's delivery date when KeyCRM sets or changes it; later a person may
        choose another one.
        """
        day, record = order.shipping and order.shipping.date, batch.known.get(order.id)
        vals = {"keycrm_shipping_date": day or False}
        if day and (not record or record.keycrm_shipping_date != day):
            # Noon is the same day in each time zone of Europe.
            vals["commitment_date"] = datetime.combine(day, time(12))
        return vals

    @api.model
    def _payment_status(self, order):
        """:return: KeyCRM's payment status; nothing for one that is not known here (four are confirmed)"""
        known = self.env["sale.order"]._fields["keycrm_payment_status"].get_values(self.env)
        return order.payment_status if order.payment_status in known else False

    @api.model
    def _paid_vals(self, batch, order):
        """What was paid, by KeyCRM's own sum, and whether its payments make that sum."""
        paid = order_totals.amount_paid(order)
        differ = batch.account.import_payments and not order_totals.payments_add_up(order)
        vals = {"keycrm_payments_differ": differ}
        return vals if paid is None else {**vals, "keycrm_amount_paid": float(paid)}

    @api.model
    def _problem_vals(self, batch, order):
        """Values that keep the order from being confirmed, or end what kept it so far."""
        code, params = self._problem(batch, order)
        return {"keycrm_problem_code": code, "keycrm_problem_params": params}

    @api.model
    def _problem(self, batch, order):
        """Decide whether a person has to look at an order before it is confirmed.

        :return: code and parameters of ``KeycrmErrorMessage._sentence``, or two False
        """
        total = order_totals.goods_total(order)
        if total < 0 and batch.action(order) != "cancel":
            return "discount_exceeds_goods", {"total": f"{total:.2f}"}
        combos = {
            batch.products[line.id].display_name
            for line in order.lines
            if batch.products[line.id].type == "combo"
        }
        if combos and batch.action(order) != "cancel":
            return "combo_product", {"products": ", ".join(sorted(combos))}
        if batch.action(order) == "confirm":
            warehouse = self._warehouse(batch, order)
            if not warehouse.active:
                return "warehouse_archived", {"warehouse": warehouse.display_name}
        return False, False

    @api.model
    def _warehouse(self, batch, order):
        """Give the warehouse of an order: its own, its source's or the account's.

        :return: ``stock.warehouse``; an archived one where a person has to choose another: such an order
            is not confirmed
        :raise ImportProblem: when there is none
        """
        record, account = batch.known.get(order.id), batch.account
        if record and (record.warehouse_id.active or record.state == "sale"):
            return record.warehouse_id
        source = batch.sources.get(order.source_id)
        warehouse = (source.warehouse_id if source else None) or batch.look_up(
            "warehouse", account.id, lambda: account._warehouse_of_orders() or account.warehouse_id
        )
        if not warehouse:
            raise ImportProblem("no_warehouse")
        return warehouse

    @api.model
    def _is_fresh(self, order):
        """Return whether the order changed so short ago that the same second may hold another change."""
        if not order.updated_at:
            return True
        return order.updated_at > fields.Datetime.now() - timedelta(seconds=FRESH_SECONDS)

    # === CURRENCY ===#

    @api.model
    def _pricelist_of(self, batch, order):
        """Return the pricelist that puts the order into its currency, looked up once for a batch.

        The currency is its source's, else its payments', else the KeyCRM currency.

        :raise ImportProblem: when Odoo does not have the currency
        """
        code = self._currency_code(order, batch.sources)
        if code not in batch.pricelists:
            currency = AccountCurrency(batch.account).find(code)
            if not currency:
                raise ImportProblem("currency_unknown", currency=code)
            batch.pricelists[code] = self._pricelist(batch.account, currency)
        return batch.pricelists[code]

    @api.model
    def _currency_code(self, order, sources):
        """:return: code of the order's currency; empty where neither source nor payments name one"""
        source = sources.get(order.source_id)
        codes = {payment.currency_code for payment in order.payments if payment.currency_code}
        return (source.currency_code if source else "") or (codes.pop() if len(codes) == 1 else "")

    @api.model
    def _pricelist(self, account, currency):
        """Return the pricelist that puts an order into a currency; none is needed for the company's own."""
        Pricelist = self.env["product.pricelist"]
        company = account.company_id
        if currency == company.currency_id:
            return Pricelist
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

    # === WHERE IT COMES FROM ===#

    @api.model
    def _source_vals(self, batch, order):
        """What a person set for the source of a new order: sales team, warehouse, journal."""
        source = batch.sources.get(order.source_id)
        if not source:
            return {}
        vals = {"keycrm_source_id": source.id}
        # What was archived meanwhile is said on the account.
        if source.team_id.active:
            vals["team_id"] = source.team_id.id
        if source.warehouse_id.active:
            vals["warehouse_id"] = source.warehouse_id.id
        if source.journal_id.active:
            vals["journal_id"] = source.journal_id.id
        return vals

    @api.model
    def _changed_source_vals(self, batch, order):
        """The same for a known order whose source KeyCRM changed; else what people chose there stays."""
        vals, record = self._source_vals(batch, order), batch.known[order.id]
        if vals.get("keycrm_source_id") == record.keycrm_source_id.id:
            vals = {}
        if not record.warehouse_id.active and record.state != "sale":
            vals["warehouse_id"] = self._warehouse(batch, order).id
        return vals

    @api.model
    def _tags(self, batch, names):
        """Find or make the tags of an order."""
        Tag = self.env["crm.tag"]

        def find(name):
            with retry_on_unique_violation("crm.tag"):
                return Tag.search([("name", "=", name)], limit=1) or Tag.create({"name": name})

        return Tag.union(
            *(batch.look_up("crm.tag", name, lambda name=name: find(name)) for name in names)
        )

    @api.model
    def _marketing_vals(self, batch, order):
        """UTM marks, where KeyCRM sent any; Odoo finds or makes its records by name."""

        def find(model, value):
            Mark = self.env[model].with_context(active_test=False)
            with retry_on_unique_violation(model):
                return Mark.search([("name", "=ilike", escape_psql(value))], limit=1) or self.env[
                    model
                ].create({"name": value})

        return {
            name: batch.look_up(
                model, value.lower(), lambda model=model, value=value: find(model, value)
            ).id
            for name, model, value in (
                ("campaign_id", "utm.campaign", order.utm_campaign),
                ("medium_id", "utm.medium", order.utm_medium),
                ("source_id", "utm.source", order.utm_source),
            )
            if value
        }
