"""Wait for conditions with a generous timeout, never for a fixed time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

#: Seconds until a command that a person started gives up, also on a machine with much other work.
MAX_WAIT = 600
Result = TypeVar("Result")


class ConditionTimeout(AssertionError):
    """A condition was not met in time."""


def wait_for(
    condition: Callable[[], Result],
    timeout: float = 60,
    what: str = "the condition",
    every: float = 0.05,
) -> Result:
    """Poll a condition until it is true.

    :param condition: called repeatedly
    :param timeout: maximum seconds
    :param what: the condition's description, for the message
    :param every: seconds between two calls
    :return: the condition's first true result
    :raise ConditionTimeout: if it stays false
    """
    deadline = time.monotonic() + timeout
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            raise ConditionTimeout(
                f"not seen within {timeout:g} s: {what} (last result: {result!r})"
            )
        time.sleep(every)


def free_port() -> int:
    """Find an unused port of this machine.

    :return: the port
    """
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether a process listens on a port of this machine.

    :param port: the port
    """
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
