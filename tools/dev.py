"""``make dev``: a private database server that stays up, and the commands to work with it.

Meant for the one who writes the addon: start Odoo, run tests
against a fresh database, again and again.
"""

from __future__ import annotations

import shlex
import signal
import sys

from .messages import say
from .odoo_config import environment_of, odoo_command, write_config
from .paths import ADDONS, REPOSITORY
from .runtime import Runtime


def main(_arguments: list[str]) -> int:
    """Start, print the commands, wait for Ctrl-C.

    :return: never; a signal ends it
    """
    with Runtime() as runtime:
        database = runtime.plain_database("dev")
        config = write_config(
            runtime.folder / "dev.conf",
            source=runtime.source,
            server=runtime.server,
            data_dir=runtime.databases.data_dir,
            db_name=database,
            dbfilter=f"^{database}$",
            http_port=8069,
            max_cron_threads=2,
        )
        path = f"PYTHONPATH={environment_of(runtime.source)['PYTHONPATH']}"
        odoo = f"{path} {shlex.join(odoo_command(runtime.source, config))}"
        tests = f"--odoo-config={config} --odoo-http {ADDONS / 'ordage_keycrm'}/tests"
        server = runtime.server
        commands = {
            "install/upgrade": f"{odoo} --no-http --stop-after-init -i ordage_keycrm   (later: -u)",
            "run": odoo,
            "shell": f"{path} {sys.executable} {runtime.source.script} shell -c {config}",
            "tests": f"cd {REPOSITORY} && {path} {sys.executable} -m pytest {tests}",
            "SQL": f"psql -h {server.host} -p {server.port} -U {server.user} {database}",
        }
        print(f"\nDatabase {database} holds Odoo's standard addons; install ours first.")
        for what, command in commands.items():
            print(f"  {what + ':':<17} {command}")
        print(flush=True)
        say("running until Ctrl-C")
        while True:
            signal.pause()
