"""``python3 -m tools COMMAND``: what ``make`` calls.

Begins under the system's Python with the standard library alone, makes the private environment, and
goes on inside it.
"""

from __future__ import annotations

import importlib
import os
import sys

if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed, and this is Python %d.%d." % sys.version_info[:2])

from . import processes, venv  # noqa: E402
from .messages import Trouble, sentence_for, warn  # noqa: E402

# Command: the module whose main(arguments) does it, and whether it needs the private environment.
COMMANDS = {
    "prepare": ("prepare", True),
    "demo": ("demo", True),
    "serve": ("serve", True),
    "test": ("test", True),
    "lint": ("lint", False),
    "dev": ("dev", True),
    "clean": ("clean", False),
    "distclean": ("clean", False),
}


def main(arguments: list[str]) -> int:
    """Run a command.

    :param arguments: its name and arguments
    :return: the exit code
    """
    if not arguments or arguments[0] not in COMMANDS:
        warn(f"Usage: python3 -m tools {{{','.join(COMMANDS)}}}; see make help.")
        return 2
    if os.environ.get("MAKELEVEL"):
        processes.die_with_parent()
    processes.clean_up_on_signals()
    module, needs_environment = COMMANDS[arguments[0]]
    try:
        if needs_environment:
            folder = venv.environment("dev")
            if not venv.inside(folder):
                venv.enter(folder, arguments)
        return importlib.import_module(f".{module}", __package__).main(arguments)
    except Trouble as trouble:
        warn(f"\n{trouble}")
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
