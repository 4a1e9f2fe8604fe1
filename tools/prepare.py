"""``make prepare``: fetch and create the whole cache, and nothing else."""

from __future__ import annotations

from .chromium import chromium
from .messages import UserError, echo, warn
from .runtime import Runtime


def main(_arguments: list[str]) -> int:
    """Prepare everything.

    :return: the exit code
    """
    try:
        chromium()
    except UserError as error:
        warn(f"Without a browser make test-browser and make pictures do not run. {error}")
    with Runtime():
        echo("everything is prepared")
    return 0
