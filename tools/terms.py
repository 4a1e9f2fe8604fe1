"""``make terms``: export terms into translation files and list untranslated ones.

The templates are exported by Odoo from a new database; existing translations are kept, removed terms
are dropped, and a changed term stays untranslated instead of fuzzy. An addon's name and summary in the list
of apps are added, since Odoo exports them only with ``base``.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import polib

from . import templates, venv
from .messages import UserError, echo, warn
from .odoo_config import environment_of
from .paths import ADDONS, REPOSITORY
from .runtime import Runtime

#: The languages of every addon.
LANGUAGES = ("uk",)
#: Terms that are equal in every language.
SAME = {
    "ID",
    "KeyCRM",
    "Odoo",
    "POST",
    "Webhook",
    "cdn.example.com",
    "https://myshop.keycrm.app",
    "https://odoo.example.com",
    "Перейти на українську",
}
#: Fields of Odoo's list of apps, with the key of the manifest that fills them.
APP_FIELDS = {"shortdesc": "name", "summary": "summary"}


def main(_arguments: list[str]) -> int:
    """Export, merge and format terms, and list untranslated ones.

    :return: 0 if every translation is complete
    """
    with Runtime() as runtime:
        database = runtime.addon_database("terms")
        for addon in addons():
            if addon != templates.ADDON:
                runtime.install(database, addon)
            _export(runtime, database, addon)
    missing = []
    for addon in addons():
        template = polib.pofile(str(template_of(addon)))
        files = [_merge(addon, language, template) for language in LANGUAGES]
        _format(template_of(addon), *files)
        found = [(file, word) for file in files for word in untranslated(polib.pofile(str(file)))]
        echo(f"{addon}: {len(template)} words, {len(found)} without a translation")
        missing += found
    for file, word in missing:
        warn(f"{file.relative_to(ADDONS)}: {word!r}")
    return 1 if missing else 0


def addons() -> list[str]:
    """List the addons of this repository, each after its dependencies.

    :return: their technical names
    """
    names = {manifest.parent.name for manifest in ADDONS.glob("*/__manifest__.py")}
    return sorted(names, key=lambda name: (bool(names & set(manifest(name)["depends"])), name))


def manifest(addon: str) -> dict:
    """Read an addon's manifest.

    :param addon: its technical name
    :return: the manifest's values
    """
    return ast.literal_eval((ADDONS / addon / "__manifest__.py").read_text())


def template_of(addon: str) -> Path:
    """Return the file of an addon's terms in English.

    :param addon: its technical name
    """
    return ADDONS / addon / "i18n" / f"{addon}.pot"


def translations_of(addon: str) -> list[Path]:
    """List the files of an addon's translations.

    :param addon: its technical name
    """
    return sorted((ADDONS / addon / "i18n").glob("*.po"))


def app_words(addon: str) -> dict[str, list[str]]:
    """Return an addon's terms in Odoo's list of apps.

    :param addon: its technical name
    :return: each term with its occurrences, in the format of translation files
    """
    words: dict[str, list[str]] = {}
    for field, key in APP_FIELDS.items():
        place = f"model:ir.module.module,{field}:base.module_{addon}"
        words.setdefault(manifest(addon)[key], []).append(place)
    return words


def untranslated(translation: polib.POFile) -> list[str]:
    """List the terms without a translation, or with a fuzzy one.

    :param translation: a language's file
    :return: the terms in English, except those that are equal in every language
    """
    return [
        entry.msgid
        for entry in translation
        if not entry.obsolete and not entry.translated() and entry.msgid not in SAME
    ]


def _export(runtime: Runtime, database: str, addon: str) -> None:
    config = runtime.config("terms", database)
    file = template_of(addon)
    file.parent.mkdir(exist_ok=True)
    before = polib.pofile(str(file)).metadata if file.exists() else {}
    options = ["-c", str(config), "-d", database, "-l", "pot", "-o", str(file), addon]
    ran = subprocess.run(
        [sys.executable, str(runtime.source.script), "i18n", "export", *options],
        env=environment_of(runtime.source),
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise UserError(f"Odoo did not export the words of {addon}:\n{ran.stderr[-2000:]}")
    template = polib.pofile(str(file))
    # The time of the export would differ in every run.
    template.metadata = before or {
        name: text for name, text in template.metadata.items() if not name.endswith("-Date")
    }
    for word, places in app_words(addon).items():
        entry = template.find(word) or polib.POEntry(msgid=word, comment=f"module: {addon}")
        entry.occurrences += [(place, "") for place in places]
        if entry not in template:
            template.append(entry)
    template.save()


def _merge(addon: str, language: str, template: polib.POFile) -> Path:
    file = template_of(addon).with_name(f"{language}.po")
    translation = polib.pofile(str(file)) if file.exists() else polib.POFile()
    if not file.exists():
        translation.metadata = {**template.metadata, "Language": language}
    translation.merge(template)
    for entry in [entry for entry in translation if entry.obsolete]:
        translation.remove(entry)
    translation.save(str(file))
    return file


def _format(*files: Path) -> None:
    """Sort and wrap files in the format of the linter."""
    program = venv.environment("lint") / "bin" / "oca-checks-po"
    subprocess.run(
        [str(program), "--fix", *map(str, files)], cwd=REPOSITORY, capture_output=True, check=False
    )
