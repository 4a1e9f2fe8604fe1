"""Countries as KeyCRM names them: by name, in whatever language, often without a code."""

from functools import lru_cache

from babel import Locale

#: Languages in which shops and marketplaces name countries; the first one counts most.
_LANGUAGES = ("uk", "en", "ru", "pl", "de")
#: Names in use that are not the official ones.
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
    """Give the code of a country that is named, or given as a code.

    :param name: as KeyCRM sent it
    :return: two capital letters; empty where no such country is known
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
