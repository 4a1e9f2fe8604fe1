"""Plugin of pytest: each process of the tests inside Odoo has a filestore of its own.

pytest-odoo gives each process a database of its own, but one filestore to all. At the end of a test class
Odoo removes the files that the database of that process does not refer to: those that tests of another
process have just stored.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .postgres import copy_tree


def own_data_dir(config: Any, worker: str) -> None:
    """Make a process use a copy of Odoo's data folder, which lies beside it.

    :param config: ``odoo.tools.config``
    :param worker: name of the process, for the name of the folder
    """
    shared = Path(config["data_dir"])
    own = shared.with_name(f"{shared.name}-{worker}")
    # Links suffice: Odoo never changes a stored file, it only adds and removes.
    copy_tree(shared, own, link=True)
    config["data_dir"] = str(own)


def pytest_sessionstart() -> None:
    """Run after pytest-odoo has read Odoo's configuration, and before it opens the database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        import odoo.tools

        own_data_dir(odoo.tools.config, worker)
