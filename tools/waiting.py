"""Waiting for something to be seen, with a generous bound: never for a time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


class NotSeen(AssertionError):
    """What was waited for did not come."""


def wait_for(
    condition: Callable[[], Seen],
    timeout: float = 60,
    what: str = "the condition",
    every: float = 0.05,
) -> Seen:
    """Ask again and again until the answer is true.

    :param condition: asked; what it returns last is returned
    :param timeout: seconds at most
    :param what: what is waited for, for the message
    :param every: seconds between two questions
    :return: the condition's first true answer
    :raise NotSeen: if there is none in time
    """
    deadline = time.monotonic() + timeout
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise NotSeen(f"not seen within {timeout:g} s: {what} (last answer: {answer!r})")
        time.sleep(every)


def free_port() -> int:
    """Find a port of this machine on which nobody listens.

    :return: the port
    """
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether somebody listens on a port of this machine.

    :param port: the port
    """
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
