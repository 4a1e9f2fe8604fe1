"""What a benchmark stands on: real Odoo processes, a real PostgreSQL, real sandboxes."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.control import Control
from tools import shop, templates
from tools.odoo_server import OdooServer
from tools.paths import ADDONS, REPOSITORY
from tools.rpc import Rpc
from tools.runtime import Runtime
from tools.sandbox_server import SandboxServer

FLOOR = "bench_floor"
#: Requests a minute where the limit is not what is measured.
NO_LIMIT = 1_000_000


class Environment:
    """Starts what a benchmark needs; :meth:`clear` ends it all after each benchmark.

    :param runtime: Odoo, a database server, databases to clone
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.scale = float(os.environ.get("SCALE") or 1)
        self._templates: dict[bool, str] = {}
        self._started: list[OdooServer | SandboxServer] = []
        self._databases: list[str] = []
        self._numbers = itertools.count(1)

    def sized(self, count: int, least: int = 1) -> int:
        """Make a size as large as ``SCALE`` asks for: a part of it to try something out.

        :param count: the size that counts
        :param least: the smallest that makes sense
        :return: the size to be used
        """
        return max(least, round(count * self.scale))

    def database(self, *, addon: bool = True, template: str | None = None) -> str:
        """Make a fresh database that has the floors.

        :param addon: whether it has our addon too
        :param template: copy this one instead
        :return: its name on the server
        """
        name = self.runtime.databases.name(f"bench_{next(self._numbers)}")
        self.runtime.databases.clone(template or self._template(addon), name)
        self._databases.append(name)
        return name

    def odoo(self, database: str, **options: Any) -> OdooServer:
        """Start an Odoo.

        :param database: on which
        :param options: see :class:`~tools.odoo_server.OdooServer`
        :return: it
        """
        server = OdooServer(self.runtime, database, **{"addons_path": self._addons_path, **options})
        self._started.append(server)
        return server.start()

    def sandbox(self, **options: Any) -> SandboxServer:
        """Start a KeyCRM, without a limit unless one is given.

        :param options: see :class:`~tools.sandbox_server.SandboxServer`
        :return: it
        """
        server = SandboxServer(
            self.runtime.folder,
            f"sandbox-{next(self._numbers)}",
            **{"rate_limit": 0, **options},
        )
        self._started.append(server)
        return server.start()

    def shop(
        self,
        *,
        database: str | None = None,
        odoo: dict[str, Any] | None = None,
        sandbox: dict[str, Any] | None = None,
        account: dict[str, Any] | None = None,
    ) -> Shop:
        """Start an Odoo and a KeyCRM and join them by an enabled account.

        :param database: an existing one; a fresh one by default
        :param odoo: options of the Odoo process
        :param sandbox: options of the KeyCRM
        :param account: fields of the account
        :return: both sides
        """
        server = self.odoo(database or self.database(), **(odoo or {}))
        keycrm = self.sandbox(**(sandbox or {}))
        rpc = server.rpc()
        joined = self.account(server, rpc, keycrm, **(account or {}))
        return Shop(self, server, rpc, keycrm, *joined)

    def account(
        self, odoo: OdooServer, rpc: Rpc, sandbox: SandboxServer, **values: Any
    ) -> tuple[int, str]:
        """Make and enable an account.

        :param values: its fields
        :return: its id and its webhook link
        """
        account = shop.make_account(rpc, odoo, sandbox, **{"request_limit": NO_LIMIT, **values})
        link = shop.switch_on(rpc, sandbox, account)
        shop.use_currency(rpc, account)
        return account, link

    def clear(self) -> None:
        """End all processes and drop all databases of a benchmark."""
        for server in reversed(self._started):
            server.kill()
        for database in self._databases:
            self.runtime.databases.drop(database)
        self._started, self._databases = [], []

    @cached_property
    def _addons_path(self) -> str:
        folders = (*self.runtime.source.addons, ADDONS, REPOSITORY / "bench" / "addons")
        return ",".join(map(str, folders))

    def _template(self, addon: bool) -> str:
        if addon not in self._templates:
            runtime = self.runtime
            made = runtime.plain_database("template")
            templates.install_addon(
                runtime.source,
                runtime.databases,
                made,
                runtime.folder,
                f"{templates.ADDON},{FLOOR}" if addon else FLOOR,
                addons_path=self._addons_path,
            )
            self._templates[addon] = made
        return self._templates[addon]


@dataclass
class Shop:
    """Both sides joined.

    :param odoo: the Odoo process
    :param rpc: its administrator
    :param sandbox: the KeyCRM
    :param account: the account's id in Odoo
    :param link: its webhook link
    """

    world: Environment
    odoo: OdooServer
    rpc: Rpc
    sandbox: SandboxServer
    account: int
    link: str

    @cached_property
    def keycrm(self) -> Control:
        """The control side of the KeyCRM."""
        return self.sandbox.control

    @cached_property
    def _connection(self) -> Any:
        return self.world.runtime.server.connect(self.odoo.database)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement on the database, on a connection that stays open.

        :return: its rows
        """
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *values: Any) -> Any:
        """:return: the one value that a statement gives"""
        return self.sql(statement, *values)[0][0]

    def floor(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the floors' addon.

        :return: what it returns
        """
        return self.rpc.call("bench.floor", method, *arguments, **named)
