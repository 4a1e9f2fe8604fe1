"""``make terms``: take the words of the addon into its translation files, and tell what lacks one.

The template is exported by Odoo itself from a fresh database; existing translations are kept, words
that are gone are dropped, and a changed word waits for a person instead of a guess.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polib

from . import venv
from .messages import Trouble, say, warn
from .odoo_config import environment_of, write_config
from .paths import ADDONS, REPOSITORY
from .runtime import Runtime
from .templates import ADDON

FOLDER = ADDONS / ADDON / "i18n"
TEMPLATE = FOLDER / f"{ADDON}.pot"
#: Words that are written alike in every language.
SAME = {
    "ID",
    "KeyCRM",
    "Odoo",
    "cdn.example.com",
    "https://myshop.keycrm.app",
    "https://odoo.example.com",
}


def main(_arguments: list[str]) -> int:
    """Export, merge, tidy, and list what is not translated.

    :return: 0 if every translation is complete
    """
    with Runtime() as runtime:
        _export(runtime)
    template = polib.pofile(str(TEMPLATE))
    files = sorted(FOLDER.glob("*.po"))
    for file in files:
        _merge(file, template)
    _tidy(*files)
    missing = [(file, word) for file in files for word in untranslated(polib.pofile(str(file)))]
    for file, word in missing:
        warn(f"{file.name}: {word!r}")
    say(f"{len(template)} words, {len(missing)} without a translation")
    return 1 if missing else 0


def untranslated(translation: polib.POFile) -> list[str]:
    """List the words that nobody has translated, or only a guess.

    :param translation: a language's file
    :return: the words in English; without those that are written alike everywhere
    """
    return [
        entry.msgid
        for entry in translation
        if not entry.obsolete and not entry.translated() and entry.msgid not in SAME
    ]


def _export(runtime: Runtime) -> None:
    database = runtime.addon_database("terms")
    config = write_config(
        runtime.folder / "terms.conf",
        source=runtime.source,
        server=runtime.server,
        data_dir=runtime.databases.data_dir,
        db_name=database,
    )
    before = polib.pofile(str(TEMPLATE)).metadata
    options = ["-c", str(config), "-d", database, "-l", "pot", "-o", str(TEMPLATE), ADDON]
    ran = subprocess.run(
        [sys.executable, str(runtime.source.script), "i18n", "export", *options],
        env=environment_of(runtime.source),
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise Trouble(f"Odoo did not export its words:\n{ran.stderr[-2000:]}")
    template = polib.pofile(str(TEMPLATE))
    template.metadata = before
    template.save()
    _tidy(TEMPLATE)


def _merge(file: Path, template: polib.POFile) -> None:
    translation = polib.pofile(str(file))
    translation.merge(template)
    for entry in [entry for entry in translation if entry.obsolete]:
        translation.remove(entry)
    translation.save()


def _tidy(*files: Path) -> None:
    """Sort and wrap them as the linter wants it."""
    program = venv.environment("lint") / "bin" / "oca-checks-po"
    subprocess.run(
        [str(program), "--fix", *map(str, files)], cwd=REPOSITORY, capture_output=True, check=False
    )
