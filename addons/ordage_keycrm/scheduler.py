"""Odoo's scheduler is there to be woken.

Without worker processes Odoo runs scheduled actions in threads, and starts them once. A thread that finds
no PostgreSQL when its connection broke ends for good (Odoo 19; with workers the main process starts new
ones), so after a restart of the database server nothing would be worked until Odoo is restarted too.
"""

import logging
import threading

from odoo.service import server

_logger = logging.getLogger(__name__)
_lock = threading.Lock()
_seen = threading.Event()


def revive():
    """Start Odoo's scheduler threads again where this process had some and all of them ended.

    Costs a look at the list of threads. A process that never had any (a worker, a shell, a test) is left
    as it is.

    :return: whether it did
    """
    with _lock:
        if any(getattr(thread, "type", None) == "cron" for thread in threading.enumerate()):
            _seen.set()
            return False
        if not _seen.is_set() or not isinstance(server.server, server.ThreadedServer):
            return False
        _logger.warning("KeyCRM: Odoo's scheduler threads had ended; they are started again")
        server.server.cron_spawn()
        return True
