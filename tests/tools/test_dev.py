"""``make dev`` prints correctly quoted commands."""

from __future__ import annotations

import shlex
from pathlib import Path

from tools import dev
from tools.fetch_odoo import OdooSource
from tools.postgres import Server


def test_paths_with_spaces_stay_one_word_of_each_command():
    folder = Path("/home of/me")
    source = OdooSource(folder / "python", folder / "bin/odoo", (), "19.0")
    server = Server(str(folder / "sockets"), 5432, "odoo", "", "18", private=True)
    commands = dev._commands(source, server, folder / "dev.conf", "dev_1")
    assert len(commands) == 5
    for command in commands.values():
        for word in shlex.split(command):
            if "home of" in word:
                assert "/home of/me/" in word
    assert shlex.split(commands["run"])[0] == f"PYTHONPATH={folder}/python"
    assert str(folder / "dev.conf") in shlex.split(commands["shell"])
    assert Path(shlex.split(commands["SQL"])[0]).is_file()
