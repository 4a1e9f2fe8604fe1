from odoo import api, models


class KeycrmExplain(models.AbstractModel):
    """Turn error codes into sentences in the reader's language.

    Workers store a code and its parameters, because they run in OdooBot's language; the sentence is
    made when a person looks. Each says what happened and what to do.
    """

    _name = "keycrm.explain"
    _description = "KeyCRM error texts"

    @api.model
    def _sentence(self, code, params=None):
        """Say in words what a code means.

        :param code: code of a :class:`~..keycrm.errors.KeyCrmError`, or empty
        :param params: its parameters
        :return: a sentence; for an unknown code the code itself, so that nothing is hidden
        """
        if not code:
            return ""
        params = self._in_words(params or {})
        texts = {**self._connection_texts(), **self._order_texts()}
        text = texts.get(code)
        if text is None:
            return self.env._("Something unexpected happened (%s).", code)
        try:
            sentence = text % params
        except (KeyError, TypeError, ValueError):
            sentence = text
        if params.get("message") and "%(message)s" not in text:
            sentence = self.env._(
                "%(sentence)s KeyCRM says: “%(message)s”",
                sentence=sentence,
                message=params["message"],
            )
        return sentence

    @api.model
    def _in_words(self, params):
        """Name the kinds of KeyCRM's records in the reader's language.

        :param params: parameters of an error; ``what`` is the kind as the code calls it
        """
        what = params.get("what")
        if not what:
            return dict(params)
        kinds = {
            "order": self.env._("an order"),
            "line": self.env._("a line of an order"),
            "payment": self.env._("a payment"),
            "bank transaction": self.env._("a bank transaction"),
            "payment method": self.env._("a payment method"),
            "source": self.env._("an order source"),
            "status": self.env._("an order status"),
            "stock row": self.env._("a row of the stock"),
        }
        return {**params, "what": kinds.get(what, what)}

    @api.model
    def _tell(self, records, name, said="error"):
        """Compute sentences from what is stored beside them, in the reader's language.

        :param records: records of any model
        :param name: the computed field
        :param said: the begin of the two fields ``<said>_code`` and ``<said>_params``
        """
        for record in records:
            text = self._sentence(record[f"{said}_code"], record[f"{said}_params"])
            record[name] = text or False

    def _connection_texts(self):
        return {
            "unreachable": self.env._(
                "KeyCRM cannot be reached at %(host)s. Check the network and the API address; Odoo "
                "tries again by itself."
            ),
            "bad_certificate": self.env._(
                "The certificate of %(host)s is not valid. Check the API address and the server's clock."
            ),
            "timed_out": self.env._(
                "KeyCRM (%(host)s) did not answer within %(seconds)s seconds. Odoo tries again by itself."
            ),
            "server_trouble": self.env._(
                "KeyCRM has a fault of its own (code %(status)s). Odoo tries again by itself."
            ),
            "picture_host_ill": self.env._(
                "Pictures of products cannot be fetched from %(host)s now. Odoo tries again by itself; "
                "orders and stock go on."
            ),
            "not_json": self.env._(
                "The answer did not come from KeyCRM's API, or was cut off. Check the API address; Odoo "
                "tries again by itself."
            ),
            "not_a_list": self.env._(
                "KeyCRM answered something else than a list. Check the API address."
            ),
            "not_a_number": self.env._(
                "KeyCRM sent “%(value)s” where a number belongs. Correct it in KeyCRM, then press "
                "“Retry”."
            ),
            "not_an_order": self.env._(
                "KeyCRM answered something else than an order. Check the API address, then press "
                "“Retry”."
            ),
            "id_missing": self.env._(
                "KeyCRM sent %(what)s without its number. Open and save it in KeyCRM, then press "
                "“Retry”."
            ),
            "answer_too_large": self.env._(
                "KeyCRM's answer is too large to be read. Press “Retry”; if it stays, ask KeyCRM's "
                "support."
            ),
            "unauthorized": self.env._(
                "KeyCRM does not accept the API key. Copy it anew from the KeyCRM cabinet: Settings → "
                "General → API key."
            ),
            "not_found": self.env._(
                "KeyCRM does not know this (404). Either it was deleted there, or the API address is wrong."
            ),
            "rate_limited": self.env._(
                "KeyCRM answers that there are too many requests a minute. Does another program use "
                "the same API key? Odoo goes on by itself."
            ),
            "budget_spent": self.env._(
                "All requests that KeyCRM allows a minute are used. Try again in %(wait)s seconds."
            ),
            "redirected": self.env._(
                "%(host)s points to another address. Enter the final API address: the key is not "
                "sent on to other hosts."
            ),
            "refused": self.env._(
                "KeyCRM does not accept the request (code %(status)s). Put right what it names, then "
                "try again."
            ),
            "key_sealed": self.env._(
                "The API key of “%(account)s” cannot be read in this database, because Odoo copied it from "
                "another one. Paste the key again if this copy is to work with KeyCRM."
            ),
            "neutralized": self.env._(
                "This is a copy of the database for tests: it sends nothing to KeyCRM and receives nothing. "
                "To work with a test account, paste its API key, enable the integration and use the new "
                "webhook link."
            ),
            "bad_settings": self.env._(
                "The API key or the API address holds characters that cannot be used. Copy them anew."
            ),
        }

    def _order_texts(self):
        return {
            "order_gone": self.env._(
                "KeyCRM has no order %(order)s any more: it was deleted there, or belongs to "
                "another account. If it was deleted, cancel it in Odoo too."
            ),
            "no_order_number": self.env._(
                "KeyCRM's message names no order, so there is nothing to look up or to do."
            ),
            "currency_inactive": self.env._(
                "The order is in %(currency)s. Activate this currency in Odoo (Accounting → "
                "Configuration → Currencies), then press “Retry”."
            ),
            "currency_unknown": self.env._(
                "Odoo has no currency %(currency)s. Correct the currency of the order's source in KeyCRM."
            ),
            "payment_currency_inactive": self.env._(
                "A payment of %(amount)s counts neither as paid nor in accounting: %(currency)s is not "
                "active in Odoo. Activate it (Accounting → Configuration → Currencies), then press “Refresh "
                "from KeyCRM” on the order."
            ),
            "payment_currency_unknown": self.env._(
                "A payment of %(amount)s counts neither as paid nor in accounting: Odoo has no currency "
                "%(currency)s. Correct it in KeyCRM, or enter the money in accounting by hand."
            ),
            "no_warehouse": self.env._(
                "No Odoo warehouse is chosen for the orders of this account. Choose one in its settings."
            ),
            "odoo_refused": self.env._(
                "Odoo did not accept the order: %(reason)s Put this right, then press “Retry”."
            ),
            "unexpected": self.env._(
                "An unexpected fault (%(kind)s) kept this from being done. Press “Retry”; if it stays, "
                "an administrator finds the details on the event, for whoever looks after this Odoo."
            ),
            "no_chart": self.env._(
                "“%(company)s” has no chart of accounts, so the payment is noted here alone. Choose a "
                "chart in the accounting settings, then press “Refresh from KeyCRM” on the order."
            ),
            "accounting_refused": self.env._(
                "Accounting did not accept it: %(reason)s Put this right, then press “Refresh from "
                "KeyCRM” on the order."
            ),
            "worker_died": self.env._(
                "Odoo's process ended in the middle of this, perhaps for lack of memory or time. It "
                "is tried again by itself; if it stays, show it to an administrator."
            ),
            "stock_list_empty": self.env._(
                "KeyCRM's list of stock was empty, although Odoo knows products of it, so nothing was "
                "concluded from it. Check in KeyCRM that the products are there, then try again."
            ),
            "stock_list_short": self.env._(
                "KeyCRM's list of stock lacks products that it had before (%(count)s), so nothing "
                "was concluded from it. Odoo compares again by itself; if they were really deleted in "
                "KeyCRM, press “Compare with KeyCRM”."
            ),
        }
