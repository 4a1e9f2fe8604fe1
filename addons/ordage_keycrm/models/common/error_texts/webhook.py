"""Sentences about the webhook link, by error code."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

TEXTS = {
    "link_local": _lt(
        "“%(host)s” is an address of your internal network: it is not accessible from the "
        "internet. Enter the public address of this Odoo. Until then Odoo checks KeyCRM every "
        "minute."
    ),
    "link_local_name": _lt(
        "On this server, “%(host)s” points to the internal address %(address)s, so access from "
        "the internet cannot be checked from here. The first webhook will show it; until then "
        "Odoo checks KeyCRM every minute."
    ),
    "link_page": _lt(
        "The public address contains “%(page)s”, which belongs to a page of Odoo. Enter only "
        "%(address)s, and put the new link into KeyCRM."
    ),
    "link_unknown_host": _lt(
        "The domain “%(host)s” was not found. Check the spelling of the public address and the "
        "DNS record of the domain."
    ),
    "link_http_redirects": _lt(
        "http://%(host)s redirects to %(address)s, and KeyCRM does not follow redirects. Enter "
        "%(address)s as the public address, and put the new link into KeyCRM."
    ),
    "link_redirects": _lt(
        "%(host)s redirects to %(address)s, and KeyCRM does not follow redirects. Enter the final "
        "address, and configure the proxy to forward /keycrm/webhook/ without redirecting."
    ),
    "link_certificate": _lt(
        "KeyCRM cannot connect securely to %(host)s: the certificate is invalid, or the server "
        "there does not support https. Install a certificate with its full chain, for example "
        "with certbot."
    ),
    "link_certificate_expired": _lt(
        "The certificate of %(host)s has expired, so KeyCRM does not connect. Renew it, for "
        "example with certbot."
    ),
    "link_certificate_name": _lt(
        "The certificate of %(host)s was issued for another domain, so KeyCRM does not connect. "
        "Enter the address it was issued for, or get a certificate for this address."
    ),
    "link_certificate_issuer": _lt(
        "The certificate of %(host)s is not signed by a trusted authority, so KeyCRM does not "
        "connect. Get one, for example with certbot, and install it with its full chain."
    ),
    "link_timed_out": _lt(
        "%(host)s did not respond within %(seconds)s seconds. Check that the firewall allows "
        "connections from KeyCRM. If Odoo cannot reach its own public address, the first webhook "
        "will show whether KeyCRM can."
    ),
    "link_unreachable": _lt(
        "%(host)s does not respond. Check the public address, its port, and that the firewall "
        "allows connections from KeyCRM. If Odoo cannot reach its own public address, the first "
        "webhook will show whether KeyCRM can."
    ),
    "link_several_databases": _lt(
        "%(host)s serves several databases and cannot determine that the webhook is for "
        "“%(database)s” (404). Add the lines below to nginx, or the last one to Odoo's "
        "configuration, and restart."
    ),
    "link_not_found": _lt(
        "%(host)s returned “page not found” (404). Either another Odoo or database responds "
        "there, or the proxy does not forward /keycrm/webhook/."
    ),
    "link_no_post": _lt(
        "%(host)s does not accept POST at this link (405). Configure the proxy to forward POST "
        "requests to /keycrm/webhook/."
    ),
    "link_forbidden": _lt(
        "%(host)s requires a password or blocks external requests (code %(status)s). Allow access "
        "to /keycrm/webhook/ without a password: the link contains its own secret."
    ),
    "link_status": _lt(
        "%(host)s returned an error (code %(status)s). Check the logs of the proxy and of Odoo."
    ),
    "link_somebody_else": _lt(
        "A different server responds at %(host)s. Check the public address, and to which server "
        "the proxy forwards /keycrm/webhook/."
    ),
    "link_trigger_get": _lt(
        "KeyCRM calls the link with GET, which contains no order data. In KeyCRM, set the HTTP "
        "request method of the trigger's action “Send Webhook” to POST."
    ),
}
