"""Sentences about payments, by error code."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

TEXTS = {
    "payment_exists": _lt(
        "KeyCRM already has a payment of %(amount)s of about the same day (%(day)s), so nothing "
        "was sent. If it is the same money, click “Do not send”; otherwise “Send anyway”."
    ),
    "payment_exceeds": _lt(
        "With this payment of %(amount)s the order would be overpaid in KeyCRM, so nothing was "
        "sent. If KeyCRM has the money already, click “Do not send”; otherwise “Send anyway”."
    ),
    "payment_of_canceled": _lt(
        "The order is canceled in KeyCRM, so the payment of %(amount)s was not sent. Click “Do "
        "not send” or “Send anyway”."
    ),
    "payment_requested": _lt(
        "KeyCRM's answer to the last attempt was lost. If the payment does not appear in KeyCRM "
        "within a minute, it is sent again; there is nothing to do."
    ),
    "payment_method_missing": _lt(
        "No payment method of KeyCRM belongs to the journal “%(journal)s”. Choose the journal in "
        "Configuration → Payment methods, then click “Retry”."
    ),
    "payment_unclear": _lt(
        "The invoice %(name)s belongs to several orders or is in another currency, so Odoo does "
        "not know what each order was paid. Enter the payment in KeyCRM, then click “Do not send”."
    ),
    "payment_rate_missing": _lt(
        "A payment of %(amount)s is not posted in accounting: an exchange rate of %(currency)s is "
        "missing in Odoo. Enter one (Invoicing → Configuration → Accounting → Currencies); the "
        "payment follows automatically."
    ),
    "no_rate": _lt(
        "The payment is not posted in accounting: an exchange rate of %(currency)s is missing in "
        "Odoo. Enter one (Invoicing → Configuration → Accounting → Currencies); the payment follows "
        "automatically."
    ),
    "payment_currency_unknown": _lt(
        "A payment of %(amount)s is not posted in accounting: Odoo has no currency %(currency)s. "
        "Correct it in KeyCRM, or register the payment in accounting manually."
    ),
    "payment_deleted": _lt(
        "A user deleted the payment of %(amount)s from accounting, so it is not posted again. If this "
        "was a mistake, click “Post again” on the payment in Activity → Payments."
    ),
    "payment_status_unknown": _lt(
        "KeyCRM has a payment of %(amount)s in a status that Odoo does not know (%(status)s). It "
        "is neither posted nor expected; check it in KeyCRM."
    ),
    "no_chart": _lt(
        "“%(company)s” has no chart of accounts, so the payment is recorded only here. Choose a "
        "chart of accounts in the accounting settings, then click “Refresh from KeyCRM” on the "
        "order."
    ),
    "accounting_refused": _lt(
        "Accounting did not accept it: %(reason)s Fix this, then click “Refresh from KeyCRM” on "
        "the order."
    ),
}
