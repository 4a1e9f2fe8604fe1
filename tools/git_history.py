"""The addons of an earlier state of the repository."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from .messages import UserError
from .paths import ADDONS, REPOSITORY


def tags() -> list[str]:
    """List the released versions, oldest first; empty without releases or git."""
    return _git("tag", "--sort=creatordate").split()


def files(folder: str) -> list[str]:
    """List the files of a folder that are in git or would be added; none without git.

    :param folder: the folder, below the repository
    :return: paths below the repository
    """
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder)
    return [name for name in listed.split("\0") if name and (REPOSITORY / name).exists()]


def addons_at(ref: str, folder: Path) -> Path:
    """Write the addons of a tag or commit into a folder.

    :param ref: tag or commit
    :param folder: an empty folder
    :return: the folder for Odoo's ``addons_path``
    :raise UserError: if the repository does not contain it
    """
    name = ADDONS.relative_to(REPOSITORY).as_posix()
    archive = folder / "addons.tar"
    folder.mkdir(parents=True, exist_ok=True)
    with archive.open("wb") as file:
        done = subprocess.run(
            ["git", "archive", "--format=tar", ref, name], cwd=REPOSITORY, stdout=file, check=False
        )
    if done.returncode:
        raise UserError(f"The repository has no {name} at {ref}.")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    return folder / name


def _git(*arguments: str) -> str:
    """Return git's output, empty on failure, as in a copy without history."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout if not done.returncode else ""
