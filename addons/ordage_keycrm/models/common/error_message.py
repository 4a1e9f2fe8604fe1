from math import isfinite

from odoo import api, models
from odoo.tools.misc import formatLang

#: Parameters of errors that are amounts of money.
AMOUNTS = {"amount", "price", "total"}


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
        texts = {**self._connection_texts(), **self._link_texts(), **self._order_texts()}
        text = texts.get(code)
        if text is None:
            return self.env._("Unexpected error (%s).", code)
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
        rows = {
            "offer": self.env._("Offer %s cannot be read.", params.get("number")),
            "buyer": self.env._("The company of buyer %s cannot be read.", params.get("number")),
        }
        return " ".join(filter(None, (rows.get(params.get("row")), sentence)))

    @api.model
    def _in_words(self, params):
        """Write amounts and the kind of a KeyCRM record as the reader's language does.

        :param params: parameters of an error; ``what`` is the kind as the code names it, ``amount``,
            ``price`` and ``total`` are decimal texts, and ``currency`` is their currency's code
        :return: the parameters with translated kind and formatted amounts
        """
        params = dict(params)
        for name in AMOUNTS & params.keys():
            params[name] = self._amount(params[name], params.get("currency"))
        what = params.get("what")
        if not what:
            return params
        kinds = {
            "order": self.env._("an order"),
            "line": self.env._("an order line"),
            "payment": self.env._("a payment"),
            "bank transaction": self.env._("a bank transaction"),
            "payment method": self.env._("a payment method"),
            "source": self.env._("an order source"),
            "delivery service": self.env._("a delivery service"),
            "category": self.env._("a category"),
            "custom field": self.env._("a custom field"),
            "status": self.env._("an order status"),
            "stock row": self.env._("a stock row"),
        }
        return {**params, "what": kinds.get(what, what)}

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

    def _connection_texts(self):
        """Return the sentences about the connection, by error code."""
        return {
            "unreachable": self.env._(
                "KeyCRM cannot be reached at %(host)s. Check the network and the API address. "
                "Odoo will try again automatically."
            ),
            "no_keycrm": self.env._(
                "KeyCRM does not respond at %(host)s. Check the API address and the network. "
                "Odoo will try again automatically."
            ),
            "bad_certificate": self.env._(
                "The certificate of %(host)s is not valid. Check the API address and the server's clock."
            ),
            "timed_out": self.env._(
                "KeyCRM (%(host)s) did not respond within %(seconds)s seconds. Odoo will try "
                "again automatically."
            ),
            "server_trouble": self.env._(
                "KeyCRM has an internal error (code %(status)s). Odoo will try again automatically."
            ),
            "picture_host_ill": self.env._(
                "Product images cannot be downloaded from %(host)s now. Odoo will try again "
                "automatically; orders and stock are not affected."
            ),
            "filestore_full": self.env._(
                "Product images are not downloaded: the disk of Odoo's files is full. Odoo will continue "
                "automatically once your administrator has freed space; orders and stock are not affected."
            ),
            "not_json": self.env._(
                "The answer did not come from KeyCRM's API or was incomplete. Check the API "
                "address. Odoo will try again automatically."
            ),
            "not_a_list": self.env._(
                "KeyCRM returned an unexpected answer (not a list). Check the API address."
            ),
            "not_a_number": self.env._(
                "KeyCRM sent “%(value)s” where a number is expected. Correct it in KeyCRM, then "
                "click “Retry”."
            ),
            "not_an_order": self.env._(
                "KeyCRM returned an unexpected answer (not an order). Check the API address, "
                "then click “Retry”."
            ),
            "id_missing": self.env._(
                "KeyCRM sent %(what)s without its number. Open and save it in KeyCRM, then click "
                "“Retry”."
            ),
            "answer_too_large": self.env._(
                "KeyCRM's answer is too large to read. Click “Retry”. If the error persists, "
                "contact KeyCRM support."
            ),
            "unauthorized": self.env._(
                "KeyCRM does not accept the API key. Copy it again from KeyCRM: Settings → "
                "General → API key."
            ),
            "not_found": self.env._(
                "KeyCRM does not have this record (404). Either it was deleted there, or the API "
                "address is wrong."
            ),
            "rate_limited": self.env._(
                "KeyCRM reports too many requests per minute. Does another program use the same "
                "API key? Odoo will continue automatically."
            ),
            "budget_spent": self.env._(
                "The KeyCRM limit of requests per minute is used up. Try again in %(wait)s seconds."
            ),
            "redirected": self.env._(
                "%(host)s redirects to another address. Enter the final API address: the key is "
                "not sent to other hosts."
            ),
            "refused": self.env._(
                "KeyCRM does not accept the request (code %(status)s). Fix the problem it "
                "reports, then try again."
            ),
            "key_sealed": self.env._(
                "The API key of “%(account)s” cannot be read in this database because it was "
                "copied from another one. Paste the key again if this copy should work with "
                "KeyCRM."
            ),
            "other_database": self.env._(
                "This database is a copy or a restored backup of the one in which “%(account)s” "
                "was connected: it sends nothing to KeyCRM and imports no orders. If the shop "
                "works in this database, click “This is the production database”. Otherwise "
                "disable the integration here."
            ),
            "neutralized": self.env._(
                "This is a test copy of the database: it sends nothing to KeyCRM and receives "
                "nothing. To work with a test account, paste its API key, enable the integration "
                "and use the new webhook link."
            ),
            "bad_settings": self.env._(
                "The API key or the API address contains invalid characters. Copy them again."
            ),
        }

    def _order_texts(self):
        """Return the sentences about orders, payments and stock, by error code."""
        return {
            "order_gone": self.env._(
                "KeyCRM no longer has order %(order)s: it was deleted there or belongs to "
                "another account. If it was deleted, cancel it in Odoo too."
            ),
            "lines_missing": self.env._(
                "KeyCRM returned order %(order)s without its products, although they cost %(total)s. "
                "Odoo changes nothing and will read the order again automatically. If the error "
                "persists, open and save the order in KeyCRM."
            ),
            "value_rate_missing": self.env._(
                "Not sent to KeyCRM: an exchange rate of %(currency)s is missing in Odoo. Enter one in the "
                "setup, step “Currency”; the value follows automatically."
            ),
            "payment_exists": self.env._(
                "KeyCRM already has a payment of %(amount)s of about the same day (%(day)s), so nothing was "
                "sent. If it is the same money, click “Do not send”; otherwise “Send anyway”."
            ),
            "payment_exceeds": self.env._(
                "With this payment of %(amount)s the order would be overpaid in KeyCRM, so nothing was "
                "sent. If KeyCRM has the money already, click “Do not send”; otherwise “Send anyway”."
            ),
            "payment_of_canceled": self.env._(
                "The order is canceled in KeyCRM, so the payment of %(amount)s was not sent. Click “Do not "
                "send” or “Send anyway”."
            ),
            "payment_requested": self.env._(
                "KeyCRM's answer to the last attempt was lost. If the payment does not appear in KeyCRM "
                "within a minute, it is sent again; there is nothing to do."
            ),
            "payment_method_missing": self.env._(
                "No payment method of KeyCRM belongs to the journal “%(journal)s”. Choose the journal in "
                "Configuration → Payment methods, then click “Retry”."
            ),
            "payment_unclear": self.env._(
                "The invoice %(name)s belongs to several orders or is in another currency, so Odoo does not "
                "know what each order was paid. Enter the payment in KeyCRM, then click “Do not send”."
            ),
            "create_no_sku": self.env._(
                "The product has no SKU (internal reference). Enter one, then click “Check again”."
            ),
            "create_sku_unusable": self.env._(
                "KeyCRM cannot look up this SKU: it holds a comma or is too long. Change it, then click "
                "“Check again”."
            ),
            "create_sku_repeated": self.env._(
                "Several products in Odoo have this SKU. Give each its own, then click “Check again”."
            ),
            "create_sku_in_keycrm": self.env._(
                "KeyCRM has this SKU several times, or for another product of Odoo. Correct it there, then "
                "click “Check again”."
            ),
            "create_other_company": self.env._(
                "The product belongs to another company than the KeyCRM account. Create it with an account "
                "of its own company."
            ),
            "create_archived": self.env._(
                "The product is archived. Restore it, then click “Check again”."
            ),
            "create_combo": self.env._(
                "Odoo would neither deliver nor invoice the products of a combo. Create its products, or a "
                "kit."
            ),
            "create_barcode_repeated": self.env._(
                "Another product of the list, or one that KeyCRM has, has this barcode. Correct it, then "
                "click “Check again”."
            ),
            "create_is_archived": self.env._(
                "KeyCRM has the product, but it is archived there. Restore it in KeyCRM to sell it."
            ),
            "create_not_linked": self.env._(
                "KeyCRM has the product, but Odoo could not link it: %(reason)s Fix this, then click “Check "
                "again” and create it again: it is linked and not created twice."
            ),
            "tracking_differs": self.env._(
                "KeyCRM already has another tracking number of this order: %(theirs)s (Odoo: %(ours)s). "
                "Neither is changed. Correct the wrong one, then click “Retry”."
            ),
            "discount_exceeds_goods": self.env._(
                "The discounts of the order exceed its products (%(total)s). Correct the discount in "
                "KeyCRM, or confirm the order here if this is intended."
            ),
            "combo_product": self.env._(
                "Odoo would neither deliver nor invoice the products of %(products)s: it is a combo. "
                "Choose another product for it in “Offers”, such as a kit, then click “Refresh from "
                "KeyCRM” on the order."
            ),
            "warehouse_archived": self.env._(
                "The warehouse “%(warehouse)s” of the order is archived. Choose another one in the account "
                "or the source, or restore it, then click “Refresh from KeyCRM” on the order."
            ),
            "not_confirmed": self.env._(
                "Odoo did not confirm the order: %(reason)s Fix this, then confirm the order here."
            ),
            "row_locked": self.env._(
                "Another user is changing this order in Odoo right now. It will be updated in a few "
                "seconds; there is nothing to do."
            ),
            "no_order_number": self.env._(
                "KeyCRM's message contains no order number, so there is nothing to do."
            ),
            "currency_unknown": self.env._(
                "Odoo has no currency %(currency)s. Correct the currency of the order's source in KeyCRM."
            ),
            "payment_rate_missing": self.env._(
                "A payment of %(amount)s is not posted in accounting: an exchange rate of %(currency)s is "
                "missing in Odoo. Enter one (Invoicing → Configuration → Accounting → Currencies); the "
                "payment follows automatically."
            ),
            "no_rate": self.env._(
                "The payment is not posted in accounting: an exchange rate of %(currency)s is missing in "
                "Odoo. Enter one in the setup, step “Currency”; the payment follows automatically."
            ),
            "payment_currency_unknown": self.env._(
                "A payment of %(amount)s is not posted in accounting: Odoo has no currency %(currency)s. "
                "Correct it in KeyCRM, or register the payment in accounting manually."
            ),
            "payment_status_unknown": self.env._(
                "KeyCRM has a payment of %(amount)s in a status that Odoo does not know (%(status)s). It "
                "is neither posted nor expected; check it in KeyCRM."
            ),
            "no_warehouse": self.env._(
                "No Odoo warehouse is chosen for the orders of this account. Choose one in its settings."
            ),
            "odoo_refused": self.env._(
                "Odoo did not accept the order: %(reason)s Fix this, then click “Retry”."
            ),
            "unexpected": self.env._(
                "An unexpected error occurred (%(kind)s). Click “Retry”. If the error persists, "
                "contact your Odoo administrator: the details are on the event."
            ),
            "database_full": self.env._(
                "Odoo's database cannot store anything now (%(kind)s): its disk is full, or it is "
                "read-only. Your administrator has to free space. Odoo will continue automatically."
            ),
            "no_chart": self.env._(
                "“%(company)s” has no chart of accounts, so the payment is recorded only here. "
                "Choose a chart of accounts in the accounting settings, then click “Refresh from "
                "KeyCRM” on the order."
            ),
            "accounting_refused": self.env._(
                "Accounting did not accept it: %(reason)s Fix this, then click “Refresh from "
                "KeyCRM” on the order."
            ),
            "worker_died": self.env._(
                "The Odoo process stopped while working on this, perhaps because of a memory or "
                "time limit. Odoo will try again automatically. If the error persists, contact "
                "your administrator."
            ),
            "stock_list_empty": self.env._(
                "KeyCRM's stock list was empty although Odoo has products linked to it, so Odoo "
                "did not use it. Check that the products exist in KeyCRM, then try again."
            ),
            "stock_list_short": self.env._(
                "KeyCRM's stock list lacks products that it had before (%(count)s), so Odoo did "
                "not use it. The comparison is repeated automatically. If the products were "
                "really deleted in KeyCRM, click “Compare with KeyCRM”."
            ),
            "sku_ambiguous": self.env._(
                "The SKU “%(sku)s” belongs to several products: %(products)s. Give each its own "
                "SKU, or choose the right product; the order will then arrive automatically."
            ),
            "barcode_ambiguous": self.env._(
                "The barcode “%(barcode)s” belongs to several products: %(products)s. Correct "
                "it; the order will then arrive automatically."
            ),
            "barcode_taken": self.env._(
                "The barcode “%(barcode)s” was not imported: %(product)s already has it."
            ),
            "unit_differs": self.env._(
                "“%(product)s” is counted in “%(keycrm)s” in KeyCRM but in “%(odoo)s” in Odoo, so its "
                "quantity would be wrong. Change the unit on one side, then click “Refresh from KeyCRM” on "
                "the order. If the quantity is right nevertheless, confirm the order here."
            ),
            "variant_price": self.env._(
                "The price of %(product)s in KeyCRM is %(price)s. Odoo shows another one: it copies "
                "the prices of variants only where one attribute, such as the size, decides them. "
                "Enter price extras for the product's attributes. Orders still use KeyCRM's prices."
            ),
            "picture_host": self.env._(
                "Images are not downloaded from %(host)s: it is not in the settings."
            ),
            "picture_refused": self.env._("The image cannot be downloaded: %(reason)s."),
        }

    def _link_texts(self):
        """Return the sentences about the webhook link, by error code."""
        return {
            "link_local": self.env._(
                "“%(host)s” is an address of your internal network: it is not accessible from "
                "the internet. Enter the public address of this Odoo. Until then Odoo checks "
                "KeyCRM every minute."
            ),
            "link_local_name": self.env._(
                "On this server, “%(host)s” points to the internal address %(address)s, so "
                "access from the internet cannot be checked from here. The first webhook will "
                "show it; until then Odoo checks KeyCRM every minute."
            ),
            "link_page": self.env._(
                "The public address contains “%(page)s”, which belongs to a page of Odoo. Enter "
                "only %(address)s, and put the new link into KeyCRM."
            ),
            "link_unknown_host": self.env._(
                "The domain “%(host)s” was not found. Check the spelling of the public address "
                "and the DNS record of the domain."
            ),
            "link_http_redirects": self.env._(
                "http://%(host)s redirects to %(address)s, and KeyCRM does not follow redirects. "
                "Enter %(address)s as the public address, and put the new link into KeyCRM."
            ),
            "link_redirects": self.env._(
                "%(host)s redirects to %(address)s, and KeyCRM does not follow redirects. Enter "
                "the final address, and configure the proxy to forward /keycrm/webhook/ without "
                "redirecting."
            ),
            "link_certificate": self.env._(
                "KeyCRM cannot connect securely to %(host)s: the certificate is invalid, or the "
                "server there does not support https. Install a certificate with its full chain, "
                "for example with certbot."
            ),
            "link_certificate_expired": self.env._(
                "The certificate of %(host)s has expired, so KeyCRM does not connect. Renew it, for "
                "example with certbot."
            ),
            "link_certificate_name": self.env._(
                "The certificate of %(host)s was issued for another domain, so KeyCRM does not "
                "connect. Enter the address it was issued for, or get a certificate for this "
                "address."
            ),
            "link_certificate_issuer": self.env._(
                "The certificate of %(host)s is not signed by a trusted authority, so KeyCRM "
                "does not connect. Get one, for example with certbot, and install it with its "
                "full chain."
            ),
            "link_timed_out": self.env._(
                "%(host)s did not respond within %(seconds)s seconds. Check that the firewall "
                "allows connections from KeyCRM. If Odoo cannot reach its own public address, "
                "the first webhook will show whether KeyCRM can."
            ),
            "link_unreachable": self.env._(
                "%(host)s does not respond. Check the public address, its port, and that the "
                "firewall allows connections from KeyCRM. If Odoo cannot reach its own public "
                "address, the first webhook will show whether KeyCRM can."
            ),
            "link_several_databases": self.env._(
                "%(host)s serves several databases and cannot determine that the webhook is for "
                "“%(database)s” (404). Add the lines below to nginx, or the last one to Odoo's "
                "configuration, and restart."
            ),
            "link_not_found": self.env._(
                "%(host)s returned “page not found” (404). Either another Odoo or database "
                "responds there, or the proxy does not forward /keycrm/webhook/."
            ),
            "link_no_post": self.env._(
                "%(host)s does not accept POST at this link (405). Configure the proxy to "
                "forward POST requests to /keycrm/webhook/."
            ),
            "link_forbidden": self.env._(
                "%(host)s requires a password or blocks external requests (code %(status)s). "
                "Allow access to /keycrm/webhook/ without a password: the link contains its own "
                "secret."
            ),
            "link_status": self.env._(
                "%(host)s returned an error (code %(status)s). Check the logs of the proxy and "
                "of Odoo."
            ),
            "link_somebody_else": self.env._(
                "A different server responds at %(host)s. Check the public address, and to which "
                "server the proxy forwards /keycrm/webhook/."
            ),
            "link_trigger_get": self.env._(
                "KeyCRM calls the link with GET, which contains no order data. In KeyCRM, set "
                "the HTTP request method of the trigger's action “Send Webhook” to POST."
            ),
        }
