"""Commands on an unprepared machine: none relies on the results of another one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import git_history, test, venv
from tools.__main__ import COMMANDS
from tools.messages import UserError
from tools.paths import REPOSITORY

MAKE = """
import sys
from pathlib import Path
from tools import git_history, venv
from tools.__main__ import COMMANDS

venv.REQUIREMENTS = Path(sys.argv[1])
folder = venv.environment(sys.argv[2])
print(venv.python_of(folder))
"""


@pytest.fixture
def requirements(tmp_path, monkeypatch):
    """Requirement files with a local package, so that no index is queried."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    wheel = folder / "ordage_probe-1.0-py3-none-any.whl"
    info = "ordage_probe-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("ordage_probe.py", "WORD = 'installed'\n")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: ordage-probe\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    for kind in venv.KINDS:
        (folder / f"{kind}.txt").write_text("ordage_probe==1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    return folder


def make(requirements, kind, **env):
    kept = {name: value for name, value in os.environ.items() if name != "ORDAGE_STARTED_BY"}
    return subprocess.run(
        [sys.executable, "-c", MAKE, str(requirements), kind],
        cwd=REPOSITORY,
        env={**kept, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_environment_is_created_inside_another_one(tmp_path, requirements):
    assert sys.prefix != sys.base_prefix, "the tests run inside the private environment"
    made = make(requirements, "lint", ORDAGE_CACHE=str(tmp_path / "an empty cache"))
    assert made.returncode == 0, made.stderr
    shown = subprocess.run(
        [made.stdout.splitlines()[-1], "-c", "import ordage_probe; print(ordage_probe.WORD)"],
        capture_output=True,
        text=True,
    )
    assert shown.stdout == "installed\n", shown.stderr


def test_python_without_pip_is_not_used(tmp_path, requirements):
    made = make(
        requirements, "lint", ORDAGE_CACHE=str(tmp_path / "cache"), ORDAGE_STARTED_BY="/bin/false"
    )
    assert made.returncode == 0, made.stderr


def test_pip_of_the_standard_library_is_used_where_none_is_installed(tmp_path, monkeypatch):
    real, scratch = venv._pip_version, tmp_path / "scratch"
    monkeypatch.setattr(
        venv, "_pip_version", lambda python: real(python) if scratch in python.parents else ()
    )
    if not venv.importlib.util.find_spec("ensurepip"):
        pytest.skip("this Python has no ensurepip (Debian's python3-venv)")
    assert venv.find_pip(scratch) == venv.python_of(scratch)


def test_a_missing_pip_is_reported_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(venv, "_pip_version", lambda _python: ())
    monkeypatch.setattr(venv.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"^pip is missing.*apt-get install python3-pip"):
        venv.find_pip(tmp_path)


def test_an_old_pip_is_reported_with_its_version(tmp_path, monkeypatch):
    monkeypatch.setattr(venv, "_pip_version", lambda _python: (20, 3))
    monkeypatch.setattr(venv.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"pip 20\.3 is too old: 22\.3"):
        venv.find_pip(tmp_path)


def test_commands_outside_the_environment_need_the_standard_library_alone():
    modules = sorted({module for module, _main, inside in COMMANDS.values() if not inside})
    assert {"lint", "clean"} < set(modules)
    imports = "; ".join(f"import tools.{module}" for module in modules)
    # -S: without site-packages, as on a machine that has nothing but Python.
    ran = subprocess.run(
        [sys.executable, "-S", "-E", "-c", imports],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr


MAKEFILE = (REPOSITORY / "Makefile").read_text()
TARGETS = re.search(r"^\.PHONY: help (.*)", MAKEFILE.replace("\\\n", ""), re.MULTILINE)[1].split()


def test_make_has_each_command():
    targets = re.search(r"^(demo .*):$", MAKEFILE, re.MULTILINE)[1].split()
    assert sorted(targets) == sorted(COMMANDS)
    assert set(targets) < set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_the_help_and_the_guide_name_every_target(target):
    assert f"make {target} " in MAKEFILE
    assert f"`make {target}`" in (REPOSITORY / "docs" / "development.md").read_text()


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_starts_its_command_in_a_clone_whose_path_has_a_space(tmp_path, target):
    clone = tmp_path / "a clone"
    (clone / "tools").mkdir(parents=True)
    shutil.copy(REPOSITORY / "Makefile", clone)
    program = "import os, sys; print(sys.argv[1], os.environ.get('ONLY', ''))"
    (clone / "tools" / "__main__.py").write_text(program)
    ran = subprocess.run(
        ["make", "--silent", target, f"PYTHON={sys.executable}"],
        cwd=clone,
        env={name: text for name, text in os.environ.items() if name not in ("ONLY", "MAKEFLAGS")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    for line in ran.stdout.splitlines():
        command, _, part = line.partition(" ")
        assert command in COMMANDS
        assert part in ("", *test.PARTS, *test.ON_DEMAND)
    assert ran.stdout


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_unsupported_python_is_refused_with_the_supported_ones(version):
    code = f"import sys; sys.version_info = {version}; import tools.__main__ as m; m.main(['lint'])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Python 3.11, 3.12 or 3.13 is needed, and this is Python ")
    assert "make demo PYTHON=python3.13" in ran.stderr


@pytest.mark.parametrize("path", [None, "/nonexistent"], ids=["no history", "no git"])
def test_copy_without_git_has_no_history_and_no_error(tmp_path, monkeypatch, path):
    monkeypatch.setattr(git_history, "REPOSITORY", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if path:
        monkeypatch.setenv("PATH", path)
    assert git_history.tags() == []
    assert git_history.files("addons") == []


@pytest.fixture
def ci(tmp_path):
    """Start ``.ci/run`` with a script in place of ``make``."""

    def start(script):
        programs = tmp_path / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "make").write_text(f"#!/bin/sh\n{script}\n")
        (programs / "make").chmod(0o755)
        path = f"{programs}:{os.environ['PATH']}"
        return subprocess.Popen(
            ["bash", ".ci/run"],
            cwd=REPOSITORY,
            env={**os.environ, "PATH": path, "ORDAGE_CACHE": "/kept"},
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.mark.parametrize("code", [0, 3])
def test_each_run_of_continuous_integration_has_an_empty_cache(ci, code):
    caches = []
    for _run in range(2):
        run = ci(
            'ls -A "$ORDAGE_CACHE"; touch "$ORDAGE_CACHE/left"; echo "$ORDAGE_CACHE"\n'
            f'echo "1 passed, 0 failed, 0 skipped"; exit {code}'
        )
        cache, last = run.communicate(timeout=60)[0].splitlines()
        assert (run.returncode, last) == (code, "1 passed, 0 failed, 0 skipped")
        assert not os.path.exists(cache)
        caches.append(cache)
    assert caches[0] != caches[1]


def test_continuous_integration_removes_the_cache_of_a_killed_run_alone(ci):
    killed, alive = Path("/var/tmp/ordage-ci-testkill"), Path("/var/tmp/ordage-ci-testlive")
    try:
        for folder in (killed, alive):
            folder.mkdir(exist_ok=True)
        os.utime(killed, (0, 0))
        run = ci("exit 0")
        run.communicate(timeout=60)
        assert run.returncode == 0
        assert (killed.exists(), alive.exists()) == (False, True)
    finally:
        for folder in (killed, alive):
            shutil.rmtree(folder, ignore_errors=True)


def test_stopped_continuous_integration_leaves_no_cache(ci):
    run = ci('echo "$ORDAGE_CACHE"; echo $$; exec sleep 600')
    cache, pid = run.stdout.readline().strip(), int(run.stdout.readline())
    run.terminate()
    assert run.wait(60) == 143
    run.stdout.close()
    assert not os.path.exists(cache)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
