"""Processes that are started here are stopped here, however this process ends.

- Normal end, error, Ctrl-C, SIGTERM, SIGHUP: :func:`stop_all` runs at exit.
- ``kill -9`` of this process: the kernel signals each child (parent death signal). It does so too
  when the *thread* that started a child ends, so children are started by the main thread only.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running: list[ManagedProcess] = []


class ManagedProcess:
    """A process started by this one, in a session of its own, so that Ctrl-C does not reach it.

    :param command: the command and its arguments
    :param log: file its output is added to
    :param env: its environment; by default this process's
    :param cwd: where it runs; by default where this process does
    :param stop_signal: what tells it to stop
    :param death_signal: what ends it at once; the kernel sends it when this process dies
    :param as_user: user and group id to run it as
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: int = signal.SIGTERM,
        death_signal: int = signal.SIGKILL,
        as_user: tuple[int, int] | None = None,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start processes from the main thread: see tools/processes.py")
        self.command = list(command)
        self.log = log
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=tied_to_us(death_signal, as_user),
            )
        _running.append(self)

    @property
    def pid(self) -> int:
        """Process id, also the id of its process group."""
        return self._process.pid

    def code(self) -> int | None:
        """Tell how it ended.

        :return: its exit code, negative for a signal; nothing while it runs
        """
        return self._process.poll()

    def alive(self) -> bool:
        """Return whether it runs."""
        return self.code() is None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        :param timeout: seconds
        :return: its exit code
        :raise subprocess.TimeoutExpired: if it still runs then
        """
        return self._process.wait(timeout)

    def signal(self, number: int) -> None:
        """Send it alone a signal, if it runs.

        :param number: the signal
        """
        if self.alive():
            self._process.send_signal(number)

    def stop(self, timeout: float = 15, number: int | None = None) -> int:
        """Ask it to stop, and kill it with all of its group if it does not.

        :param timeout: seconds to wait before that
        :param number: the signal that asks, if not its usual one
        :return: its exit code
        """
        self.signal(number or self._stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout)
        return self.kill()

    def end(self) -> int:
        """End it without order: what it worked on is thrown away.

        :return: its exit code
        """
        self.signal(self._death_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(5)
        return self.kill()

    def kill(self) -> int:
        """End it and its whole group at once, as ``kill -9`` does.

        :return: its exit code
        """
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.signal(signal.SIGKILL)
        code = self.wait()
        if self in _running:
            _running.remove(self)
        return code


def running() -> frozenset[ManagedProcess]:
    """Tell what this process started and has not stopped."""
    return frozenset(_running)


def stop_all(but: frozenset[ManagedProcess] = frozenset()) -> None:
    """Stop whatever this process started and has not stopped, the youngest first.

    :param but: what goes on running
    """
    for child in reversed(_running.copy()):
        if child not in but:
            child.end()


def clean_up_on_signals(*, as_interrupt: bool = False) -> None:
    """Let SIGTERM and SIGHUP end this process the way Ctrl-C does: everything is stopped first.

    :param as_interrupt: raise KeyboardInterrupt, for a program that catches SystemExit (pytest)
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # what follows is short; let it finish
        raise KeyboardInterrupt if as_interrupt else SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def run_in_front(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
    """Run a program that writes to this terminal and gets its Ctrl-C, to its end.

    :param command: the command and its arguments
    :param env: its environment
    :param cwd: where it runs
    :return: its exit code
    """
    sys.stdout.flush()
    process = subprocess.Popen(
        list(command),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        preexec_fn=tied_to_us(signal.SIGTERM),
    )
    try:
        return process.wait()
    except BaseException as ended:
        if not isinstance(ended, KeyboardInterrupt):  # the terminal told it of Ctrl-C itself
            process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def die_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the process that started this one dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def tied_to_us(death_signal: int, as_user: tuple[int, int] | None = None) -> Callable[[], None]:
    """Make what a child does before it becomes another program (``preexec_fn``).

    :param death_signal: what the kernel sends it when this process dies
    :param as_user: user and group id to run it as
    :return: the function
    """
    parent = os.getpid()

    def prepare() -> None:
        if as_user:
            os.setgroups([])
            os.setgid(as_user[1])
            os.setuid(as_user[0])
        # After the change of user, which would clear it.
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


atexit.register(stop_all)
