"""The command ``python -m sandbox``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tools.messages import UserError
from tools.sandbox_server import SandboxServer

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, **env},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_starts_serves_and_stops_cleanly(tmp_path, number):
    with SandboxServer(tmp_path, orders=5, offers=4, rate_limit=2) as sandbox:
        assert sandbox.control.health()["orders"] == 5
        headers = {"Authorization": f"Bearer {sandbox.key}"}
        codes = [
            requests.get(sandbox.api_url + "/order", headers=headers, timeout=10).status_code
            for _ in range(3)
        ]
        assert codes == [200, 200, 429]
        # a pending request of an hour does not prevent the stop
        sandbox.control.reset()
        sandbox.control.add_fault("delay", seconds=3600)
        with pytest.raises(requests.Timeout):
            requests.get(sandbox.api_url + "/order", headers=headers, timeout=0.5)
        assert sandbox.stop(number) == 0


def test_one_line_is_printed_when_ready():
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    env = {**os.environ, "SANDBOX_KEY": "from-env", "SANDBOX_CONTROL_TOKEN": "t"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("sandbox ready http://127.0.0.1:")
            url = line.split()[-1]
            headers = {"Authorization": "Bearer from-env"}
            assert requests.get(url + "/v1/order", headers=headers, timeout=10).status_code == 200
        finally:
            process.terminate()
        assert process.stdout.read() == ""


def test_key_and_token_are_generated_and_printed():
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("SANDBOX_")}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=env
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            url = process.stdout.readline().split()[-1]
            key = process.stderr.readline().removeprefix("API key: ").strip()
            token = process.stderr.readline().removeprefix("control token: ").strip()
            assert len(key) > 20 and len(token) > 20
            answer = requests.get(
                url + "/control/health", headers={"X-Control-Token": token}, timeout=10
            )
            assert answer.status_code == 200
        finally:
            process.terminate()


def test_busy_port_is_reported_in_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = run("--port", str(port))
    assert found.returncode == 2
    assert found.stderr.strip().count("\n") == 0
    assert f"Port {port} is taken" in found.stderr and "--port" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--switch", "color=red"), "there is no switch 'color'"),
        (("--switch", "retry_after=maybe"), "retry_after has no value 'maybe'; it takes yes, no"),
        (("--switch", "retry_after"), "NAME=VALUE"),
        (("--switch", "rate_limit=-5"), "a number from 0"),
        (("--port", "99999"), "no port"),
        (("--port", "http"), "no port"),
        (("--orders", "-1"), "from 0 on"),
        (("--host", "192.0.2.1"), "Cannot listen on 192.0.2.1"),
    ],
)
def test_bad_arguments_are_reported_in_one_sentence(arguments, message):
    found = run("--port", "0", *arguments) if "--port" not in arguments else run(*arguments)
    assert found.returncode == 2
    assert message in found.stderr
    assert found.stderr.strip().count("\n") == 0 and "Traceback" not in found.stderr


def test_bad_port_of_the_environment_is_reported():
    found = run(SANDBOX_PORT="many")
    assert found.returncode == 2 and "many is no port" in found.stderr


def test_help_and_switches_are_printed():
    found = run("--help")
    assert found.returncode == 0 and "--control-token" in found.stdout
    found = run("--list-switches")
    assert found.returncode == 0
    assert "stock_put_unknown" in found.stdout and "refuses the whole request" in found.stdout


def test_failed_start_is_reported(tmp_path):
    with pytest.raises(UserError, match="no switch 'color'"):
        SandboxServer(tmp_path, color="red").start()


def test_a_sandbox_on_the_port_of_a_stopped_one_has_another_key(tmp_path):
    with SandboxServer(tmp_path, "first") as first:
        port = urlsplit(first.url).port
    with SandboxServer(tmp_path, "second", port=port) as second:
        codes = [
            requests.get(
                second.api_url + "/order", headers={"Authorization": f"Bearer {key}"}, timeout=10
            ).status_code
            for key in (first.key, second.key)
        ]
    assert codes == [401, 200]


def test_orders_of_a_start_are_of_the_last_hours(tmp_path):
    with SandboxServer(tmp_path, orders=10, offers=3) as server:
        made = [
            datetime.fromisoformat(server.control.order(number)["answer"]["created_at"])
            for number in server.control.order_ids()
        ]
    ages = [datetime.now(UTC) - moment for moment in made]
    assert timedelta(hours=1) <= min(ages) and max(ages) < timedelta(hours=4)
