"""Things made once and kept: by one process at a time, and never left half made."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .messages import say

_MARK = ".complete"


@contextmanager
def locked(lock_file: Path, what: str) -> Iterator[None]:
    """Hold a lock that all processes of this machine respect; it goes when its holder dies.

    :param lock_file: the file to lock
    :param what: what is guarded, told to a person who has to wait
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another make that prepares {what}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def kept(target: Path, what: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, making it if it is not there whole.

    A folder counts as whole by a mark that is set last; one without it (its maker was killed) is
    made anew. The folder is made in its final place since environments cannot be moved.

    :param target: the folder
    :param what: what it holds, for messages
    :param make: fills the empty folder; raises if it cannot
    :return: the folder
    """
    if (target / _MARK).exists():
        (target / _MARK).touch()  # used: see forgotten()
        return target
    with locked(target.with_name(target.name + ".lock"), what):
        if (target / _MARK).exists():
            return target
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        try:
            make(target)
            (target / _MARK).touch()
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
    return target


def is_kept(target: Path) -> bool:
    """Return whether a folder of the cache is there whole.

    :param target: the folder
    :return: whether it is
    """
    return (target / _MARK).exists()


def key_of(*parts: str | bytes) -> str:
    """Name a thing by what it is made of.

    :param parts: all that decides what the thing is like
    :return: twelve hexadecimal digits
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def forgotten(folder: Path, before: float) -> list[Path]:
    """Find what was kept but has not been used for long.

    :param folder: the cache
    :param before: last use, in seconds since 1970
    :return: the folders
    """
    marks = folder.glob(f"*/*/{_MARK}")
    return [mark.parent for mark in marks if mark.stat().st_mtime < before]
