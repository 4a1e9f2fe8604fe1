from math import isfinite

from odoo import api, models
from odoo.tools.misc import formatLang
from odoo.tools.translate import LazyTranslate

from .error_texts import TEXTS

_lt = LazyTranslate(__name__)

#: Parameters of errors that are amounts of money.
AMOUNTS = {"amount", "price", "total"}
#: Kinds of KeyCRM's records, as the code names them.
KINDS = {
    "order": _lt("an order"),
    "line": _lt("an order line"),
    "payment": _lt("a payment"),
    "bank transaction": _lt("a bank transaction"),
    "payment method": _lt("a payment method"),
    "source": _lt("an order source"),
    "delivery service": _lt("a delivery service"),
    "category": _lt("a category"),
    "custom field": _lt("a custom field"),
    "status": _lt("an order status"),
    "stock row": _lt("a stock row"),
}
#: Rows of a list that cannot be read.
ROWS = {
    "offer": _lt("Offer %s cannot be read."),
    "buyer": _lt("The company of buyer %s cannot be read."),
}


class KeycrmErrorMessage(models.AbstractModel):
    """Turn error codes into sentences in the reader's language.

    Workers store a code and its parameters, because they run in OdooBot's language; the sentence is
    computed when a user reads it. Each names the problem and the action that solves it.
    """

    _name = "keycrm.error.message"
    _description = "KeyCRM error messages"

    @api.model
    def _sentence(self, code, params=None):
        """Return the sentence for an error code.

        :param code: code of a :class:`~.keycrm.errors.KeyCrmError`, or empty
        :param params: its parameters
        :return: a sentence; for an unknown code a sentence with the code
        """
        if not code:
            return ""
        params = self._in_words(params or {})
        if code not in TEXTS:
            return self.env._("Unexpected error (%s).", code)
        text = self.env._(TEXTS[code])
        try:
            sentence = text % params
        except (KeyError, TypeError, ValueError):
            sentence = text
        if params.get("message") and "%(message)s" not in text:
            sentence = self.env._(
                "%(sentence)s KeyCRM's response: “%(message)s”",
                sentence=sentence,
                message=params["message"],
            )
        source = ROWS.get(params.get("row"))
        row = source and self.env._(source)
        return f"{row % params.get('number')} {sentence}" if row else sentence

    @api.model
    def _in_words(self, params):
        """Write amounts and the kind of a KeyCRM record as the reader's language does.

        :param params: parameters of an error; ``what`` is the kind as the code names it, ``amount``,
            ``price`` and ``total`` are decimal texts, and ``currency`` is their currency's code
        :return: the parameters with translated kind and formatted amounts
        """
        params = dict(params)
        if "position" in params:
            params.update(self._unread_words(params))
        for name in AMOUNTS & params.keys():
            params[name] = self._amount(params[name], params.get("currency"))
        what = params.get("what")
        if not what:
            return params
        return {**params, "what": self.env._(KINDS[what]) if what in KINDS else what}

    @api.model
    def _unread_words(self, params):
        """Describe rows of a list that KeyCRM could not return.

        :param params: of :meth:`~.keycrm.list_parts.UnreadRows.as_error`
        :return: ``place`` and ``reason`` as texts
        """
        after, details = params.get("after"), params.get("details") or {}
        if params.get("code") == "server_trouble":
            reason = self.env._("internal error %s", details.get("status"))
        elif params.get("code") == "timed_out":
            reason = self.env._("no answer within %s seconds", details.get("seconds"))
        else:
            reason = self.env._("unreadable answer")
        position = self.env._("at position %s", params["position"])
        place = self.env._("after number %s", after) if after else position
        return {"place": place, "reason": reason}

    @api.model
    def _amount(self, text, currency_code=None):
        """Format an amount as the reader's language does.

        :param text: decimal text; another text is returned as it is
        :param currency_code: code of its currency; without one, or with one that Odoo lacks, two digits
            are written
        """
        try:
            amount = float(text)
        except (TypeError, ValueError):
            return text
        if not isfinite(amount):
            return text
        currency = self.env["res.currency"]._keycrm_named([currency_code])
        if currency:
            return currency.format(amount)
        return "\N{NO-BREAK SPACE}".join(
            filter(None, (formatLang(self.env, amount, digits=2), currency_code))
        )

    @api.model
    def _compute_sentences(self, records, name, prefix="error"):
        """Compute sentences from the stored codes, in the reader's language.

        :param records: records of any model
        :param name: the computed field
        :param prefix: prefix of the two fields ``<prefix>_code`` and ``<prefix>_params``
        """
        for record in records:
            text = self._sentence(record[f"{prefix}_code"], record[f"{prefix}_params"])
            record[name] = text or False
