"""Fetch a product's picture from an address that KeyCRM named.

The address is data from outside: it could point into the network that Odoo stands in. So only https,
only hosts that an administrator named, never a private address (the connection goes to the very
address that was checked), no redirects, and limits on size, type and time.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import certifi
import urllib3

from .errors import KeyCrmError, TransientError

#: Largest picture that is taken.
MAX_BYTES = 5 * 1024 * 1024
#: Seconds to connect, between two bytes, and for the whole.
CONNECT, READ, WHOLE = 5.0, 10.0, 20.0
TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


class PictureRefused(KeyCrmError):
    """The picture is not taken, now and later."""


class PictureTrouble(TransientError):
    """The picture cannot be had now."""


def hosts_of(setting: str) -> list[str]:
    """Read the setting: hosts, with commas or spaces between them, each maybe with a port."""
    return [host.lower() for host in setting.replace(",", " ").split()]


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet."""
    found = ipaddress.ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast


def fetch(
    url: str,
    hosts: Iterable[str],
    *,
    may_reach: Callable[[str], bool] = is_public,
    ca_certs: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """Fetch a picture.

    :param hosts: where pictures may come from; subdomains count
    :param may_reach: says of an IP address whether it may be connected to
    :param ca_certs: file of certificates to trust; the public ones by default
    :raise PictureRefused: when the address, its host, size or type is not allowed
    :raise PictureTrouble: when it cannot be had now
    """
    host, port, target = _parts(url, hosts)
    address = _address(host, port, may_reach)
    pool = urllib3.HTTPSConnectionPool(
        address,
        port,
        server_hostname=host,
        assert_hostname=host,
        cert_reqs="CERT_REQUIRED",
        ca_certs=ca_certs or certifi.where(),
        timeout=urllib3.Timeout(connect=CONNECT, read=READ),
        retries=False,
    )
    try:
        answer = pool.request(
            "GET",
            target,
            headers={"Host": host if port == 443 else f"{host}:{port}", "Accept": "image/*"},
            preload_content=False,
            redirect=False,
        )
        try:
            return _body(answer, max_bytes)
        finally:
            answer.close()
    except urllib3.exceptions.HTTPError:
        raise PictureTrouble("unreachable", host=host) from None
    finally:
        pool.close()


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
    return host, port, (parts.path or "/") + query


def _address(host: str, port: int, may_reach: Callable[[str], bool]) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PictureTrouble("unreachable", host=host) from None
    addresses = [row[4][0] for row in found]
    if not addresses or not all(may_reach(address) for address in addresses):
        raise PictureRefused("picture_refused", reason="private address")
    return addresses[0]


def _body(answer: urllib3.BaseHTTPResponse, max_bytes: int) -> bytes:
    if answer.status >= 500 or answer.status == 429:
        raise PictureTrouble("server_trouble", status=answer.status)
    if answer.status != 200:
        raise PictureRefused("picture_refused", reason=f"code {answer.status}")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise PictureRefused("picture_refused", reason="type")
    body, end = bytearray(), time.monotonic() + WHOLE
    for chunk in answer.stream(65536, decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise PictureRefused("picture_refused", reason="size")
        if time.monotonic() > end:
            raise PictureTrouble("timed_out", host="", seconds=WHOLE)
    return bytes(body)
