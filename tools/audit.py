"""``make audit``: check the pinned packages for known vulnerabilities.

The databases are queried over the network, first that of the Python package index, then OSV. If neither
is reachable, the command reports that nothing was checked and fails: silence would suggest safety.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import venv
from .messages import echo, warn
from .paths import REQUIREMENTS
from .requirements import PYTHONS, pinned

#: Environments whose packages are pinned together: one file each, with its includes.
ENVIRONMENTS = tuple(venv.KINDS)
_SERVICES = {"pypi": "the Python package index", "osv": "OSV"}


@dataclass
class Verdict:
    """The result of one vulnerability database for some packages.

    :param checked: number of packages that it covers
    :param unknown: names of packages that it does not cover
    :param found: one sentence per vulnerability
    :param accepted: one sentence per accepted vulnerability
    """

    checked: int = 0
    unknown: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, report: str, accepted: dict[str, str]) -> Verdict:
        """Read pip-audit's report.

        :param report: as JSON
        :param accepted: reasons by numbers of accepted vulnerabilities
        """
        verdict = cls()
        for package in json.loads(report)["dependencies"]:
            if "skip_reason" in package:
                verdict.unknown.append(package["name"])
                continue
            verdict.checked += 1
            for flaw in package["vulns"]:
                names = [flaw["id"], *flaw.get("aliases", ())]
                why = next((accepted[name] for name in names if name in accepted), "")
                fixed = ", ".join(flaw.get("fix_versions") or ()) or "no version"
                what = (
                    f"{package['name']} {package['version']}: {' '.join(names)}, fixed in {fixed}"
                )
                (verdict.accepted if why else verdict.found).append(
                    f"{what} (accepted: {why})" if why else what
                )
        return verdict


def main(_arguments: list[str]) -> int:
    """Check all pinned packages.

    :return: 0 if all were checked and none has a known vulnerability that is not accepted
    """
    program = venv.environment("audit") / "bin" / "python"
    accepted = _accepted()
    result = 0
    for name, python, pins in _sets_of_pins():
        echo(f"audit: {len(pins)} packages of requirements/{name}.txt on Python {python}")
        verdict = query(program, pins, accepted)
        result |= _report(verdict, len(pins))
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


def query(
    program: Path, pins: dict[str, str], accepted: dict[str, str], *options: str
) -> Verdict | None:
    """Query the databases in turn until one covers all packages.

    :param program: Python with pip-audit
    :param pins: versions by name
    :param accepted: reasons by numbers of accepted vulnerabilities
    :param options: further options of pip-audit; with them only OSV is queried
    :return: the result; None if no database is reachable
    """
    best = None
    with tempfile.TemporaryDirectory(prefix="ordage-audit-") as folder:
        wanted = Path(folder) / "pins.txt"
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        for service in ["osv"] if options else list(_SERVICES):
            report = _run(program, wanted, "--vulnerability-service", service, *options)
            if not report:
                echo(f"  {_SERVICES[service]} is not reachable from here")
                continue
            verdict = Verdict.of(report, accepted)
            if not verdict.unknown:
                return verdict
            echo(f"  {_SERVICES[service]} does not cover {len(verdict.unknown)} of {len(pins)}")
            if not best or verdict.checked > best.checked:
                best = verdict
    return best


def _run(program: Path, wanted: Path, *options: str) -> str:
    """Return pip-audit's report, empty if it failed."""
    command = [
        *(str(program), "-m", "pip_audit", "--requirement", str(wanted)),
        *("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    start = done.stdout.find('{"dependencies"')
    if start < 0:
        echo(f"  {(done.stderr.strip().splitlines() or ['pip-audit printed nothing'])[-1][:200]}")
        return ""
    return done.stdout[start:]


def _accepted() -> dict[str, str]:
    lines = (REQUIREMENTS / "audit-accepted.txt").read_text().splitlines()
    pairs = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {number: why.strip() for number, _space, why in pairs}


def _report(verdict: Verdict | None, count: int) -> int:
    if not verdict or not verdict.checked:
        warn(
            "Not checked: no database of vulnerabilities is reachable from this machine. Run "
            "make audit where one of them is reachable."
        )
        return 1
    for what in verdict.accepted:
        echo(f"  {what}")
    for what in verdict.found:
        warn(f"  {what}")
    if verdict.unknown:
        warn(f"Not checked: {', '.join(verdict.unknown)}")
    if verdict.found or verdict.unknown:
        return 1
    echo(f"  {count} checked, no known vulnerability that is not accepted")
    return 0
