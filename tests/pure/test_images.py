"""Pictures are fetched over https from public hosts only."""

import contextlib
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from keycrm.images import PictureRefused, PictureTrouble, fetch, hosts_of, is_public

from tools.tls_server import make_certificate

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, status, body = "image/png", 200, PNG
        if self.path == "/page":
            kind = "text/html"
        elif self.path == "/moved":
            status = 302
        elif self.path == "/ill":
            status = 503
        elif self.path == "/huge":
            body = PNG * 50
        elif self.path == "/slow-head":
            return self.send_slowly(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 5000)
        elif self.path == "/endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
            return self.send_slowly(PNG * 50)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://127.0.0.1/inside")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/cut" else body)
        self.close_connection = True

    def send_slowly(self, data):
        """Send a byte at intervals while the connection is open."""
        with contextlib.suppress(OSError):
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(0.1)

    def log_message(self, *args):
        """Log nothing in the tests' output."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield web.server_port, str(cert)
    web.shutdown()
    web.server_close()
    thread.join(30)


def request_picture(server, path, **options):
    port, ca_certs = server
    options = {"may_reach": lambda address: True, "ca_certs": ca_certs, **options}
    return fetch(f"https://127.0.0.1:{port}{path}", [f"127.0.0.1:{port}"], **options)


def test_a_picture_of_a_named_host_is_fetched(server):
    assert request_picture(server, "/1.png?size=big") == PNG


def test_private_addresses_receive_no_request(server):
    with pytest.raises(PictureRefused, match="private"):
        request_picture(server, "/1.png", may_reach=is_public)


@pytest.mark.parametrize("path", ["/page", "/moved", "/huge"])
def test_pages_redirects_and_huge_pictures_are_refused(server, path):
    with pytest.raises(PictureRefused):
        request_picture(server, path, max_bytes=10_000)


@pytest.mark.parametrize("path", ["/ill", "/cut"])
def test_temporary_error_is_retryable(server, path):
    with pytest.raises(PictureTrouble):
        request_picture(server, path)


@pytest.mark.parametrize("path", ["/slow-head", "/endless"])
def test_slow_host_is_abandoned_after_the_time_limit(server, path):
    # Each byte is in time, the whole would take minutes; the handler ends with the connection.
    with pytest.raises(PictureTrouble):
        request_picture(server, path, whole=1.0)


def test_silent_host_is_abandoned_after_the_time_limit(server):
    _port, ca_certs = server
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(PictureTrouble):
            request_picture((port, ca_certs), "/1.png", whole=1.0)


def test_rebound_host_name_is_not_followed(server, monkeypatch):
    # DNS rebinding: the first answer is public, every later one is this machine.
    port, ca_certs = server
    answers, connected = ["203.0.113.7"], []

    def lookup(host, number, *_args, **_kwargs):
        address = answers.pop() if answers else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number))]

    def connect(target, *args, **kwargs):
        connected.append(target[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(PictureTrouble):
        fetch(
            f"https://pictures.example.com:{port}/1.png",
            [f"example.com:{port}"],
            may_reach=lambda address: address == "203.0.113.7",
            ca_certs=ca_certs,
        )
    assert connected == ["203.0.113.7"]


def test_host_with_one_private_address_is_refused(monkeypatch):
    rows = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 443, 0, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: rows)
    with pytest.raises(PictureRefused, match="private"):
        fetch("https://cdn.example.com/1.png", ["example.com"])


def test_self_signed_certificate_is_not_trusted(server):
    with pytest.raises(PictureTrouble):
        request_picture(server, "/1.png", ca_certs=None)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/1.png",
        "ftp://cdn.example.com/1.png",
        "https://example.com.evil.org/1.png",
        "https://user:word@cdn.example.com/1.png",
        "https://cdn.example.com:8443/1.png",
        "https://notexample.com/1.png",
        "https://[::1",
        "file:///etc/passwd",
        "",
    ],
)
def test_other_addresses_receive_no_request(url):
    with pytest.raises(PictureRefused):
        fetch(url, ["example.com"])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::ffff:0:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fec0::1",
        "fe80::1",
        "fe80::1%eth0",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "ff0e::1",
        "::",
    ],
)
def test_private_addresses_are_recognized(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_recognized(address):
    assert is_public(address)


def test_hosts_are_read_from_the_setting():
    assert hosts_of("CDN.example.com, img.example.org  x.y") == [
        "cdn.example.com",
        "img.example.org",
        "x.y",
    ]
