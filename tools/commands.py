"""Running a command to its end, with its progress told and its failure put into words."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from .messages import UserError, say
from .processes import tied_to_us

_TELL_EVERY = 5.0  # seconds


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
    :param failure: what to say if it fails, a whole sentence; the command's last words are added
    :param env: its environment; by default this process's
    :param cwd: where to run it
    :param progress: turns what was printed so far into a progress line, asked every few seconds
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
                preexec_fn=tied_to_us(signal.SIGKILL, as_user),
            )
        except FileNotFoundError:
            raise UserError(f"{failure} The program {command[0]} is missing.") from None
        try:
            code = _wait(process, lambda: _read(output), progress)
        except BaseException:
            process.kill()
            process.wait()
            raise
        text = _read(output)
    if code:
        raise UserError(f"{failure}\n{_last_words(text)}")
    return text


def _wait(
    process: subprocess.Popen[str],
    so_far: Callable[[], str],
    progress: Callable[[str], str] | None,
) -> int:
    told = time.monotonic()
    while True:
        try:
            return process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if progress and time.monotonic() - told >= _TELL_EVERY:
                told = time.monotonic()
                if line := progress(so_far()):
                    say(f"  {line}")


def _read(output: IO[str]) -> str:
    # The child writes through the same file description: read by position, without moving its own.
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode(errors="replace")


def _last_words(text: str, lines: int = 15) -> str:
    kept = [line for line in text.splitlines() if line.strip()]
    if "No space left on device" in text:
        kept.append(
            "The disk is full: free some space or set ORDAGE_CACHE and ORDAGE_RUN elsewhere."
        )
    return "\n".join(f"    {line}" for line in kept[-lines:])
