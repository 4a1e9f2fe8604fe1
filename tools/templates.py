"""Template databases: Odoo's standard addons in the cache, the addon per run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from . import cache, commands
from .databases import Databases, drop_prefixed
from .fetch_odoo import OdooSource
from .messages import step
from .odoo_config import environment_of, odoo_command, write_config
from .paths import cache_folder, need_space
from .postgres import PrivatePostgres, Server, copy_tree, existing_server

ADDON = "ordage_keycrm"
SERVER_PREFIX = "ordage_keycrm_"  # of all databases of this repository on a shared server
BASE_MODULES = ("contacts", "sale_management", "sale_stock", "stock")
UKRAINIAN = "uk_UA"
_VERSION = "3"  # increase when the creation below changes

# Odoo's own scheduled actions call external services, send mail or clean up: useless in a temporary
# database. Those of the addon are installed later and stay active.
_DISABLE_CRONS = "UPDATE ir_cron SET active = false"


def base_key(source: OdooSource, server_version: str) -> str:
    """Return the key of a template, derived from its inputs.

    :param source: the Odoo
    :param server_version: the database server's version
    :return: a short key
    """
    parts = (source.version, str(source.python_path), server_version, *BASE_MODULES)
    return cache.key_of(*parts, _DISABLE_CRONS, _VERSION)


def base_cluster(source: OdooSource, work: Path) -> Path:
    """Return a stopped server's data with the database ``base``, created if missing.

    :param source: the Odoo
    :param work: an empty folder of this run for its creation
    :return: a folder with ``data`` (the server's) and ``filestore`` (Odoo's files of ``base``)
    """
    postgres = PrivatePostgres(work)
    key = base_key(source, postgres.version)
    target = cache_folder() / "cluster" / key

    def make(folder: Path) -> None:
        need_space(folder, 1.0, "the database template")
        need_space(work, 1.0, "the database template")
        with step("creating a database with Odoo's standard addons (once)"):
            postgres.create()
            server = postgres.start()
            try:
                databases = Databases(server, work / "odoo-data")
                _fill_base(source, databases, "base", work)
            finally:
                postgres.stop()
            copy_tree(postgres.data, folder / "data")
            copy_tree(databases.files("base"), folder / "filestore")

    return cache.cached(target, "the database template", make)


def base_on_server(source: OdooSource, server: Server, data_dir: Path) -> tuple[str, Path]:
    """Return the base database on an existing server, created if missing.

    :param source: the Odoo
    :param server: the server
    :param data_dir: Odoo's data folder of this run
    :return: the database's name and the folder of its files
    """
    name = f"{SERVER_PREFIX}base_{base_key(source, server.version)}"
    files = cache_folder() / "filestore" / cache.key_of(server.host, str(server.port), name)
    databases = Databases(server, data_dir)
    unfinished = f"{name}_making"

    def make(folder: Path) -> None:
        databases.drop(name)
        databases.drop(unfinished)
        with step("creating a database with Odoo's standard addons (once)"):
            _fill_base(source, databases, unfinished, data_dir)
            databases.disconnect(unfinished)
            copy_tree(databases.files(unfinished), folder / "files")
            databases.clone(unfinished, name)
            databases.drop(unfinished)

    if cache.is_cached(files) and not databases.exists(name):
        (files / ".complete").unlink()
    cache.cached(files, "the database template", make)
    return name, files / "files"


def drop_from_server() -> None:
    """Drop the template databases of the server named by environment variables."""
    if server := existing_server():
        drop_prefixed(server, f"{SERVER_PREFIX}base_")


def _fill_base(source: OdooSource, databases: Databases, database: str, work: Path) -> None:
    databases.create(database)
    install(source, databases, database, work, BASE_MODULES)
    databases.server.query(database, _DISABLE_CRONS)
    databases.server.query(database, "VACUUM ANALYZE")


def install(
    source: OdooSource,
    databases: Databases,
    database: str,
    work: Path,
    modules: Sequence[str],
    *options: str,
    **config_options: object,
) -> str:
    """Install modules into a database.

    :param source: the Odoo
    :param databases: the run's databases
    :param database: its name on the server
    :param work: folder for the configuration file
    :param modules: their names; dependencies are installed too
    :param options: further options of the command line
    :param config_options: further options of Odoo's configuration file
    :return: Odoo's log
    """
    config = write_config(
        work / f"install-{database}.conf", source, databases, database, **config_options
    )
    return commands.run(
        odoo_command(
            source, config, "--no-http", "--stop-after-init", "--init", ",".join(modules), *options
        ),
        env=environment_of(source),
        failure=f"Odoo could not install {', '.join(modules)}.",
        progress=_modules_loaded,
    )


def _modules_loaded(log: str) -> str:
    found = re.findall(r"Loading module (\S+) \((\d+)/(\d+)\)", log)
    if not found:
        return ""
    name, done, total = found[-1]
    return f"module {done} of {total}: {name}"
