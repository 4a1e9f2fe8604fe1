"""Errors are reported in one sentence with a remedy, never as a traceback."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tools import commands, debian, fetch_odoo, paths, postgres
from tools.messages import UserError, sentence_for
from tools.paths import REPOSITORY
from tools.waiting import ConditionTimeout, wait_for


def tools(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as make does; each of these fails before anything is started."""
    return subprocess.run(
        [sys.executable, "-m", "tools", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )


def one_sentence(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran.stderr.strip()


def test_busy_port_is_reported_with_its_variable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = one_sentence(tools("serve", ODOO_PORT=str(port)))
    assert f"Port {port} is taken" in message
    assert f"ODOO_PORT={port + 1}" in message


def test_invalid_port_is_refused():
    assert "SANDBOX_PORT=many is no port" in one_sentence(tools("serve", SANDBOX_PORT="many"))


def test_an_odoo_src_without_odoo_is_refused(tmp_path):
    assert "is not the source folder of an Odoo" in one_sentence(
        tools("prepare", ODOO_SRC=str(tmp_path))
    )


def test_other_version_of_odoo_is_refused(tmp_path, monkeypatch):
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo-bin").touch()
    release = tmp_path / "odoo" / "release.py"
    release.write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    monkeypatch.setenv("ODOO_SRC", str(tmp_path))
    with pytest.raises(UserError, match=r"is not Odoo 19"):
        fetch_odoo.odoo_source()
    release.write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
    assert fetch_odoo.odoo_source().version == "19.0.0"


def test_unreachable_database_server_is_reported(monkeypatch):
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGUSER", "somebody")
    with pytest.raises(
        UserError, match=r"PGHOST=127\.0\.0\.1 PGUSER=somebody refused the connection"
    ):
        postgres.existing_server()


def test_too_little_space_is_reported_before_it_is_used(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10, 10, 300 * 1024**2))
    with pytest.raises(UserError, match=r"needs 2\.5 GiB, but only 0\.3 GiB are free"):
        paths.need_space(tmp_path, 2.5, "unpacking Odoo")


def test_full_disk_is_reported_in_a_sentence():
    assert "disk is full (/x)" in sentence_for(OSError(errno.ENOSPC, "No space left", "/x"))
    assert "ORDAGE_CACHE" in sentence_for(OSError(errno.EROFS, "Read-only", "/x"))
    assert sentence_for(OSError(errno.EINVAL, "other")) is None


def test_missing_program_is_reported():
    with pytest.raises(UserError, match=r"It failed\. The program no-such-program is missing"):
        commands.run(["no-such-program"], failure="It failed.")


def test_output_of_a_failed_command_is_reported():
    with pytest.raises(UserError, match=r"It failed\.\n    the reason"):
        commands.run(["bash", "-c", "echo the reason; exit 3"], failure="It failed.")


def test_missing_apt_is_reported_with_an_alternative(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"apt-get is missing.*ODOO_SRC"):
        debian.PrivateApt(tmp_path / "apt", ["unstable"])


@pytest.mark.skipif(not shutil.which("apt-get"), reason="this machine has no apt")
def test_unreachable_archive_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("ORDAGE_DEBIAN", "http://127.0.0.1:1/debian")
    apt = debian.PrivateApt(tmp_path / "apt", ["unstable"])
    with pytest.raises(UserError, match=r"could not be read|does not have"):
        apt.update()
        apt.download(["odoo-19"])


def test_pinned_odoo_is_preferred_and_replaced_when_unavailable(capsys):
    pinned = fetch_odoo.PINNED
    assert fetch_odoo._choose(["19.0.1-1", pinned]) == pinned
    assert fetch_odoo._choose(["19.0.1-1"]) == "19.0.1-1"
    assert "is no longer in" in capsys.readouterr().out
    with pytest.raises(UserError, match="no package odoo-19"):
        fetch_odoo._choose([])


def test_links_out_of_the_folder_are_repaired(tmp_path):
    font = tmp_path / "usr/share/fonts/Font.ttf"
    font.parent.mkdir(parents=True)
    font.write_text("font")
    web = tmp_path / "usr/lib/web"
    web.mkdir(parents=True)
    (web / "absolute.ttf").symlink_to("/usr/share/fonts/Font.ttf")
    (web / "moved.ttf").symlink_to("../../share/elsewhere/Font.ttf")
    fetch_odoo._repair_links(tmp_path)
    for name in ("absolute.ttf", "moved.ttf"):
        assert (web / name).read_text() == "font"
        assert not (web / name).readlink().is_absolute()


def test_unknown_parts_of_the_tests_are_refused():
    assert "ONLY=all is no part" in one_sentence(tools("test", ONLY="all"))


def test_timeout_reports_its_condition():
    with pytest.raises(ConditionTimeout, match=r"not seen within 0\.1 s: a wonder"):
        wait_for(lambda: False, 0.1, "a wonder")


def test_repository_contains_no_package_host_or_local_path():
    for file in [*(REPOSITORY / "tools").rglob("*.py"), *(REPOSITORY / "requirements").iterdir()]:
        text = Path(file).read_text()
        assert "//deb." not in text
        assert "pypi.org" not in text
