"""Odoo's configuration file and command line of this run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .databases import Databases
from .fetch_odoo import OdooSource
from .paths import ADDONS


def write_config(
    file: Path, source: OdooSource, databases: Databases, database: str, **options: object
) -> Path:
    """Write a configuration file that sends no mail and listens on localhost only.

    :param file: the file
    :param source: the Odoo
    :param databases: the run's databases
    :param database: the name of the one that Odoo serves
    :param options: further options of Odoo's configuration, with precedence
    :return: the file
    """
    server = databases.server
    values: dict[str, object] = {
        "addons_path": ",".join(str(folder) for folder in (*source.addons, ADDONS)),
        "data_dir": databases.data_dir,
        "db_name": database,
        "dbfilter": f"^{database}$",
        "db_host": server.host or False,
        "db_port": server.port,
        "db_user": server.user,
        "db_password": server.password,
        "db_maxconn": 64,
        "list_db": False,
        "admin_passwd": "unused",
        "http_interface": "127.0.0.1",
        "workers": 0,
        "max_cron_threads": 0,
        "limit_time_real": 600,
        "limit_time_cpu": 600,
        "smtp_server": "127.0.0.1",
        "smtp_port": 9,  # the discard port: no mail leaves
        "with_demo": False,
        # Odoo warns at every XML-RPC call that Odoo 20 replaces it.
        "log_handler": ":INFO,odoo.addons.rpc.controllers.xmlrpc:ERROR",
        **options,
    }
    file.write_text("[options]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()))
    file.chmod(0o600)
    return file


def environment_of(source: OdooSource) -> dict[str, str]:
    """Return the environment in which ``import odoo`` imports this Odoo.

    :param source: the Odoo
    :return: environment variables
    """
    # Odoo reads libpq's variables too; only the configuration file may apply.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "ODOO_RC"}
    paths = [str(source.python_path)]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", "TZ": "UTC"}


def odoo_command(
    source: OdooSource, config: Path, *options: str, python: Path | None = None
) -> list[str]:
    """Return the command that starts Odoo.

    :param source: the Odoo
    :param config: its configuration file
    :param options: further options
    :param python: the interpreter to run it with, by default that of this environment
    :return: the command
    """
    return [str(python or sys.executable), str(source.script), "--config", str(config), *options]
