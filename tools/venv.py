"""The private Python environments: one for Odoo, tests and tools, one for the linters.

Runs under the system's Python with nothing but the standard library.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

from . import cache, commands
from .messages import Trouble, doing, say
from .paths import REQUIREMENTS, cache_folder, need_space


def environment(kind: str) -> Path:
    """Return a private environment with what one requirement file names, making it if need be.

    :param kind: ``dev``, ``lint`` or ``audit``
    :return: its folder; the interpreter is ``bin/python`` in it
    :raise Trouble: if it cannot be made
    """
    files = _with_included(REQUIREMENTS / f"{kind}.txt")
    base = sys.base_exec_prefix
    key = cache.key_of(sys.version, base, *(file.read_bytes() for file in files))
    target = cache_folder() / "venv" / f"{kind}-{key}"

    def make(folder: Path) -> None:
        need_space(folder, 1.5, "the Python environment")
        with doing(f"making the Python environment for {_PURPOSE[kind]}"):
            _make(folder, files[0])

    return cache.kept(target, f"the Python environment ({kind})", make)


_PURPOSE = {
    "dev": "Odoo, tests and the sandbox",
    "lint": "the linters",
    "audit": "the checker of dependencies",
}


def python_of(folder: Path) -> Path:
    """Name the interpreter of an environment.

    :param folder: the environment
    :return: path of its interpreter
    """
    return folder / "bin" / "python"


def enter(folder: Path, arguments: list[str]) -> None:
    """Go on with this program inside an environment; does not return.

    :param folder: the environment
    :param arguments: of ``python -m tools``
    """
    python = str(python_of(folder))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(
        python, [python, "-m", "tools", *arguments], {**os.environ, "ORDAGE_VENV": str(folder)}
    )


def inside(folder: Path) -> bool:
    """Tell whether this process runs in an environment.

    :param folder: the environment
    :return: whether it does
    """
    return Path(sys.prefix).resolve() == folder.resolve()


def _make(folder: Path, requirements: Path) -> None:
    # Without pip inside: ensurepip is a package of its own on Debian, which may be missing.
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    installer = _pip()
    wanted = sum(_pins(file) for file in _with_included(requirements))
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
    unwanted = {"PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PYTHONPATH"}
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    commands.run(
        command,
        env=env,
        failure=(
            "Python packages could not be installed. Check that the Python package index can be "
            "reached (pip's own settings apply) and start again."
        ),
        progress=lambda text: (
            f"{min(wanted, text.count('Collecting '))} of {wanted} packages found"
        ),
    )
    say(f"  {wanted} packages installed")


def _pip() -> list[str]:
    command = [sys.executable, "-m", "pip"]
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True)
    found = re.match(r"pip (\d+)\.(\d+)", shown.stdout)
    if shown.returncode or not found:
        raise Trouble("pip is missing. Install it (on Debian: apt-get install python3-pip).")
    if (int(found[1]), int(found[2])) < (22, 3):
        raise Trouble(f"pip {found[1]}.{found[2]} is too old: 22.3 or newer is needed.")
    return command


def _with_included(file: Path) -> list[Path]:
    found = [file]
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            found += _with_included(file.parent / line[3:].strip())
    return found


def _pins(file: Path) -> int:
    return sum("==" in line for line in file.read_text().splitlines())
