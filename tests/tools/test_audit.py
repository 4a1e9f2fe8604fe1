"""Dependencies are pinned, and an unreachable vulnerability database is a failure."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools import audit, venv
from tools.paths import REQUIREMENTS
from tools.requirements import PYTHONS, pinned


@pytest.fixture(scope="module")
def program():
    return venv.python_of(venv.environment("audit"))


@pytest.fixture
def osv():
    """A database with OSV's API and one vulnerability."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            flaw = {
                "id": "GHSA-aaaa-bbbb-cccc",
                "aliases": ["CVE-2026-0001"],
                "summary": "It lets everybody in.",
                "affected": [
                    {
                        "package": {"name": "requests", "ecosystem": "PyPI"},
                        "ranges": [
                            {
                                "type": "ECOSYSTEM",
                                "events": [{"introduced": "0"}, {"fixed": "9.0.0"}],
                            }
                        ],
                    }
                ],
            }
            answer = {"vulns": [flaw]} if request["package"]["name"] == "requests" else {}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Log nothing in the tests' output."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}/v1/query"
    web.shutdown()
    web.server_close()
    thread.join(30)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", audit.ENVIRONMENTS)
def test_every_package_is_pinned_for_every_python(name, python):
    assert len(pinned(REQUIREMENTS / f"{name}.txt", python)) > 3


def test_audit_checks_each_version_that_is_pinned_for_a_python():
    checked = {
        (p, version) for _n, _p, pins in audit._sets_of_pins() for p, version in pins.items()
    }
    text = "".join(file.read_text() for file in REQUIREMENTS.glob("*.txt"))
    assert checked == set(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("line", ["six", "six>=1", "six==1 ; sys_platform == 'linux'"])
def test_line_without_a_pinned_version_is_refused(tmp_path, line):
    file = tmp_path / "some.txt"
    file.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="not pinned"):
        pinned(file)


def test_vulnerable_package_is_named_with_its_fixed_version(program, osv, capsys):
    pins = {"requests": "2.31.0", "six": "1.17.0"}
    assert not audit.is_safe(program, pins, [], "--osv-url", osv)
    found = capsys.readouterr().err
    assert "requests" in found and "2.31.0" in found and "9.0.0" in found
    assert "CVE-2026-0001" in found or "GHSA-aaaa-bbbb-cccc" in found


def test_accepted_vulnerability_is_no_failure(program, osv):
    pins = {"requests": "2.31.0"}
    assert audit.is_safe(program, pins, ["CVE-2026-0001"], "--osv-url", osv)


def test_unreachable_database_is_a_failure(program, capsys):
    unreachable = ("--osv-url", "http://127.0.0.1:9/v1/query")
    assert not audit.is_safe(program, {"six": "1.17.0"}, [], *unreachable)
    assert "Not checked" in capsys.readouterr().err


def test_package_that_no_database_covers_is_a_failure(tmp_path, capsys):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'Name Skip Reason'\necho 'six not found'\n")
    program.chmod(0o755)
    assert not audit.is_safe(program, {"six": "1.17.0"}, [])
    assert "six not found" in capsys.readouterr().err
