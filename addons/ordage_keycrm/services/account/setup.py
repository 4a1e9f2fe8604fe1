from ..common.service import Service


class Setup(Service):
    """Read the records that the steps of the setup show."""

    def newest_runs(self, model):
        """Return the newest runs that were started; the account may be several here.

        :param model: model of the runs
        :return: ``{account id: id of the run}``
        """
        groups = (
            self.env[model]
            .sudo()
            ._read_group(
                [("account_id", "in", self.account.ids), ("state", "!=", "draft")],
                ["account_id"],
                ["id:max"],
            )
        )
        return {account.id: newest for account, newest in groups}

    def newest_order(self):
        """Return the newest order imported since the start.

        :return: ``sale.order``, maybe none
        """
        since = self._start()
        Order = self.env["sale.order"]
        if not since:
            return Order
        return Order.search(
            [("keycrm_account_id", "=", self.account.id), ("create_date", ">=", since)],
            order="id desc",
            limit=1,
        )

    def newest_level(self):
        """Return the newest quantity that KeyCRM accepted since the start.

        :return: ``keycrm.stock.level``, maybe none
        """
        since = self._start()
        Level = self.env["keycrm.stock.level"]
        if not since:
            return Level
        return Level.search(
            [
                ("account_id", "=", self.account.id),
                ("is_known", "=", True),
                ("sent_at", ">=", since),
                ("error", "=", False),
            ],
            order="sent_at desc, id desc",
            limit=1,
        )

    def _start(self):
        """Return since when the integration runs; None before the start, or without an account."""
        account = self.account
        if not account or account._is_before_start():
            return None
        return account.enabled_since or account.create_date
