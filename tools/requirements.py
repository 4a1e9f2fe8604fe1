"""The requirement files: which version of a package is pinned for which Python."""

from __future__ import annotations

import re
import sys
from pathlib import Path

#: The Pythons that every requirement file is complete for, as (major, minor).
PYTHONS = ((3, 11), (3, 12), (3, 13))
_PIN = re.compile(
    r'([A-Za-z0-9_.-]+)==([^\s;]+)(?: ; python_version (<|>=) "(\d+)\.(\d+)")?(?: +#.*)?'
)


def with_included(file: Path) -> list[Path]:
    """List a requirement file and those that it includes.

    :param file: the file
    :return: the files, the given one first
    """
    found = [file]
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            found += with_included(file.parent / line[3:].strip())
    return found


def pinned(file: Path, python: tuple[int, int] = sys.version_info[:2]) -> dict[str, str]:
    """Read a requirement file with those that it includes.

    :param file: the file
    :param python: the target Python
    :return: versions by package
    :raise ValueError: if a line is not a pin in this repository's format
    """
    found: dict[str, str] = {}
    for each in with_included(file):
        for line in each.read_text().splitlines():
            if not line or line.startswith(("#", "-r ")):
                continue
            match = _PIN.fullmatch(line)
            if not match:
                raise ValueError(f"{each.name}: not pinned: {line}")
            package, version, relation, *limit = match.groups()
            if relation and (python >= tuple(map(int, limit))) != (relation == ">="):
                continue
            if found.setdefault(package, version) != version:
                raise ValueError(f"{each.name}: {package} has two versions on Python {python}")
    return found
