"""``make clean`` and ``make distclean``: remove what runs left behind, and the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from . import cache, venv
from .messages import say
from .paths import REPOSITORY, cache_folder
from .run_folder import remove_leftovers

_FORGOTTEN = 14 * 24 * 3600  # seconds without use after which a folder of the cache goes


def main(_arguments: list[str]) -> int:
    """Remove leftovers of dead runs and caches in the repository; a run that lives is left alone.

    :return: the exit code
    """
    say(f"{remove_leftovers()} folders of dead runs removed")
    for name in ("__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"):
        for folder in REPOSITORY.rglob(name):
            shutil.rmtree(folder, ignore_errors=True)
    old = cache.forgotten(cache_folder(), time.time() - _FORGOTTEN)
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"caches of the repository removed, {len(old)} forgotten folders of the cache too")
    return 0


def everything(_arguments: list[str]) -> int:
    """Remove the cache too, and the template databases on an existing server.

    :return: the exit code
    """
    if os.environ.get("PGHOST") or os.environ.get("PGUSER"):
        python = venv.python_of(venv.environment("dev"))
        subprocess.run(
            [python, "-c", "from tools.templates import drop_from_server as d; d()"],
            cwd=REPOSITORY,
            check=True,
        )
    main([])
    shutil.rmtree(cache_folder(), ignore_errors=True)
    say(f"{cache_folder()} emptied")
    return 0
