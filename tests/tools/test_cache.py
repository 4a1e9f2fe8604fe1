"""The cache is created once, by one process at a time, and never incomplete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tools import cache
from tools.paths import REPOSITORY
from tools.waiting import wait_for

MAKER = """
import sys, time
from pathlib import Path
from tools import cache

def make(folder):
    with (folder.parent / "makers").open("a") as file:
        file.write("x")
    (folder / "half").touch()
    time.sleep(float(sys.argv[2]))
    (folder / "whole").touch()

cache.cached(Path(sys.argv[1]), "a thing", make)
"""


def maker(target, seconds):
    return subprocess.Popen(
        [sys.executable, "-c", MAKER, str(target), str(seconds)], cwd=REPOSITORY
    )


def test_concurrent_creators_create_it_once(tmp_path):
    target = tmp_path / "thing"
    both = [maker(target, 1), maker(target, 1)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "makers").read_text() == "x"
    assert (target / "whole").exists()


def test_folder_of_a_killed_creator_is_not_used(tmp_path):
    target = tmp_path / "thing"
    first = maker(target, 600)
    wait_for(lambda: (target / "half").exists(), 60, "the first maker at work")
    first.kill()
    first.wait()
    assert not cache.is_cached(target)
    assert maker(target, 0).wait(60) == 0
    assert cache.is_cached(target)
    assert (tmp_path / "makers").read_text() == "xx"


def test_failed_creation_is_repeated(tmp_path):
    target = tmp_path / "thing"

    def fail(folder):
        (folder / "half").touch()
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        cache.cached(target, "a thing", fail)
    assert not target.exists()
    assert cache.cached(target, "a thing", lambda folder: (folder / "whole").touch()) == target


def test_recently_used_folder_is_not_listed_as_unused(tmp_path):
    used, unused = tmp_path / "kind" / "used", tmp_path / "kind" / "unused"
    for folder in (used, unused):
        cache.cached(folder, "a thing", lambda _folder: None)
        os.utime(folder / ".complete", (1, 1))
    cache.cached(used, "a thing", lambda _folder: None)
    assert cache.unused(tmp_path, time.time() - 60) == [unused]


def test_key_depends_on_the_boundaries_of_parts():
    assert cache.key_of("ab", "c") != cache.key_of("a", "bc")
    assert cache.key_of("a") == cache.key_of(b"a")


def test_lock_ends_with_its_holder(tmp_path):
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from tools import cache\n"
        "with cache.locked(Path(sys.argv[1]), 'x'):\n    print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with cache.locked(lock, "x"):
        pass
    holder.stdout.close()
