"""Sentences about requests to KeyCRM and its answers, by error code."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

TEXTS = {
    "unreachable": _lt(
        "KeyCRM cannot be reached at %(host)s. Check the network and the API address. Odoo will "
        "try again automatically."
    ),
    "no_keycrm": _lt(
        "KeyCRM does not respond at %(host)s. Check the API address and the network. Odoo will "
        "try again automatically."
    ),
    "bad_certificate": _lt(
        "The certificate of %(host)s is not valid. Check the API address and the server's clock."
    ),
    "timed_out": _lt(
        "KeyCRM (%(host)s) did not respond within %(seconds)s seconds. Odoo will try again "
        "automatically."
    ),
    "server_trouble": _lt(
        "KeyCRM has an internal error (code %(status)s). Odoo will try again automatically."
    ),
    "not_json": _lt(
        "The answer did not come from KeyCRM's API or was incomplete. Check the API address. Odoo "
        "will try again automatically."
    ),
    "not_a_list": _lt("KeyCRM returned an unexpected answer (not a list). Check the API address."),
    "not_a_number": _lt(
        "KeyCRM sent “%(value)s” where a number is expected. Correct it in KeyCRM, then click "
        "“Retry”."
    ),
    "not_an_order": _lt(
        "KeyCRM returned an unexpected answer (not an order). Check the API address, then click "
        "“Retry”."
    ),
    "id_missing": _lt(
        "KeyCRM sent %(what)s without its number. Open and save it in KeyCRM, then click “Retry”."
    ),
    "answer_too_large": _lt(
        "KeyCRM's answer is too large to read. Click “Retry”. If the error persists, contact "
        "KeyCRM support."
    ),
    "unauthorized": _lt(
        "KeyCRM does not accept the API key. Copy it again from KeyCRM: Settings → General → API "
        "key."
    ),
    "not_found": _lt(
        "KeyCRM does not have this record (404). Either it was deleted there, or the API address "
        "is wrong."
    ),
    "rate_limited": _lt(
        "KeyCRM reports too many requests per minute. Does another program use the same API key? "
        "Odoo will continue automatically."
    ),
    "budget_spent": _lt(
        "The KeyCRM limit of requests per minute is used up. Try again in %(wait)s seconds."
    ),
    "redirected": _lt(
        "%(host)s redirects to another address. Enter the final API address: the key is not sent "
        "to other hosts."
    ),
    "refused": _lt(
        "KeyCRM does not accept the request (code %(status)s). Fix the problem it reports, then "
        "try again."
    ),
    "row_unread": _lt(
        "KeyCRM cannot return the record %(place)s of its list (%(reason)s), so it was skipped. Open "
        "and save it in KeyCRM, then start again."
    ),
    "rows_unread": _lt(
        "KeyCRM cannot return %(count)s records %(place)s of its list (%(reason)s), so they were "
        "skipped. Open and save them in KeyCRM, then start again."
    ),
    "bad_settings": _lt(
        "The API key or the API address contains invalid characters. Copy them again."
    ),
}
