from odoo import models


class KeycrmExplain(models.AbstractModel):
    """Sentences about the webhook link, one for each fault."""

    _inherit = "keycrm.explain"

    def _connection_texts(self):
        return {
            **super()._connection_texts(),
            "link_local": self.env._(
                "“%(host)s” is an address of your own network: KeyCRM cannot reach it from the "
                "internet. Enter the public address of this Odoo. Until then Odoo asks KeyCRM every "
                "minute."
            ),
            "link_local_name": self.env._(
                "This server knows “%(host)s” by %(address)s, an address of your own network, so Odoo "
                "cannot check from here whether the internet reaches it. The first webhook shows it; "
                "until then Odoo asks KeyCRM every minute."
            ),
            "link_page": self.env._(
                "The public address holds “%(page)s”, which belongs to a page of Odoo. Enter "
                "%(address)s alone, and put the new link into KeyCRM."
            ),
            "link_unknown_host": self.env._(
                "The internet knows no “%(host)s”. Check the spelling of the public address, and "
                "the DNS record of the name."
            ),
            "link_http_redirects": self.env._(
                "http://%(host)s sends its visitors on to %(address)s, and KeyCRM's message is lost on "
                "the way. Enter %(address)s as the public address, and put the new link into KeyCRM."
            ),
            "link_redirects": self.env._(
                "%(host)s sends its visitors on to %(address)s, and KeyCRM's message is lost on the "
                "way. Enter the final address, and let the proxy pass /keycrm/webhook/ on without "
                "redirecting."
            ),
            "link_certificate": self.env._(
                "KeyCRM cannot connect safely to %(host)s: its certificate is not valid, or nothing there "
                "speaks https. Install a certificate with its whole chain, for example with certbot."
            ),
            "link_certificate_expired": self.env._(
                "The certificate of %(host)s has expired, so KeyCRM does not connect. Renew it, for "
                "example with certbot."
            ),
            "link_certificate_name": self.env._(
                "The certificate at %(host)s was issued for another name, so KeyCRM does not connect. "
                "Enter the address for which it was issued, or get one for this address."
            ),
            "link_certificate_issuer": self.env._(
                "Nobody that KeyCRM could know has signed the certificate of %(host)s, so KeyCRM does "
                "not connect. Get one, for example with certbot, and install it with its whole chain."
            ),
            "link_timed_out": self.env._(
                "%(host)s did not answer within %(seconds)s seconds. Check that the firewall lets "
                "KeyCRM in. If Odoo cannot see its own public address from inside, the first webhook "
                "shows whether KeyCRM can."
            ),
            "link_unreachable": self.env._(
                "Nobody answers at %(host)s. Check the public address, its port, and that the firewall "
                "lets KeyCRM in. If Odoo cannot see its own public address from inside, the first "
                "webhook shows whether KeyCRM can."
            ),
            "link_several_databases": self.env._(
                "%(host)s serves several databases and does not know that the webhook is for "
                "“%(database)s” (404). Add the lines below to nginx, or the last one to Odoo's "
                "configuration, and restart."
            ),
            "link_not_found": self.env._(
                "%(host)s answers that it has no such page (404). Either another Odoo or database "
                "answers there, or the proxy does not pass /keycrm/webhook/ on."
            ),
            "link_no_post": self.env._(
                "%(host)s takes no POST at the link (405). Let the proxy pass POST to "
                "/keycrm/webhook/ on."
            ),
            "link_forbidden": self.env._(
                "%(host)s asks for a password or keeps strangers out (code %(status)s). Let "
                "/keycrm/webhook/ be reached without: the link holds a secret of its own."
            ),
            "link_status": self.env._(
                "%(host)s has a fault (code %(status)s). Look into the log of the proxy and of Odoo."
            ),
            "link_somebody_else": self.env._(
                "Something else than this Odoo answers at %(host)s. Check the public address, and to "
                "which server the proxy passes /keycrm/webhook/."
            ),
            "link_trigger_get": self.env._(
                "KeyCRM calls the link with GET, which says nothing about the order. In KeyCRM, set the "
                "method of the trigger's action “Send Webhook” to POST."
            ),
        }
