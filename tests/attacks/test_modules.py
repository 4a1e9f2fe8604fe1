"""A database with every application of Odoo: the addon comes, is updated and leaves without a warning."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable

from bench.environment import Environment
from tools.fetch_odoo import OdooSource
from tools.odoo_server import OdooServer
from tools.runtime import Runtime
from tools.templates import ADDON

_BAD = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)
#: Installing the applications and their bridges gives about so many modules.
MODULES = 200


def applications(source: OdooSource) -> list[str]:
    """List what Odoo's page of applications offers."""
    manifests = {
        file.parent.name: ast.literal_eval(file.read_text())
        for file in (source.python_path / "addons").glob("*/__manifest__.py")
    }
    return sorted(name for name, manifest in manifests.items() if manifest.get("application"))


def test_addon_in_a_database_with_all_applications_logs_no_warning(
    environment: Environment, runtime: Runtime, figure: Callable[[str], None]
) -> None:
    database = runtime.plain_database("large")
    chosen = applications(runtime.source)
    chosen = chosen[: environment.sized(len(chosen))]
    runtime.install(database, *chosen)
    query = "SELECT count(*) FROM ir_module_module WHERE state = 'installed'"
    ((count,),) = runtime.server.query(database, query)
    assert count >= environment.sized(MODULES)
    odoo = OdooServer(runtime, database, cron_threads=0, limit_time_real=3000, limit_time_cpu=3000)
    odoo.start(600)
    taken = []
    try:
        for what in ("install", "upgrade", "uninstall"):
            rpc = odoo.rpc()
            module = rpc.search("ir.module.module", ("name", "=", ADDON))
            seen = len(odoo.log_text())
            begun = time.monotonic()
            rpc.call("ir.module.module", f"button_immediate_{what}", module)
            taken.append(f"{what} {time.monotonic() - begun:.0f} s")
            assert _BAD.findall(odoo.log_text()[seen:]) == [], what
        ((left,),) = runtime.server.query(database, query)
        assert left == count
    finally:
        odoo.kill()
        runtime.databases.drop(database)
    figure(f"{count} modules: {', '.join(taken)}; no warning")
