"""Attacks on a running shop, each with a figure: ``make test-attacks``. Results: docs/reliability.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.environment import Environment
from tests.system.conftest import *  # noqa: F403 - one set of fixtures for all folders
from tools.runtime import Runtime

_figures: list[str] = []


@pytest.fixture(scope="session")
def one_environment(runtime: Runtime) -> Environment:
    """One for all tests: it names its databases and logs by number."""
    return Environment(runtime)


@pytest.fixture
def environment(one_environment: Environment) -> Iterator[Environment]:
    """Starts Odoo and KeyCRM of any size; all of it ends with the test."""
    yield one_environment
    one_environment.clear()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a measured figure; all are printed at the end."""

    def note(text: str) -> None:
        _figures.append(f"{request.node.name}: {text}")

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _figures:
        terminalreporter.section("figures")
        for line in _figures:
            terminalreporter.write_line(line)
