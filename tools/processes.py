"""Child processes that end with this process, however it ends.

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
    """A child process in its own session, so that Ctrl-C does not reach it.

    :param command: the command and its arguments
    :param log: the file to which its output is appended
    :param env: its environment; by default this process's
    :param cwd: its working directory; by default this process's
    :param stop_signal: the signal that stops it gracefully
    :param death_signal: the signal that ends it immediately; the kernel sends it when this process ends
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
                preexec_fn=bound_to_parent(death_signal, as_user),
            )
        _running.append(self)

    @property
    def pid(self) -> int:
        """Return the process id, which is also the id of its process group."""
        return self._process.pid

    def code(self) -> int | None:
        """Return its exit code, if it has ended.

        :return: the exit code, negative for a signal; None while it runs
        """
        return self._process.poll()

    def alive(self) -> bool:
        """Return whether it is running."""
        return self.code() is None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends.

        :param timeout: seconds
        :return: its exit code
        :raise subprocess.TimeoutExpired: if it is still running then
        """
        return self._process.wait(timeout)

    def signal(self, number: int) -> None:
        """Send a signal to it, without its group, if it is running.

        :param number: the signal
        """
        if self.alive():
            self._process.send_signal(number)

    def stop(self, timeout: float = 15, number: int | None = None) -> int:
        """Stop it gracefully; kill it and its group after a timeout.

        :param timeout: seconds before it is killed
        :param number: the signal to send, by default its stop signal
        :return: its exit code
        """
        self.signal(number or self._stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout)
        return self.kill()

    def abort(self) -> int:
        """End it immediately; its data is disposable.

        :return: its exit code
        """
        self.signal(self._death_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(5)
        return self.kill()

    def kill(self) -> int:
        """Kill it and its whole group, as ``kill -9`` does.

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
    """Return the child processes that were not stopped."""
    return frozenset(_running)


def stop_all(except_for: frozenset[ManagedProcess] = frozenset()) -> None:
    """Stop all child processes, the latest first.

    :param except_for: processes that are kept
    """
    for child in reversed(_running.copy()):
        if child not in except_for:
            child.abort()


def clean_up_on_signals(*, as_interrupt: bool = False) -> None:
    """Handle SIGTERM and SIGHUP like Ctrl-C: stop all children first.

    :param as_interrupt: raise KeyboardInterrupt, for a program that catches SystemExit (pytest)
    """

    def exit_on(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # the cleanup is short and must finish
        raise KeyboardInterrupt if as_interrupt else SystemExit(128 + number)

    signal.signal(signal.SIGTERM, exit_on)
    signal.signal(signal.SIGHUP, exit_on)


def run_in_foreground(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
    """Run a program in the foreground of this terminal to its end.

    :param command: the command and its arguments
    :param env: its environment
    :param cwd: its working directory
    :return: its exit code
    """
    sys.stdout.flush()
    process = subprocess.Popen(
        list(command),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        preexec_fn=bound_to_parent(signal.SIGTERM),
    )
    try:
        return process.wait()
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):  # the terminal has already sent Ctrl-C to it
            process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def die_with_parent() -> None:
    """Let the kernel send a SIGTERM when the parent process ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def bound_to_parent(
    death_signal: int, as_user: tuple[int, int] | None = None
) -> Callable[[], None]:
    """Return a ``preexec_fn`` that binds a child's life to this process.

    :param death_signal: the signal that the kernel sends it when this process ends
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
