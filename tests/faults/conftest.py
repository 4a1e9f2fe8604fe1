"""Faults with real processes: the fixtures of the whole-system tests, and processes that die on purpose."""

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
def new_mortal(
    new_odoo: Callable[..., OdooServer], runtime: Runtime, tmp_path_factory: Any
) -> Callable[..., CrashServer]:
    """Start Odoo processes with points at which they can be made to die, or with another clock."""

    def start(clock: int = 0, **options: Any) -> CrashServer:
        folder = tmp_path_factory.mktemp("deaths")
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
def deaths(new_mortal: Callable[..., CrashServer]) -> CrashServer:
    """The Odoo server of this file; the process of it that works can be made to die."""
    return new_mortal(workers=1)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait for a condition while Odoo may be down: an error of the connection is "not yet"."""

    def wait(condition: Callable[[], Any], timeout: float, what: str) -> Any:
        def tried() -> Any:
            try:
                return condition()
            except OSError:
                return None

        return waiting.wait_for(tried, timeout, what, 0.3)

    return wait
