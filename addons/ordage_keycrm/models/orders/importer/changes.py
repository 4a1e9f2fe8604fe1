from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_amount, format_date, format_datetime

#: Fields of an order whose changes by KeyCRM appear in its chatter.
_LOGGED_FIELDS = (
    *("state", "keycrm_status_id", "keycrm_archived", "keycrm_deleted"),
    *("keycrm_number", "date_order", "keycrm_source_id", "keycrm_manager_name"),
    *("campaign_id", "medium_id", "source_id"),
    *("partner_id", "partner_shipping_id", "keycrm_other_phones", "keycrm_buyer_note"),
    *("currency_id", "keycrm_total", "keycrm_promocode"),
    *("keycrm_payment_status", "keycrm_amount_paid", "keycrm_delivery_service"),
    *("keycrm_tracking_code", "keycrm_shipping_status", "keycrm_shipping_date"),
    *("keycrm_buyer_comment", "keycrm_manager_comment", "tag_ids"),
    *("keycrm_is_gift", "keycrm_gift_message", "keycrm_gift_wrap"),
)
#: Fields of a line that are logged beside its quantity and price.
_LOGGED_LINE_FIELDS = ("keycrm_name", "keycrm_warehouse_id", "keycrm_to_make")


class KeycrmOrderImporter(models.AbstractModel):
    """Log each change by KeyCRM in the order's chatter, as a line with the old and the new value.

    Odoo's own tracking is off during the import: it would write a message per field and order.
    """

    _inherit = "keycrm.order.importer"

    @api.model
    def _snapshot(self, records):
        """Return the logged values of orders before they are written.

        :param records: iterable of ``sale.order``
        :return: ``{sale.order: values}``, see :meth:`_logged_values`
        """
        return {record: self._logged_values(record) for record in records}

    @api.model
    def _log_changes(self, before):
        """Log the differences from a snapshot in the chatter of each order, with one insert.

        :param before: see :meth:`_snapshot`
        """
        bodies = {}
        for record, old in before.items():
            if rows := self._changes(record, old, self._logged_values(record)):
                bodies[record.id] = self._changes_html(rows)
        if bodies:
            self.env["sale.order"].browse(bodies)._message_log_batch(bodies=bodies)

    @api.model
    def _changes(self, record, old, new):
        """Return the differences as text. Most orders are unchanged, so nothing is formatted for them.

        :param record: ``sale.order``
        :param old: values before, see :meth:`_logged_values`
        :param new: values now
        :return: list of (label, old text, new text)
        """
        names = ("currency_id", "keycrm_custom_fields", "keycrm_updated_at")
        currency, custom, updated = (record._fields[name] for name in names)
        versions = old.pop(updated), new.pop(updated)
        if versions[0] and versions[0] == versions[1]:
            # A user has chosen other custom fields in Odoo.
            new[custom] = old[custom]
        rows = []
        for key in {**old, **new}:
            before, now = old.get(key), new.get(key)
            is_of_lines = isinstance(key, tuple)
            if before == now or (is_of_lines and not (before and now)):
                # Quantities show goods that are new or removed.
                continue
            if key is custom:
                before, now = before - now, now - before
            texts = [
                self._value_text(record, key, value, values[currency])
                for value, values in ((before, old), (now, new))
            ]
            if texts[0] != texts[1]:
                rows.append((self._label(key), *texts))
        return rows

    @api.model
    def _changes_html(self, rows):
        """Format changes as a list.

        :param rows: list of (label, old text, new text)
        :return: ``Markup``
        """
        items = Markup().join(
            Markup("<li>%s: %s → %s</li>") % (label, old or "–", new or "–")
            for label, old, new in rows
        )
        return Markup("%s<ul>%s</ul>") % (self.env._("Changed in KeyCRM:"), items)

    @api.model
    def _logged_values(self, record):
        """Return the logged values of an order.

        :param record: ``sale.order``
        :return: ``{field: value}``, ``{product: [(quantity, price, discount)]}`` and
            ``{(product, field of its lines): {value}}``; the time of the last change is False where
            KeyCRM may have changed the order again in the same second
        """
        field = record._fields
        values = {field[name]: record[name] for name in _LOGGED_FIELDS}
        values[field["keycrm_updated_at"]] = (
            not record.keycrm_read_fresh and record.keycrm_updated_at
        )
        values[field["keycrm_custom_fields"]] = set(
            (record.keycrm_custom_fields or "").splitlines()
        )
        for line in record.order_line:
            product = line.product_id
            if not product or not line.product_uom_qty:
                continue
            amounts = line.product_uom_qty, line.price_unit, line.discount
            values.setdefault(product, []).append(amounts)
            for name in _LOGGED_LINE_FIELDS if line.keycrm_id else ():
                values.setdefault((product, line._fields[name]), set()).add(line[name])
        return values

    @api.model
    def _label(self, key):
        """Return the label of a logged value.

        :param key: see :meth:`_logged_values`
        """
        if isinstance(key, tuple):
            return ", ".join(self._label(part) for part in key)
        is_product = isinstance(key, models.BaseModel)
        return key.display_name if is_product else key._description_string(self.env)

    @api.model
    def _value_text(self, record, key, value, currency):
        """Return the text of a logged value; empty for none.

        Several values are sorted, since Odoo may read the lines in another sequence after a change.

        :param record: ``sale.order``
        :param key: see :meth:`_logged_values`
        :param value: value of the key
        :param currency: ``res.currency`` of the order, which may change too
        """
        if value is None:
            return ""
        if isinstance(value, list):
            return "; ".join(sorted(self._amounts_text(currency, *amounts) for amounts in value))
        if isinstance(value, set):
            return "; ".join(sorted(self._value_text(record, key, one, currency) for one in value))
        field = key[1] if isinstance(key, tuple) else key
        if field.name == "partner_shipping_id":
            return value._keycrm_recipient_text(record.company_id.country_id)
        match field.type:
            case "boolean":
                return self.env._("Yes") if value else self.env._("No")
            case "monetary":
                return format_amount(self.env, value, currency)
            case "many2one" | "many2many":
                return ", ".join(value.mapped("display_name"))
            case "selection":
                return dict(field._description_selection(self.env)).get(value, "")
            case "date":
                return format_date(self.env, value)
            case "datetime":
                zone = record.keycrm_account_id._time_zone()
                return format_datetime(self.env, value, tz=zone, dt_format="short")
        return value or ""

    @api.model
    def _amounts_text(self, currency, quantity, price, discount):
        text = f"{quantity:g} × {format_amount(self.env, price, currency)}"
        return f"{text} (-{discount:g} %)" if discount else text
