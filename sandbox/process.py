"""A sandbox in a process of its own, for the demo, whole-system tests and benchmarks."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from .control import Control

READY = "sandbox ready "


class SandboxProcess:
    """Starts ``python -m sandbox`` and waits until it listens; a context manager.

    :param arguments: further options of the command, such as ``--orders 40``
    :param python: the Python to run it with
    :param key: the API key
    :param token: the token of the control side
    :param port: a port, 0 for any free one
    :param wait: seconds to wait until it listens
    """

    def __init__(
        self,
        *arguments: str,
        python: str = sys.executable,
        key: str = "sandbox-key",
        token: str = "sandbox-token",
        port: int = 0,
        wait: float = 120,
    ) -> None:
        self.key, self.token = key, token
        root = Path(__file__).resolve().parent.parent
        command = [python, "-m", "sandbox", "--host", "127.0.0.1", "--port", str(port)]
        env = {**os.environ, "SANDBOX_KEY": key, "SANDBOX_CONTROL_TOKEN": token}
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), env.get("PYTHONPATH")]))
        self._lines: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, text=True, env=env
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            line = self._lines.get(timeout=wait)
        except queue.Empty:
            self.stop()
            raise RuntimeError(f"the sandbox did not listen within {wait:g} seconds") from None
        if not line.startswith(READY):
            code = self.stop()
            raise RuntimeError(f"the sandbox did not start (exit code {code})")
        self.url = line.removeprefix(READY).strip()
        self.api_url = f"{self.url}/v1"
        self.control = Control(self.url, token)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def stop(self) -> int:
        """Stop it, gently first.

        :return: the exit code
        """
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> SandboxProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.control.close()
        self.stop()
