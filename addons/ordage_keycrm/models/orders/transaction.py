from datetime import timedelta

from odoo import api, fields, models

from ...const import TRANSACTIONS_SECONDS
from ...keycrm.catalog import Transaction
from ...keycrm.parsing import parsed_rows
from ...services.catalogs import by_keycrm_id
from ...services.transactions import run_in_transaction

#: Pages of one look, where none is known: the shop's first one, or one with many that no payment names.
MOST_PAGES = 20


class KeycrmTransaction(models.Model):
    """A bank transaction as KeyCRM received it.

    It names no order: the link is the payment's ``transaction_uuid`` (confirmed). Those that KeyCRM has
    attached to no payment are listed, so that nobody's money is overlooked.
    """

    _name = "keycrm.transaction"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM bank transaction"
    _order = "date desc, id desc"
    _rec_name = "uuid"

    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    # An order's payments find their bank transactions by it.
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
    def _work_page(self, account, client):
        """Ask for one page of new bank transactions, newest first, until known ones come.

        What comes while it goes on moves the rest to later pages: some are read twice, none is missed.

        :param client: bulk client
        :return: True when there may be more
        """
        now = fields.Datetime.now()
        last = account.transactions_at
        if not account.import_payments or (
            last and last > now - timedelta(seconds=TRANSACTIONS_SECONDS)
        ):
            return False
        number = account.transactions_page or 1
        begun = account.transactions_begun_at if number > 1 else self.env.cr.now()
        page = client.page("/payments/external-transactions", number=number)
        rows = parsed_rows(Transaction.parse, page.rows)

        def note():
            known = self._were_known(account, rows, begun)
            self._store(account, {row.id: row for row in rows})
            if known or page.is_last or number >= MOST_PAGES:
                account.sudo().write({"transactions_at": now, "transactions_page": 0})
                return False
            account.sudo().write({"transactions_begun_at": begun, "transactions_page": number + 1})
            return True

        return run_in_transaction(account.env.cr, note)

    @api.model
    def _were_known(self, account, rows, begun):
        """Return whether these bank transactions were all known when the look began: so are older ones.

        :param rows: list of :class:`~..keycrm.catalog.Transaction`
        :param begun: when the look began
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
        """Take over transactions, and write the bank's text on the payments that name them.

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
