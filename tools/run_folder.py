"""The folder of one run, and the residue of killed runs."""

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
    """A folder that exists as long as this process; residue is removed first.

    :param gibibytes: required disk space
    :param on_residue: called with the notes of each killed run before its folder is removed
    """

    def __init__(
        self, gibibytes: float = 1.5, on_residue: Callable[[dict[str, str]], None] | None = None
    ) -> None:
        self._owner = os.getpid()
        base = run_base()
        with cache.locked(cache_folder() / "run.lock", "a run folder"):
            remove_residue(on_residue)
            need_space(base, gibibytes, "a run")
            self.path = base / f"{_prefix()}{secrets.token_hex(4)}"
            # A database server started by root runs as another user, who must traverse the folder.
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
            self._lock = (self.path / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._at_end: list[Callable[[], None]] = []
        atexit.register(self.remove)

    def note(self, **facts: str) -> None:
        """Store notes for the run that removes this folder after a kill.

        :param facts: names and values
        """
        file = self.path / "notes.json"
        notes = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**notes, **facts}))

    def at_end(self, action: Callable[[], None]) -> None:
        """Register an action that runs before the folder is removed.

        :param action: the action
        """
        self._at_end.append(action)

    def remove(self) -> None:
        """Remove the folder once, in the process that created it."""
        if os.getpid() != self._owner or self._lock.closed:
            return
        while self._at_end:
            self._at_end.pop()()
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def remove_residue(on_residue: Callable[[dict[str, str]], None] | None = None) -> int:
    """Remove the folders of runs whose process has ended.

    :param on_residue: called with the notes of each before its folder is removed
    :return: number of removed folders
    """
    removed = 0
    for folder in run_base().glob(f"{_prefix()}*"):
        if not folder.is_dir() or folder.stat().st_uid != os.geteuid() or _is_alive(folder):
            continue
        notes = folder / "notes.json"
        if on_residue and notes.exists():
            on_residue(json.loads(notes.read_text() or "{}"))
        shutil.rmtree(folder, ignore_errors=True)
        removed += 1
    return removed


def _is_alive(folder: Path) -> bool:
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
