"""Nobody reads a word that is not translated."""

import polib
import pytest

from tools.terms import FOLDER, TEMPLATE, untranslated

FILES = sorted(FOLDER.glob("*.po"))


def test_ukrainian_is_there():
    assert "uk.po" in [file.name for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_word_is_translated_and_none_is_a_guess(file):
    translation = polib.pofile(str(file))
    assert untranslated(translation) == []
    assert [entry.msgid for entry in translation if entry.fuzzy] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_word_of_the_template_is_missing(file):
    words = {entry.msgid for entry in polib.pofile(str(TEMPLATE))}
    assert words - {entry.msgid for entry in polib.pofile(str(file))} == set()
