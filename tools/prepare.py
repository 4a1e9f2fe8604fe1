"""``make prepare``: fetch and make all that is kept between runs, and nothing else."""

from __future__ import annotations

from .chromium import chromium
from .messages import UserError, say, warn
from .runtime import Runtime


def main(_arguments: list[str]) -> int:
    """Prepare everything.

    :return: the exit code
    """
    try:
        chromium()
    except UserError as trouble:
        warn(f"Without a browser make test-browser and make pictures do not run. {trouble}")
    with Runtime():
        say("everything is prepared")
    return 0
