"""What all kinds of decisions have in common: counting, rows and their buttons."""

from collections import Counter

from ...common.service import Service

#: Fields of an order in a row. An order has a hundred further columns.
ORDER_FIELDS = ("keycrm_id", "keycrm_number", "partner_id", "currency_id", "keycrm_total")
#: Rows of a kind that are shown; the others are a link to their list.
ROWS = 8


class DecisionKind(Service):
    """Count and describe the decisions of one kind.

    ``account`` may hold several accounts here.
    """

    #: Name of the kind in the counts and in the keys of its rows.
    key = ""
    #: Fields that the count reads, by model. Who may not read one of the models sees no rows.
    reads = {}
    #: Part of the query that counts, with a row (kind, account id, count) for each account. Kinds may
    #: share a part. It reads no finished records.
    count_sql = ""
    #: Fields of the account on which :meth:`waiting` depends.
    depends = ()
    #: Method of the account that opens all records; empty if each row stands for all of an account.
    open_list = ""

    def waiting(self):
        """Return the accounts that wait for a decision themselves, each of which counts as one.

        :return: list of ``keycrm.account``
        """
        return []

    def rows(self):
        """Describe the newest records, at most :data:`ROWS` if there is a list of all.

        :return: list of :meth:`row`
        """
        raise NotImplementedError

    def label(self):
        """Return the name of the kind, for kinds with a list of all records."""
        raise NotImplementedError

    def may_read(self):
        """Return whether the user may read the records."""
        return all(self.env[model].has_access("read") for model in self.reads)

    def more(self, rows, counts):
        """Return a row for each account with records that are not shown; it opens their list.

        :param rows: those that are shown
        :param counts: function that returns :meth:`~.decisions.Decisions.counts`
        """
        shown = Counter(row["account"] for row in rows)
        totals = self.totals(counts)
        hidden = {
            account: totals.get(account.id, 0) - shown[account.id] for account in self.account
        }
        return [
            self.list_row(
                account, count, self.env._("%s more", count), self.open_list, self.label()
            )
            for account, count in hidden.items()
            if count > 0
        ]

    def totals(self, counts):
        """Return the number of all records.

        :param counts: see :meth:`more`
        :return: ``{account id: count}``
        """
        return {account_id: by_kind[self.key] for account_id, by_kind in counts().items()}

    # === PARTS OF A ROW ===#

    @property
    def is_manager(self):
        """Whether the user may decide what changes data in KeyCRM."""
        return self.env.user.has_group("ordage_keycrm.group_manager")

    def row(self, account, record, title="", *, order=None, since=None, **values):
        """Return a row for the web client.

        :param account: ``keycrm.account``, one
        :param record: what its title and its buttons open or call
        :param title: what it is; by default the order
        :param order: ``sale.order`` with the buyer, the sum and the numbers
        :param since: naive UTC
        :param values: ``kind``, ``buyer``, ``amount``, ``reason``, ``buttons``, and ``count``, the
            number of records that the row stands for
        """
        if order:
            numbers = order_numbers(order)
            title = title or self.env._("Order %s", numbers["number"])
            values["source_number"] = numbers["source_number"]
            values["buyer"] = order.partner_id.display_name
            values["amount"] = order.currency_id.format(order.keycrm_total)
        account_name = account.display_name if len(self.account) > 1 else ""
        return {
            "key": f"{record._name}-{record.id}-{self.key}",
            "account": account.id,
            "account_name": account_name if account_name != title else "",
            "model": record._name,
            "id": record.id,
            "title": title,
            "since": since.isoformat() if since else False,
            "kind": "",
            "source_number": "",
            "buyer": "",
            "amount": "",
            "reason": "",
            "count": 1,
            **values,
        }

    def list_row(self, account, count, title, open_list, kind, **values):
        """Return a row that stands for several records of an account; its button opens their list.

        :param account: ``keycrm.account``, one
        :param count: number of the records
        :param title: what they are
        :param open_list: method of the account that opens them
        :param kind: a word for them
        :param values: see :meth:`row`
        """
        buttons = [self.button(self.env._("Open list"), open_list)]
        return self.row(account, account, title, kind=kind, count=count, buttons=buttons, **values)

    @staticmethod
    def button(label, method=None, question=""):
        """Return a button of a row.

        :param label: the text on it
        :param method: of the row's record; None to open its form
        :param question: confirmed before
        """
        return {"label": label, "method": method, "confirm": question}


def order_numbers(order):
    """Return the numbers of an order, as the client shows them.

    :param order: ``sale.order``, one
    :return: ``{"number": KeyCRM's, "source_number": that at the source, empty if it is the same}``
    """
    number = str(order.keycrm_id)
    return {
        "number": number,
        "source_number": order.keycrm_number if order.keycrm_number != number else "",
    }
