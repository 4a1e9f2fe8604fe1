"""``make lint``: ruff over everything, the Odoo linters over the addon."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import venv
from .messages import UserError, echo, warn
from .paths import ADDONS, REPOSITORY


def main(arguments: list[str]) -> int:
    """Run the linters; continue after findings.

    :param arguments: the command, then the linters to run (all by default), as in ``"ruff check"``
    :return: 0 without findings
    """
    return 1 if failures(*arguments[1:]) else 0


def failures(*chosen: str) -> list[str]:
    """Run linters, which print their findings.

    :param chosen: prefixes of their names; all linters by default
    :return: names of the linters with findings
    :raise UserError: if there is no such linter
    """
    programs = venv.environment("lint") / "bin"
    fix = os.environ.get("FIX") == "1"
    linters = _commands(programs, fix=fix)
    for prefix in chosen:
        if not any(name.startswith(prefix) for name, _command in linters):
            raise UserError(f"{prefix} is no linter: {', '.join(name for name, _c in linters)}.")
    wanted = [one for one in linters if not chosen or one[0].startswith(chosen)]
    failed = []
    # What a linter fixes is what the next one reads.
    with ThreadPoolExecutor(1 if fix else os.cpu_count()) as pool:
        running = [(name, pool.submit(_run, command)) for name, command in wanted]
        for name, run in running:
            echo(f"lint: {name}")
            done = run.result()
            print(done.stdout, end="", flush=True)
            if done.returncode:
                failed.append(name)
    if failed:
        warn(f"Linters that found something: {', '.join(failed)}")
    return failed


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


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
        commands += [
            (f"{name} {addon.name}", [python, "-m", f"tools.{module}", str(addon)])
            for name, module in (
                ("re-opened models", "reopened_models"),
                ("references in docstrings", "references"),
            )
        ]
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
