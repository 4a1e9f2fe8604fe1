"""KeyCRM's API without Odoo: client, request quota, parsing, naming and money.

Nothing in this package imports odoo, so all of it is tested without a database.
"""
