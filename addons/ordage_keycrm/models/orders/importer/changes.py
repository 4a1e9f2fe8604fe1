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
    """Log each change by KeyCRM in the order's chatter, as a line with the old and the new value.

    Odoo's own tracking is off during the import: it would write a message per field and order.
    """

    _inherit = "keycrm.order.importer"

    @api.model
    def _snapshot(self, batch):
        """Return the logged values of the known orders of a batch before they are written.

        :param batch: :class:`~.batch.Batch`
        :return: ``{sale.order: values}``, see :meth:`_logged_values`
        """
        return {
            batch.known[order.id]: self._logged_values(batch.known[order.id])
            for order in batch.orders
            if order.id in batch.known
        }

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
        rows = []
        for key in {**old, **new}:
            if old.get(key) != new.get(key):
                texts = [self._value_text(record, key, values.get(key)) for values in (old, new)]
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
        :return: ``{field: value}`` and ``{name of goods: [(quantity, price, discount)]}``
        """
        values = {record._fields[name]: record[name] for name in _LOGGED_FIELDS}
        for line in record.order_line:
            if not line.display_type and line.product_uom_qty:
                goods = line.product_id.display_name or line.name
                values.setdefault(goods, []).append(
                    (line.product_uom_qty, line.price_unit, line.discount)
                )
        return values

    @api.model
    def _label(self, key):
        """Return the label of a logged value.

        :param key: see :meth:`_logged_values`
        """
        return key if isinstance(key, str) else key._description_string(self.env)

    @api.model
    def _value_text(self, record, key, value):
        """Return the text of a logged value.

        :param record: ``sale.order``
        :param key: see :meth:`_logged_values`
        :param value: value of the key
        """
        if not value:
            return ""
        if isinstance(value, list):
            return "; ".join(self._line_text(record, *line) for line in value)
        match key.type:
            case "many2one":
                return value.display_name
            case "selection":
                return dict(key._description_selection(self.env))[value]
            case "monetary":
                return format_amount(self.env, value, record.currency_id)
            case "date":
                return format_date(self.env, value)
            case "boolean":
                return self.env._("yes")
        return str(value)

    @api.model
    def _line_text(self, record, quantity, price, discount):
        text = f"{quantity:g} × {format_amount(self.env, price, record.currency_id)}"
        return f"{text} (-{discount:g} %)" if discount else text
