from datetime import timedelta

from ...const import TRANSACTIONS_SECONDS
from ...keycrm.catalog import Transaction
from ...keycrm.parsing import parsed_rows
from ..common.list_pages import ListPages
from ..common.service import Service
from ..common.transactions import run_in_transaction

#: Maximum number of pages that are read at once: at first, or where payments refer to few transactions.
MAX_PAGES = 20


class BankTransactions(Service):
    """Read the bank transactions that KeyCRM received."""

    def process(self):
        """Read one page of transactions, newest first, until a page contains known ones only.

        New transactions that arrive meanwhile move the others to later pages: some are read twice, none
        is missed.

        :return: True when there may be more
        """
        account, now = self.account, self.env.cr.now()
        cursor = self.cursor("transactions")
        last = cursor.read_until
        if not account.import_payments or (
            last and last > now - timedelta(seconds=TRANSACTIONS_SECONDS)
        ):
            return False
        number = cursor.page or 1
        begun = cursor.started_at if number > 1 else now
        page = self.service(ListPages).read_page(
            "transactions", "/payments/external-transactions", {}, number
        )
        rows = parsed_rows(Transaction.parse, page.rows)

        def record():
            Record = self.env["keycrm.transaction"]
            are_known = Record._are_all_known(account, rows, begun)
            Record._store(account, {row.id: row for row in rows})
            if are_known or page.is_last or number >= MAX_PAGES:
                cursor.write({"read_until": now, "page": 0})
                return False
            cursor.write({"started_at": begun, "page": number + 1})
            return True

        return run_in_transaction(self.env.cr, record)
