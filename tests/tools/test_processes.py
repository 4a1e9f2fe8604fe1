"""Child processes are stopped, however their parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import processes
from tools.paths import REPOSITORY
from tools.waiting import wait_for

STARTER = """
import sys, time
from pathlib import Path
from tools import processes
from tools.run_folder import RunFolder

processes.clean_up_on_signals()
run = RunFolder(0.001)
run.at_end(processes.stop_all)
# A child that ignores SIGTERM, with a child of its own.
script = 'trap "" TERM; sleep 1000 & echo $!; sleep 1000'
child = processes.ManagedProcess(["bash", "-c", script], log=run.path / "child.log")
while not (grandchild := (run.path / "child.log").read_text().strip()):
    time.sleep(0.02)
print(run.path, child.pid, grandchild, flush=True)
{then}
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def starter(tmp_path: Path, then: str) -> tuple[subprocess.Popen[str], Path, int, int]:
    env = {**os.environ, "ORDAGE_RUN": str(tmp_path / "run"), "ORDAGE_CACHE": str(tmp_path / "c")}
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER.format(then=then)],
        cwd=REPOSITORY,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # A background job of a shell ignores Ctrl-C, and so would this child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    folder, child, grandchild = process.stdout.readline().split()
    process.stdout.close()
    return process, Path(folder), int(child), int(grandchild)


@pytest.mark.parametrize(
    ("then", "number"),
    [
        ("pass", None),
        ("raise RuntimeError", None),
        ("time.sleep(1000)", signal.SIGINT),
        ("time.sleep(1000)", signal.SIGTERM),
        ("time.sleep(1000)", signal.SIGHUP),
    ],
    ids=["end", "error", "Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_children_and_folder_are_removed_after_the_end(tmp_path, then, number):
    process, folder, child, grandchild = starter(tmp_path, then)
    if number:
        process.send_signal(number)
    process.wait(60)
    assert not alive(child)
    wait_for(lambda: not alive(grandchild), 10, "the end of the grandchild")
    assert not folder.exists()


def test_kill_9_ends_the_child_and_the_next_run_removes_the_folder(tmp_path):
    process, folder, child, grandchild = starter(tmp_path, "time.sleep(1000)")
    try:
        process.kill()
        process.wait()
        wait_for(lambda: not alive(child), 10, "the end of the child")
        assert folder.exists()
        other, new_folder, *_pids = starter(tmp_path, "pass")
        other.wait(60)
        assert not folder.exists()
        assert new_folder != folder
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_folder_of_a_running_process_is_kept(tmp_path):
    first, folder, child, _grandchild = starter(tmp_path, "time.sleep(1000)")
    second, *_rest = starter(tmp_path, "pass")
    second.wait(60)
    assert folder.exists()
    assert alive(child)
    first.terminate()
    first.wait(60)
    assert not folder.exists()


def test_processes_started_before_are_not_stopped(tmp_path):
    def sleeper(name: str) -> processes.ManagedProcess:
        return processes.ManagedProcess(["sleep", "1000"], log=tmp_path / name)

    earlier = sleeper("earlier")
    try:
        others = processes.running()
        later = sleeper("later")
        processes.stop_all(except_for=others)
        assert not later.alive()
        assert earlier.alive()
    finally:
        earlier.kill()
