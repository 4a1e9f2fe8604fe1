"""Databases of a run, cloned from templates together with Odoo's files."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import psycopg2
from psycopg2 import sql

from .messages import UserError
from .postgres import Server, copy_tree


class Databases:
    """Create, clone and drop databases together with Odoo's files of them.

    :param server: the database server
    :param data_dir: Odoo's data folder of this run
    :param prefix: prefix of every database name, for a shared server
    """

    def __init__(self, server: Server, data_dir: Path, prefix: str = "") -> None:
        self.server = server
        self.data_dir = data_dir
        self.prefix = prefix
        (data_dir / "filestore").mkdir(parents=True, exist_ok=True)

    def name(self, short: str) -> str:
        """Name a database of this run.

        :param short: its name within the run
        :return: its name on the server
        """
        return f"{self.prefix}{short}"

    def exists(self, database: str) -> bool:
        """Return whether a database exists.

        :param database: its name on the server
        """
        return bool(
            self.server.query(
                "postgres", "SELECT 1 FROM pg_database WHERE datname = %s", (database,)
            )
        )

    def create(self, database: str) -> None:
        """Create an empty database with Odoo's settings.

        :param database: its name on the server
        """
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'").format(
                sql.Identifier(database)
            )
        )
        # Optional: without it Odoo only searches slower.
        with contextlib.suppress(psycopg2.Error):
            self.server.query(database, "CREATE EXTENSION IF NOT EXISTS pg_trgm")

    def clone(self, template: str, database: str, *, template_files: Path | None = None) -> None:
        """Clone a database with Odoo's files; connections to it are ended.

        :param template: its name on the server
        :param database: the copy's name on the server
        :param template_files: the template's files, if they are not in this run's data folder
        """
        strategy = "FILE_COPY" if self._can_choose_strategy() else ""
        self.disconnect(template)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(database), sql.Identifier(template)
        )
        self._run(statement + sql.SQL(f" STRATEGY {strategy}" if strategy else ""))
        files = template_files or self.files(template)
        if files.is_dir():
            # Links suffice: Odoo never changes a stored file, it only adds and removes.
            copy_tree(files, self.files(database), link=True)

    def drop(self, database: str) -> None:
        """Drop a database and its files, even while connections are open.

        :param database: its name on the server
        """
        self._run(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )
        shutil.rmtree(self.files(database), ignore_errors=True)

    def drop_all(self) -> None:
        """Drop all databases with this run's prefix; unnecessary on a private server."""
        if not self.prefix:
            return
        drop_prefixed(self.server, self.prefix)

    def disconnect(self, database: str) -> None:
        """End all connections to a database.

        :param database: its name on the server
        """
        self.server.query(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND pid <> pg_backend_pid()",
            (database,),
        )

    def files(self, database: str) -> Path:
        """Return the folder of Odoo's files of a database.

        :param database: its name on the server
        """
        return self.data_dir / "filestore" / database

    def _can_choose_strategy(self) -> bool:
        return int(self.server.version.split(".")[0]) >= 15

    def _run(self, statement: sql.Composable) -> None:
        try:
            self.server.query("postgres", statement)
        except psycopg2.errors.DiskFull:
            raise UserError(
                "The disk of the database server is full. Free some space, or set ORDAGE_RUN to "
                "a folder on another disk, and start again."
            ) from None


def drop_prefixed(server: Server, prefix: str) -> None:
    """Drop all databases whose name has a prefix.

    :param server: the database server
    :param prefix: the prefix
    """
    for (name,) in server.query(
        "postgres", "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,)
    ):
        server.query(
            "postgres",
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)),
        )
