"""Fetch Debian packages into a private folder and unpack them there.

apt keeps its lists, cache and state in that folder, so root is not needed and the system is unchanged;
it verifies each package against the archive's signed index.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import commands
from .messages import UserError, echo

#: Advice where Debian's Odoo is not available.
ODOO_INSTEAD = "Or set ODOO_SRC to the folder of an Odoo 19."
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class PrivateApt:
    """An apt with its own configuration and state.

    :param folder: the folder of its lists and packages
    :param suites: suites of the Debian archive to read
    :param instead: a sentence of advice where the archive cannot be used
    :raise UserError: if a tool or the archive's keys are missing
    """

    def __init__(
        self,
        folder: Path,
        suites: Sequence[str],
        *,
        instead: str = ODOO_INSTEAD,
    ) -> None:
        self._instead = instead
        for tool in ("apt-get", "dpkg-deb"):
            if not shutil.which(tool):
                raise UserError(f"{tool} is missing, which fetches packages of Debian. {instead}")
        if not _KEYRING.exists():
            raise UserError(
                f"The keys of the Debian archive are missing ({_KEYRING}). Install the package "
                f"debian-archive-keyring and start again. {instead}"
            )
        self._folder = folder
        self._packages = folder / "packages"
        self._conf = folder / "apt.conf"
        self._set_up(_archive_address(), suites)

    def update(self) -> None:
        """Read the archive's signed index.

        :raise UserError: if it cannot be read
        """
        commands.run(
            self._apt("update", "-q"),
            failure=(
                "The Debian archive could not be read. Check the network and the addresses in "
                f"/etc/apt (or name an archive in ORDAGE_DEBIAN). {self._instead}"
            ),
        )

    def versions(self, package: str) -> list[str]:
        """List the versions of a package that the archive has.

        :param package: its name
        :return: versions, newest first
        """
        shown = commands.run(
            ["apt-cache", "-c", str(self._conf), "madison", package],
            failure=f"The Debian archive's index could not be searched for {package}.",
        )
        return [line.split("|")[1].strip() for line in shown.splitlines() if line.count("|") >= 2]

    def with_dependencies(self, package: str) -> dict[str, str]:
        """List a package with all of its dependencies, down to the C library.

        :param package: its name
        :return: names with versions
        :raise UserError: if the archive does not have them all
        """
        uris = commands.run(
            self._apt("install", "--print-uris", "-qq", "-y", "--no-install-recommends", package),
            failure=f"The Debian archive does not have all that {package} needs. {self._instead}",
        )
        files = re.findall(r"^'[^']+' ([^_\s]+)_([^_\s]+)_\S+ \d+ ", uris, re.MULTILINE)
        return {name: version.replace("%3a", ":") for name, version in files}

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Download packages; valid earlier downloads are reused.

        :param packages: names, each optionally with ``=version`` or ``/suite``
        :return: the package files
        :raise UserError: if one is not available
        """
        uris = commands.run(
            self._apt("download", "--print-uris", "-q", *packages),
            failure=f"The Debian archive does not have all of {', '.join(packages)}.",
        )
        found = re.findall(r"^'[^']+' (\S+) (\d+) ", uris, re.MULTILINE)
        if len(found) != len(packages):
            raise UserError(f"The Debian archive does not have all of {', '.join(packages)}.")
        total = sum(int(size) for _name, size in found)
        before = self._bytes()
        commands.run(
            self._apt("download", "-q", *packages),
            cwd=self._packages,
            failure="Downloading Debian packages failed. Check the network and start again.",
            progress=lambda _text: (
                f"{max(0, self._bytes() - before) / 1e6:.0f} of {total / 1e6:.0f} MB downloaded"
            ),
        )
        return [self._packages / name for name, _size in found]

    def _bytes(self) -> int:
        return sum(file.stat().st_size for file in self._packages.rglob("*") if file.is_file())

    def _apt(self, *arguments: str) -> list[str]:
        return ["apt-get", "-c", str(self._conf), *arguments]

    def _set_up(self, archive: str, suites: Sequence[str]) -> None:
        for name in ("state/lists/partial", "cache/archives/partial", "packages"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        sources = self._folder / "sources.list"
        sources.write_text(
            "".join(f"deb [signed-by={_KEYRING}] {archive} {suite} main\n" for suite in suites)
        )
        self._conf.write_text(
            f'Dir::State "{self._folder}/state";\n'
            f'Dir::State::status "{self._folder}/status";\n'
            f'Dir::Cache "{self._folder}/cache";\n'
            f'Dir::Etc::sourcelist "{sources}";\n'
            'Dir::Etc::sourceparts "-";\n'
            'Dir::Etc::preferences "-";\n'
            'Dir::Etc::preferencesparts "-";\n'
            'APT::Sandbox::User "";\n'
            'APT::Default-Release "";\n'
            'Acquire::Languages "none";\n'
            'Acquire::Retries "3";\n'
            "#clear APT::Update::Pre-Invoke;\n"
            "#clear APT::Update::Post-Invoke;\n"
            "#clear APT::Update::Post-Invoke-Success;\n"
        )


def unpack(package: Path, folder: Path) -> None:
    """Unpack a package's files.

    :param package: the package file
    :param folder: where to
    :raise UserError: if it cannot be unpacked
    """
    commands.run(
        ["dpkg-deb", "--extract", str(package), str(folder)],
        failure=f"The package {package.name} could not be unpacked.",
    )


def installed() -> set[str]:
    """List the packages installed on this machine.

    :return: their names
    """
    shown = commands.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n"],
        failure="The list of this machine's packages could not be read.",
    )
    return {line.split()[1] for line in shown.splitlines() if line.startswith("installed ")}


def version_of(package: Path) -> str:
    """Read a package's version.

    :param package: the package file
    :return: the version
    """
    return commands.run(
        ["dpkg-deb", "--field", str(package), "Version"],
        failure=f"The package {package.name} could not be read.",
    ).strip()


def _archive_address() -> str:
    """Return the archive's address of the machine's apt, so that its mirror is used."""
    if named := os.environ.get("ORDAGE_DEBIAN"):
        return named
    shown = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)|$(RELEASE)|$(ORIGIN)|$(LABEL)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
    ).stdout
    rows = [line.split("|") for line in shown.splitlines() if line.count("|") == 3]
    for uri, _release, origin, label in rows:
        if origin == "Debian" and "Security" not in label:
            return uri
    # Before the first "apt-get update" apt has no origin yet: use the address.
    for uri, release, origin, _label in rows:
        if not origin and uri.rstrip("/").endswith("/debian") and "security" not in release:
            return uri
    echo("apt on this machine names no Debian archive")
    raise UserError(
        "No address of the Debian archive was found in /etc/apt. Name one in ORDAGE_DEBIAN, or set "
        "ODOO_SRC to the folder of an Odoo 19."
    )
