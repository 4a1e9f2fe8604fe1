"""Odoo's scheduler is there to be woken.

Without worker processes Odoo runs scheduled actions in threads, and starts them once. A thread that finds
no PostgreSQL when its connection broke ends for good (Odoo 19; with workers the main process starts new
ones), so after a restart of the database server nothing would be worked until Odoo is restarted too.

A wake-up starts them again, and where none comes a watch does: whoever only asks KeyCRM, because no webhook
reaches this Odoo, is woken by nothing but the scheduler itself.
"""

import logging
import threading
import time

import psycopg2

from odoo import sql_db
from odoo.service import server
from odoo.tools import config

_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_seen = threading.Event()
_watched = threading.Event()

#: Seconds between two looks of the watch.
WATCH_SECONDS = 5


def revive():
    """Start Odoo's scheduler threads again where this process had some and all of them ended.

    Costs a look at the list of threads. A process that never had any (a worker, a shell, a test) is left
    as it is.

    :return: whether it did
    """
    with _lock:
        if not _have_ended():
            return False
        _logger.warning("KeyCRM: Odoo's scheduler threads had ended; they are started again")
        server.server.cron_spawn()
        return True


def watch():
    """Look after the scheduler threads of this process until it ends; once is enough."""
    if not isinstance(server.server, server.ThreadedServer) or not config["max_cron_threads"]:
        return
    with _lock:
        if _watched.is_set():
            return
        _watched.set()
    threading.Thread(target=_watch, name="keycrm.scheduler", daemon=True).start()


def _watch():
    while True:
        time.sleep(WATCH_SECONDS)
        _look()


def _look():
    # Without PostgreSQL new threads would end as the old ones did.
    if _have_ended() and _is_postgresql_there():
        revive()


def _have_ended():
    """Return whether this process had scheduler threads and has none any more; note that it had some."""
    if any(getattr(thread, "type", None) == "cron" for thread in threading.enumerate()):
        _seen.set()
        return False
    return _seen.is_set() and isinstance(server.server, server.ThreadedServer)


def _is_postgresql_there():
    try:
        with sql_db.db_connect("postgres").cursor():
            return True
    except psycopg2.Error:
        return False
