from odoo import api, fields, models

from ...services.common.values import by_keycrm_id


class KeycrmTransaction(models.Model):
    """A bank transaction as KeyCRM received it.

    It refers to no order: the link is the payment's ``transaction_uuid`` (confirmed). Those that KeyCRM
    has attached to no payment are listed, so that no money is overlooked.
    """

    _name = "keycrm.transaction"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM bank transaction"
    _order = "date desc, id desc"
    _rec_name = "uuid"

    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    # Indexed for the payments of orders.
    uuid = fields.Char(string="Bank transaction", index="btree_not_null")
    amount = fields.Float(digits=(16, 2))
    currency_code = fields.Char(string="Currency")
    description = fields.Char(string="Payment description")
    date = fields.Datetime()
    payment_ids = fields.One2many(
        "keycrm.payment", string="Payments", compute="_compute_payment_ids"
    )
    is_attached = fields.Boolean(string="Linked to a payment")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM bank transaction already exists."
    )

    @api.depends("uuid", "account_id")
    def _compute_payment_ids(self):
        payments = self.env["keycrm.payment"].search(
            [
                ("account_id", "in", self.account_id.ids),
                ("transaction_uuid", "in", [uuid for uuid in self.mapped("uuid") if uuid]),
            ]
        )
        for transaction in self:
            transaction.payment_ids = payments.filtered(
                lambda payment, t=transaction: (
                    payment.account_id == t.account_id and payment.transaction_uuid == t.uuid
                )
            )

    @api.model
    def _are_all_known(self, account, rows, begun):
        """Return whether all these bank transactions were known before; then older ones are too.

        :param account: ``keycrm.account``, one
        :param rows: list of :class:`~.keycrm.catalog.Transaction`
        :param begun: when reading began
        """
        known = self.search_count(
            [
                ("account_id", "=", account.id),
                ("keycrm_id", "in", [row.id for row in rows]),
                ("is_attached", "=", True),
                ("create_date", "<", begun),
            ]
        )
        return known == len(rows)

    @api.model
    def _store(self, account, found):
        """Store transactions, and write the bank's text on their payments.

        :param found: ``{number: Transaction}``
        """
        Record = self.sudo()
        known = by_keycrm_id(
            Record.search([("account_id", "=", account.id), ("keycrm_id", "in", list(found))])
        )
        payments = (
            self.env["keycrm.payment"]
            .sudo()
            .search(
                [
                    ("account_id", "=", account.id),
                    ("transaction_uuid", "in", [row.uuid for row in found.values() if row.uuid]),
                ]
            )
        )
        by_uuid = {}
        for payment in payments:
            by_uuid.setdefault(payment.transaction_uuid, self.env["keycrm.payment"])
            by_uuid[payment.transaction_uuid] |= payment
        new = []
        for number, row in found.items():
            vals = {
                "uuid": row.uuid or False,
                "amount": float(row.amount),
                "currency_code": row.currency_code,
                "description": row.description or False,
                "date": row.date or False,
                "is_attached": row.is_attached or row.uuid in by_uuid,
            }
            if number in known:
                known[number].write(vals)
            else:
                new.append({"account_id": account.id, "keycrm_id": number, **vals})
            for payment in by_uuid.get(row.uuid, ()):
                if row.description and payment.bank_description != row.description:
                    payment.bank_description = row.description
        Record.create(new)
