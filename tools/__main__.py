"""``python3 -m tools COMMAND``: the commands of ``make``.

Starts under the system's Python with the standard library only, creates the private environment, and
continues inside it.
"""

from __future__ import annotations

import importlib
import os
import sys

from .requirements import PYTHONS

if sys.version_info[:2] not in PYTHONS:  # before the imports below, which an old one cannot read
    sys.exit(
        f"Python 3.11, 3.12 or 3.13 is needed, and this is Python {sys.version.split()[0]}. If you "
        "have one of them, name it: make demo PYTHON=python3.13"
    )

from . import processes, venv
from .messages import UserError, sentence_for, warn

# Command: its module and function, and whether they need the private environment.
COMMANDS = {
    "prepare": ("prepare", "main", True),
    "demo": ("demo", "main", True),
    "serve": ("serve", "main", True),
    "test": ("test", "main", True),
    "test-peers": ("peers", "main", True),
    "bench": ("bench", "main", True),
    "lint": ("lint", "main", False),
    "audit": ("audit", "main", False),
    "package": ("package", "main", False),
    "dev": ("dev", "main", True),
    "terms": ("terms", "main", True),
    "pictures": ("pictures", "main", True),
    "clean": ("clean", "main", False),
    "distclean": ("clean", "everything", False),
}


def main(arguments: list[str]) -> int:
    """Run a command.

    :param arguments: its name and arguments
    :return: the exit code
    """
    if not arguments or arguments[0] not in COMMANDS:
        warn(f"Usage: python3 -m tools {{{','.join(COMMANDS)}}}; see make help.")
        return 2
    # Containers often set it: Odoo would be compiled anew at each start, which takes seconds.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if os.environ.get("MAKELEVEL"):
        processes.die_with_parent()
    processes.clean_up_on_signals()
    module, function, needs_environment = COMMANDS[arguments[0]]
    try:
        if needs_environment:
            folder = venv.environment("dev")
            if not venv.inside(folder):
                venv.enter(folder, arguments)
        return getattr(importlib.import_module(f".{module}", __package__), function)(arguments)
    except UserError as error:
        warn(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        warn("\nStopped.")
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        sentence = sentence_for(error)
        if not sentence:
            raise
        warn(f"\n{sentence}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
