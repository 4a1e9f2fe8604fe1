from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools.sql import escape_psql

from ....keycrm import order_totals
from ....keycrm.errors import ImportProblem
from ....keycrm.naming import normalized_phone, phone_numbers
from ....services.account.currency import AccountCurrency
from ....services.common.concurrency import retry_on_unique_violation

#: KeyCRM's times have whole seconds, and its clock may differ a little from Odoo's.
FRESH_SECONDS = 3
#: Time of a planned day: it is the same day in each time zone of Europe.
NOON = time(12)


class KeycrmOrderImporter(models.AbstractModel):
    """The header of an order: contacts, dates, currency, comments, source."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _prepare_order_values(self, batch, order):
        """Return the values of an order's header, for new and known orders.

        :param batch: :class:`~.batch.Batch`
        :param order: :class:`~.keycrm.orders.Order`
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
            "origin": order.source_document,
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
            **self._custom_vals(batch, order),
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
        """Return the phones that no contact of the order has.

        :return: text; False for none
        """
        texts_by_contact = (
            order.buyer.phones if order.buyer else (),
            (order.shipping.recipient_phone,) if order.shipping else (),
        )
        numbers = [
            [normalized_phone(phone) or phone for text in texts for phone in phone_numbers(text)]
            for texts in texts_by_contact
        ]
        stored = {phone for phones in numbers for phone in phones[:1]}
        others = dict.fromkeys(
            phone for phones in numbers for phone in phones if phone not in stored
        )
        return ", ".join(others) or False

    @api.model
    def _custom_vals(self, batch, order):
        """Return the chosen custom fields, a line each, in the order of their names."""
        shown = batch.account.shown_field_ids
        if not shown:
            return {}
        values = {field.uuid: field.value for field in order.custom_fields}
        yes, no = self.env._("Yes"), self.env._("No")
        lines = []
        for field in shown.sorted("name"):
            value = values.get(field.uuid)
            if isinstance(value, bool):
                value = yes if value else no
            if value:
                lines.append(f"{field.name}: {value}")
        return {"keycrm_custom_fields": "\n".join(lines) or False}

    @api.model
    def _shipping_status(self, order):
        """Return the delivery service's status of the parcel; False for an unknown one."""
        known = self.env["sale.order"]._fields["keycrm_shipping_status"].get_values(self.env)
        status = order.shipping.status if order.shipping else ""
        return status if status in known else False

    @api.model
    def _shipping_date_vals(self, batch, order):
        """Return the planned shipping day, and a changed delivery date.

        A user may choose another delivery date later, which stays when KeyCRM removes its day.
        """
        day, record = order.shipping and order.shipping.date, batch.known.get(order.id)
        former = record.keycrm_shipping_date if record else False
        vals = {"keycrm_shipping_date": day or False}
        if day and day != former:
            vals["commitment_date"] = datetime.combine(day, NOON)
        elif former and not day and record.commitment_date == datetime.combine(former, NOON):
            vals["commitment_date"] = False
        return vals

    @api.model
    def _payment_status(self, order):
        """Return KeyCRM's payment status; False for an unknown one (four are confirmed)."""
        known = self.env["sale.order"]._fields["keycrm_payment_status"].get_values(self.env)
        return order.payment_status if order.payment_status in known else False

    @api.model
    def _paid_vals(self, batch, order):
        """Return KeyCRM's sum of payments, and whether the payments add up to it."""
        paid = order_totals.amount_paid(order)
        differ = batch.account.import_payments and not order_totals.payments_add_up(order)
        vals = {"keycrm_payments_differ": differ}
        return vals if paid is None else {**vals, "keycrm_amount_paid": float(paid)}

    @api.model
    def _problem_vals(self, batch, order):
        """Return the values of a problem, which also clear a solved one."""
        code, params = self._problem(batch, order)
        return {"keycrm_problem_code": code, "keycrm_problem_params": params}

    @api.model
    def _problem(self, batch, order):
        """Return why a user has to check an order before it is confirmed.

        :return: code and parameters of ``KeycrmErrorMessage._sentence``, or two False
        """
        total = order_totals.goods_total(order)
        if total < 0 and batch.action(order) != "cancel":
            currency = self._pricelist_of(batch, order).currency_id
            currency = currency or batch.account.company_id.currency_id
            return "discount_exceeds_goods", {"total": f"{total:.2f}", "currency": currency.name}
        for line in order.lines:
            unit = line.unit_type or (line.offer.unit_type if line.offer else "")
            conflict = self.env["keycrm.product.matcher"]._unit_conflict(
                batch.products[line.id], unit
            )
            if conflict and batch.action(order) != "cancel":
                return "unit_differs", conflict
        combos = {
            batch.products[line.id].display_name
            for line in order.lines
            if batch.products[line.id].type == "combo"
        }
        if combos and batch.action(order) != "cancel":
            return "combo_product", {"products": ", ".join(sorted(combos))}
        record = batch.known.get(order.id)
        # In a confirmed order this concerns only open quantities; see ``_update_lines``.
        if batch.action(order) == "confirm" and (not record or record.state != "sale"):
            warehouse = self._warehouse(batch, order)
            if not warehouse.active:
                return "warehouse_archived", {"warehouse": warehouse.display_name}
        return False, False

    @api.model
    def _warehouse(self, batch, order):
        """Return the warehouse of an order: its own, its source's or the account's.

        :return: ``stock.warehouse``; an archived one where a user has to choose another: such an order is
            not confirmed
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
        """Return whether the order may be changed again in its last second."""
        if not order.updated_at:
            return True
        return order.updated_at > fields.Datetime.now() - timedelta(seconds=FRESH_SECONDS)

    # === CURRENCY ===#

    @api.model
    def _pricelist_of(self, batch, order):
        """Return the pricelist in the order's currency, read once for a batch.

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
        """Return the code of an order's currency.

        :return: empty where neither source nor payments have one
        """
        source = sources.get(order.source_id)
        return (source.currency_code if source else "") or order.payment_currency

    @api.model
    def _pricelist(self, account, currency):
        """Return a pricelist in a currency; an empty one for the company's own currency."""
        Pricelist = self.env["product.pricelist"]
        company = account.company_id
        if currency == company.currency_id:
            return Pricelist
        pricelist = Pricelist.with_context(active_test=False).search(
            [
                ("currency_id", "=", currency.id),
                ("company_id", "in", (company.id, False)),
                ("item_ids", "=", False),
            ],
            order="active desc, sequence, id",
            limit=1,
        )
        return pricelist or Pricelist.create(
            {
                "name": f"KeyCRM {currency.name}",
                "currency_id": currency.id,
                "company_id": company.id,
                # Odoo gives active ones to customers without a country, for quotations of users.
                "active": False,
            }
        )

    # === SOURCE ===#

    @api.model
    def _prepare_source_values(self, batch, order):
        """Return the sales team, warehouse and journal of a new order from its source.

        :param batch: :class:`~.batch.Batch`
        :param order: :class:`~.keycrm.orders.Order`
        """
        source = batch.sources.get(order.source_id)
        if not source:
            return {}
        vals = {"keycrm_source_id": source.id}
        # The account displays archived ones.
        if source.team_id.active:
            vals["team_id"] = source.team_id.id
        if source.warehouse_id.active:
            vals["warehouse_id"] = source.warehouse_id.id
        if source.journal_id.active:
            vals["journal_id"] = source.journal_id.id
        return vals

    @api.model
    def _changed_source_vals(self, batch, order):
        """Return the source's values of a known order whose source changed.

        Otherwise users' values stay.
        """
        vals, record = self._prepare_source_values(batch, order), batch.known[order.id]
        if vals.get("keycrm_source_id") == record.keycrm_source_id.id:
            vals = {}
        if not record.warehouse_id.active and record.state != "sale":
            vals["warehouse_id"] = self._warehouse(batch, order).id
        return vals

    @api.model
    def _tags(self, batch, names):
        """Find or create the tags of an order."""
        Tag = self.env["crm.tag"]

        def find(name):
            with retry_on_unique_violation("crm.tag"):
                return Tag.search([("name", "=", name)], limit=1) or Tag.create({"name": name})

        return Tag.union(
            *(batch.look_up("crm.tag", name, lambda name=name: find(name)) for name in names)
        )

    @api.model
    def _marketing_vals(self, batch, order):
        """Return the UTM records of an order, found or created by name."""

        def find(model, value):
            Utm = self.env[model].with_context(active_test=False)
            with retry_on_unique_violation(model):
                return Utm.search([("name", "=ilike", escape_psql(value))], limit=1) or self.env[
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
