"""A browser for tests and pictures: the machine's Chromium, or one fetched into the cache.

What is fetched is Debian's headless Chromium with the libraries that this machine lacks, unpacked and
not installed, so that no root is needed.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from . import cache, debian
from .messages import Trouble, doing
from .paths import cache_folder, need_space

_INSTALLED = ("chromium", "chromium-browser", "google-chrome")
_PACKAGE = "chromium-headless-shell"
_PACKAGE_DATA = "chromium-common"  # of the same version
_FONTS = "fonts-dejavu-core"  # with Ukrainian letters; a machine without a screen may have none
_RELEASE = Path("/etc/os-release")
_HELP = "Install a Chromium (on Debian: apt-get install chromium), or name one in CHROMIUM."


@dataclass(frozen=True)
class Chromium:
    """A Chromium on disk.

    :param program: what to start
    :param environment: what it needs beside this process's variables
    """

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


def chromium() -> Chromium:
    """Find or fetch a Chromium.

    :return: the one of ``CHROMIUM``, of this machine, or of the cache
    :raise Trouble: if none can be had
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if found := shutil.which(named):
            return Chromium(Path(found))
        raise Trouble(f"CHROMIUM={named} is no program that can be started.")
    for name in _INSTALLED:
        if found := shutil.which(name):
            return Chromium(Path(found))
    return fetched()


def fetched() -> Chromium:
    """Take the Chromium of the cache, fetching it if need be.

    :return: it
    :raise Trouble: if it cannot be fetched on this machine
    """
    release = _release()
    key = cache.key_of(_PACKAGE, release, platform.machine(), "1")
    folder = cache.kept(
        cache_folder() / "chromium" / key, "Chromium", lambda folder: _fetch(folder, release)
    )
    root = folder / "root"
    libraries = sorted({str(file.parent) for file in root.rglob("*.so*")})
    return Chromium(
        root / "usr/lib/chromium" / _PACKAGE,
        {
            "LD_LIBRARY_PATH": os.pathsep.join(libraries),
            "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        },
    )


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a Chromium that asks nobody but the pages it is told to open.

    :return: the browser, closed at the end
    :raise Trouble: if none can be had or it does not start
    """
    found = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found.program,
            env={**os.environ, **found.environment},
            # As root Chromium starts no sandbox of its own; it opens pages of this machine alone.
            args=["--no-sandbox", "--disable-background-networking", "--lang=uk"],
        )
        yield started
        started.close()


def _release() -> str:
    """Name the Debian release of this machine, whose libraries fit its own."""
    text = _RELEASE.read_text() if _RELEASE.exists() else ""
    values = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    if values.get("ID") != "debian" or not values.get("VERSION_CODENAME"):
        raise Trouble(f"No Chromium is installed, and it can be fetched on Debian only. {_HELP}")
    return values["VERSION_CODENAME"]


def _fetch(folder: Path, release: str) -> None:
    need_space(folder, 1.0, "fetching and unpacking Chromium")
    apt = debian.PrivateApt(cache_folder() / f"apt-{release}", (release,), instead=_HELP)
    with doing("reading the Debian archive's index"):
        apt.update()
    # Libraries of this machine fit together; only what it lacks comes from the archive.
    there = debian.installed() - {_PACKAGE, _PACKAGE_DATA}
    needed = apt.with_needed(_PACKAGE)
    wanted = [f"{name}={version}" for name, version in needed.items() if name not in there]
    with doing("downloading a headless Chromium (about 90 MB)"):
        files = apt.download([*wanted, _FONTS])
    with doing("unpacking Chromium"):
        for file in files:
            debian.unpack(file, folder / "root")
            file.unlink()
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?>\n<fontconfig>\n'
        f"<dir>{folder}/root/usr/share/fonts</dir>\n<dir>/usr/share/fonts</dir>\n"
        f"<cachedir>{folder}/fonts</cachedir>\n</fontconfig>\n"
    )
