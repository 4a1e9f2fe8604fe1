"""The private Python environments, such as that of Odoo, tests and tools.

Runs under the system's Python with the standard library only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from . import cache, commands
from .messages import UserError, echo, step
from .paths import REQUIREMENTS, cache_folder, need_space
from .requirements import pinned, with_included

#: The environments and their purposes.
KINDS = {
    "dev": "Odoo, tests and the sandbox",
    "lint": "the linters",
    "audit": "the checker of dependencies",
    "package": "building packages",
}
#: Variable with the interpreter that ``make`` started, for processes inside an environment.
_STARTED_BY = "ORDAGE_STARTED_BY"
_MIN_PIP = (22, 3)  # the first with --python


def environment(kind: str) -> Path:
    """Return the private environment of a requirement file, created if missing.

    :param kind: one of :data:`KINDS`
    :return: its folder; the interpreter is ``bin/python`` in it
    :raise UserError: if it cannot be created
    """
    files = with_included(REQUIREMENTS / f"{kind}.txt")
    base = sys.base_exec_prefix
    key = cache.key_of(sys.version, base, *(file.read_bytes() for file in files))
    target = cache_folder() / "venv" / f"{kind}-{key}"

    def make(folder: Path) -> None:
        need_space(folder, 1.5, "the Python environment")
        with step(f"creating the Python environment for {KINDS[kind]}"):
            _make(folder, files[0])

    return cache.cached(target, f"the Python environment ({kind})", make)


def python_of(folder: Path) -> Path:
    """Return the interpreter of an environment.

    :param folder: the environment
    :return: path of its interpreter
    """
    return folder / "bin" / "python"


def enter(folder: Path, arguments: list[str]) -> None:
    """Continue this program inside an environment; does not return.

    :param folder: the environment
    :param arguments: of ``python -m tools``
    """
    python = str(python_of(folder))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(
        python,
        [python, "-m", "tools", *arguments],
        {**os.environ, "ORDAGE_VENV": str(folder), _STARTED_BY: sys.executable},
    )


def inside(folder: Path) -> bool:
    """Return whether this process runs in an environment.

    :param folder: the environment
    """
    return Path(sys.prefix).resolve() == folder.resolve()


def _make(folder: Path, requirements: Path) -> None:
    # Without pip inside: ensurepip is a package of its own on Debian, which may be missing.
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    with tempfile.TemporaryDirectory(prefix="ordage-pip-") as scratch:
        _install([str(find_pip(Path(scratch))), "-m", "pip"], folder, requirements)


def _install(installer: list[str], folder: Path, requirements: Path) -> None:
    wanted = len(pinned(requirements))
    command = [
        *installer,
        "--python",
        str(python_of(folder)),
        "install",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-input",
        "--no-compile",
        "--progress-bar",
        "off",
        "--disable-pip-version-check",
        "-r",
        str(requirements),
    ]
    commands.run(
        command,
        env=_environment_for_pip(),
        failure=(
            "Python packages could not be installed. Check that the Python package index can be "
            "reached (pip's own settings apply) and start again."
        ),
        progress=lambda text: (
            f"{min(wanted, text.count('Collecting '))} of {wanted} packages found"
        ),
    )
    echo(f"  {wanted} packages installed")


def find_pip(scratch: Path) -> Path:
    """Find a Python whose pip can install into another environment.

    Also called inside an environment of ours, which has no pip: then the Python that started the
    command is tried, and the one that the environment was made from. Where all of them lack pip,
    Python's own copy of it (``ensurepip``) is unpacked into a temporary environment.

    :param scratch: an empty folder for that temporary environment
    :return: the interpreter to run ``-m pip`` with
    :raise UserError: if there is no pip, or only old ones
    """
    starter = os.environ.get(_STARTED_BY)
    candidates = [starter, sys.executable, getattr(sys, "_base_executable", None)]
    too_old = ""
    for candidate in dict.fromkeys(filter(None, candidates)):
        version = _pip_version(Path(candidate))
        if version >= _MIN_PIP:
            return Path(candidate)
        if version:
            too_old = ".".join(map(str, version))
    if importlib.util.find_spec("ensurepip"):
        with contextlib.suppress(subprocess.CalledProcessError):
            venv.EnvBuilder(with_pip=True, symlinks=True).create(scratch)
            if _pip_version(python_of(scratch)) >= _MIN_PIP:
                return python_of(scratch)
    if too_old:
        oldest = ".".join(map(str, _MIN_PIP))
        raise UserError(f"pip {too_old} is too old: {oldest} or newer is needed.")
    raise UserError("pip is missing. Install it (on Debian: apt-get install python3-pip).")


def _pip_version(python: Path) -> tuple[int, ...]:
    """Return major and minor version of an interpreter's pip, empty without pip."""
    try:
        shown = subprocess.run(
            [str(python), "-m", "pip", "--version"],
            env=_environment_for_pip(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ()
    found = re.match(r"pip (\d+)\.(\d+)", shown)
    return (int(found[1]), int(found[2])) if found else ()


def _environment_for_pip() -> dict[str, str]:
    """Return this process's variables except those that redirect packages."""
    unwanted = {
        *("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV"),
        *("PYTHONPATH", "PYTHONHOME"),
    }
    return {name: value for name, value in os.environ.items() if name not in unwanted}
