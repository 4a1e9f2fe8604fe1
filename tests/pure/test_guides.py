"""Links, anchors and pictures of documents exist, and labels match the screens."""

import re
from pathlib import Path
from xml.etree import ElementTree

import polib
import pytest

from tests.pure.test_terms import ENGLISH_MISTAKES, MISTAKES
from tools import terms
from tools.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
#: Every document of the repository; what tools leave lies in hidden folders.
PAGES = sorted(
    page
    for page in REPOSITORY.rglob("*.md")
    if not any(part[0] == "." for part in page.relative_to(REPOSITORY).parts)
)
GUIDES = sorted(DOCS.glob("??/*.md"))
APP_PAGE = REPOSITORY / "addons/ordage_keycrm/static/description/index.html"
#: How the translation file names the label of a field of the account.
FIELD = "field_description:ordage_keycrm.field_keycrm_account__"
#: Fields of the account's form that are not edited there: measured values, and lists with own pages.
SHOWN_ALONE = {
    *("last_webhook_at", "link_text", "circuit_error_text", "circuit_open_until", "polled_at"),
    *("compared_at", "compared_differences", "webhook_url", "name", "status_ids", "warehouse_ids"),
    *("order_count", "event_count", "failed_event_count", "unshipped_count"),
}
BIGGEST_PICTURE = 200_000  # bytes, since each clone contains all pictures


#: Words that are wrong on a screen and may be right in a sentence of a document.
RIGHT_IN_TEXTS = {
    *("user", "activity", "preview", "notify, show, is listed"),
    *("automatically, not by oneself", "a user, not a human being", "one word for a mapping"),
    "пропозиція, where an offer is meant",
}
FOR_USERS = [
    *(page for page in GUIDES),
    *(REPOSITORY / name for name in ("README.md", "README.uk.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(DOCS.glob("*.md")),
]


def name_of(file):
    return str(file.relative_to(REPOSITORY))


def text_of(page):
    """Return the text of a page without code, whose links and headings do not count."""
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def links(page):
    found = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    found += re.findall(r'(?:src|href)="([^"]+)"', text_of(page))
    return [link for link in found if "://" not in link]


def anchors(page):
    """Return GitHub's anchors of the headings; a second equal one ends in -1."""
    found = set()
    for title in re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").replace("*", "")
        anchor = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        number = 0
        while (unique := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(unique)
    return found


def broken(page):
    """Return the broken links of a page."""
    missing = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


def words(language):
    """Return all terms of the addons in one language, without markup."""
    shown = set()
    for addon in terms.addons():
        for entry in polib.pofile(str(terms.template_of(addon).with_name("uk.po"))):
            text = entry.msgstr if language == "uk" and entry.msgstr else entry.msgid
            shown |= {text, re.sub(r"<[^>]+>", "", text)}
    return {word.strip().rstrip(":") for word in shown}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_anchor_and_picture_exists(page):
    assert broken(page) == []


@pytest.mark.parametrize("page", ["architecture.md", "invariants.md"])
def test_every_path_of_the_addon_exists(page):
    addon = APP_PAGE.parents[2]
    text = (DOCS / page).read_text()
    paths = set(re.findall(r"\b(?:[a-z_]+/)+[a-z_]+\.[a-z]+", text))
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (addon / path).exists()] == []


def test_link_checker_reports_missing_files_and_anchors(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, twice\n# A title, twice\n[a](#a-title-twice-1) [b](#c)\n"
        '[d](page.md) ![e](e.png) <img src="f.png">\n```\n[g](g.md)\n```\n'
    )
    assert broken(page) == ["#c", "e.png", "f.png"]


def test_every_document_can_be_reached_from_the_readme():
    reached, left = set(), [REPOSITORY / "README.md"]
    while left:
        page = left.pop()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            left += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    assert sorted(name_of(page) for page in set(PAGES) - reached) == []


def test_page_in_the_list_of_apps_shows_existing_pictures():
    sources = re.findall(r'(?:src|href)="([^"#]+)"', APP_PAGE.read_text())
    assert len(sources) >= 4
    assert [source for source in sources if not (APP_PAGE.parent / source).exists()] == []


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_every_bold_word_of_the_guides_is_on_the_screens(guide):
    shown = words(guide.parent.name)
    text = " ".join(guide.read_text().split())
    named = [part for bold in re.findall(r"\*\*(.+?)\*\*", text) for part in bold.split(" → ")]
    assert named or guide.name == "glossary.md"
    assert sorted(set(named) - shown) == []


@pytest.mark.parametrize("language", ["en", "uk"])
def test_messages_quoted_in_the_questions_are_those_of_the_screens(language):
    shown = "\n".join(words(language))
    problems = (DOCS / language / "faq.md").read_text().rpartition("\n## ")[2]
    quoted = re.findall(r"[«“](.+?)[»”]", problems)
    assert len(quoted) >= 4
    assert [message for message in quoted if message not in shown] == []


@pytest.mark.parametrize("page", FOR_USERS, ids=name_of)
def test_documents_use_the_words_of_the_screens(page):
    ukrainian = page.parent.name == "uk" or page.stem.endswith(".uk")
    mistakes = MISTAKES if ukrainian else ENGLISH_MISTAKES
    text = re.sub(r"`[^`]*`", "", text_of(page))
    found = {
        why: wrong
        for why, words in mistakes.items()
        if why not in RIGHT_IN_TEXTS and (wrong := [m[0] for m in re.finditer(words, text)])
    }
    assert found == {}


def settings():
    """Return the editable fields of the account's form."""
    found = set()
    for file in (APP_PAGE.parents[2] / "views").glob("*.xml"):
        for record in ElementTree.parse(file).iter("record"):
            about = {field.get("name"): field for field in record.iterfind("field")}
            name = "keycrm_account_view_form"
            inherits = about.get("inherit_id")
            if name not in (record.get("id"), "" if inherits is None else inherits.get("ref")):
                continue
            left = [about["arch"]]
            while left:
                for place in left.pop():
                    if place.tag != "field" or place.get("position"):
                        left.append(place)
                    elif not {place.get("readonly"), place.get("invisible")} & {"1", "True"}:
                        found.add(place.get("name"))
    return found - SHOWN_ALONE


@pytest.mark.parametrize("language", ["en", "uk"])
def test_settings_page_explains_every_setting_of_the_account(language):
    page = " ".join((DOCS / language / "settings.md").read_text().split())
    missing, names = [], settings()
    for entry in polib.pofile(str(terms.template_of("ordage_keycrm").with_name("uk.po"))):
        of = {place.rpartition("__")[2] for place, _line in entry.occurrences if FIELD in place}
        label = entry.msgstr if language == "uk" else entry.msgid
        if of & names and f"**{label}**" not in page:
            missing.append(label)
    assert missing == []
    assert len(names) > 20


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


def test_both_readmes_name_the_version_and_the_same_documents():
    def rows(page, heading):
        """Return the documents of each kind of reader, by their English paths."""
        text = (REPOSITORY / page).read_text()
        assert f"`{terms.manifest('ordage_keycrm')['version']}`" in text
        table = text.partition(heading)[2].partition("\n## ")[0]
        linked = [re.findall(r"\]\(([^)]+)\)", row) for row in table.splitlines()]
        return [
            [re.sub(r"^docs/uk/", "docs/en/", link).replace(".uk.md", ".md") for link in row]
            for row in linked
            if row
        ]

    english = rows("README.md", "\n## Documentation\n")
    assert len(english) == 3
    assert rows("README.uk.md", "\n## Документація\n") == english


def test_every_picture_is_used_and_small():
    used = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    used |= {
        (APP_PAGE.parent / source).resolve()
        for source in re.findall(r'src="([^"]+)"', APP_PAGE.read_text())
    }
    pictures = [*(APP_PAGE.parent / "guide").rglob("*.png")]
    assert sorted(name_of(file) for file in set(pictures) - used) == []
    assert [name_of(file) for file in pictures if file.stat().st_size > BIGGEST_PICTURE] == []


def test_reliability_page_names_tests_that_exist():
    """Its last columns name tests by a part of their names, below the folder of a letter."""
    page = (DOCS / "reliability.md").read_text()
    folders = dict(re.findall(r"^\| ([A-Z]) \|.*\| `([^`]+)` \|$", page, re.MULTILINE))
    names = {
        letter: " ".join(
            name
            for file in (REPOSITORY / folder).rglob("test_*.py")
            for name in re.findall(r"def (test_\w+)", file.read_text())
        )
        for letter, folder in folders.items()
    }
    assert len(names) == 5
    missing, found = [], 0
    for row in re.findall(r"^\|.*\| ([A-Z] `.*`) \|$", page, re.MULTILINE):
        for part in row.split("; "):
            for name in re.findall(r"`(\w+)`", part):
                found += 1
                if name not in names[part[0]]:
                    missing.append((part[0], name))
    assert found > 100
    assert not missing
