"""Run a command to its end, with progress lines and a readable failure."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from .messages import UserError, echo
from .processes import bound_to_parent

_PROGRESS_INTERVAL = 5.0  # seconds


def run(
    command: Sequence[str],
    *,
    failure: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    progress: Callable[[str], str] | None = None,
    as_user: tuple[int, int] | None = None,
) -> str:
    """Run a command and return what it printed.

    :param command: the command and its arguments
    :param failure: the error message, a whole sentence; the end of the output is added
    :param env: its environment; by default this process's
    :param cwd: where to run it
    :param progress: returns a progress line for the output so far, called every few seconds
    :param as_user: user and group id to run it as
    :return: standard output and error together
    :raise UserError: if it cannot be run or fails
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            process = subprocess.Popen(
                list(command),
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=bound_to_parent(signal.SIGKILL, as_user),
            )
        except (FileNotFoundError, PermissionError):  # the latter: a folder of PATH is not readable
            raise UserError(f"{failure} The program {command[0]} is missing.") from None
        try:
            code = _wait(process, lambda: _read(output), progress)
        except BaseException:
            process.kill()
            process.wait()
            raise
        text = _read(output)
    if code:
        raise UserError(f"{failure}\n{_tail(text)}")
    return text


def _wait(
    process: subprocess.Popen[str],
    so_far: Callable[[], str],
    progress: Callable[[str], str] | None,
) -> int:
    reported = time.monotonic()
    while True:
        try:
            return process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if progress and time.monotonic() - reported >= _PROGRESS_INTERVAL:
                reported = time.monotonic()
                if line := progress(so_far()):
                    echo(f"  {line}")


def _read(output: IO[str]) -> str:
    # The child writes through the same file description: read by position, without moving its own.
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode(errors="replace")


def _tail(text: str, lines: int = 15) -> str:
    kept = [line for line in text.splitlines() if line.strip()]
    if "No space left on device" in text:
        kept.append(
            "The disk is full: free some space or set ORDAGE_CACHE and ORDAGE_RUN elsewhere."
        )
    return "\n".join(f"    {line}" for line in kept[-lines:])
