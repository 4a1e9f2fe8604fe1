"""A browser is found, or the error message contains the remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import chromium, debian, debian_program
from tools.messages import UserError


@pytest.fixture
def no_browser(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("ORDAGE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_chromium_of_the_variable_has_priority(no_browser, monkeypatch):
    own, named = program(no_browser / "bin", "chromium"), program(no_browser, "my-chromium")
    assert chromium.chromium().program == own
    monkeypatch.setenv("CHROMIUM", str(named))
    assert chromium.chromium().program == named


def test_missing_program_of_the_variable_is_reported(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/no/such/chromium")
    with pytest.raises(UserError, match=r"CHROMIUM=/no/such/chromium is no program"):
        chromium.chromium()


def test_browser_that_cannot_be_fetched_is_reported_with_a_remedy(no_browser, monkeypatch):
    release = no_browser / "os-release"
    release.write_text('ID=fedora\nVERSION_CODENAME=""\n')
    monkeypatch.setattr(debian_program, "_RELEASE", release)
    with pytest.raises(UserError, match=r"on Debian only.*apt-get install chromium.*CHROMIUM"):
        chromium.chromium()


def test_installed_libraries_are_not_fetched(no_browser, monkeypatch):
    fetched: list[str] = []

    class Apt:
        def __init__(self, *_arguments, **_options):
            pass

        def update(self):
            pass

        def with_dependencies(self, package):
            return {package: "150-1", "chromium-common": "150-1", "libnss3": "3", "libc6": "2"}

        def download(self, packages):
            fetched.extend(packages)
            return []

    monkeypatch.setattr(debian, "PrivateApt", Apt)
    monkeypatch.setattr(debian, "installed", lambda: {"libc6", "chromium-common"})
    release = no_browser / "os-release"
    release.write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    monkeypatch.setattr(debian_program, "_RELEASE", release)
    found = chromium.chromium()
    assert sorted(fetched) == [
        "chromium-common=150-1",
        "chromium-headless-shell=150-1",
        "fonts-dejavu-core",
        "libnss3=3",
    ]
    assert os.fspath(found.program).startswith(str(no_browser / "cache"))
    assert "FONTCONFIG_FILE" in found.environment
