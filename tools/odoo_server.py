"""A real Odoo process: start, wait until it answers, stop, kill, restart."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from .messages import UserError
from .odoo_config import environment_of, odoo_command, write_config
from .processes import ManagedProcess
from .rpc import Rpc
from .runtime import Runtime
from .waiting import free_port, is_taken, wait_for


class OdooServer:
    """Odoo on one database, which several servers may share.

    :param runtime: Odoo's source and the database server
    :param database: the database's name on the server
    :param workers: worker processes; 0 for one process with threads
    :param cron_threads: threads (or processes) for scheduled actions
    :param port: port of 127.0.0.1; by default any free one, the same after a restart
    :param environment: variables to add to its environment
    :param python: the interpreter to run it with, by default that of this environment
    :param options: further options of Odoo's configuration file
    """

    def __init__(
        self,
        runtime: Runtime,
        database: str,
        *,
        workers: int = 0,
        cron_threads: int = 2,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
        python: Path | None = None,
        **options: object,
    ) -> None:
        self.runtime = runtime
        self._environment = {**environment_of(runtime.source), **(environment or {})}
        self.database = database
        self.workers = workers
        self.python = python
        self.gevent_port = free_port()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log: Path = runtime.free_name("odoo-server").with_suffix(".log")
        self.config: Path = write_config(
            self.log.with_suffix(".conf"),
            runtime.source,
            runtime.databases,
            database,
            **{
                "http_port": self.port,
                "gevent_port": self.gevent_port,
                "workers": workers,
                "max_cron_threads": cron_threads,
                **options,
            },
        )
        self._child: ManagedProcess | None = None

    @property
    def pid(self) -> int:
        """Return the process id of the (main) Odoo process."""
        if not self._child:
            raise RuntimeError("Odoo is not running")
        return self._child.pid

    def start(self, timeout: float = 180, *, install: str | None = None) -> OdooServer:
        """Start it and wait until it answers.

        :param timeout: maximum seconds until it answers
        :param install: names of addons to install first, with commas
        :return: itself
        :raise UserError: if its port is taken or it ends before it answers
        """
        if is_taken(self.port):
            raise UserError(
                f"Port {self.port} is taken by another program: stop it, or choose another port "
                f"(make serve ODOO_PORT={self.port + 1})."
            )
        options = ["--init", install] if install else []
        self._child = ManagedProcess(
            odoo_command(self.runtime.source, self.config, *options, python=self.python),
            log=self.log,
            env=self._environment,
            cwd=self.runtime.folder,
        )
        wait_for(self._answers, timeout, f"Odoo answering at {self.url}; its log: {self.log}")
        if install and not all(map(self._is_installed, install.split(","))):
            last = "\n".join(line for line in self.log_text().splitlines() if " INFO " not in line)
            raise UserError(f"Odoo could not install {install}:\n{last[-3000:]}")
        return self

    def stop(self) -> None:
        """Stop it gracefully: running requests and jobs may finish."""
        if self._child:
            self._child.stop(30)
            self._child = None

    def kill(self) -> None:
        """Kill it and all its workers, as ``kill -9`` or a power failure does."""
        if self._child:
            self._child.kill()
            self._child = None

    def restart(self) -> None:
        """Stop it gracefully and start it on the same port."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Suspend it (SIGSTOP), as an overloaded machine would."""
        if self._child:
            self._child.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it after :meth:`pause`."""
        if self._child:
            self._child.signal(signal.SIGCONT)

    def rpc(self, login: str = "admin", password: str = "admin") -> Rpc:
        """Log in from outside.

        :param login: the user's login
        :param password: and password
        :return: that user
        """
        return Rpc(self.url, self.database, login, password)

    def is_alive(self) -> bool:
        """Return whether the (main) process runs."""
        return bool(self._child and self._child.alive())

    def log_text(self) -> str:
        """Return its log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _is_installed(self, addon: str) -> bool:
        rows = self.runtime.server.query(
            self.database, "SELECT state FROM ir_module_module WHERE name = %s", (addon,)
        )
        return rows == [("installed",)]

    def _answers(self) -> bool:
        if self._child and not self._child.alive():
            last = "\n".join(self.log_text().splitlines()[-30:])
            raise UserError(
                f"Odoo ended with code {self._child.code()} before it answered:\n{last}"
            )
        try:
            # The login page needs the database's registry, unlike the health page.
            with urllib.request.urlopen(f"{self.url}/web/login", timeout=60) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
