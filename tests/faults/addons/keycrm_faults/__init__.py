"""Crash an Odoo process at a chosen commit, or after an answer of KeyCRM.

For tests only: loaded with ``--load`` and controlled by files in the folder that the environment
variable ``KEYCRM_FAULTS`` names. Without that variable it refuses to be loaded. The addon contains
nothing of it.

Crash points are found, not listed: each commit that the addon's own code causes has a name made of the
functions on its stack, and each answer of KeyCRM one made of method and path. The file ``passed``
records the names in order; ``plan`` names the crash point, as ``moment name``:

- ``before``: just before the commit; the transaction is lost.
- ``after``: the database has committed, no postcommit hook has run: no notification was sent.
- ``answered``: KeyCRM has executed the request and answered, nothing is recorded in Odoo yet.

While the file ``crash_on_answer`` holds the end of an address, each answer from there ends the process.

With ``KEYCRM_CLOCK`` in its environment, the process's clock is so many seconds ahead of (or behind) the
database server's.
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
#: Files of the addon whose commits are crash points.
COMMITTING_FILES = re.compile(r"/ordage_keycrm/(models|services)/")
#: Functions of the addon that commit for others: their caller is the better name.
HELPERS = ("run_in_transaction", "__enter__", "__exit__", "_apply_to_row")
#: Commits more than once: before it waits for the lock, with the lock, after its release.
NUMBERED = "company_lock"


def _name_of_commit():
    """Name the committing function of the addon, or the committing request."""
    names = []
    frame = sys._getframe(2)
    while frame:
        code = frame.f_code
        if COMMITTING_FILES.search(code.co_filename) and code.co_name != "<lambda>":
            name = f"{Path(code.co_filename).stem}.{code.co_name}"
            if code.co_name not in HELPERS and name not in names:
                names.append(name)
        elif code.co_name == "_process_job" and not names:
            # The scheduler's own commit at the end of a job.
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


def _pass_point(moment, name):
    """Record a point, and crash if it is the planned one."""
    point = f"{moment} {name}"
    passed = FOLDER / "passed"
    if NUMBERED in name:
        point += f", {passed.read_text().count(point) + 1 if passed.exists() else 1}"
    with passed.open("a") as log:
        log.write(f"{point}\n")
    plan = FOLDER / "plan"
    if plan.exists() and plan.read_text() == point:
        # Renamed, so that the next process does not crash at the same point.
        plan.rename(FOLDER / "crashed")
        os.kill(os.getpid(), signal.SIGKILL)


def _watched_commit(cr):
    name = _name_of_commit()
    if name is None:
        return _commit(cr)
    _pass_point("before", name)
    # First of the postcommit hooks: only the database has the result yet.
    cr.postcommit._funcs.appendleft(lambda: _pass_point("after", name))
    return _commit(cr)


def _watched_request(session, method, url, **options):
    response = _request(session, method, url, **options)
    file = FOLDER / "crash_on_answer"
    if file.exists() and url.endswith(file.read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    path = re.sub(r"/\d+", "/*", urlsplit(url).path.partition("/v1")[2])
    _pass_point("answered", f"{method} {path}")
    return response


_commit, sql_db.Cursor.commit = sql_db.Cursor.commit, _watched_commit
_request, requests.Session.request = requests.Session.request, _watched_request


if os.environ.get("KEYCRM_CLOCK"):
    _offset = datetime.timedelta(seconds=int(os.environ["KEYCRM_CLOCK"]))
    _now = fields.Datetime.now
    fields.Datetime.now = staticmethod(lambda *_args: _now() + _offset)
