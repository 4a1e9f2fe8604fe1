import time

import requests

from odoo import api, fields, models, sql_db

#: Time of the last commit by name, kept in this process: valid only without worker processes.
STAMPS = {}


class BenchBaseline(models.Model):
    """Baseline operations of plain Odoo and the clocks that benchmarks read."""

    _name = "bench.baseline"
    _description = "Baseline of a benchmark"
    _log_access = False

    payload = fields.Json()

    # === CLOCKS ===#

    @api.model
    def stamp_of(self, name):
        """Return the monotonic time of the last commit stamped with the name."""
        return STAMPS.get(name, 0.0)

    @api.model
    def query_count(self):
        """Return the number of SQL statements of this process so far."""
        return sql_db.sql_counter

    def _stamp(self, name):
        def record():
            STAMPS[name] = time.monotonic()

        self.env.cr.postcommit.add(record)

    # === A TRIGGER AND A REQUEST ===#

    @api.model
    def trigger_request(self, url, key, warehouse, offer):
        """Trigger an action that sends one stock PUT; the commit is stamped "baseline".

        Stamped before the trigger notifies the schedulers, as "count" is.

        :return: True
        """
        self._stamp("baseline")
        self.env["ir.config_parameter"].set_param(
            "bench_baseline.request", repr((url, key, warehouse, offer))
        )
        self.env.ref("bench_baseline.cron_request")._trigger()
        return True

    @api.model
    def _cron_empty(self):
        """Do nothing."""

    @api.model
    def _cron_request(self):
        parameter = self.env["ir.config_parameter"].get_param("bench_baseline.request")
        url, key, warehouse, offer = parameter.strip("()").replace("'", "").split(", ")
        requests.put(
            f"{url}/offers/stocks",
            json={
                "warehouse_id": int(warehouse),
                "stocks": [{"id": int(offer), "quantity": time.time() % 100 // 1}],
            },
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        )

    @api.model
    def round_trip(self, url, key, number):
        """Read one order from KeyCRM and create its buyer and a bare sales order of three lines.

        :return: seconds, the commit included
        """
        products = self.env["product.product"].search([("type", "=", "consu")], limit=3)
        self.env.flush_all()
        self.env.invalidate_all()
        begun = time.monotonic()
        order = requests.get(
            f"{url}/order/{number}",
            {"include": "buyer"},
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        ).json()
        buyer = self.env["res.partner"].create({"name": order["buyer"]["full_name"]})
        self.env["sale.order"].create(
            {
                "partner_id": buyer.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": 1, "price_unit": 10})
                    for product in products
                ],
            }
        )
        self.env.cr.commit()
        return time.monotonic() - begun
