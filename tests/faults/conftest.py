"""The same fixtures as the whole-system tests have."""

from tests.system.conftest import *  # noqa: F403
