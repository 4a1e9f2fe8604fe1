"""Messages on the terminal: progress with times, and errors in one sentence."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Kept in the environment: execve into the private environment starts a new program.
_started = float(os.environ.setdefault("ORDAGE_STARTED", str(time.monotonic())))


class UserError(Exception):
    """An error that the user can fix; its text describes the error and the fix."""


def echo(text: str) -> None:
    """Print one progress line with the seconds since the start, unbuffered.

    :param text: the line
    """
    print(f"[{time.monotonic() - _started:6.1f} s] {text}", flush=True)


def warn(text: str) -> None:
    """Print one line to standard error, unbuffered.

    :param text: the line
    """
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print the start and the duration of a long step.

    :param text: the step
    """
    echo(f"{text} …")
    begun = time.monotonic()
    yield
    echo(f"{text}: done in {time.monotonic() - begun:.1f} s")


def sentence_for(error: OSError) -> str | None:
    """Return a sentence for an operating system error that the user can fix.

    :param error: the error
    :return: the sentence, or None for another error
    """
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full{where}. Free some space, or set ORDAGE_CACHE and ORDAGE_RUN to "
            "folders on another disk, and start again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"No right to write here{where}. Set ORDAGE_CACHE and ORDAGE_RUN to folders of yours."
        )
    return None
