"""``make test-peers``: Odoo's own test suites, without the addon and with it installed and sending.

Two databases with the same modules of Odoo; in one of them the addon is installed too, and its account
is enabled and sends stock to a sandbox. A module's suites run on both at the same time, so that whatever
else the machine does slows both alike. No test that passes without the addon may fail with it, and no
performance test may need a query more; processor time is that of Odoo's process alone.

Each run is a process of its own, this module again with ``python -m tools.peers``: it loads the
registry and runs a module's suites as Odoo's server does after an installation. What it found, also by
test, stays in ``peers-*.json`` beside Odoo's logs.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .messages import UserError, echo, warn
from .paths import REPOSITORY
from .table import table

if TYPE_CHECKING:
    from .processes import ManagedProcess
    from .runtime import Runtime
    from .sandbox_server import SandboxServer

#: What ``ONLY`` chooses from.
MODULES = (
    *("sale", "sale_stock", "stock", "product", "account", "mrp", "sale_mrp", "purchase_stock"),
    *("stock_account", "delivery", "stock_delivery", "product_expiry", "repair"),
    *("stock_dropshipping", "stock_picking_batch", "sale_loyalty", "point_of_sale"),
)
SIDES = ("without", "with")
#: Processor time with the addon may be so many times that without it.
GOAL = 1.03
_SUITES_TIMEOUT = 4 * 3600

# In the middle of a test class no row is committed: autovacuum counts none, and PostgreSQL then chooses
# plans for empty tables. On one side alone a single test took nine minutes.
_NO_AUTOVACUUM = """DO $$ DECLARE name regclass; BEGIN
    FOR name IN SELECT oid FROM pg_class
                 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name); END LOOP; END $$"""

#: Results of one run of a module's suites: ``results`` by test, ``asserted`` query counts by place,
#: ``tests`` with the queries and seconds of each, the sum of ``queries``, and seconds of processor time of
#: Odoo's process.
Run = dict[str, Any]


def main(_arguments: list[str]) -> int:
    """Run the suites of the modules that ``ONLY`` names (or all), ``ROUNDS`` times on each side.

    ``TAGS`` chooses tests, in the words of Odoo's ``--test-tags``.

    :return: 0 if no test, no performance test and no module's processor time is worse with the addon
    """
    modules = (os.environ.get("ONLY") or " ".join(MODULES)).split()
    if unknown := [module for module in modules if module not in MODULES]:
        raise UserError(f"ONLY={unknown[0]}: choose of {', '.join(MODULES)}.")
    rounds = int(os.environ.get("ROUNDS") or 2)
    runs = _measure(modules, rounds)
    worse = [
        f"{module}: {line}"
        for module in modules
        for line in compare(*(side[module] for side in runs))
    ]
    print(f"\n{table(HEADER, rows(*runs))}\n", flush=True)
    for line in worse:
        warn(line)
    return 1 if worse else 0


HEADER = (
    *("module", "tests", "passed without", "with", "queries without", "with"),
    *("processor s without", "with", "ratio"),
)


def rows(without: Mapping[str, list[Run]], with_addon: Mapping[str, list[Run]]) -> list[list[str]]:
    """Format the results of the runs.

    :param without: ``{module: runs}`` in the database as it is
    :param with_addon: the same with the addon
    :return: the rows of the table, with their sum as the last one
    """
    found: list[list[float]] = []
    for module in without:
        sides = (without[module], with_addon[module])
        passed = [list(side[0]["results"].values()).count("passed") for side in sides]
        queries = [min(run["queries"] for run in side) for side in sides]
        cpu = [processor_seconds(side) for side in sides]
        found.append([len(sides[0][0]["results"]), *passed, *queries, *cpu])
    total = [sum(column) for column in zip(*found, strict=True)]
    return [
        [name, *(f"{n:.0f}" for n in row[:5]), *(f"{n:.1f}" for n in row[5:]), _ratio(*row[5:])]
        for name, row in zip([*without, "all"], [*found, total], strict=True)
    ]


def processor_seconds(runs: Sequence[Run]) -> float:
    """Add up the processor time of a module's suites: of each test the least of all rounds.

    Noise only adds, and it meets other tests in each round.

    :param runs: the runs of one side
    :return: seconds
    """
    names = {name for run in runs for name in run["tests"]}
    between = [
        run["cpu"] - sum(seconds for _queries, seconds in run["tests"].values()) for run in runs
    ]
    return min(between) + sum(
        min(run["tests"][name][1] for run in runs if name in run["tests"]) for name in names
    )


def _ratio(without: float, with_addon: float) -> str:
    if not without:
        return "-"
    ratio = with_addon / without
    return f"{ratio:.3f}" + ("" if ratio <= GOAL else " !")


def compare(without: Sequence[Run], with_addon: Sequence[Run]) -> list[str]:
    """Find what is worse with the addon.

    :param without: the runs of a module's suites in the database as it is
    :param with_addon: the same with the addon
    :return: a line for each test that fails and each performance test that needs more queries, and one
        where the processor time is above the goal
    """
    lines = []
    for name in without[0]["results"]:
        if any(run["results"].get(name) not in ("passed", "skipped") for run in without):
            continue
        bad = [run["results"].get(name, "not run") for run in with_addon]
        times = sum(result in ("failed", "not run") for result in bad)
        if times:
            lines.append(f"{name}: fails with the addon, in {times} of {len(bad)} rounds")
    for place in without[0]["asserted"]:
        most = max(run["asserted"].get(place, 0) for run in without)
        least = min(run["asserted"].get(place, 0) for run in with_addon)
        if least > most:
            lines.append(f"{place}: {least} queries with the addon, {most} without")
    seconds = [processor_seconds(side) for side in (without, with_addon)]
    if seconds[1] > seconds[0] * GOAL:
        lines.append(
            f"processor time {seconds[0]:.1f} s without the addon, {seconds[1]:.1f} s with"
        )
    return lines


# === RUNNING ===


def _measure(modules: list[str], rounds: int) -> tuple[dict[str, list[Run]], dict[str, list[Run]]]:
    """Make both databases and run the suites on them, a module's on both at the same time."""
    from .runtime import Runtime
    from .sandbox_server import SandboxServer

    sides: tuple[dict[str, list[Run]], ...] = ({}, {})
    with Runtime() as runtime, SandboxServer(runtime.folder) as sandbox:
        configs = _databases(runtime, sandbox, modules)
        for module, number in itertools.product(modules, range(rounds)):
            # The first one to start finds the machine less busy: who that is changes.
            order = (0, 1) if number % 2 == 0 else (1, 0)
            started = [
                (side, *_start(runtime, configs[side], side, module, number)) for side in order
            ]
            for side, out, child in started:
                child.wait(_SUITES_TIMEOUT)
                if not out.exists():
                    log = out.with_suffix(".log")
                    raise UserError(f"The suites did not finish; see {log}.")
                sides[side].setdefault(module, []).append(json.loads(out.read_text()))
            latest = [{module: side[module][-1:]} for side in sides]
            echo(f"round {number + 1}: " + "  ".join(rows(*latest)[0]))
    return sides[0], sides[1]


def _databases(runtime: Runtime, sandbox: SandboxServer, modules: list[str]) -> list[Path]:
    """Make a database with the modules, and one with the addon too, whose account sends stock.

    :return: Odoo's configuration files of both
    """
    from . import shop
    from .odoo_server import OdooServer
    from .waiting import free_port

    plain = runtime.plain_database("plain")
    runtime.install(plain, *modules)
    odoo = OdooServer(runtime, plain, cron_threads=0).start()
    rpc = odoo.rpc()
    # An account activates its currency, and with a second one Odoo uses pricelists. What they cost is
    # not the addon's.
    (currency,) = rpc.search("res.currency", ("name", "=", "UAH"), ("active", "=", False))
    rpc.write("res.currency", currency, active=True)
    odoo.stop()
    ours = runtime.databases.name("ours")
    runtime.databases.clone(plain, ours)
    runtime.install(ours)
    odoo = OdooServer(runtime, ours, cron_threads=0).start()
    rpc = odoo.rpc()
    account = shop.make_account(rpc, odoo, sandbox)
    shop.switch_on(rpc, sandbox, account)
    (warehouse, *_others) = rpc.search("stock.warehouse")
    rpc.create(
        "keycrm.warehouse",
        account_id=account,
        keycrm_id=1,
        name="Main",
        warehouse_ids=[(6, 0, [warehouse])],
    )
    rpc.write("keycrm.account", account, push_stock=True)
    odoo.stop()
    for database in (plain, ours):
        runtime.server.query(database, _NO_AUTOVACUUM)
    return [
        runtime.config(
            f"peers-{database}",
            database,
            http_port=free_port(),
            limit_time_cpu=0,
            limit_time_real=0,
        )
        for database in (plain, ours)
    ]


def _start(
    runtime: Runtime, config: Path, side: int, module: str, number: int
) -> tuple[Path, ManagedProcess]:
    """Start a process that runs the suites of a module.

    :return: the file that it writes, and the process
    """
    from .odoo_config import environment_of
    from .processes import ManagedProcess

    out = REPOSITORY / f"peers-{module}-{SIDES[side]}-{number + 1}.json"
    log = out.with_suffix(".log")
    for old in (out, log):
        old.unlink(missing_ok=True)
    return out, ManagedProcess(
        [sys.executable, "-m", "tools.peers", str(config), str(out), module],
        log=log,
        env=environment_of(runtime.source),
        cwd=REPOSITORY,
    )


def _suites(config: str, out: Path, module: str) -> None:
    """Run the suites of a module inside Odoo and write their results. Ends the process.

    :param config: Odoo's configuration file
    :param out: the file to write
    :param module: its name
    """
    import odoo.modules.registry
    from odoo import http, sql_db
    from odoo.service import server
    from odoo.tests import common, loader, result

    odoo.tools.config.parse_config(["-c", config])
    odoo.modules.registry.Registry(odoo.tools.config["db_name"][0])
    # Not before: loading would run tests of its own, and of modules that are not ready.
    odoo.tools.config["test_enable"] = True
    odoo.tools.config["test_tags"] = os.environ.get("TAGS") or "+standard"
    server.load_server_wide_modules()
    server.server = server.ThreadedServer(http.root)
    server.server.start(stop=False)
    current: Run = {"results": {}, "asserted": {}, "tests": {}}

    class Result(result.OdooTestResult):
        def startTest(self, test):
            super().startTest(test)
            current["results"].setdefault(test.id(), "passed")
            self.begun = time.process_time(), sql_db.sql_counter

        def stopTest(self, test):
            seconds, queries = self.begun
            spent = [sql_db.sql_counter - queries, round(time.process_time() - seconds, 3)]
            current["tests"][test.id()] = spent
            super().stopTest(test)

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            current["results"][test.id()] = "skipped"

        def logError(self, flavour, test, error):
            super().logError(flavour, test, error)
            current["results"][getattr(test, "test_case", test).id()] = "failed"

    counting = common.BaseCase.assertQueryCount

    @contextmanager
    def counted(case, default=0, flush=True, **counters):
        if flush:
            case.env.flush_all()
            case.env.cr.flush()
        before = case.cr.sql_log_count
        with counting(case, default, flush, **counters):
            yield
        if case.warm:
            place = f"{case.id()} ({case.env.user.login})"
            known = sum(key.startswith(place) for key in current["asserted"])
            count = case.cr.sql_log_count - before
            current["asserted"][f"{place} {known + 1}"] = count

    common.BaseCase.assertQueryCount = counted
    begun, queries = time.process_time(), sql_db.sql_counter
    for position in ("at_install", "post_install"):
        loader.make_suite([module], position)(Result())
    current["cpu"] = time.process_time() - begun
    current["queries"] = sql_db.sql_counter - queries
    out.write_text(json.dumps(current))
    os._exit(0)


if __name__ == "__main__":
    _suites(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
