"""A sandbox in a thread of this process, for tests."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType

from .app import Sandbox
from .control import Control
from .server import Server, address, listen


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock goes on while a test freezes the time.

    The frozen clock shows another number of seconds, at which every idle connection seems too old: the
    server would close it, and reset a request that is under way.
    """

    time = staticmethod(time.monotonic)


class ThreadedSandbox:
    """A sandbox in a thread of this process, as a context manager.

    :param key: the API key
    :param token: the token of the control interface
    :param switches: switches other than the defaults
    :param loopback: False to let the page behave as on an address that others can reach
    """

    def __init__(
        self,
        key: str = "key",
        token: str = "token",
        switches: Mapping[str, object] | None = None,
        loopback: bool = True,
    ) -> None:
        self.key = key
        self.sandbox = Sandbox(key, token, switches, loopback)
        self._opened = listen("127.0.0.1", 0)
        self.url = address(self._opened)
        self.api_url = f"{self.url}/v1"
        self.control = Control(self.url, token)
        started = threading.Event()
        self._server = Server(self.sandbox, started.set)
        self._started = started
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(self._server.serve(sockets=[self._opened]))

    def __enter__(self) -> ThreadedSandbox:
        self._thread.start()
        if not self._started.wait(30):
            raise RuntimeError("the sandbox did not start within 30 seconds")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self.control.close()
        if self._thread.is_alive():
            print("the sandbox did not stop within 30 seconds", file=sys.stderr)
