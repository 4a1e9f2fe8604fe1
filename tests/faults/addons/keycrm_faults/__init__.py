"""Ends an Odoo process at a chosen commit, or between KeyCRM's answer and the next commit.

For tests alone: loaded with ``--load``, steered by files in the folder that the environment variable
``KEYCRM_FAULTS`` names. Without that variable it refuses to be loaded. Nothing of it is in the addon.

Points are found, not listed: each commit that the addon's own code causes has a name made of the
functions on its stack, and each answer of KeyCRM one made of method and path. ``seen`` in the folder
collects the names in the order they come; ``plan`` names the point at which to die, as ``time name``:

- ``before``: just before the commit; the work is lost.
- ``after``: the database has committed, nothing that follows a commit has run: no wake-up was sent.
- ``answered``: KeyCRM has done it and answered, and nobody here knows yet.

While ``deadly`` names the end of an address, each answer from there ends the process.

With ``KEYCRM_CLOCK`` in its environment, the process lives so many seconds ahead of (or behind) the
database server's clock.
"""

import datetime
import os
import re
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import requests

from odoo import fields, sql_db
from odoo.http import request

FOLDER = Path(os.environ["KEYCRM_FAULTS"])
#: Where the addon commits.
PLACES = re.compile(r"/ordage_keycrm/(models|services)/")
#: Functions of the addon that commit for others: their caller says more.
GO_BETWEENS = ("_run_in_transaction", "_try_company_lock", "__enter__", "__exit__", "_changed")
#: Commits more than once: before it waits for the lock, once it has it, when it gives it back.
SEVERAL = "_company_lock"


def _name_of_commit():
    """Name the place in the addon that commits, or the request at whose end Odoo commits."""
    names = []
    frame = sys._getframe(2)
    while frame:
        code = frame.f_code
        if PLACES.search(code.co_filename) and code.co_name != "<lambda>":
            name = f"{Path(code.co_filename).stem}.{code.co_name}"
            if code.co_name not in GO_BETWEENS and name not in names:
                names.append(name)
        elif code.co_name == "_process_job" and not names:
            # The scheduler's own: the job is over.
            return "scheduler"
        frame = frame.f_back
    if names:
        return " < ".join(names[:2])
    if request:
        path = request.httprequest.path
        if path.startswith("/keycrm/webhook/"):
            return "webhook"
        if path.startswith("/xmlrpc/2/object"):
            return "user"
    return None


def _reached(moment, name):
    """Record a point, and die when it is the one."""
    point = f"{moment} {name}"
    seen = FOLDER / "seen"
    if SEVERAL in name:
        point += f", {seen.read_text().count(point) + 1 if seen.exists() else 1}"
    with seen.open("a") as log:
        log.write(f"{point}\n")
    plan = FOLDER / "plan"
    if plan.exists() and plan.read_text() == point:
        # Once: the process that is started next is not to die again.
        plan.rename(FOLDER / "died")
        os.kill(os.getpid(), signal.SIGKILL)


def _watched_commit(cr):
    name = _name_of_commit()
    if name is None:
        return _commit(cr)
    _reached("before", name)
    # The first of what follows a commit: the database has it, and nothing else knows.
    cr.postcommit._funcs.appendleft(lambda: _reached("after", name))
    return _commit(cr)


def _watched_request(session, method, url, **options):
    response = _request(session, method, url, **options)
    deadly = FOLDER / "deadly"
    if deadly.exists() and url.endswith(deadly.read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    path = re.sub(r"/\d+", "/*", urlsplit(url).path.partition("/v1")[2])
    _reached("answered", f"{method} {path}")
    return response


_commit, sql_db.Cursor.commit = sql_db.Cursor.commit, _watched_commit
_request, requests.Session.request = requests.Session.request, _watched_request


if os.environ.get("KEYCRM_CLOCK"):
    _apart = datetime.timedelta(seconds=int(os.environ["KEYCRM_CLOCK"]))
    _now = fields.Datetime.now
    fields.Datetime.now = staticmethod(lambda *_args: _now() + _apart)
