"""``make lint``: ruff over everything, the Odoo linters over the addon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from . import venv
from .messages import say, warn
from .paths import ADDONS, REPOSITORY


def main(_arguments: list[str]) -> int:
    """Run all linters, also after one has found something.

    :return: 0 if none found anything
    """
    return 1 if failures() else 0


def failures() -> list[str]:
    """Run all linters; each prints what it finds.

    :return: names of those that found something
    """
    programs = venv.environment("lint") / "bin"
    failed = []
    for name, command in _commands(programs, fix=os.environ.get("FIX") == "1"):
        say(f"lint: {name}")
        sys.stdout.flush()
        if subprocess.run(command, cwd=REPOSITORY).returncode:
            failed.append(name)
    if failed:
        warn(f"Linters that found something: {', '.join(failed)}")
    return failed


def _commands(programs: Path, *, fix: bool) -> list[tuple[str, list[str]]]:
    python = str(programs / "python")
    commands = [
        ("ruff check", [str(programs / "ruff"), "check", *(["--fix"] if fix else []), "."]),
        ("ruff format", [str(programs / "ruff"), "format", *([] if fix else ["--check"]), "."]),
    ]
    for addon in sorted(manifest.parent for manifest in ADDONS.glob("*/__manifest__.py")):
        commands.append(
            (
                f"pylint-odoo {addon.name}",
                [python, "-m", "pylint", "--rcfile", "tools/pylintrc", str(addon)],
            )
        )
        commands.append(
            (
                f"oca-checks-odoo-module {addon.name}",
                [str(programs / "oca-checks-odoo-module"), str(addon)],
            )
        )
        if translations := sorted((addon / "i18n").glob("*.po*")):
            commands.append(
                (
                    f"oca-checks-po {addon.name}",
                    [str(programs / "oca-checks-po"), *map(str, translations)],
                )
            )
    return commands
