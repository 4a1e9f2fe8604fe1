"""Unpack a Debian program with its missing libraries into the cache.

Nothing is installed, so root is not needed.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Collection
from pathlib import Path

from . import cache, debian
from .messages import UserError, step
from .paths import cache_folder, need_space

_FONTS = "fonts-dejavu-core"  # with Ukrainian letters; a server may have no fonts
_RELEASE = Path("/etc/os-release")


def unpacked(
    package: str,
    title: str,
    *,
    instead: str,
    same_version: Collection[str] = (),
    finish: Callable[[Path], None] = lambda _folder: None,
) -> Path:
    """Return a cached folder with an unpacked program, fetched if missing.

    :param package: the package that holds the program
    :param title: the program's name in messages
    :param instead: advice if it cannot be fetched, a whole sentence
    :param same_version: packages that must be of the program's version, also if this machine has them
    :param finish: completes the folder before it is cached
    :return: a folder whose ``root`` holds the files
    :raise UserError: if it cannot be fetched on this machine
    """
    release = _release(title, instead)

    def make(folder: Path) -> None:
        need_space(folder, 1.0, f"fetching and unpacking {title}")
        apt = debian.PrivateApt(cache_folder() / f"apt-{release}", (release,), instead=instead)
        with step("reading the Debian archive's index"):
            apt.update()
        # Installed libraries match each other; only missing ones are fetched.
        present = debian.installed() - {package, *same_version}
        needed = apt.with_dependencies(package)
        wanted = [f"{name}={version}" for name, version in needed.items() if name not in present]
        with step(f"downloading {title}"):
            files = apt.download([*wanted, _FONTS])
        with step(f"unpacking {title}"):
            for file in files:
                debian.unpack(file, folder / "root")
                file.unlink()
        (folder / "fonts.conf").write_text(
            '<?xml version="1.0"?>\n<fontconfig>\n'
            f"<dir>{folder}/root/usr/share/fonts</dir>\n<dir>/usr/share/fonts</dir>\n"
            f"<cachedir>{folder}/fonts</cachedir>\n</fontconfig>\n"
        )
        finish(folder)

    key = cache.key_of(package, release, platform.machine(), "1")
    return cache.cached(cache_folder() / title.lower() / key, title, make)


def environment_of(folder: Path) -> dict[str, str]:
    """Return the variables that an unpacked program needs.

    :param folder: the result of :func:`unpacked`
    :return: variables to add to this process's own
    """
    libraries = sorted({str(file.parent) for file in (folder / "root").rglob("*.so*")})
    return {
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }


def _release(title: str, instead: str) -> str:
    """Return the Debian release of this machine, whose libraries are compatible."""
    text = _RELEASE.read_text() if _RELEASE.exists() else ""
    values = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    if values.get("ID") != "debian" or not values.get("VERSION_CODENAME"):
        raise UserError(f"No {title} is installed, and it can be fetched on Debian only. {instead}")
    return values["VERSION_CODENAME"]
