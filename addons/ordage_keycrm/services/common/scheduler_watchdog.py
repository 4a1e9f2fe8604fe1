"""Restart Odoo's scheduler threads after they ended with the database server.

Without worker processes Odoo runs scheduled actions in threads and starts them once. A thread that
finds no PostgreSQL when its connection broke ends for good (Odoo 19; with workers the main process
starts new ones), so after a restart of the database server nothing would run until Odoo is restarted
too.

A trigger restarts them, and where no trigger is created a watchdog thread does: an account that only
polls KeyCRM, because no webhook reaches this Odoo, is started by the scheduler alone.
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

#: Seconds between two checks of the watchdog thread.
WATCH_SECONDS = 5


def revive():
    """Restart Odoo's scheduler threads where this process had some and all ended.

    Costs one pass over the list of threads. A process that never had any (a worker, a shell, a test) is
    left unchanged.

    :return: whether threads were started
    """
    with _lock:
        if not _have_ended():
            return False
        _logger.warning("KeyCRM: Odoo's scheduler threads had ended; they are started again")
        server.server.cron_spawn()
        return True


def watch():
    """Start the watchdog thread of this process unless it runs already (idempotent)."""
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
        _check()


def _check():
    # Without PostgreSQL new threads would end as the old ones did.
    if _have_ended() and _is_postgresql_available():
        revive()


def _have_ended():
    """Return whether all scheduler threads ended, and record whether there are some.

    :return: False for a process that never had any
    """
    if any(getattr(thread, "type", None) == "cron" for thread in threading.enumerate()):
        _seen.set()
        return False
    return _seen.is_set() and isinstance(server.server, server.ThreadedServer)


def _is_postgresql_available():
    try:
        with sql_db.db_connect("postgres").cursor():
            return True
    except psycopg2.Error:
        return False
