"""The folder of one run: all that is thrown away at its end, and what dead runs left behind."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from . import cache
from .paths import cache_folder, need_space, run_base


class RunFolder:
    """A folder that lives as long as this process; making it removes leftovers of dead runs.

    :param gibibytes: room it needs
    :param on_leftover: called with the notes of each dead run before its folder is removed
    """

    def __init__(
        self, gibibytes: float = 1.5, on_leftover: Callable[[dict[str, str]], None] | None = None
    ) -> None:
        self._maker = os.getpid()
        base = run_base()
        with cache.locked(cache_folder() / "run.lock", "a run folder"):
            remove_leftovers(on_leftover)
            need_space(base, gibibytes, "a run")
            self.path = base / f"{_prefix()}{secrets.token_hex(4)}"
            # A database server that was started by root runs as another user and must get through.
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
            self._lock = (self.path / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._at_end: list[Callable[[], None]] = []
        atexit.register(self.remove)

    def note(self, **facts: str) -> None:
        """Leave notes for whoever finds this folder after this process died.

        :param facts: names and values
        """
        file = self.path / "notes.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**known, **facts}))

    def at_end(self, action: Callable[[], None]) -> None:
        """Have something done before the folder is removed.

        :param action: what
        """
        self._at_end.append(action)

    def remove(self) -> None:
        """Remove the folder; once, and only in the process that made it."""
        if os.getpid() != self._maker or self._lock.closed:
            return
        while self._at_end:
            self._at_end.pop()()
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def remove_leftovers(on_leftover: Callable[[dict[str, str]], None] | None = None) -> int:
    """Remove the folders of runs that no longer live.

    :param on_leftover: called with the notes of each before its folder is removed
    :return: how many were removed
    """
    removed = 0
    for folder in run_base().glob(f"{_prefix()}*"):
        if not folder.is_dir() or folder.stat().st_uid != os.geteuid() or _lives(folder):
            continue
        notes = folder / "notes.json"
        if on_leftover and notes.exists():
            on_leftover(json.loads(notes.read_text() or "{}"))
        shutil.rmtree(folder, ignore_errors=True)
        removed += 1
    return removed


def _lives(folder: Path) -> bool:
    try:
        with (folder / "lock").open() as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _prefix() -> str:
    return f"ordage-{os.geteuid()}-"
