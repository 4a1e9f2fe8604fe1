"""Switches: each open question about KeyCRM is a value that tests can set.

The questions and their answers are in ``switches.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: The languages of the texts, in the order in which the files of texts hold them.
LANGUAGES = ("en", "uk")


class BadSwitch(ValueError):
    """An unknown switch or a value it does not have; the text is one plain sentence."""


@dataclass(frozen=True)
class Switch:
    """One question and its possible answers.

    :param name: what it is called
    :param default: the answer at the start
    :param meaning: the question
    :param values: each possible answer and what it means; empty for a number
    :param low: the least number allowed
    :param high: the greatest number allowed
    """

    name: str
    default: str
    meaning: str
    values: Mapping[str, str]
    low: float
    high: float

    def check(self, value: object) -> str:
        """Make sure of a value.

        :param value: a text or a number
        :return: the value as it is kept
        :raise BadSwitch: if the switch has no such value
        """
        text = str(value).strip()
        if self.values:
            if isinstance(value, bool) or text not in self.values:
                raise BadSwitch(
                    f"switch {self.name} has no value {text!r}; it takes {', '.join(self.values)}"
                )
            return text
        try:
            good = not isinstance(value, bool) and self.low <= float(text) <= self.high
        except ValueError:
            good = False
        if not good:
            raise BadSwitch(
                f"switch {self.name} takes a number from {self.low:.9g} to {self.high:.9g}, "
                f"not {text!r}"
            )
        return f"{float(text):.9g}"


def _load(language: int) -> dict[str, Switch]:
    found = {}
    for name, row in tomllib.loads(_FILE.read_text("utf-8")).items():
        values = {value: texts[language] for value, texts in row.get("values", {}).items()}
        default, low, high = row.get("number", (next(iter(values), ""), 0, 0))
        found[name] = Switch(name, str(default), row["meaning"][language], values, low, high)
    return found


_FILE = Path(__file__).with_name("switches.toml")
#: All switches by name, in each language.
BY_LANGUAGE = {language: _load(place) for place, language in enumerate(LANGUAGES)}
SWITCHES = BY_LANGUAGE["en"]


class Switches:
    """The values that are in force.

    :param start: values other than the defaults, also after a reset
    """

    def __init__(self, start: Mapping[str, object] | None = None) -> None:
        self._start = {
            **{s.name: s.default for s in SWITCHES.values()},
            **self._checked(start or {}),
        }
        self._values = dict(self._start)
        self.on_change: Callable[[], None] = lambda: None

    @staticmethod
    def _checked(values: Mapping[str, object]) -> dict[str, str]:
        checked = {}
        for name, value in values.items():
            if name not in SWITCHES:
                raise BadSwitch(f"there is no switch {name!r}; there are {', '.join(SWITCHES)}")
            checked[name] = SWITCHES[name].check(value)
        return checked

    def set(self, values: Mapping[str, object]) -> None:
        """Set some switches; either all of them change or, on a bad one, none.

        :param values: new values by name
        :raise BadSwitch: on an unknown name or value
        """
        self._values.update(self._checked(values))
        self.on_change()

    def reset(self) -> None:
        """Go back to the values of the start."""
        self._values = dict(self._start)
        self.on_change()

    def is_(self, name: str, value: str) -> bool:
        """Ask for one answer.

        :param name: a switch
        :param value: one of its values
        :return: whether that value is in force
        """
        assert value in SWITCHES[name].values, f"{name} has no value {value}"
        return self._values[name] == value

    def value(self, name: str) -> str:
        """Read a switch.

        :param name: a switch
        :return: its present value
        """
        return self._values[name]

    def number(self, name: str) -> float:
        """Read a switch that is a number.

        :param name: a switch
        :return: its present value
        """
        return float(self._values[name])

    def all(self) -> dict[str, str]:
        """Read all switches.

        :return: present values by name
        """
        return dict(self._values)


def describe(language: str = "en") -> list[dict[str, object]]:
    """Describe all switches for people and programs.

    :param language: ``en`` or ``uk``
    :return: name, meaning, default, values (with meanings) or the range of a number
    """
    return [
        {
            "name": s.name,
            "meaning": s.meaning,
            "default": s.default,
            "values": dict(s.values) or None,
            "range": None if s.values else [s.low, s.high],
        }
        for s in BY_LANGUAGE[language].values()
    ]


def listing() -> str:
    """Describe all switches as text.

    :return: several lines for a terminal
    """
    lines = []
    for s in SWITCHES.values():
        lines.append(f"{s.name}: {s.meaning} (default {s.default})")
        lines += [f"    {value}: {meaning}" for value, meaning in s.values.items()]
        if not s.values:
            lines.append(f"    a number from {s.low:.9g} to {s.high:.9g}")
    return "\n".join(lines)
