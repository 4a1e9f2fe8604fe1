"""Odoo 19: the Debian package, unpacked into the cache with fonts and scripts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import cache, debian
from .messages import UserError, echo, step
from .paths import cache_folder, need_space

PINNED = "19.0.0+dfsg-1"
_SUITES = ("unstable", "bookworm")

# Debian packages that Odoo's static files link to. Odoo's style sheets need Font Awesome 4.7 and an
# OpenType Inconsolata, which only the bookworm suite has.
_LINKED_PACKAGES = (
    "fonts-font-awesome/bookworm",
    "fonts-glyphicons-halflings",
    "fonts-inconsolata/bookworm",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)


@dataclass(frozen=True)
class OdooSource:
    """An Odoo on disk.

    :param python_path: folder to put on Python's path so that ``import odoo`` works
    :param script: its start script, run with the environment's Python
    :param addons: folders of addons outside its own package
    :param version: its version
    """

    python_path: Path
    script: Path
    addons: tuple[Path, ...]
    version: str


def odoo_source() -> OdooSource:
    """Find or fetch Odoo 19.

    :return: the Odoo of ``ODOO_SRC`` if that is set, else the one of the cache
    :raise UserError: if it is not available
    """
    named = os.environ.get("ODOO_SRC")
    if named:
        return _existing(Path(named).expanduser().absolute())
    key = cache.key_of(PINNED, *_LINKED_PACKAGES, "2")
    folder = cache.cached(cache_folder() / "odoo" / key, "Odoo", _fetch)
    root = folder / "root"
    return OdooSource(
        python_path=root / "usr/lib/python3/dist-packages",
        script=root / "usr/bin/odoo",
        addons=(),
        version=(folder / "VERSION").read_text(),
    )


def _existing(folder: Path) -> OdooSource:
    release = folder / "odoo" / "release.py"
    script = folder / "odoo-bin"
    if not release.is_file() or not script.is_file():
        raise UserError(
            f"ODOO_SRC={folder} is not the source folder of an Odoo: odoo-bin and odoo/release.py "
            "are expected in it."
        )
    found = re.search(r"^version_info = \((\d+), (\d+), (\d+)", release.read_text(), re.MULTILINE)
    if not found or found[1] != "19":
        raise UserError(f"ODOO_SRC={folder} is not Odoo 19. Name the folder of an Odoo 19.0.")
    return OdooSource(folder, script, (folder / "addons",), ".".join(found.groups()))


def _fetch(folder: Path) -> None:
    need_space(folder, 2.5, "fetching and unpacking Odoo")
    apt = debian.PrivateApt(cache_folder() / "apt", _SUITES)
    with step("reading the Debian archive's index"):
        apt.update()
    version = _choose(apt.versions("odoo-19"))
    with step(f"downloading Odoo {version} with its fonts and scripts (about 130 MB)"):
        files = apt.download([f"odoo-19={version}", *_LINKED_PACKAGES])
    with step("unpacking Odoo"):
        for file in files:
            debian.unpack(file, folder / "root")
    _repair_links(folder / "root")
    package = next(file for file in files if file.name.startswith("odoo-19_"))
    (folder / "VERSION").write_text(debian.version_of(package))


def _choose(offered: list[str]) -> str:
    if not offered:
        raise UserError(
            "The Debian archive has no package odoo-19 any more. Set ODOO_SRC to the folder of an "
            "Odoo 19."
        )
    if PINNED in offered:
        return PINNED
    echo(f"odoo-19 {PINNED} is no longer in the Debian archive; taking {offered[0]} instead")
    if not offered[0].startswith("19.0."):
        echo(f"{offered[0]} is not a 19.0: things may differ from what was tested")
    return offered[0]


def _repair_links(root: Path) -> None:
    """Redirect broken and outside links to the file of that name in the folder."""
    shared: dict[str, Path] = {}
    for file in (root / "usr/share").rglob("*"):
        if file.is_file() and not file.is_symlink():
            shared.setdefault(file.name, file)
    for link in root.rglob("*"):
        if not link.is_symlink():
            continue
        target = link.readlink()
        if target.is_absolute():
            inside = root / target.relative_to("/")
        elif link.exists():
            continue
        else:
            inside = shared.get(target.name, root / "nowhere")
        if inside.exists():
            link.unlink()
            link.symlink_to(os.path.relpath(inside, link.parent))
        else:
            echo(f"  note: {link.relative_to(root)} has no file behind it")
