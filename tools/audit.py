"""``make audit``: check the pinned packages for known vulnerabilities with pip-audit.

The databases are queried over the network, first that of the Python package index, then OSV. If neither
covers all packages, the command fails: silence would suggest safety.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import venv
from .messages import echo, warn
from .paths import REQUIREMENTS
from .requirements import PYTHONS, pinned

#: Environments whose packages are pinned together: one file each, with its includes.
ENVIRONMENTS = tuple(venv.KINDS)
_SERVICES = ("pypi", "osv")


def main(_arguments: list[str]) -> int:
    """Check all pinned packages.

    :return: 0 if all were checked and none has a known vulnerability that is not accepted
    """
    program = venv.environment("audit") / "bin" / "python"
    lines = (REQUIREMENTS / "audit-accepted.txt").read_text().splitlines()
    accepted = [line.split()[0] for line in lines if line and not line.startswith("#")]
    result = 0
    for name, python, pins in _sets_of_pins():
        echo(f"audit: {len(pins)} packages of requirements/{name}.txt on Python {python}")
        if not is_safe(program, pins, accepted):
            result = 1
    return result


def _sets_of_pins() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield packages that are installed together, once if equal for several Pythons."""
    for name in ENVIRONMENTS:
        seen: list[dict[str, str]] = []
        for python in PYTHONS:
            pins = pinned(REQUIREMENTS / f"{name}.txt", python)
            if pins not in seen:
                seen.append(pins)
                yield name, ".".join(map(str, python)), pins


def is_safe(program: Path, pins: dict[str, str], accepted: list[str], *options: str) -> bool:
    """Query the databases in turn until one covers all packages, and print what it knows.

    :param program: Python with pip-audit
    :param pins: versions by name
    :param accepted: numbers of accepted vulnerabilities
    :param options: further options of pip-audit; with them only OSV is queried
    :return: whether a database covers all packages and knows no vulnerability of them
    """
    with tempfile.TemporaryDirectory(prefix="ordage-audit-") as folder:
        wanted = Path(folder) / "pins.txt"
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        command = [
            *(str(program), "-m", "pip_audit", "--requirement", str(wanted)),
            *("--no-deps", "--disable-pip", "--progress-spinner", "off", *options),
            *(part for number in accepted for part in ("--ignore-vuln", number)),
        ]
        uncovered = ""
        for service in ["osv"] if options else _SERVICES:
            done = subprocess.run(
                [*command, "--vulnerability-service", service],
                capture_output=True,
                text=True,
                check=False,
            )
            echo(f"  {service}: {done.stderr.strip().rpartition(chr(10))[2] or 'no answer'}")
            if done.returncode and done.stdout.strip():
                warn(done.stdout)
                return False
            if not done.returncode and "Skip Reason" not in done.stdout:
                return True
            uncovered = uncovered or done.stdout
    warn(f"Not checked: no database covers all packages.\n{uncovered}")
    return False
