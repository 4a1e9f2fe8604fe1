"""``make lint``: find references in docstrings that lead nowhere.

``:class:`Name``` is defined in the same file. ``:class:`~.module.Name``` is, as in Sphinx, the end of the
full name of something in the addon.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_REFERENCE = re.compile(r":\w+:`~?([\w.]+)`")


def main(addon: str) -> int:
    """Print the references that lead nowhere.

    :param addon: folder of an addon
    :return: 0 if there is none
    """
    folder = Path(addon)
    names = {file: list(_names(file, folder)) for file in sorted(folder.rglob("*.py"))}
    all_ends = set().union(*map(_ends, names.values()))
    lost = [
        f"{file}: {reference}"
        for file, own in names.items()
        for reference in _REFERENCE.findall(file.read_text())
        if reference not in (all_ends if reference[0] == "." else _ends(own))
    ]
    print(*lost, sep="\n", end="\n" if lost else "")
    return 1 if lost else 0


def _ends(names: list[str]) -> set[str]:
    """Return everything with which a full name may end, each with its dot and without it."""
    ends = {name[at:] for name in names for at in range(len(name)) if name[at] == "."}
    return ends | {end[1:] for end in ends}


def _names(file: Path, folder: Path) -> Iterator[str]:
    """Yield the full names of a module and of all that it defines."""
    module = "." + ".".join(file.relative_to(folder.parent).with_suffix("").parts)
    yield module
    yield from _defined(ast.parse(file.read_text()), module)


def _defined(node: ast.AST, prefix: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            yield f"{prefix}.{child.name}"
            yield from _defined(child, f"{prefix}.{child.name}")
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            yield from (f"{prefix}.{one.id}" for one in targets if isinstance(one, ast.Name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
