"""Fetch a product's picture from an address that KeyCRM named.

The address is data from outside: it could point into the network that Odoo stands in. So only https,
only hosts that an administrator named, never a private address (the connection goes to the very
address that was checked), no redirects, and limits on size, type and time.
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

#: Largest picture that is taken.
MAX_BYTES = 5 * 1024 * 1024
#: Seconds to connect and between two bytes, and for the whole: a host that sends a byte now and then
#: holds nobody up.
STEP, WHOLE = 5.0, 20.0
TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


class PictureRefused(KeyCrmError):
    """The picture is not taken, now and later."""


class PictureTrouble(TransientError):
    """The picture cannot be had now."""


def hosts_of(setting: str) -> list[str]:
    """Read the setting: hosts, with commas or spaces between them, each maybe with a port."""
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
    """Fetch a picture.

    :param hosts: where pictures may come from; subdomains count
    :param may_reach: says of an IP address whether it may be connected to
    :param ca_certs: file of certificates to trust; the public ones by default
    :param whole: seconds for the whole
    :raise PictureRefused: when the address, its host, size or type is not allowed
    :raise PictureTrouble: when it cannot be had now
    """
    host, port, target = _parts(url, hosts)
    address = _address(host, port, may_reach)
    connection = _Connection(host, port, address, ca_certs or certifi.where())
    # A time-out of the socket counts from byte to byte; this one ends the whole.
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
    """Connects to the very address that was checked, whatever the name means by now."""

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
        """End it from another thread, whatever it is waiting for."""
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
        # Cut off before its end.
        raise PictureTrouble("unreachable", host="")
    return body
