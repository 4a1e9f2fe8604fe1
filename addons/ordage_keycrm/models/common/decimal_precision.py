from odoo import api, models

from ...keycrm.stock_quantities import digits_of
from ...services.common.concurrency import clear_caches_after_commit


class DecimalPrecision(models.Model):
    """Raise the digits of quantities ("Product Unit") only when KeyCRM needs it.

    All of Odoo shows them ("2.000" instead of "2.00"), so a shop that counts in pieces keeps two
    digits.
    """

    _inherit = "decimal.precision"

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_raise_digits(self, account, quantities):
        """Raise the digits of quantities if needed, and post a note on the account.

        Called in the transaction that writes the quantities, before it does. Of two concurrent
        transactions one fails with a conflict, is retried and finds the digits raised.

        :param account: ``keycrm.account``
        :param quantities: list of ``(quantity, name of the product)`` from KeyCRM, which counts with
            three digits at most (confirmed)
        :return: the note; None where nothing changed
        """
        quantity, product = max(quantities, key=lambda row: digits_of(row[0]), default=(0, ""))
        needed = digits_of(quantity)
        if not needed:
            return None
        # Not by ``precision_get``: its cache may hold a value whose savepoint was rolled back.
        precision = self.env.ref("uom.decimal_product_uom").sudo()
        former = precision.digits
        if needed <= former:
            return None
        precision.digits = needed
        self.env["uom.uom"].invalidate_model(["rounding"])
        clear_caches_after_commit(self.env)
        note = self.env._(
            "KeyCRM has %(quantity)s of “%(product)s”, so quantities in Odoo now show %(digits)s digits "
            "after the decimal point (%(former)s before). The setting is “Product Unit” in the list of "
            "decimal accuracy.",
            quantity=f"{quantity:.{needed}f}",
            product=product,
            digits=needed,
            former=former,
        )
        account.sudo().message_post(body=note)
        return note
