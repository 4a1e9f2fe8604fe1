import time

import requests

from odoo import api, fields, models, sql_db

#: When something last was committed, by name; of this process, so without worker processes only.
STAMPS = {}


class BenchFloor(models.Model):
    """What the benchmarks ask of Odoo itself, and the clocks that they read."""

    _name = "bench.floor"
    _description = "Floor of a benchmark"
    _log_access = False

    payload = fields.Json()

    # === CLOCKS ===#

    @api.model
    def stamp_of(self, name):
        """:return: the machine's monotonic clock when what has this name was committed"""
        return STAMPS.get(name, 0.0)

    @api.model
    def query_count(self):
        """:return: statements that this process has sent to the database so far"""
        return sql_db.sql_counter

    def _stamp(self, name):
        def note():
            STAMPS[name] = time.monotonic()

        self.env.cr.postcommit.add(note)

    # === A WAKE-UP AND A REQUEST ===#

    @api.model
    def wake_for_request(self, url, key, warehouse, offer):
        """Wake a scheduled action that sends one stock PUT; the commit is stamped "floor".

        :return: True
        """
        self.env["ir.config_parameter"].set_param(
            "bench_floor.request", repr((url, key, warehouse, offer))
        )
        self.env.ref("bench_floor.cron_request")._trigger()
        self._stamp("floor")
        return True

    @api.model
    def _cron_empty(self):
        """Nothing."""

    @api.model
    def _cron_request(self):
        given = self.env["ir.config_parameter"].get_param("bench_floor.request")
        url, key, warehouse, offer = given.strip("()").replace("'", "").split(", ")
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
        """Read one order from KeyCRM and make a bare sales order of three lines.

        :return: seconds, the commit included
        """
        products = self.env["product.product"].search([("type", "=", "consu")], limit=3)
        partner = self.env.user.partner_id
        self.env.flush_all()
        self.env.invalidate_all()
        begun = time.monotonic()
        requests.get(
            f"{url}/order/{number}", headers={"Authorization": f"Bearer {key}"}, timeout=10
        ).json()
        self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": 1, "price_unit": 10})
                    for product in products
                ],
            }
        )
        self.env.cr.commit()
        return time.monotonic() - begun
