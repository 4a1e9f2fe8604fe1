from odoo import api, models


class KeycrmOrderImporter(models.AbstractModel):
    """Imported orders belong to the salesperson named like the manager of the order in KeyCRM."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _prepare_order_values(self, batch, order):
        """Add the salesperson to the values of an order.

        :param batch: the orders that are imported together, with everything looked up for them
        :param order: the order as KeyCRM has it (``ordage_keycrm.keycrm.orders.Order``)
        :return: values of ``sale.order``
        """
        vals = super()._prepare_order_values(batch, order)
        if order.manager_name:
            # One query for each manager of a batch, not for each order.
            salesperson = batch.look_up(
                "res.users", order.manager_name, lambda: self._salesperson(order.manager_name)
            )
            if salesperson:
                vals["user_id"] = salesperson.id
        return vals

    @api.model
    def _salesperson(self, name):
        """Find the internal user with a manager's name.

        :return: ``res.users``; empty when there is none or several, since a guess would be wrong
        """
        found = self.env["res.users"].search([("name", "=", name), ("share", "=", False)], limit=2)
        return found if len(found) == 1 else found.browse()
