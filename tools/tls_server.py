"""A web server with a self-signed certificate, for tests of https requests."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: Path → (code, headers, body).
Answers = dict[str, tuple[int, dict[str, str], bytes]]


class TlsServer:
    """An https server on 127.0.0.1 (``localhost``) in a thread; a context manager.

    :param answers: its answers, changeable while it runs; other paths are a 404
    :param folder: the folder of its certificate
    """

    def __init__(self, answers: Answers, folder: Path) -> None:
        self.answers = answers
        self.requested: list[str] = []
        self.ca_certs = str(folder / "cert.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*make_certificate(folder))
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._web.socket = context.wrap_socket(self._web.socket, server_side=True)
        self._thread = threading.Thread(target=self._web.serve_forever, args=(0.01,), daemon=True)
        self.port = self._web.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._web.shutdown()
        self._web.server_close()
        self._thread.join(30)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Return the address of a path."""
        return f"https://{host}:{self.port}{path}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requested.append(self.path)
                path = self.path.partition("?")[0]
                status, headers, body = server.answers.get(path, (404, {}, b""))
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Log nothing in the tests' output."""

        return Handler


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Create a self-signed certificate of this machine, valid for a day.

    :param folder: the target folder
    :return: files of the certificate and of its key
    """
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
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(pem))
    private.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private
