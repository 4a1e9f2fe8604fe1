"""A browser for tests and pictures: the machine's Chromium or a fetched one.

Debian's headless Chromium is fetched with the libraries that this machine lacks, and unpacked without
installation, so that root is not needed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from . import debian_program
from .messages import UserError

_INSTALLED = ("chromium", "chromium-browser", "google-chrome")
_PACKAGE = "chromium-headless-shell"
_PACKAGE_DATA = "chromium-common"  # of the same version
_HELP = "Install a Chromium (on Debian: apt-get install chromium), or name one in CHROMIUM."


@dataclass(frozen=True)
class Chromium:
    """A Chromium on disk.

    :param program: its executable
    :param environment: variables that it needs besides this process's own
    """

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


def chromium() -> Chromium:
    """Find or fetch a Chromium.

    :return: the one of ``CHROMIUM``, of this machine, or of the cache
    :raise UserError: if none is available
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if found := shutil.which(named):
            return Chromium(Path(found))
        raise UserError(f"CHROMIUM={named} is no program that can be started.")
    for name in _INSTALLED:
        if found := shutil.which(name):
            return Chromium(Path(found))
    return fetched()


def fetched() -> Chromium:
    """Return the Chromium of the cache, fetched if missing.

    :return: the Chromium
    :raise UserError: if it cannot be fetched on this machine
    """
    folder = debian_program.unpacked(
        _PACKAGE, "Chromium", instead=_HELP, same_version=(_PACKAGE_DATA,)
    )
    program = folder / "root/usr/lib/chromium" / _PACKAGE
    return Chromium(program, debian_program.environment_of(folder))


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a Chromium without background requests.

    :return: the browser, closed at the end
    :raise UserError: if none is available or it does not start
    """
    found = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found.program,
            env={**os.environ, **found.environment},
            # As root Chromium cannot start its sandbox; it opens only pages of this machine.
            args=["--no-sandbox", "--disable-background-networking", "--lang=uk"],
        )
        yield started
        started.close()
