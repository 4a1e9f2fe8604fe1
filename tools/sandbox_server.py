"""A real sandbox process: the local KeyCRM simulator."""

from __future__ import annotations

import re
import secrets
import signal
import sys
from pathlib import Path

from sandbox.control import Control

from .messages import UserError
from .paths import REPOSITORY
from .processes import ManagedProcess
from .waiting import wait_for

TOKEN = "sandbox-control-token"


class SandboxServer:
    """A sandbox with its control interface; also a context manager.

    Each has its own API key: a later sandbox may listen on the port of a stopped one, and Odoo
    connects a key of a server only once.

    :param folder: the folder of its log
    :param name: name of its log
    :param port: port of 127.0.0.1; 0 for any free one
    :param seed: seed number of its data
    :param orders: initial number of orders
    :param offers: initial number of offers
    :param switches: answers to KeyCRM's open questions
    """

    def __init__(
        self,
        folder: Path,
        name: str = "sandbox",
        *,
        port: int = 0,
        seed: int = 1,
        orders: int = 0,
        offers: int = 0,
        **switches: object,
    ) -> None:
        self.key = f"sandbox-api-key-{secrets.token_hex(8)}"
        self.log = folder / f"{name}.log"
        self._command = [
            *(sys.executable, "-m", "sandbox", "--host", "127.0.0.1", "--port", str(port)),
            *("--key", self.key, "--control-token", TOKEN, "--seed", str(seed)),
            *("--orders", str(orders), "--offers", str(offers)),
            *(f"--switch={switch}={value}" for switch, value in switches.items()),
        ]
        self._child: ManagedProcess | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        """Return the address of its API, for an account's ``api_url``."""
        return f"{self.url}/v1"

    @property
    def control(self) -> Control:
        """Return a client of its control interface."""
        return Control(self.url, TOKEN)

    def start(self) -> SandboxServer:
        """Start it and wait until it listens.

        :return: itself
        :raise UserError: if it does not start
        """
        self._child = ManagedProcess(self._command, log=self.log, cwd=REPOSITORY)
        found = wait_for(self._ready, 60, "the sandbox listening")
        self.url = found[1]
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it.

        :param number: the signal to send
        :return: its exit code
        """
        code = self._child.stop(30, number) if self._child else 0
        self._child = None
        return code

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def kill(self) -> None:
        """Kill it."""
        if self._child:
            self._child.kill()
            self._child = None

    def _ready(self) -> re.Match[str] | None:
        text = self.log.read_text(errors="replace")
        if self._child and not self._child.alive():
            raise UserError(f"The sandbox did not start. {text.strip()[-1000:]}")
        return re.search(r"^sandbox ready (http://\S+)$", text, re.MULTILINE)
