"""``make clean`` and ``make distclean``: remove residue of runs, and the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from . import cache, venv
from .messages import echo
from .paths import REPOSITORY, cache_folder
from .run_folder import remove_residue

_MAX_UNUSED = 14 * 24 * 3600  # seconds without use after which a cached folder is removed


def main(_arguments: list[str]) -> int:
    """Remove residue of ended runs, and caches in the repository.

    :return: the exit code
    """
    echo(f"{remove_residue()} folders of ended runs removed")
    for name in ("__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"):
        for folder in REPOSITORY.rglob(name):
            shutil.rmtree(folder, ignore_errors=True)
    old = cache.unused(cache_folder(), time.time() - _MAX_UNUSED)
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    echo(f"caches of the repository removed, {len(old)} unused folders of the cache too")
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
    echo(f"{cache_folder()} emptied")
    return 0
