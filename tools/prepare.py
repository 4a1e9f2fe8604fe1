"""``make prepare``: fetch and make all that is kept between runs, and nothing else."""

from __future__ import annotations

from .messages import say
from .runtime import Runtime


def main(_arguments: list[str]) -> int:
    """Prepare everything.

    :return: the exit code
    """
    with Runtime():
        say("everything is prepared")
    return 0
