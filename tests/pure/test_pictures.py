"""Pictures come from named hosts over https alone; nothing inside the own network is ever asked."""

import datetime
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from keycrm.pictures import PictureRefused, PictureTrouble, fetch, hosts_of, is_public

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
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://127.0.0.1/inside")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep the tests' output quiet."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield web.server_port, str(folder / "cert.pem")
    web.shutdown()
    web.server_close()
    thread.join(30)


def ask(server, path, **options):
    port, ca_certs = server
    options = {"may_reach": lambda address: True, "ca_certs": ca_certs, **options}
    return fetch(f"https://127.0.0.1:{port}{path}", [f"127.0.0.1:{port}"], **options)


def test_a_picture_of_a_named_host_is_fetched(server):
    assert ask(server, "/1.png?size=big") == PNG


def test_nothing_in_the_own_network_is_asked(server):
    with pytest.raises(PictureRefused, match="private"):
        ask(server, "/1.png", may_reach=is_public)


@pytest.mark.parametrize("path", ["/page", "/moved", "/huge"])
def test_pages_redirects_and_huge_ones_are_refused(server, path):
    with pytest.raises(PictureRefused):
        ask(server, path, max_bytes=10_000)


def test_trouble_is_tried_again(server):
    with pytest.raises(PictureTrouble):
        ask(server, "/ill")


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(server):
    with pytest.raises(PictureTrouble):
        ask(server, "/1.png", ca_certs=None)


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
def test_other_addresses_are_not_asked(url):
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
    ],
)
def test_private_addresses_are_known(address):
    assert not is_public(address)


def test_hosts_are_read_from_the_setting():
    assert hosts_of("CDN.example.com, img.example.org  x.y") == [
        "cdn.example.com",
        "img.example.org",
        "x.y",
    ]
