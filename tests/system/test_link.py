"""The webhook link with real Odoo processes, several databases and a proxy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "ordage_keycrm"))
from keycrm import webhook_check


@contextmanager
def proxy(goal: str, **headers: str) -> Iterator[str]:
    """Forward requests like nginx with ``proxy_set_header``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            passed = {"Content-Type": self.headers["Content-Type"], **headers}
            answer = requests.post(
                goal + self.path, data=body, headers=passed, timeout=30, allow_redirects=False
            )
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_webhook_check_names_the_fix_for_several_databases_on_a_host(
    account, odoo, new_odoo, runtime
):
    path = account.link.removeprefix(odoo.url)
    token = path.rsplit("/", 1)[1]
    webhook_check.send_challenge(account.link, token)

    other = runtime.plain_database("other")
    several = new_odoo(odoo.database, db_name=f"{odoo.database},{other}", dbfilter="")
    with pytest.raises(webhook_check.LinkProblem) as caught:
        webhook_check.send_challenge(several.url + path, token)
    assert caught.value.code == "link_several_databases"

    # The first request of a process loads the registry, which takes long.
    named = {"X-Odoo-Database": odoo.database}
    requests.get(f"{several.url}/web/login", headers=named, timeout=120)
    with proxy(several.url, **named) as front:
        webhook_check.send_challenge(front + path, token)

    # A disabled account and a wrong secret get the same answer.
    account.write(enabled=False)
    with pytest.raises(webhook_check.LinkProblem) as caught:
        webhook_check.send_challenge(account.link, token)
    assert caught.value.code == "link_not_found"


def test_get_trigger_is_reported_until_the_first_webhook(account, wait_for):
    keycrm = account.keycrm
    keycrm.clear_webhooks()
    keycrm.add_webhook(account.link, method="GET")
    made = keycrm.create_sample_order()["answer"]

    def tick():
        return account.read("setup_webhook", "link_text")

    status = wait_for(
        lambda: (found := tick())["setup_webhook"] == "wrong" and found, 60, "the tick"
    )
    assert "POST" in status["link_text"]
    # Polling imports the order too, every minute without webhooks.
    wait_for(lambda: account.order(made["id"], "name"), 150, "the order, by asking")
    keycrm.clear_webhooks()
    keycrm.add_webhook(account.link)
    keycrm.create_sample_order()
    wait_for(lambda: tick()["setup_webhook"] == "done", 60, "the green tick")
