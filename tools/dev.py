"""``make dev``: a private database server and the commands to work with it.

For development of the addon: start Odoo and run tests repeatedly on one database.
"""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path

from .fetch_odoo import OdooSource
from .messages import echo
from .odoo_config import environment_of, odoo_command
from .paths import ADDONS, REPOSITORY
from .postgres import Server, program_folder
from .runtime import Runtime


def main(_arguments: list[str]) -> int:
    """Start, print the commands, wait for Ctrl-C.

    :return: never; a signal ends it
    """
    with Runtime() as runtime:
        database = runtime.plain_database("dev")
        config = runtime.config("dev", database, http_port=8069, max_cron_threads=2)
        print(f"\nDatabase {database} holds Odoo's standard addons; install ours first.")
        commands = _commands(runtime.source, runtime.server, config, database)
        for what, command in commands.items():
            print(f"  {what + ':':<17} {command}")
        print(flush=True)
        echo("running until Ctrl-C")
        while True:
            signal.pause()


def _commands(source: OdooSource, server: Server, config: Path, database: str) -> dict[str, str]:
    """Return the commands quoted for a shell, since paths may contain spaces."""
    path = f"PYTHONPATH={shlex.quote(environment_of(source)['PYTHONPATH'])}"
    odoo = f"{path} {shlex.join(odoo_command(source, config))}"
    shell = [sys.executable, str(source.script), "shell", "-c", str(config)]
    tests = [
        *(sys.executable, "-m", "pytest", f"--odoo-config={config}", "--odoo-http"),
        str(ADDONS / "ordage_keycrm" / "tests"),
    ]
    # The environment's own psql: a machine without PostgreSQL has none.
    psql = str(program_folder() / "psql")
    sql = [psql, "-h", server.host, "-p", str(server.port), "-U", server.user, database]
    return {
        "install/upgrade": f"{odoo} --no-http --stop-after-init -i ordage_keycrm   (later: -u)",
        "run": odoo,
        "shell": f"{path} {shlex.join(shell)}",
        "tests": f"cd {shlex.quote(str(REPOSITORY))} && {path} {shlex.join(tests)}",
        "SQL": shlex.join(sql),
    }
