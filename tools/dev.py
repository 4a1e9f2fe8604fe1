"""``make dev``: a private database server that stays up, and the commands to work with it.

Meant for the one who writes the addon: start Odoo, run tests against a fresh database, again and again.
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
        odoo_path = environment_of(runtime.source)["PYTHONPATH"]
        python = shlex.quote(sys.executable)
        odoo = f"PYTHONPATH={shlex.quote(odoo_path)} {shlex.join(odoo_command(runtime.source, config))}"
        print(
            "\n"
            f"Database {database} holds Odoo's standard addons; install ours first.\n"
            f"  install/upgrade:  {odoo} --no-http --stop-after-init -i ordage_keycrm   (later: -u)\n"
            f"  run:              {odoo}\n"
            f"  shell:            PYTHONPATH={odoo_path} {python} {runtime.source.script} shell -c {config}\n"
            f"  tests:            cd {REPOSITORY} && PYTHONPATH={odoo_path} {python} -m pytest "
            f"--odoo-config={config} --odoo-http {ADDONS / 'ordage_keycrm'}/tests\n"
            f"  SQL:              psql -h {runtime.server.host} -U {runtime.server.user} {database}\n",
            flush=True,
        )
        say("running until Ctrl-C")
        while True:
            signal.pause()
