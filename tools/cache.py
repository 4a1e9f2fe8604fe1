"""The cache: folders created by one process at a time, complete or absent."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .messages import echo

_COMPLETE = ".complete"


@contextmanager
def locked(lock_file: Path, what: str) -> Iterator[None]:
    """Hold a lock across all processes of this machine; it ends with its holder.

    :param lock_file: the file to lock
    :param what: the guarded thing, for the message to a waiting user
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            echo(f"waiting for another make that prepares {what}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def cached(target: Path, what: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, created if missing or incomplete.

    A marker file written last makes a folder complete; one without it (its creator was killed) is
    created again. The folder is created in its final place since environments cannot be moved.

    :param target: the folder
    :param what: its content, for messages
    :param make: fills the empty folder; raises if it cannot
    :return: the folder
    """
    if (target / _COMPLETE).exists():
        (target / _COMPLETE).touch()  # last use, see unused()
        return target
    with locked(target.with_name(target.name + ".lock"), what):
        if (target / _COMPLETE).exists():
            return target
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        try:
            make(target)
            (target / _COMPLETE).touch()
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
    return target


def is_cached(target: Path) -> bool:
    """Return whether a folder of the cache is complete.

    :param target: the folder
    """
    return (target / _COMPLETE).exists()


def key_of(*parts: str | bytes) -> str:
    """Return a key of a cached thing, derived from its inputs.

    :param parts: all inputs that determine the thing
    :return: twelve hexadecimal digits
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def unused(folder: Path, before: float) -> list[Path]:
    """List the cached folders without recent use.

    :param folder: the cache
    :param before: last use, in seconds since 1970
    :return: the folders
    """
    markers = folder.glob(f"*/*/{_COMPLETE}")
    return [marker.parent for marker in markers if marker.stat().st_mtime < before]
