"""The client against an HTTP server with every observed fault."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from keycrm.client import KeyCrmClient, Page, RateLimiter, normalized_address
from keycrm.errors import (
    KeyCrmError,
    MalformedAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServerTrouble,
    TimedOut,
    Unauthorized,
    Unreachable,
)

KEY = "secret-key-of-the-shop"


class RecordingLimiter(RateLimiter):
    def __init__(self):
        self.acquired, self.refusals = [], []
        self.going_on = []

    def acquire(self, queue, *, continues=False):
        self.acquired.append(queue)
        self.going_on.append(continues)

    def refused(self, retry_after):
        self.refusals.append(retry_after)


class Remote:
    """A server that returns prepared answers in turn and records the requests."""

    def __init__(self):
        self.answers, self.requests = [], []
        remote = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                remote.requests.append(
                    (self.command, self.path, dict(self.headers), self.rfile.read(length))
                )
                status, body, headers = remote.answers.pop(0)
                if status == "hang":
                    remote.hanging.wait(10)
                    return
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = _answer

            def log_message(self, *args):
                pass

        self.hanging = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def will(self, status, body=b"", **headers):
        self.answers.append((status, body, {k.replace("_", "-"): v for k, v in headers.items()}))
        return self

    def close(self):
        self.hanging.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def remote():
    remote = Remote()
    yield remote
    remote.close()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(remote, slept):
    with KeyCrmClient(
        KEY, remote.url, rate_limiter=RecordingLimiter(), sleep=slept.append, timeout=(2, 0.5)
    ) as client:
        yield client


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>", {}),
        (200, {"ok": True}, {}),
        (200, [1], {}),
        (302, b"", {"Location": "http://10.0.0.1/"}),
        (401, {"message": "Who are you?"}, {}),
        (403, b"", {}),
        (404, {"message": "no"}, {}),
        (405, b"", {}),
        (422, {"message": "no"}, {}),
        (500, b"a stack trace", {}),
        ("hang", b"", {}),
        None,
    ],
    ids=str,
)
def test_answer_of_an_address_that_is_not_keycrms_is_not_shown(remote, answer):
    remote.answers = [answer]
    url = remote.url if answer else "http://127.0.0.1:9"
    with (
        KeyCrmClient(KEY, url, timeout=(2, 0.5), tries=1, is_proven=False) as client,
        pytest.raises(Unreachable) as caught,
    ):
        client.page("/order/status")
    host = url.split("/")[2]
    assert (caught.value.code, caught.value.params) == ("no_keycrm", {"host": host})


def test_keycrms_own_error_message_is_shown_at_any_address(remote):
    remote.answers = [(401, {"message": "Unauthenticated."}, {})]
    with KeyCrmClient(KEY, remote.url, is_proven=False) as client, pytest.raises(Unauthorized):
        client.page("/order/status")
    remote.answers = [(200, {"data": []}, {}), (404, {"message": "no"}, {})]
    with KeyCrmClient(KEY, remote.url, is_proven=False) as client:
        client.page("/order/status")
        with pytest.raises(NotFound):
            client.get("/order/1")


def test_key_is_in_the_header_and_lists_are_requested_by_fifty(remote, client):
    remote.will(200, {"data": [], "total": 0})
    client.page("/order", {"filter[status_id]": "1,2"})
    _method, path, headers, _body = remote.requests[0]
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert "limit=50" in path
    assert "page=1" in path


def test_pages_end_at_the_last_page_of_keycrm(remote, client):
    remote.will(200, {"data": [{"id": 1}], "total": 2, "last_page": 2})
    remote.will(200, {"data": [{"id": 2}], "total": 2, "last_page": 2})
    assert [row["id"] for page in client.pages("/order") for row in page.rows] == [1, 2]


def test_endless_next_page_url_ends_at_an_empty_page(remote, client):
    for _ in range(2):
        remote.will(200, {"data": [{"id": 1}], "next_page_url": "http://more"})
    remote.will(200, {"data": [], "next_page_url": "http://more"})
    assert sum(1 for _page in client.pages("/order")) == 3


def test_an_endless_list_that_repeats_itself_ends_by_keycrms_own_count(remote, client):
    page = {"data": [{"id": n} for n in range(50)], "total": 120, "next_page_url": "http://more"}
    for number in range(1, 9):
        remote.will(200, {**page, "last_page": number + 1})
    assert sum(1 for _page in client.pages("/order")) == 3


def test_list_with_fewer_rows_per_page_than_requested_is_read_to_its_end(remote, client):
    for number in range(1, 5):
        remote.will(200, {"data": [{"id": number}], "total": 4, "last_page": 4})
    assert sum(1 for _page in client.pages("/order")) == 4


def test_rows_without_a_usable_number_are_left_out():
    rows = [{"id": "7"}, {"id": "nonsense"}, {"id": None}, {}, {"id": 8}]
    assert list(Page.from_answer({"data": rows}, 1).numbered) == [7, 8]


def test_answer_without_end_is_abandoned(remote, client, monkeypatch):
    monkeypatch.setattr("keycrm.client.MAX_ANSWER_BYTES", 100_000)
    for _ in range(3):
        remote.will(200, b'"' + b"x" * 300_000 + b'"')
    with pytest.raises(MalformedAnswer, match="answer_too_large"):
        client.get("/order/1")


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"]
)
def test_answer_that_arrives_byte_by_byte_is_abandoned(dripping, monkeypatch, data):
    monkeypatch.setattr("keycrm.client.ANSWER_SECONDS", 1)
    with (
        dripping(data) as host,
        KeyCrmClient(KEY, f"http://{host}", tries=1) as client,
        pytest.raises(TimedOut) as caught,
    ):
        client.get("/order/1")
    assert caught.value.params["seconds"] == 1


def test_connections_are_closed_with_the_client(remote):
    with KeyCrmClient(KEY, remote.url) as client:
        for _ in range(3):
            remote.will(200, {"id": 1})
            client.get("/order/1")
            assert len(client._adapter._sockets) <= 1
    assert not client._adapter._sockets


def test_server_error_is_retried_with_backoff(remote, client, slept):
    remote.will(500).will(502).will(200, {"id": 1})
    assert client.get("/order/1") == {"id": 1}
    assert len(slept) == 2
    assert slept[1] > slept[0]


def test_retries_of_a_server_error_end(remote, client):
    remote.will(500).will(500).will(500, {"message": "boom"})
    with pytest.raises(ServerTrouble) as caught:
        client.get("/order/1")
    assert caught.value.params == {"status": 500, "message": "boom"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"message": "Unauthenticated."}, Unauthorized),
        (404, {"message": "Not found"}, NotFound),
        (400, {"message": "Requested filter(s) `x` are not allowed."}, Refused),
        (422, {"message": "The given data was invalid.", "errors": []}, Refused),
        (302, b"", Refused),
    ],
)
def test_permanent_error_is_not_retried(remote, client, status, body, error):
    remote.will(status, body, Location="http://127.0.0.1:1/")
    with pytest.raises(error) as caught:
        client.get("/order")
    assert not caught.value.transient
    assert len(remote.requests) == 1
    if isinstance(body, dict):
        assert caught.value.params["message"] == body["message"]


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"data": [', b""])
def test_invalid_json_is_a_transient_error(remote, client, body):
    remote.will(200, body).will(200, body).will(200, body)
    with pytest.raises(MalformedAnswer):
        client.get("/order")
    assert len(remote.requests) == 3


@pytest.mark.parametrize("answer", [{"data": None}, {"data": {"a": 1}}, [], {"data": [1]}])
def test_answer_that_is_no_list_is_malformed(remote, client, answer):
    remote.will(200, answer)
    with pytest.raises(MalformedAnswer):
        client.page("/order")


def test_post_is_never_retried(remote, client, slept):
    remote.will(500, {"message": "x"}).will(201, {"id": 1})
    with pytest.raises(ServerTrouble):
        client.post("/order/1/payment", {"amount": 1})
    assert len(remote.requests) == 1 and slept == []
    assert client.post("/order/1/payment", {"amount": 1}) == {"id": 1}


def test_429_is_reported_to_the_rate_limiter_without_a_wait(remote, client, slept):
    remote.will(429, {"message": "Too Many Attempts."}, Retry_After="17")
    with pytest.raises(RateLimited) as caught:
        client.get("/order")
    assert caught.value.retry_after == 17
    assert client._rate_limiter.refusals == [17]
    assert slept == []


def test_429_without_a_time_is_reported_to_the_rate_limiter(remote, client):
    remote.will(429, {"message": "Too Many Attempts."})
    with pytest.raises(RateLimited):
        client.get("/order")
    assert client._rate_limiter.refusals == [None]


def test_each_attempt_passes_the_rate_limiter(remote, client):
    remote.will(500).will(200, {})
    client.get("/order/1")
    assert client._rate_limiter.acquired == ["live", "live"]


def test_only_the_first_request_of_a_job_is_deferrable(client, remote):
    remote.will(200, {}).will(200, {}).will(200, {})
    client.get("/order/1")
    client.get("/offers")
    client.is_deferrable = True
    client.get("/order/2")
    assert client._rate_limiter.going_on == [False, True, False]


def test_reserved_request_is_booked_once(client, remote):
    remote.will(200, {}).will(200, {})
    client.reserve()
    client.get("/order/1")
    client.get("/order/2")
    assert client._rate_limiter.acquired == ["live", "live"]
    assert client._rate_limiter.going_on == [False, True]


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("HTTPS://API.Example.com/v1//", "https://api.example.com/v1"),
        ("https://api.example.com:8443/V1", "https://api.example.com:8443/V1"),
        ("https://api.example.com.:443//x/../v1/?a=1#b", "https://api.example.com/v1"),
        ("http://api.example.com:443/%761", "http://api.example.com:443/v1"),
        ("https://api.example.com:99999/v1", "https://api.example.com:99999/v1"),
        ("https://[no", "https://[no"),
        ("", ""),
    ],
)
def test_address_is_normalized(typed, spelled):
    assert normalized_address(typed) == spelled


def test_silent_server_times_out_without_a_second_attempt(remote, client):
    remote.will("hang")
    with pytest.raises(TimedOut):
        client.get("/order/1")
    assert len(remote.requests) == 1


def test_closed_port_is_unreachable():
    client = KeyCrmClient(KEY, "http://127.0.0.1:9", sleep=lambda _s: None)
    with client, pytest.raises(Unreachable):
        client.get("/order")


@pytest.mark.parametrize("url", ["http://", "http://[::1", "nonsense"])
def test_wrong_address_is_an_error_of_the_client(url):
    with KeyCrmClient(KEY, url, sleep=lambda _s: None) as client, pytest.raises(KeyCrmError):
        client.get("/order")


@pytest.mark.parametrize("key", ["line\nbreak", "ключ"])
def test_key_that_cannot_be_sent_is_an_error_without_the_key(remote, key):
    with (
        KeyCrmClient(key, remote.url, sleep=lambda _s: None) as client,
        pytest.raises(Refused) as caught,
    ):
        client.get("/order")
    assert key not in str(caught.value)


def test_no_error_holds_the_key(remote, client, caplog):
    caplog.set_level("DEBUG")
    remote.will(401, {"message": "Unauthenticated."})
    with pytest.raises(Unauthorized) as caught:
        client.get("/order")
    assert KEY not in repr(caught.value) + str(caught.value.params) + caplog.text


def test_a_put_sends_json_and_takes_202(remote, client):
    remote.will(202, {"status": True})
    client.put("/offers/stocks", {"warehouse_id": 1, "stocks": []})
    assert json.loads(remote.requests[0][3]) == {"warehouse_id": 1, "stocks": []}


def test_key_repeated_by_a_server_is_in_no_error(remote, client):
    remote.will(422, {"message": f"Key {KEY} is \x00wrong\ud800"})
    with pytest.raises(Refused) as caught:
        client.get("/order")
    assert KEY not in str(caught.value)
    assert caught.value.params["message"] == "Key … is wrong"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["get", "put"])
def test_the_key_goes_to_no_host_that_a_redirect_names(remote, client, status, method):
    other = Remote()
    try:
        remote.will(status, b"", Location=f"{other.url}/order")
        with pytest.raises(Refused) as caught:
            client.put("/offers/stocks", {}) if method == "put" else client.get("/order")
        assert caught.value.code == "redirected"
        assert not other.requests
        assert len(remote.requests) == 1
    finally:
        other.close()


def test_netrc_credentials_of_the_server_never_replace_the_key(
    remote, client, tmp_path, monkeypatch
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    remote.will(200, {})
    client.get("/order")
    assert remote.requests[0][2]["Authorization"] == f"Bearer {KEY}"
