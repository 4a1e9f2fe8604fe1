"""A smoke test of both sides: analyze its failures first."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tools import shop
from tools.paths import REPOSITORY
from tools.runtime import SHARED


def test_an_order_made_in_keycrm_appears_in_odoo_with_its_total(account, wait_for):
    made = account.keycrm.create_sample_order()["answer"]
    order = wait_for(
        lambda: account.order(made["id"], "amount_total", "keycrm_status_id"), 60, "the order"
    )
    assert shop.money(order["amount_total"]) == shop.money(made["grand_total"])
    status = account.rpc.read("keycrm.order.status", order["keycrm_status_id"][0], "name")
    assert status["name"] == made["status"]["name"]


def test_orders_arrive_again_after_odoo_was_killed(account, odoo, wait_for):
    odoo.kill()
    made = account.keycrm.create_sample_order(webhook=False)["answer"]
    odoo.start()
    account.keycrm.send_webhook(made["id"])
    wait_for(lambda: account.order(made["id"], "id"), 90, "the order")


@pytest.fixture
def short_path():
    """Return a folder whose path is short enough for the socket of a database server."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


def test_demo_exits_with_0_and_leaves_no_process_and_no_folder(short_path):
    env = {**os.environ, "ORDAGE_RUN": str(short_path)}
    for name in ("MAKELEVEL", "ORDAGE_VENV", SHARED):
        env.pop(name, None)
    if os.geteuid() == 0:
        short_path.chmod(0o711)
    ran = subprocess.run(
        [sys.executable, "-m", "tools", "demo"],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "every step was confirmed on both sides" in ran.stdout
    assert list(short_path.iterdir()) == []
    left = subprocess.run(["pgrep", "-f", str(short_path)], capture_output=True, text=True).stdout
    assert left == ""
