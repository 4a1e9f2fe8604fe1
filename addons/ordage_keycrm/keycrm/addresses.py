"""Web addresses of an account: KeyCRM's API, this Odoo, the cabinet."""

import ipaddress
from urllib.parse import urlsplit

#: Suffixes of host names that exist only in local networks.
LOCAL_ENDS = (".local", ".lan", ".internal", ".localhost")
#: Page of an order in the cabinet.
ORDER_PATH = "/app/orders/view/%s"


def is_local(host):
    """Return whether a host is no public name: a bare name, a local one, or numbers.

    :param host: host name or IP address
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(LOCAL_ENDS)
    return True


def with_scheme(address):
    """Complete a web address that was entered without its scheme.

    Public hosts get ``https://``. Names of a local network, ``localhost`` and IP addresses get
    ``http://``: they rarely have a trusted certificate.

    :param address: as entered
    :return: the address with a scheme; a complete or invalid address is only stripped
    """
    address = (address or "").strip()
    if "://" in address or any(character.isspace() for character in address):
        return address
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname or "", parts.port
        is_address = "." in host or ":" in host or host == "localhost" or port
    except ValueError:
        return address
    if not (host and is_address):
        return address
    return f"{'http' if is_local(host) else 'https'}://{address}"


def is_web_address(address):
    """Return whether an address is valid, without credentials, which replace the key.

    :param address: as stored
    """
    try:
        parts = urlsplit(address.strip())
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        return False
    return bool(known) and "@" not in parts.netloc and address.strip().isprintable()


def origin(address):
    """Return the server of an address: scheme, host and port.

    :param address: URL
    :return: tuple; None for an invalid address
    """
    try:
        parts = urlsplit((address or "").strip())
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None


def order_url(cabinet, keycrm_id):
    """Return the URL of an order in the cabinet.

    :param cabinet: any address of the cabinet, as copied from the browser
    :param keycrm_id: KeyCRM's id of the order
    :return: URL; False without an address or an id
    """
    parts = urlsplit((cabinet or "").strip())
    if not (parts.netloc and keycrm_id):
        return False
    # Keep only the host: the address may contain the page from which it was copied.
    return f"{parts.scheme}://{parts.netloc}{ORDER_PATH % keycrm_id}"
