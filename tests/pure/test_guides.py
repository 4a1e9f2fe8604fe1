"""The guides lead nowhere: every link and picture is there, and every word is on the screens."""

import re
from pathlib import Path

import polib
import pytest

from tools import terms
from tools.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("README*.md"), *DOCS.rglob("*.md")])
GUIDES = sorted(DOCS.glob("??/*.md"))
APP_PAGE = REPOSITORY / "addons/ordage_keycrm/static/description/index.html"
BIGGEST_PICTURE = 200_000  # bytes: whoever clones the repository gets them all


def name_of(file):
    return str(file.relative_to(REPOSITORY))


def links(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def words(language):
    """All that the addons show, without marks, in one language."""
    shown = set()
    for addon in terms.addons():
        for entry in polib.pofile(str(terms.template_of(addon).with_name("uk.po"))):
            text = entry.msgstr if language == "uk" and entry.msgstr else entry.msgid
            shown |= {text, re.sub(r"<[^>]+>", "", text)}
    return {word.strip().rstrip(":") for word in shown}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_picture_is_there(page):
    missing = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


def test_the_page_in_the_list_of_apps_shows_pictures_that_are_there():
    sources = re.findall(r'(?:src|href)="([^"#]+)"', APP_PAGE.read_text())
    assert len(sources) >= 4
    assert [source for source in sources if not (APP_PAGE.parent / source).exists()] == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_every_word_in_bold_is_on_the_screens(guide):
    shown = words(guide.parent.name)
    text = " ".join(guide.read_text().split())
    named = [part for bold in re.findall(r"\*\*(.+?)\*\*", text) for part in bold.split(" → ")]
    assert len(named) > 5
    assert sorted({word for word in named if word not in shown}) == []


def test_both_languages_have_the_same_pages_with_the_same_pictures():
    english = {page.name: page for page in (DOCS / "en").glob("*.md")}
    ukrainian = {page.name: page for page in (DOCS / "uk").glob("*.md")}
    assert english.keys() == ukrainian.keys()
    for name, page in english.items():
        pictures = [Path(link).name for link in links(page) if link.endswith(".png")]
        assert pictures == [Path(x).name for x in links(ukrainian[name]) if x.endswith(".png")]
        titles = [line.split()[0] for line in page.read_text().splitlines() if line[:1] == "#"]
        theirs = ukrainian[name].read_text().splitlines()
        assert titles == [line.split()[0] for line in theirs if line[:1] == "#"]


def test_no_picture_lies_about_unused_or_is_heavy():
    used = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    used |= {
        (APP_PAGE.parent / source).resolve()
        for source in re.findall(r'src="([^"]+)"', APP_PAGE.read_text())
    }
    folders = (DOCS / "pictures", APP_PAGE.parent / "guide")
    pictures = [file for folder in folders for file in folder.rglob("*.png")]
    assert sorted(name_of(file) for file in set(pictures) - used) == []
    assert [name_of(file) for file in pictures if file.stat().st_size > BIGGEST_PICTURE] == []
