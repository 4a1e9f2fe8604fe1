"""Fixtures of fault tests: those of the system tests, and crashing processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.crash_server import CrashServer
from tests.system.conftest import *  # noqa: F403 - one set of fixtures for both folders
from tools import waiting
from tools.odoo_server import OdooServer
from tools.paths import ADDONS, REPOSITORY
from tools.runtime import Runtime

FAULT_ADDONS = REPOSITORY / "tests" / "faults" / "addons"


@pytest.fixture(scope="module")
def new_crash_server(
    new_odoo: Callable[..., OdooServer], runtime: Runtime, tmp_path_factory: Any
) -> Callable[..., CrashServer]:
    """Start Odoo processes with crash points, or with another clock."""

    def start(clock: int = 0, **options: Any) -> CrashServer:
        folder = tmp_path_factory.mktemp("crashes")
        paths = (*runtime.source.addons, ADDONS, FAULT_ADDONS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KEYCRM_FAULTS", str(folder))
            patch.setenv("KEYCRM_CLOCK", str(clock))
            server = new_odoo(
                addons_path=",".join(str(path) for path in paths),
                server_wide_modules="base,rpc,web,keycrm_faults",
                **options,
            )
        return CrashServer(server, folder)

    return start


@pytest.fixture(scope="module")
def crash_server(new_crash_server: Callable[..., CrashServer]) -> CrashServer:
    """Return the Odoo server of this file, whose worker can crash at points."""
    return new_crash_server(workers=1)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait for a condition; a connection error means that Odoo is still down."""

    def wait(condition: Callable[[], Any], timeout: float, what: str) -> Any:
        def attempt() -> Any:
            try:
                return condition()
            except OSError:
                return None

        return waiting.wait_for(attempt, timeout, what, 0.3)

    return wait
