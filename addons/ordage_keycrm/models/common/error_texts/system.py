"""Sentences about Odoo's database and processes, by error code."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

TEXTS = {
    "filestore_full": _lt(
        "Product images are not downloaded: the disk of Odoo's files is full. Odoo will continue "
        "automatically once your administrator has freed space; orders and stock are not affected."
    ),
    "key_not_decryptable": _lt(
        "The API key of “%(account)s” cannot be read in this database because it was copied from "
        "another one. Paste the key again if this copy should work with KeyCRM."
    ),
    "other_database": _lt(
        "This database is a copy or a restored backup of the one in which “%(account)s” was "
        "connected: it sends nothing to KeyCRM and imports no orders. If the shop works in this "
        "database, click “This is the production database”. Otherwise disable the integration "
        "here."
    ),
    "neutralized": _lt(
        "This is a test copy of the database: it sends nothing to KeyCRM and receives nothing. To "
        "work with a test account, paste its API key, enable the integration and use the new "
        "webhook link."
    ),
    "row_locked": _lt(
        "Another user is changing this order in Odoo right now. It will be updated in a few "
        "seconds; there is nothing to do."
    ),
    "unexpected": _lt(
        "An unexpected error occurred (%(kind)s). Click “Retry”. If the error persists, contact "
        "your Odoo administrator: the details are on the event."
    ),
    "database_full": _lt(
        "Odoo's database cannot store anything now (%(kind)s): its disk is full, or it is "
        "read-only. Your administrator has to free space. Odoo will continue automatically."
    ),
    "worker_died": _lt(
        "The Odoo process stopped while working on this, perhaps because of a memory or time "
        "limit. Odoo will try again automatically. If the error persists, contact your "
        "administrator."
    ),
}
