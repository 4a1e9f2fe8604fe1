"""Download a product's picture from an address that KeyCRM sent.

The address is untrusted input: it could point into Odoo's own network. So only https, only hosts that
an administrator allowed, never a private address (the connection uses the same address that was
checked), no redirects, and limits on size, type and time.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

import certifi

from .errors import KeyCrmError, TransientError
from .ip_addresses import is_public

#: Largest picture that is accepted.
MAX_BYTES = 5 * 1024 * 1024
#: Seconds to connect and between two bytes, and for the whole download: a host that sends single bytes
#: slowly cannot block a worker.
STEP, WHOLE = 5.0, 20.0
TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


class PictureRefused(KeyCrmError):
    """The picture is not allowed; there is no retry."""


class PictureTrouble(TransientError):
    """The picture is unavailable for now."""


def hosts_of(setting: str) -> list[str]:
    """Parse the setting: hosts with optional ports, separated by commas or spaces.

    :param setting: text of the setting
    :return: list of hosts
    """
    return [host.lower() for host in setting.replace(",", " ").split()]


def fetch(
    url: str,
    hosts: Iterable[str],
    *,
    may_reach: Callable[[str], bool] = is_public,
    ca_certs: str | None = None,
    max_bytes: int = MAX_BYTES,
    whole: float = WHOLE,
) -> bytes:
    """Download a picture.

    :param url: address of the picture
    :param hosts: hosts from which pictures are allowed; subdomains count
    :param may_reach: returns whether a connection to an IP address is allowed
    :param ca_certs: file of certificates to trust; the public ones by default
    :param max_bytes: largest size
    :param whole: seconds for the whole download
    :return: the picture
    :raise PictureRefused: when the address, its host, size or type is not allowed
    :raise PictureTrouble: when it is unavailable for now
    """
    host, port, target = _parts(url, hosts)
    address = _address(host, port, may_reach)
    connection = _Connection(host, port, address, ca_certs or certifi.where())
    # A timeout of the socket counts from byte to byte; this one limits the whole download.
    end = threading.Timer(whole, connection.cut)
    end.daemon = True
    end.start()
    try:
        connection.request("GET", target, headers={"Accept": "image/*"})
        body = _body(connection.getresponse(), max_bytes)
        if connection.was_cut:
            raise PictureTrouble("timed_out", host=host, seconds=whole)
        return body
    except (OSError, http.client.HTTPException, UnicodeError):
        raise PictureTrouble("unreachable", host=host) from None
    finally:
        end.cancel()
        connection.close()


class _Connection(http.client.HTTPSConnection):
    """Connect to the address that was checked, even if the name resolves to another one meanwhile."""

    def __init__(self, host: str, port: int, address: str, ca_certs: str) -> None:
        self._tls = ssl.create_default_context(cafile=ca_certs)
        super().__init__(host, port, timeout=STEP, context=self._tls)
        self._address = address
        self._raw: socket.socket | None = None
        self.was_cut = False

    def connect(self) -> None:
        self._raw = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(
            self._raw, server_hostname=self.host, do_handshake_on_connect=False
        )
        self._raw = self.sock
        self.sock.do_handshake()

    def cut(self) -> None:
        """End the connection from another thread, in any state."""
        self.was_cut = True
        if self._raw:
            try:
                socket.socket.shutdown(self._raw, socket.SHUT_RDWR)
            except OSError:
                return


def _parts(url: str, hosts: Iterable[str]) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or 443
    except ValueError:
        raise PictureRefused("picture_refused", reason="address") from None
    if parts.scheme != "https" or not host or parts.username or parts.password:
        raise PictureRefused("picture_refused", reason="https")
    for allowed in hosts:
        name, _colon, number = allowed.partition(":")
        if port == int(number if number.isdigit() else 443) and (
            host == name or host.endswith(f".{name}")
        ):
            break
    else:
        raise PictureRefused("picture_host", host=host)
    query = f"?{parts.query}" if parts.query else ""
    return host, port, quote((parts.path or "/") + query, safe="/?%:@!$&'()*+,;=~[]")


def _address(host: str, port: int, may_reach: Callable[[str], bool]) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PictureTrouble("unreachable", host=host) from None
    addresses = [row[4][0] for row in found]
    if not addresses or not all(may_reach(address) for address in addresses):
        raise PictureRefused("picture_refused", reason="private address")
    return addresses[0]


def _body(answer: http.client.HTTPResponse, max_bytes: int) -> bytes:
    if answer.status >= 500 or answer.status == 429:
        raise PictureTrouble("server_trouble", status=answer.status)
    if answer.status != 200:
        raise PictureRefused("picture_refused", reason=f"code {answer.status}")
    kind = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in TYPES or answer.getheader("Content-Encoding"):
        raise PictureRefused("picture_refused", reason="type")
    body = answer.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise PictureRefused("picture_refused", reason="size")
    if answer.length:
        # The connection ended before the end of the body.
        raise PictureTrouble("unreachable", host="")
    return body
