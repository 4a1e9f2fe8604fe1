"""Each fault between the internet and the webhook is diagnosed, with real servers."""

import json
import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from keycrm import addresses, webhook_check

TOKEN = "the-secret-of-the-link"
PATH = f"/keycrm/webhook/{TOKEN}"


def odoo(request, body):
    """Answer as the correct Odoo does."""
    payload = json.loads(body)
    assert payload["event"] == webhook_check.CHECK_EVENT
    return 200, {}, json.dumps({"proof": webhook_check.proof(TOKEN, payload["nonce"])}).encode()


def answers(status, body=b"", **headers):
    """Return a server with a constant answer."""
    return lambda request, sent: (status, headers, body)


@contextmanager
def server(answer, certificate=None):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = answer(self, sent)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_arguments):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    try:
        scheme = "https" if certificate else "http"
        yield f"{scheme}://localhost:{httpd.server_port}{PATH}"
    finally:
        httpd.shutdown()
        httpd.server_close()


def certificate(folder, *, name="localhost", days=(-1, 1), issuer=None):
    """Create a certificate with its key in one file.

    :param days: from and until, counted from now
    :param issuer: (certificate, key) of who signs; itself by default
    :return: path, certificate, key
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signer, signer_key = issuer or (None, key)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        # Python 3.13 and later accept no authority without the following.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()),
            critical=False,
        )
        .add_extension(_key_usage(signs=not issuer), critical=True)
        .sign(signer_key, hashes.SHA256())
    )
    path = folder / f"{name}{days[1]}{'-own' if not issuer else ''}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path, made, key


def _key_usage(*, signs):
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
        **dict.fromkeys(others, False),
    )


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """Create a certificate authority that this process trusts."""
    path, made, key = certificate(tmp_path, name="authority.test")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return made, key


def fault(url, token=TOKEN):
    with pytest.raises(webhook_check.LinkProblem) as caught:
        webhook_check.send_challenge(url, token)
    assert token not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("scheme", "data"),
    [
        ("http", b""),
        ("http", b"HTTP/1.1 200 OK\r\nX-Slow: "),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("https", b"\x16\x03\x03\x20\x00"),
    ],
)
def test_slow_answer_is_abandoned_after_the_time_limit(dripping, monkeypatch, scheme, data):
    monkeypatch.setattr(webhook_check, "WHOLE", 1)
    with dripping(data) as host:
        found = fault(f"{scheme}://{host}{PATH}")
    assert (found.code, found.params["seconds"]) == ("link_timed_out", 1)


def test_certificate_of_a_fixed_address_is_that_of_the_name(tmp_path, authority):
    signed, *_key = certificate(tmp_path, name="shop.test", issuer=authority)
    with server(odoo, signed) as url:
        shop = url.replace("localhost", "shop.test")
        webhook_check.send_challenge(shop, TOKEN, address="127.0.0.1")
        with pytest.raises(webhook_check.LinkProblem) as caught:
            webhook_check.send_challenge(url, TOKEN, address="127.0.0.1")
    assert caught.value.code == "link_certificate_name"


def test_body_that_stops_is_a_timeout(monkeypatch):
    monkeypatch.setattr(webhook_check, "TIMEOUT", (1, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"

        def answer():
            connection, _address = listening.accept()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
            opened.append(connection)

        opened = []
        Thread(target=answer, daemon=True).start()
        assert fault(place).code == "link_timed_out"


def test_right_odoo_is_recognized():
    with server(odoo) as url:
        webhook_check.send_challenge(url, TOKEN)


def test_odoo_without_the_secret_is_not_the_right_one():
    with server(odoo) as url:
        assert fault(url, "another-secret").code == "link_somebody_else"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"hello", b"{}", b"[1]", b'{"proof": null}', b'{"proof": 7}'),
        *('{"proof": "ї"}'.encode(), b'{"proof": "\\ud800"}', b"[" * 15_000, b"1" * 15_000),
    ],
)
def test_a_page_that_answers_200_to_everything_is_not_odoo(body):
    with server(answers(200, body)) as url:
        assert fault(url).code == "link_somebody_else"


def test_a_server_that_redirects_to_nonsense_is_not_odoo():
    with server(answers(302, Location="http://[")) as url:
        assert fault(url).code == "link_somebody_else"
        assert webhook_check.get(url) == ""


def test_http_that_redirects_to_https_names_the_address_to_enter():
    with server(answers(301, Location=f"https://shop.example.com{PATH}")) as url:
        found = fault(url)
    assert (found.code, found.params["address"]) == (
        "link_http_redirects",
        "https://shop.example.com",
    )


def test_any_other_redirect_is_reported():
    with server(answers(302, Location="/web/login")) as url:
        assert fault(url).code == "link_redirects"
    with server(answers(307, Location="http://elsewhere.example.com/")) as url:
        assert fault(url).code == "link_redirects"


def test_host_with_several_databases_differs_from_a_plain_404():
    page = b"<title>404 Not Found</title><p>No database is selected and the requested URL...</p>"
    with server(answers(404, page)) as url:
        assert fault(url).code == "link_several_databases"
    with server(answers(404, b"nothing here")) as url:
        assert fault(url).code == "link_not_found"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "link_forbidden"),
        (403, "link_forbidden"),
        (405, "link_no_post"),
        (400, "link_status"),
        (500, "link_status"),
        (502, "link_status"),
    ],
)
def test_refusing_proxy_is_diagnosed_by_its_status_code(status, code):
    with server(answers(status)) as url:
        assert fault(url).code == code


def test_self_signed_certificate_is_reported(tmp_path):
    with server(odoo, certificate(tmp_path)[0]) as url:
        found = fault(url)
    assert found.code == "link_certificate_issuer"


def test_expired_certificate_is_reported(tmp_path, authority):
    with server(odoo, certificate(tmp_path, days=(-3, -1), issuer=authority)[0]) as url:
        found = fault(url)
    assert found.code == "link_certificate_expired"


def test_certificate_of_another_name_is_reported(tmp_path, authority):
    with server(odoo, certificate(tmp_path, name="other.test", issuer=authority)[0]) as url:
        found = fault(url)
    assert found.code == "link_certificate_name"


def test_a_good_certificate_is_no_fault(tmp_path, authority):
    with server(odoo, certificate(tmp_path, issuer=authority)[0]) as url:
        webhook_check.send_challenge(url, TOKEN)


def test_closed_port_is_reported():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert fault(f"http://localhost:{port}{PATH}").code == "link_unreachable"


def test_server_that_never_answers_is_reported(monkeypatch):
    monkeypatch.setattr(webhook_check, "TIMEOUT", (0.3, 0.3))
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://localhost:{deaf.getsockname()[1]}{PATH}"
        assert fault(url).code == "link_timed_out"


def test_an_answer_without_end_is_not_read_to_its_end():
    with server(answers(200, b"x" * 5_000_000)) as url:
        assert fault(url).code == "link_somebody_else"


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "10.1.2.3", "192.168.0.7", "172.20.0.1", "[::1]", "169.254.1.1"],
)
def test_addresses_of_the_own_network_are_reported(host):
    with pytest.raises(webhook_check.LinkProblem) as caught:
        webhook_check.check_host(f"http://{host}:8069{PATH}")
    assert caught.value.code == "link_local"


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "::ffff:127.0.0.1",
        "::ffff:192.168.0.1",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "fec0::1",
        "fd00::1",
        "fe80::1%eth0",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
    ],
)
def test_inner_address_is_never_requested_in_any_notation(address):
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 0))
    hidden = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 0, 0, 0))
    for found in ([hidden], [public, hidden]):
        with pytest.raises(webhook_check.LinkProblem) as caught:
            webhook_check.check(
                f"https://odoo.example.com{PATH}", "t", resolve=lambda *_args, f=found: f
            )
        assert caught.value.code == "link_local_name"


def test_public_address_behind_a_gateway_to_ipv4_is_requested():
    def resolve(_host, _port):
        return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("64:ff9b::1.1.1.1", 0, 0, 0))]

    assert webhook_check.check_host(f"https://odoo.example.com{PATH}", resolve=resolve)


def test_the_request_goes_to_the_address_that_was_checked():
    with server(answers(404, b"")) as url:
        port = url.split(":")[2].split("/")[0]
        with pytest.raises(webhook_check.LinkProblem) as caught:
            webhook_check.send_challenge(
                f"http://no-such-host.invalid:{port}{PATH}", "t", address="127.0.0.1"
            )
    assert caught.value.code == "link_not_found"
    assert caught.value.params["host"] == f"no-such-host.invalid:{port}"


def test_local_and_unknown_host_names_are_reported():
    def unknown(host, _port):
        raise socket.gaierror(-2, "Name or service not known")

    for host, code in (
        ("odoo", "link_local"),
        ("odoo.local", "link_local"),
        ("shop.exampl.com", "link_unknown_host"),
    ):
        with pytest.raises(webhook_check.LinkProblem) as caught:
            webhook_check.check_host(f"https://{host}{PATH}", resolve=unknown)
        assert (caught.value.code, caught.value.params["host"]) == (code, host)


def test_public_address_is_requested():
    def resolve(host, _port):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 0))]

    webhook_check.check_host(f"https://odoo.example.com{PATH}", resolve=resolve)


def test_public_name_with_a_private_address_is_reported():
    def hosts_file(host, _port):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.1.1", 0))]

    with pytest.raises(webhook_check.LinkProblem) as caught:
        webhook_check.check_host(f"https://odoo.example.com{PATH}", resolve=hosts_file)
    assert caught.value.code == "link_local_name"
    assert caught.value.params["address"] == "127.0.1.1"
    for host in ("192.168.0.5", "odoo.lan", "server"):
        with pytest.raises(webhook_check.LinkProblem) as caught:
            webhook_check.check_host(f"https://{host}{PATH}", resolve=hosts_file)
        assert caught.value.code == "link_local", host


def test_public_address_with_a_path_is_reported():
    with server(answers(404, b"nothing here")) as url:
        address = url.removesuffix(PATH)
        found = fault(f"{address}/odoo/action-5{PATH}")
    assert found.code == "link_page"
    assert (found.params["page"], found.params["address"]) == ("/odoo/action-5", address)


@pytest.mark.parametrize(
    ("typed", "complete"),
    [
        ("odoo.example.com", "https://odoo.example.com"),
        (" odoo.example.com/web ", "https://odoo.example.com/web"),
        ("odoo.example.com:8443", "https://odoo.example.com:8443"),
        ("крамниця.укр", "https://крамниця.укр"),
        ("localhost:8069", "http://localhost:8069"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("192.168.1.5:8069", "http://192.168.1.5:8069"),
        ("[::1]:8069", "http://[::1]:8069"),
        ("sandbox:8099/v1", "http://sandbox:8099/v1"),
        ("shop.local", "http://shop.local"),
        ("https://odoo.example.com", "https://odoo.example.com"),
        ("http://odoo.example.com", "http://odoo.example.com"),
        # No addresses: they are refused when they are saved.
        ("ftp://odoo.example.com", "ftp://odoo.example.com"),
        ("not an address", "not an address"),
        ("shop", "shop"),
        ("odoo.example.com:port", "odoo.example.com:port"),
        ("", ""),
        (False, ""),
    ],
)
def test_address_without_a_scheme_gets_its_scheme(typed, complete):
    assert addresses.with_scheme(typed) == complete


def test_only_a_public_address_serves_pictures():
    with server(answers(200, b"proof")) as url:
        assert webhook_check.get(url) == "proof"
        assert webhook_check.answers(url, "proof") is False
    with server(answers(302, b"proof", Location="https://elsewhere.example")) as url:
        assert webhook_check.get(url) == ""
    assert webhook_check.get(url) == ""
