"""What a person at the terminal reads: progress with times, and trouble in one sentence."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Kept over the change into the private environment, which is a new program in the same process.
_started = float(os.environ.setdefault("ORDAGE_STARTED", str(time.monotonic())))


class UserError(Exception):
    """Something a person can put right. Its text says what happened and what to do."""


def say(text: str) -> None:
    """Print one progress line with the seconds since the start, at once.

    :param text: the line
    """
    print(f"[{time.monotonic() - _started:6.1f} s] {text}", flush=True)


def warn(text: str) -> None:
    """Print one line to standard error, at once.

    :param text: the line
    """
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


@contextmanager
def doing(text: str) -> Iterator[None]:
    """Announce something that takes long, and how long it took.

    :param text: what is being done
    """
    say(f"{text} …")
    begun = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - begun:.1f} s")


def sentence_for(error: OSError) -> str | None:
    """Put an error of the operating system into words, where there is something to do about it.

    :param error: the error
    :return: the sentence, or nothing if the error is of another kind
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
