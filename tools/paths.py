"""Paths: the repository, the cache outside it, and the base of run folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from .messages import UserError

REPOSITORY = Path(__file__).resolve().parent.parent
ADDONS = REPOSITORY / "addons"
REQUIREMENTS = REPOSITORY / "requirements"

GIBIBYTE = 1024**3


def cache_folder() -> Path:
    """Return the cache folder: downloads, Odoo, environments, database templates.

    :return: ``ORDAGE_CACHE``, or ``ordage_keycrm`` in the user's cache folder; it exists
    """
    named = os.environ.get("ORDAGE_CACHE")
    if named:
        found = Path(named).expanduser().absolute()
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        found = Path(base).expanduser().absolute() / "ordage_keycrm"
    found.mkdir(parents=True, exist_ok=True)
    return found


def run_base() -> Path:
    """Return the base of run folders, with a path short enough for sockets.

    :return: ``ORDAGE_RUN``, or the first of /var/tmp, /tmp and the system's choice that is writable
    """
    named = os.environ.get("ORDAGE_RUN")
    if named:
        found = Path(named).expanduser().absolute()
        found.mkdir(parents=True, exist_ok=True)
        return found
    for candidate in (Path("/var/tmp"), Path("/tmp")):
        if os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    return Path(tempfile.gettempdir())


def need_space(folder: Path, gibibytes: float, what: str) -> None:
    """Check free disk space before a large step.

    :param folder: an existing folder on the disk in question
    :param gibibytes: the required space
    :param what: the step, as in "unpacking Odoo"
    :raise UserError: if there is less space
    """
    free = shutil.disk_usage(folder).free / GIBIBYTE
    if free < gibibytes:
        raise UserError(
            f"{what[0].upper()}{what[1:]} needs {gibibytes:.1f} GiB, but only {free:.1f} GiB are "
            f"free at {folder}. Free some space, or set ORDAGE_CACHE and ORDAGE_RUN to folders on "
            "another disk."
        )
