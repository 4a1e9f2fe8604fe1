"""Find country codes: KeyCRM writes countries in any language, often without one."""

from functools import lru_cache

from babel import Locale

#: Languages in which shops and marketplaces name countries; the first one has priority.
_LANGUAGES = ("uk", "en", "ru", "pl", "de")
#: Common names that are not the official ones.
_IN_USE = {
    "сша": "US",
    "usa": "US",
    "u.s.a.": "US",
    "англія": "GB",
    "великобританія": "GB",
    "uk": "GB",
    "оае": "AE",
    "чехія": "CZ",
    "чеська республіка": "CZ",
    "корея": "KR",
    "голландія": "NL",
}


def country_code(name: str) -> str:
    """Return the code of a country.

    :param name: name or code, as KeyCRM sent it
    :return: two capital letters; empty for an unknown country
    """
    return _codes().get(" ".join(name.casefold().split()), "")


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for language in reversed(_LANGUAGES):
        for code, name in Locale.parse(language).territories.items():
            if (
                len(code) == 2
                and code.isalpha()
                and code not in ("EU", "UN", "EZ", "XA", "XB", "ZZ")
            ):
                codes[name.casefold()] = codes[code.casefold()] = code
    return {**codes, **_IN_USE}
