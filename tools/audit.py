"""``make audit``: the pinned packages against the lists of known vulnerabilities.

The lists are asked over the network, first that of the Python package index, then OSV. Where neither can
be asked nothing was checked, which is said and counts as a failure: silence would look like safety.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import venv
from .messages import say, warn
from .paths import REQUIREMENTS
from .requirements import PYTHONS, pinned

#: What is pinned together: one file each, with what it includes.
ENVIRONMENTS = tuple(venv.KINDS)
_SERVICES = {"pypi": "the Python package index", "osv": "OSV"}


@dataclass
class Verdict:
    """What a list of vulnerabilities says about some packages.

    :param checked: how many it knows
    :param unknown: names of those it does not know, so that nothing was said about them
    :param found: sentences, one a vulnerability
    :param accepted: the same, of those that are accepted
    """

    checked: int = 0
    unknown: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, report: str, accepted: dict[str, str]) -> Verdict:
        """Read pip-audit's report.

        :param report: as JSON
        :param accepted: numbers of accepted vulnerabilities, and why
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
                    f"{package['name']} {package['version']}: {' '.join(names)}, mended in {fixed}"
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
        say(f"audit: {len(pins)} packages of requirements/{name}.txt on Python {python}")
        verdict = ask(program, pins, accepted)
        result |= _tell(verdict, len(pins))
    return result


def _sets_of_pins() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield what is installed together; once where several Pythons get the same."""
    for name in ENVIRONMENTS:
        seen: list[dict[str, str]] = []
        for python in PYTHONS:
            pins = pinned(REQUIREMENTS / f"{name}.txt", python)
            if pins not in seen:
                seen.append(pins)
                yield name, ".".join(map(str, python)), pins


def ask(
    program: Path, pins: dict[str, str], accepted: dict[str, str], *options: str
) -> Verdict | None:
    """Ask the lists one after the other until one knows the packages.

    :param program: Python with pip-audit
    :param pins: versions by name
    :param accepted: numbers of accepted vulnerabilities, and why
    :param options: further options of pip-audit; with them only OSV is asked
    :return: what it says; None where no list can be reached
    """
    best = None
    with tempfile.TemporaryDirectory(prefix="ordage-audit-") as folder:
        wanted = Path(folder) / "pins.txt"
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        for service in ["osv"] if options else list(_SERVICES):
            report = _run(program, wanted, "--vulnerability-service", service, *options)
            if not report:
                say(f"  {_SERVICES[service]} cannot be asked from here")
                continue
            verdict = Verdict.of(report, accepted)
            if not verdict.unknown:
                return verdict
            say(
                f"  {_SERVICES[service]} gives no answer about {len(verdict.unknown)} of {len(pins)}"
            )
            if not best or verdict.checked > best.checked:
                best = verdict
    return best


def _run(program: Path, wanted: Path, *options: str) -> str:
    """:return: pip-audit's report; empty when it cannot be had"""
    command = [
        *(str(program), "-m", "pip_audit", "--requirement", str(wanted)),
        *("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    start = done.stdout.find('{"dependencies"')
    if start < 0:
        say(f"  {(done.stderr.strip().splitlines() or ['pip-audit said nothing'])[-1][:200]}")
        return ""
    return done.stdout[start:]


def _accepted() -> dict[str, str]:
    lines = (REQUIREMENTS / "audit-accepted.txt").read_text().splitlines()
    pairs = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {number: why.strip() for number, _space, why in pairs}


def _tell(verdict: Verdict | None, count: int) -> int:
    if not verdict or not verdict.checked:
        warn(
            "Not checked: no list of known vulnerabilities can be asked from this machine. Run "
            "make audit where one of these lists can be reached."
        )
        return 1
    for what in verdict.accepted:
        say(f"  {what}")
    for what in verdict.found:
        warn(f"  {what}")
    if verdict.unknown:
        warn(f"Not checked: {', '.join(verdict.unknown)}")
    if verdict.found or verdict.unknown:
        return 1
    say(f"  {count} checked, no known vulnerability that is not accepted")
    return 0
