"""``make package``: build the installable packages into ``dist/``.

A zip of all addons for a folder of ``addons_path``, and one wheel per addon for pip. Both hold the
same files.
"""

from __future__ import annotations

import ast
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import commands, venv
from .messages import echo, step, warn
from .paths import ADDONS, REPOSITORY

DIST = REPOSITORY / "dist"
_IGNORED = shutil.ignore_patterns("__pycache__", "*.py[co]", ".*", "build", "*.egg-info")
#: The date of all files in the packages, so that the same sources give the same bytes.
_EPOCH = "315532800"  # the oldest date that a zip can hold
# Away from the addon's folder (-P), whose modules would hide those of Python.
_BUILD = "import sys; from whool.buildapi import build_wheel; build_wheel(sys.argv[1])"


def main(_arguments: list[str]) -> int:
    """Build the packages, replacing earlier ones.

    :return: the exit code
    """
    shutil.rmtree(DIST, ignore_errors=True)
    for package in build(DIST):
        echo(f"{package.relative_to(REPOSITORY)} ({package.stat().st_size / 1e6:.1f} MB)")
    for addon in addons():
        addresses = [_manifest(addon)[key] for key in ("website", "support")]
        if any(address.endswith(".example") for address in addresses):
            warn(
                f"{addon.name}: {' and '.join(addresses)} are placeholders. Replace them in "
                "__manifest__.py before you publish."
            )
    return 0


def build(folder: Path) -> list[Path]:
    """Build the packages.

    :param folder: the target folder, created if missing
    :return: the zip, then the wheels
    :raise UserError: if the build environment cannot be made or a build fails
    """
    folder.mkdir(parents=True, exist_ok=True)
    python = venv.python_of(venv.environment("package"))
    with tempfile.TemporaryDirectory(prefix="ordage-package-") as work, step("building packages"):
        staged = [_staged(addon, Path(work)) for addon in addons()]
        for addon in staged:
            _build_wheel(python, addon, folder)
        archive = folder / f"{staged[0].name}-{_manifest(staged[0])['version']}.zip"
        _write_zip(archive, staged)
    return [archive, *sorted(folder.glob("*.whl"))]


def addons() -> list[Path]:
    """List the addons.

    :return: their folders, the main one first
    """
    return sorted(manifest.parent for manifest in ADDONS.glob("*/__manifest__.py"))


def _manifest(addon: Path) -> dict[str, Any]:
    return ast.literal_eval((addon / "__manifest__.py").read_text())


def _staged(addon: Path, work: Path) -> Path:
    """Copy an addon's own files together with the license."""
    staged = work / addon.name
    shutil.copytree(addon, staged, ignore=_IGNORED)
    shutil.copy(REPOSITORY / "LICENSE", staged)
    return staged


def _build_wheel(python: Path, addon: Path, folder: Path) -> None:
    # Without git the backend takes all files of the folder, which holds nothing else here.
    env = {**os.environ, "GIT_DIR": os.devnull, "SOURCE_DATE_EPOCH": _EPOCH}
    commands.run(
        [str(python), "-P", "-c", _BUILD, str(folder)],
        cwd=addon,
        env=env,
        failure=f"The wheel of {addon.name} could not be built.",
    )


def _write_zip(archive: Path, addons: list[Path]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for addon in addons:
            for file in _files(addon):
                entry = zipfile.ZipInfo(str(file.relative_to(addon.parent)))
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, file.read_bytes())


def _files(addon: Path) -> Iterator[Path]:
    """Yield the files of a package: all but ``pyproject.toml``, absent in wheels too."""
    for file in sorted(addon.rglob("*")):
        if file.is_file() and file != addon / "pyproject.toml":
            yield file
