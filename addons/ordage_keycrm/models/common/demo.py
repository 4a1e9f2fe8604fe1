import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import file_open

from ...keycrm.orders import Order
from ...services.orders.order_writer import OrderWriter


class KeycrmDemo(models.AbstractModel):
    """Load demo orders in the shape of KeyCRM's API through the usual import."""

    _name = "keycrm.demo"
    _description = "KeyCRM demo data"

    @api.model
    def _load_orders(self, account_id, path):
        """Import the orders of a file; each row has the hours since the order was placed.

        :param account_id: the demo account
        :param path: the file, JSON in the shape of KeyCRM's API
        :raise ValueError: when an order could not be imported
        """
        with file_open(path) as file:
            rows = json.load(file)
        now = fields.Datetime.now()
        for row in rows:
            made = fields.Datetime.to_string(now - timedelta(hours=row.pop("hours_ago")))
            row.update(ordered_at=made, created_at=made, updated_at=made)
            for payment in row.get("payments", ()):
                payment["payment_date"] = made
        account = self.env["keycrm.account"].browse(account_id)
        outcomes = OrderWriter(account).import_orders([Order.parse(row) for row in rows])
        failed = {number: outcome for number, outcome in outcomes.items() if outcome.code}
        if failed:
            raise ValueError(failed)
        orders = self.env["sale.order"].browse([o.order_id for o in outcomes.values()])
        self.env["keycrm.event"].create(
            [
                {
                    "account_id": account.id,
                    "event": "order.change_order_status",
                    "keycrm_order_id": order.keycrm_id,
                    "from_webhook": True,
                    "state": "done",
                    "received_at": order.date_order,
                    "done_at": order.date_order + timedelta(seconds=2),
                    "next_try_at": False,
                    "sale_order_id": order.id,
                }
                for order in orders
            ]
        )
