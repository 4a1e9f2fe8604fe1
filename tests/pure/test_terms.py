"""All terms are translated, with the words of the glossary."""

import re
from xml.etree import ElementTree

import polib
import pytest

from tools import terms
from tools.paths import ADDONS

FILES = [file for addon in terms.addons() for file in terms.translations_of(addon)]
UKRAINIAN = [file for file in FILES if file.name == "uk.po"]

# Words of KeyCRM's cabinet and its help.
GLOSSARY = {
    "API key": "API-ключ",
    "Activity": "Журнал обміну",
    "Already shipped in these statuses": "Статуси, у яких товар уже відвантажено",
    "Archive statuses": "Архівні статуси",
    "Available": "Доступно для продажу",
    "Bank transaction": "Банківська транзакція",
    "Buyer": "Покупець",
    "Catalog product": "Товар із каталогу",
    "Compare with KeyCRM": "Звірити з KeyCRM",
    "Comparison": "Звірка залишків",
    "Configuration": "Налаштування",
    "Customer orders": "Замовлення клієнтів",
    "Do not change product information": "Не змінювати інформацію про товари",
    "Done": "Оброблено",
    "Enable integration": "Увімкнути інтеграцію",
    "Events": "Події",
    "Failed": "Помилка",
    "Full stock exports": "Повні передачі залишків",
    "Free": "Вільно від резервів Odoo",
    "Ignored": "Пропущено",
    "KeyCRM account": "Кабінет KeyCRM",
    "KeyCRM offers": "Варіанти товарів KeyCRM",
    "KeyCRM status after delivery": "Статус у KeyCRM після відвантаження",
    "Load products from KeyCRM": "Завантажити товари з KeyCRM",
    "Offers": "Товари KeyCRM",
    "On hand": "Фактичний залишок",
    "One-off product": "Разовий товар",
    "Order archive": "Архів замовлень",
    "Payments": "Оплати",
    "Needs your decision": "Потребує вашого рішення",
    "Pending": "Очікує",
    "Preview changes": "Перевірити перед передачею",
    "Preview needed": "Потрібна попередня перевірка",
    "Product mapping": "Відповідність товару",
    "Public address": "Публічна адреса Odoo",
    "Quotation": "Комерційна пропозиція",
    "Receive bank transactions for order payments": (
        "Отримувати банківські транзакції про оплату замовлень"
    ),
    "Match warehouses": "Відповідність складів",
    "Not in KeyCRM": "Немає в KeyCRM",
    "Refresh from KeyCRM": "Оновити з KeyCRM",
    "Refresh list": "Оновити список",
    "Restore previous KeyCRM quantities": "Повернути попередні залишки в KeyCRM",
    "Refused": "KeyCRM не прийняв",
    "Retry": "Повторити",
    "SKU": "Артикул (SKU)",
    "Returning parcels": "Посилки, що повертаються",
    "Send Odoo quantities": "Передати залишки з Odoo",
    "Send all": "Передати все",
    "Send anyway": "Усе одно передати",
    "Send cost to KeyCRM": "Передавати собівартість у KeyCRM",
    "Send prices to KeyCRM": "Передавати ціни у KeyCRM",
    "Send received payments to KeyCRM": "Передавати отримані оплати у KeyCRM",
    "Send stock to KeyCRM": "Передавати залишки у KeyCRM",
    "Send tracking numbers to KeyCRM": "Передавати ТТН у KeyCRM",
    "Skip (do not import)": "Не завантажувати",
    "Stock in warehouses": "Залишки на складах",
    "Synchronize": "Синхронізувати",
    "Synchronize orders": "Синхронізувати замовлення",
    "Test connection": "Перевірити підключення",
    "To pack": "До пакування",
    "To collect on delivery": "До сплати при отриманні",
    "Sync times": "Час обміну",
    "Total differs": "Сума не збігається",
    "Tracking number": "ТТН",
    "Validate deliveries on archiving": "Підтверджувати відвантаження під час архівування",
    "Waiting to send": "Очікують передачі",
    "Webhook link": "Посилання на Webhook",
}
# KeyCRM's own names of menus, buttons and fields: the Ukrainian ones are those of its cabinet and its help.
KEYCRM_NAMES = {
    "Settings → General": "Налаштування → Основні",
    "Settings → Additional → Automation": "Налаштування → Додатково → Автоматизація",
    "Generate API key": "Згенерувати API ключ",
    "Add trigger": "Додати тригер",
    "Send Webhook": "Відправити Webhook",
    "HTTP request method": "HTTP метод запиту",
}
# Labels that the steps in KeyCRM need.
KEYCRM_STEPS = [
    "Додати тригер",
    "Час виконання",
    "Відразу",
    "Умови виконання",
    "Відправити Webhook",
]
# Other names of the same, calques, and words for the wrong thing. An offer is no proposal.
MISTAKES = {
    "an English or invented name in KeyCRM's cabinet": r"Send Webhook|→ Загальні",
    "sum, not attach": r"(?i)\bдодаються\b",
    "automatically, not by oneself": r"(?i)(?<!та )(?<!ті )(?<!ці )(?<!така )\bсам[аіо]?\b(?! по собі)",
    "a user, not a human being": r"(?i)\bлюд(ин|ей)",
    "an invoice as Odoo calls it": r"(?i)рахун\w*-фактур",
    "stock is affected, not moved": r"(?i)\bруха(є|ють|ти)\b",
    "one word for a mapping": r"(?i)зіставлен|зв’язан|прив’язан(?! до тригера)",
    "polling is no overtime": r"(?i)надолу",
    "polling as on the screens: перевірка оновлень": r"(?i)опитува",
    "one word for rounding: заокруглення": r"(?i)(?<!за)округл",
    "machines have a несправність": r"(?i)несправн",
    "Odoo's own menus": r"Планові дії|Застосунки|Бухгалтерський облік →",
    "KeyCRM is masculine": r"KeyCRM (вже |уже )?[а-яіїєґ’]+ла\b",
    "an apostrophe of a typewriter": r"[а-яіїєґ]'[а-яіїєґ]",
    "пропозиція, where an offer is meant": r"(?i)(?<!комерційна )(?<!комерційної )"
    r"(?<!комерційну )(?<!комерційні )(?<!комерційних )\bпропозиці\w+",
    "Odoo's word for a failure": r"(?i)невдалося",
    "a letter that Ukrainian does not have": r"[ыъэё]",
}
# American spelling, as in Odoo, and standard terms (an engineer's and a user's).
ENGLISH_MISTAKES = {
    "British spelling": r"(?i)(synchron|organ|recogn|normal|summar|author)is(e|ing|ation)"
    r"|catalogue|cancell(?!ation)|licence|colour|behaviour",
    "setup and email, as Odoo writes them": r"(?i)\bset-up|\be-mail",
    "automatically": r"(?i)\bby (it|them)sel(f|ves)\b",
    "again": r"\banew\b",
    "notify, show, is listed": r"(?i)\b(told|tells?|stands? (here|in|still)|reckon\w*|mends?)\b",
    "preview": r"(?i)rehears",
    "KeyCRM": r"(?i)\bcabinet\b",
    "user": r"(?i)\b(a person|people|somebody|whoever|nobody)\b",
    "activity": r"(?i)\bto-dos?\b",
    "fix": r"(?i)\bput (this |them |it )?right\b",
    "click": r"(?i)\bpress(ed|es)?\b",
    "turn on": r"(?i)\bswitch(ed|es)? (on|off)\b",
}
# What follows a number without being counted: units, and words that go with any number.
AFTER_A_NUMBER = {"с", "хв", "год", "шт", "із", "з", "та", "і", "й", "у", "в", "на", "до"}


def name_of(file):
    return f"{file.parent.parent.name}-{file.stem}"


def entries(file):
    return [entry for entry in polib.pofile(str(file)) if entry.msgstr]


def test_every_addon_is_in_ukrainian():
    assert [file.parent.parent.name for file in UKRAINIAN] == terms.addons()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_term_is_translated_and_none_is_fuzzy(file):
    translation = polib.pofile(str(file))
    assert terms.untranslated(translation) == []
    assert [entry.msgid for entry in translation if entry.fuzzy] == []


@pytest.mark.parametrize("addon", terms.addons())
def test_files_of_an_addon_have_the_same_terms(addon):
    words = {entry.msgid for entry in polib.pofile(str(terms.template_of(addon)))}
    assert words >= set(terms.app_words(addon)), "run make terms"
    for file in terms.translations_of(addon):
        assert words == {entry.msgid for entry in polib.pofile(str(file))}, "run make terms"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_translation_has_the_same_placeholders_and_tags(file):
    def placeholders_and_tags(text):
        placeholders = re.findall(r"%\(\w+\)[sdfg]|%[sdfg](?!\w)", text)
        return sorted(placeholders), sorted(re.findall(r"</?\w+", text))

    assert {
        e.msgid: e.msgstr
        for e in entries(file)
        if placeholders_and_tags(e.msgid) != placeholders_and_tags(e.msgstr)
    } == {}


@pytest.mark.parametrize("file", UKRAINIAN, ids=name_of)
def test_words_are_those_of_keycrms_cabinet(file):
    known = {entry.msgid: entry.msgstr for entry in entries(file)}
    found = {word: known[word] for word in GLOSSARY if word in known}
    assert found == {word: GLOSSARY[word] for word in found}


def test_all_of_these_words_are_on_the_screens():
    words = {entry.msgid for file in UKRAINIAN for entry in entries(file)}
    assert sorted(set(GLOSSARY) - words) == []


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("file", UKRAINIAN, ids=name_of)
def test_ukrainian_uses_no_wrong_word(file, mistake):
    wrong = [entry.msgstr for entry in entries(file) if re.search(MISTAKES[mistake], entry.msgstr)]
    assert wrong == []


@pytest.mark.parametrize("name", KEYCRM_NAMES)
def test_keycrm_is_described_in_the_words_of_its_cabinet(name):
    """Use KeyCRM's own labels in steps."""
    found = [entry for file in UKRAINIAN for entry in entries(file) if name in entry.msgid]
    assert found
    assert [entry.msgstr for entry in found if KEYCRM_NAMES[name] not in entry.msgstr] == []


def test_the_trigger_is_described_in_full():
    text = " ".join(entry.msgstr for file in UKRAINIAN for entry in entries(file))
    assert [name for name in KEYCRM_STEPS if name not in text] == []


@pytest.mark.parametrize("file", UKRAINIAN, ids=name_of)
def test_word_for_invoice_is_not_used_for_accounts(file):
    """Use «рахунок» for invoices and «кабінет» for accounts."""
    wrong = [
        entry.msgid
        for entry in entries(file)
        if re.search(r"(?i)\bрахун", entry.msgstr)
        and not re.search(r"(?i)invoic|credit note|chart of accounts", entry.msgid)
    ]
    assert wrong == []


@pytest.mark.parametrize("mistake", ENGLISH_MISTAKES)
@pytest.mark.parametrize("file", UKRAINIAN, ids=name_of)
def test_english_is_american_and_plain(file, mistake):
    words = [entry.msgid for entry in polib.pofile(str(file))]
    assert [word for word in words if re.search(ENGLISH_MISTAKES[mistake], word)] == []


@pytest.mark.parametrize("file", UKRAINIAN, ids=name_of)
def test_sentences_are_correct_for_every_number(file):
    """«1 замовлень» is wrong and «Замовлень: 1» is not; Odoo knows no plural forms."""
    wrong = []
    for entry in entries(file):
        for name, word in re.findall(r"%(?:\((\w+)\))?[sdg]\s+([а-яіїєґ’]+)", entry.msgstr):
            counted = not name or re.search(r"count|number|seconds|wait|days|hours|total", name)
            if counted and word not in AFTER_A_NUMBER:
                wrong.append(entry.msgstr)
    assert wrong == []


def test_no_count_precedes_its_noun():
    """«5 кабінетів» would be «2 кабінети»: on a screen the noun comes first."""
    wrong = []
    for file in ADDONS.glob("*/*/*.xml"):
        for field in ElementTree.parse(file).iter("field"):
            text = (field.tail or "").strip()
            if re.search(r"count|today", field.get("name", "")) and re.match(r"\w", text):
                wrong.append(f"{file.name}: {field.get('name')} {text}")
    assert wrong == []
