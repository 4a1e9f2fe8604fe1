from odoo import fields, models

from ...services.transactions import run_in_transaction


class KeycrmAccount(models.Model):
    """Lots that expire without a move: once a day their products are queued."""

    _inherit = "keycrm.account"

    stock_expiry_on = fields.Date(string="Expired lots last checked", readonly=True, copy=False)

    def _work_expired(self):
        """Queue the products of lots whose removal date has passed since the last time.

        Only where the module for expiration dates is installed; days begin when they do for Odoo's
        own free quantity.

        :return: True when there was something
        """
        today, Quant = fields.Date.today(), self.env["stock.quant"].sudo()
        if "removal_date" not in Quant._fields or self.stock_expiry_on == today:
            return False
        if not (self.push_stock and self._sending_warehouses()):
            return False
        expired = [
            ("company_id", "=", self.company_id.id),
            ("quantity", ">", 0),
            ("removal_date", "<=", fields.Datetime.to_datetime(today)),
        ]
        if self.stock_expiry_on:
            since = fields.Datetime.to_datetime(self.stock_expiry_on)
            expired.append(("removal_date", ">", since))

        def queue():
            products = [product.id for (product,) in Quant._read_group(expired, ["product_id"])]
            # That a lot expires is a fact and no mistake of a setting: its zeros are not held back.
            rows = [(self.id, product_id) for product_id in products]
            self.env["keycrm.stock.change"].sudo()._append(rows, from_move=True)
            self.sudo().stock_expiry_on = today
            return bool(products)

        return run_in_transaction(self.env.cr, queue)
