"""Seal the API keys and webhook secrets that earlier versions stored as they were typed in."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    Account = env["keycrm.account"]
    for account in Account.with_context(active_test=False).search([]):
        for field in ("api_key_secret", "webhook_token"):
            text = account[field]
            if text and Account._unsealed(text) is None:
                account[field] = Account._sealed(text)
