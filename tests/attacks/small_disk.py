"""A small disk that a test can fill: a tmpfs, which only root may mount."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: What the file that fills a disk is called.
_FILLER = "filler"


class SmallDisk:
    """A mounted file system of a fixed size.

    :param path: where it is mounted
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> int:
        """Leave no free byte; again after something was deleted.

        :return: bytes that were free
        """
        written = 0
        block = bytes(1 << 20)
        with (self.path / _FILLER).open("ab", buffering=0) as file:
            while len(block):
                try:
                    written += file.write(block)
                except OSError:
                    block = block[: len(block) // 2]
        return written

    def make_room(self) -> None:
        """Delete what :meth:`fill` wrote."""
        (self.path / _FILLER).unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Let a folder be a small disk for a while.

    :param path: the folder that becomes it; its content is kept, before and after
    :param megabytes: its size
    """
    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    path.mkdir(exist_ok=True)
    backup = path.with_name(f"{path.name}-backup")
    path.rename(backup)
    path.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)], check=True
    )
    disk = SmallDisk(path)
    is_copied = False
    try:
        _copy_content(backup, path)
        is_copied = True
        yield disk
    finally:
        disk.make_room()
        if is_copied:
            shutil.rmtree(backup)
            _copy_content(path, backup)
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()
        backup.rename(path)


def _copy_content(source: Path, target: Path) -> None:
    """Copy the content of a folder, with owners and permissions also of the folder itself."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)


def give_to_postgresql(path: Path) -> None:
    """Let PostgreSQL, which does not run as root, own a folder."""
    nobody = pwd.getpwnam("nobody")
    path.chmod(0o700)
    os.chown(path, nobody.pw_uid, nobody.pw_gid)
