"""Real processes at debug level: no secret in the log, invalid links are cheap."""

from __future__ import annotations

import http.client
import re
import socket

import pytest

from tests.system.webhook_client import EVENT, path_of, post
from tools import shop

ODD_WAYS = (
    "/keycrm/webhook/{}?x=1",
    "//keycrm/webhook/{}",
    "/keycrm%2Fwebhook%2F{}",
    "/keycrm/./webhook/{}",
    "/keycrm//webhook//{}",
    "/keycrm\\webhook\\{}",
    "/keycrm%5Cwebhook%5C{}",
    "/%6beycrm/%77ebhook/{}",
    "/uk_UA/keycrm/webhook/{}",
    "/keycrm/x/../webhook/{}",
)
DEBUG_LOGGING = {"log_level": "debug_sql", "log_handler": ":DEBUG,odoo.sql_db:DEBUG"}


@pytest.fixture(scope="module", params=[0, 2], ids=["threads", "workers"])
def verbose_odoo(request, new_odoo):
    return new_odoo(workers=request.param, **DEBUG_LOGGING)


@pytest.fixture
def connected(verbose_odoo, sandbox):
    """Return an enabled account: its id, its link and Odoo's administrator."""
    rpc = verbose_odoo.rpc()
    account = shop.make_account(rpc, verbose_odoo, sandbox)
    yield account, shop.switch_on(rpc, sandbox, account), rpc
    rpc.write("keycrm.account", account, enabled=False)


def link_of(rpc, account: int) -> str:
    return rpc.read("keycrm.account", account, "webhook_url")["webhook_url"]


def test_no_log_line_of_any_level_holds_the_key_or_the_token(
    verbose_odoo, connected, sandbox, wait_for
):
    account, link, rpc = connected
    token = link.rsplit("/", 1)[1]
    ports = [verbose_odoo.port]
    if verbose_odoo.workers:
        ports.append(verbose_odoo.gevent_port)
    for port in ports:
        assert post(port, path_of(link)) == 204
        assert post(port, path_of(link), method="GET") == 405
        assert post(port, path_of(link), "{") == 400
        assert post(port, path_of(link), "x" * 1_100_000) == 413
        for way in ODD_WAYS:
            post(port, way.format(token))
    rpc.write("keycrm.account", account, api_key="a-wrong-key-of-the-shop")
    with pytest.raises(Exception, match="API"):
        rpc.call("keycrm.account", "action_test_connection", [account])
    rpc.write("keycrm.account", account, api_key=sandbox.key)
    rpc.call("keycrm.account", "action_test_connection", [account])
    number = sandbox.control.create_sample_order()["id"]
    wait_for(lambda: shop.order_in_odoo(rpc, number, "name"), 90, "the order")
    rpc.call("keycrm.account", "action_new_webhook_token", [account])
    newer = link_of(rpc, account).rsplit("/", 1)[1]
    assert post(verbose_odoo.port, f"/keycrm/webhook/{newer}") == 204

    log = verbose_odoo.log_text()
    assert "query: " in log, "the log lacks its debug lines"
    assert log.count('"POST /keycrm/webhook/*** HTTP/1.1" 204') >= len(ports) + 1
    for secret in (token, newer, sandbox.key, "a-wrong-key-of-the-shop", "Bearer"):
        assert secret not in log


def test_body_in_chunks_is_limited_by_the_bytes_received(verbose_odoo, connected):
    _account, link, rpc = connected
    chunk = b"x" * 100_000

    def chunked(parts):
        connection = http.client.HTTPConnection("127.0.0.1", verbose_odoo.port, timeout=60)
        try:
            connection.request(
                "POST", path_of(link), iter(parts), {"Content-Type": "application/json"}
            )
            return connection.getresponse().status
        except OSError:
            # The body was refused before its end.
            return 413
        finally:
            connection.close()

    events = rpc.call("keycrm.event", "search_count", [])
    assert chunked([EVENT[:10].encode(), EVENT[10:].encode()]) == 204
    assert chunked([b'{"a": "', *[chunk] * 30, b'"}']) == 413
    assert rpc.call("keycrm.event", "search_count", []) == events + 1


def test_slow_bodies_hold_no_database_connection(new_odoo, sandbox):
    """More of them than connections in Odoo's pool, which would be missing when all end at once."""
    odoo = new_odoo(db_maxconn=10)
    rpc = odoo.rpc()
    link = shop.switch_on(rpc, sandbox, shop.make_account(rpc, odoo, sandbox))

    def connections():
        (row,) = odoo.runtime.server.query(
            "postgres",
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE %s",
            (odoo.database, "idle in transaction%"),
        )
        return row[0]

    slow = []
    try:
        for _ in range(70):
            connection = socket.create_connection(("127.0.0.1", odoo.port))
            head = f"POST {path_of(link)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{"
            connection.sendall(head.encode())
            slow.append(connection)
        assert post(odoo.port, path_of(link)) == 204
        # Those of scheduled actions, not one for each body.
        assert connections() < len(slow) / 2
        # Each is answered at its timeout, and no row is stored.
        for connection in slow:
            connection.settimeout(60)
            assert b" 408 " in connection.recv(100)
    finally:
        for connection in slow:
            connection.close()
    assert rpc.call("keycrm.event", "search_count", []) == 1


def test_renewed_link_invalidates_the_former_one_in_every_process(verbose_odoo, connected):
    account, link, rpc = connected
    for _request in range(4):
        assert post(verbose_odoo.port, path_of(link)) == 204
    rpc.call("keycrm.account", "action_new_webhook_token", [account])
    assert [post(verbose_odoo.port, path_of(link)) for _request in range(12)] == [404] * 12
    assert post(verbose_odoo.port, path_of(link_of(rpc, account))) == 204


def test_wrong_token_costs_next_to_nothing_and_reveals_nothing(verbose_odoo, connected):
    account, link, rpc = connected
    events = rpc.call("keycrm.event", "search_count", [])
    rpc.write("keycrm.account", account, enabled=False)
    switched_off = path_of(link)
    wrong = ["/keycrm/webhook/" + text for text in ("x", "%00", "%ff%fe", "%ED%A0%80", "a" * 4000)]
    for _request in range(8):  # every worker has its caches filled
        post(verbose_odoo.port, wrong[0])
        assert post(verbose_odoo.port, "/web/health", method="GET") == 200
    health = re.findall(r'"GET /web/health [^"]*" 200 - (\d+) ', verbose_odoo.log_text())
    baseline = min(int(count) for count in health)
    seen = len(verbose_odoo.log_text())
    for path in [*wrong, switched_off] * 2:
        assert post(verbose_odoo.port, path, "x" * 2_000_000) == 413
        assert post(verbose_odoo.port, path, "x" * 200_000) == 404
    log = verbose_odoo.log_text()[seen:]
    lines = re.findall(r'"POST /keycrm/webhook/\*\*\*[^"]*" 404 - (\d+) ', log)
    assert len(lines) == 2 * (len(wrong) + 1)
    # Odoo runs a few queries before each request; this lookup is one more.
    queries = re.findall(r"query: ([^\n]{0,200})", log)
    assert max(int(count) for count in lines) <= baseline + 1, "\n".join(queries)
    assert not re.findall(r"query: (?:INSERT|UPDATE|DELETE)[^\n]*keycrm_(?:account|event)", log)
    assert rpc.call("keycrm.event", "search_count", []) == events
    assert "Traceback" not in log
