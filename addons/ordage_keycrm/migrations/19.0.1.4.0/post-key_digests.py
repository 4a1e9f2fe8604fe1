"""Store the keyed hash of each account's API key; the first account of a key keeps it."""

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ValidationError


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for account in env["keycrm.account"].search([], order="id"):
        try:
            account._store_key_digest(account._api_key())
        except ValidationError:
            # Both go on as before; whichever gets a new key is checked then.
            continue
