from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_amount, format_date

#: Fields of an order whose changes by KeyCRM appear in its chatter.
_LOGGED_FIELDS = (
    *("state", "keycrm_status_id", "partner_id", "partner_shipping_id", "amount_total"),
    *("keycrm_total", "keycrm_payment_status", "keycrm_amount_paid", "keycrm_delivery_service"),
    *("keycrm_tracking_code", "keycrm_shipping_status", "keycrm_shipping_date"),
    *("keycrm_buyer_comment", "keycrm_manager_comment", "keycrm_archived"),
)


class KeycrmOrderImporter(models.AbstractModel):
    """The chatter of an order: each change by KeyCRM is one line, with the old and the new value.

    Odoo's own tracking is off during the import: it would write a message per field and order.
    """

    _inherit = "keycrm.order.importer"

    @api.model
    def _snapshot(self, batch):
        """Return how the known orders of a batch read before they are written.

        :param batch: :class:`~.batch.Batch`
        :return: ``{sale.order: {label: text}}``
        """
        return {
            batch.known[order.id]: self._change_texts(batch.known[order.id])
            for order in batch.orders
            if order.id in batch.known
        }

    @api.model
    def _log_changes(self, before):
        """Log what differs from a snapshot in the chatter of each order, with one insert.

        :param before: see :meth:`_snapshot`
        """
        bodies = {}
        for record, texts in before.items():
            now = self._change_texts(record)
            rows = [
                (label, texts.get(label, ""), now.get(label, ""))
                for label in {**texts, **now}
                if texts.get(label, "") != now.get(label, "")
            ]
            if rows:
                bodies[record.id] = self._changes_html(rows)
        if bodies:
            self.env["sale.order"].browse(bodies)._message_log_batch(bodies=bodies)

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
    def _change_texts(self, record):
        """Return the logged values of an order, as a person reads them.

        :param record: ``sale.order``
        :return: ``{label: text}``; lines that hold the same goods are added up
        """
        texts = {}
        for name in _LOGGED_FIELDS:
            field, value = record._fields[name], record[name]
            if value:
                label = field._description_string(self.env)
                texts[label] = self._value_text(record, field, value)
        for line in record.order_line:
            if line.display_type or not line.product_uom_qty:
                continue
            label = line.product_id.display_name or line.name
            price = format_amount(self.env, line.price_unit, record.currency_id)
            text = f"{line.product_uom_qty:g} × {price}"
            if line.discount:
                text += f" (-{line.discount:g} %)"
            texts[label] = f"{texts[label]}; {text}" if label in texts else text
        return texts

    @api.model
    def _value_text(self, record, field, value):
        """Return a value of an order as a person reads it.

        :param record: ``sale.order``
        :param field: field of the order
        :param value: not empty
        """
        match field.type:
            case "many2one":
                return value.display_name
            case "selection":
                return dict(field._description_selection(self.env))[value]
            case "monetary":
                return format_amount(self.env, value, record.currency_id)
            case "date":
                return format_date(self.env, value)
            case "boolean":
                return self.env._("yes")
        return str(value)
