"""Check whether KeyCRM can reach the webhook link, and interpret the responses.

The challenge takes the route of KeyCRM's webhooks: a POST to the public address. Only the Odoo that
holds the link's secret can respond to it, so a response of a proxy, another program or another database
is recognized.
"""

import hashlib
import hmac
import secrets
import socket
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import ReadTimeoutError

from .addresses import is_local
from .errors import KeyCrmError
from .ip_addresses import is_public_behind
from .parsing import decoded_answer
from .time_limit import TimeLimitAdapter, TimeLimitExceeded

#: Value of ``event`` in the challenge; KeyCRM sends no such event.
CHECK_EVENT = "odoo.check_link"
#: Seconds to connect, and from byte to byte of the answer.
TIMEOUT = (5, 10)
#: Seconds for the whole exchange: a server that sends single bytes slowly cannot block a worker.
WHOLE = 15
#: Bytes of an answer that are read.
MAX_BYTES = 20_000
#: Texts of the TLS library, and the fault of a certificate that they indicate.
CERTIFICATE_FAULTS = (
    ("has expired", "link_certificate_expired"),
    ("mismatch", "link_certificate_name"),
    ("doesn't match", "link_certificate_name"),
    ("self-signed", "link_certificate_issuer"),
    ("self signed", "link_certificate_issuer"),
    ("issuer certificate", "link_certificate_issuer"),
)
#: Text of Odoo's page where the host serves several databases.
NO_DATABASE = b"No database is selected"


class LinkProblem(KeyCrmError):
    """KeyCRM cannot reach the link; the code names the reason."""


def proof(token, nonce):
    """Compute the response to a challenge, which requires the secret of the link.

    :param token: secret of the link
    :param nonce: random text of the challenge
    :return: hexadecimal digits
    """
    return hmac.new(token.encode(), f"check:{nonce}".encode(), hashlib.sha256).hexdigest()


def check(url, token, *, resolve=socket.getaddrinfo):
    """Check that KeyCRM can reach a link.

    :param url: the whole link
    :param token: its secret
    :param resolve: resolves a host as ``socket.getaddrinfo`` does
    :raise LinkProblem: with a code for each fault
    """
    send_challenge(url, token, address=check_host(url, resolve=resolve))


def check_host(url, *, resolve=socket.getaddrinfo):
    """Check that the host is public.

    :param url: the whole link
    :param resolve: resolves a host as ``socket.getaddrinfo`` does
    :return: an IP address of it
    :raise LinkProblem: when it is unknown, or in a local network
    """
    host = urlsplit(url).hostname or ""
    try:
        found = resolve(host, None)
    except (OSError, UnicodeError):
        code = "link_local" if is_local(host) else "link_unknown_host"
        raise LinkProblem(code, host=host) from None
    addresses = list(dict.fromkeys(entry[4][0] for entry in found))
    inside = [address for address in addresses if not is_public_behind(address)]
    if inside or not addresses:
        # A server often resolves its own public name to an internal address (/etc/hosts, its own DNS).
        code = "link_local" if is_local(host) else "link_local_name"
        raise LinkProblem(code, host=host, address=min(inside, default=""))
    return addresses[0]


def send_challenge(url, token, *, address=None):
    """Send the challenge to the link, and check which program responds.

    :param url: the whole link
    :param token: its secret
    :param address: IP address to connect to, even if the name changes
    :raise LinkProblem: when it is not this Odoo, or the link is unreachable
    """
    nonce, host = secrets.token_hex(16), urlsplit(url).netloc
    try:
        challenge = {"event": CHECK_EVENT, "nonce": nonce}
        status, to, body = _exchange("POST", url, address, json=challenge)
    except TimeLimitExceeded:
        raise LinkProblem("link_timed_out", host=host, seconds=WHOLE) from None
    except requests.exceptions.SSLError as error:
        raise LinkProblem(_certificate_code(error), host=host) from None
    except (requests.exceptions.RequestException, OSError) as error:
        if isinstance(error, requests.exceptions.Timeout) or _is_timeout_of_body(error):
            raise LinkProblem("link_timed_out", host=host, seconds=max(TIMEOUT)) from None
        raise LinkProblem("link_unreachable", host=host) from None
    except ValueError:
        # requests resolves the target of a redirect, although it does not follow it.
        raise LinkProblem("link_somebody_else", host=host) from None
    _interpret(url, token, nonce, status, to, body)


def lines_for_several_databases(url, database):
    """Return the configuration lines that route KeyCRM's requests to one database of a host.

    :param url: the webhook link
    :param database: name of the database
    :return: lines for nginx and for Odoo
    """
    return (
        "# nginx\n"
        f"server_name {urlsplit(url or '').netloc};\n"
        "location ~ ^/keycrm/(webhook|picture)/ {\n"
        "    proxy_pass http://127.0.0.1:8069;\n"
        "    proxy_set_header Host $host;\n"
        f"    proxy_set_header X-Odoo-Database {database};\n"
        "}\n\n"
        "# odoo.conf\n"
        f"dbfilter = ^{database}$"
    )


def answers(url, text, *, resolve=socket.getaddrinfo):
    """Return whether a public address of this Odoo answers with a text.

    :param url: the address
    :param text: the expected text
    :param resolve: resolves a host as ``socket.getaddrinfo`` does
    """
    try:
        return get(url, address=check_host(url, resolve=resolve)) == text
    except LinkProblem:
        return False


def get(url, *, address=None):
    """Return the text of an address; empty where there is none.

    :param url: the address
    :param address: IP address to connect to, even if the name changes
    """
    try:
        status, _to, body = _exchange("GET", url, address)
    except (requests.exceptions.RequestException, OSError, ValueError):
        return ""
    return body.decode(errors="replace") if status == 200 else ""


def _exchange(method, url, address, **options):
    """Send a request, and read the answer.

    :return: status code, target of a redirect, body
    """
    adapter = _PinnedAdapter(url, address) if address else TimeLimitAdapter()
    with adapter.limit(WHOLE), requests.Session() as session:
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        with session.request(
            method, url, timeout=TIMEOUT, allow_redirects=False, stream=True, **options
        ) as answer:
            body = b""
            for part in answer.iter_content(MAX_BYTES):
                body += part
                if len(body) >= MAX_BYTES:
                    break
            return answer.status_code, answer.headers.get("Location", ""), body


def _is_timeout_of_body(error):
    """Return whether an error is a time-out: requests raises it as a failed connection."""
    return bool(error.args) and isinstance(error.args[0], ReadTimeoutError)


class _PinnedAdapter(TimeLimitAdapter):
    """Connect to a fixed address, and verify the certificate for the name.

    :param url: the whole link
    :param address: IP address to connect to
    """

    def __init__(self, url, address):
        parts = urlsplit(url)
        self._address = address
        self._names = (
            {"assert_hostname": parts.hostname, "server_hostname": parts.hostname}
            if parts.scheme == "https"
            else {}
        )
        super().__init__()

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        address = f"[{self._address}]" if ":" in self._address else self._address
        port = f":{parts.port}" if parts.port else ""
        request.url = parts._replace(netloc=address + port).geturl()
        return super().send(request, *args, **kwargs)

    def init_poolmanager(self, *args, **kwargs):
        return super().init_poolmanager(*args, **kwargs, **self._names)

    def proxy_manager_for(self, *args, **kwargs):
        return super().proxy_manager_for(*args, **kwargs, **self._names)


def _interpret(url, token, nonce, status, to, body):
    """Interpret the response to a challenge.

    :param url: the whole link
    :param token: its secret
    :param nonce: random text of the challenge
    :param status: status code of the response
    :param to: target of a redirect
    :param body: body of the response
    :raise LinkProblem: when it is not that of this Odoo
    """
    host = urlsplit(url).netloc
    page, address = _page_of(url)
    if page and 300 <= status < 500 and status not in (401, 403):
        raise LinkProblem("link_page", host=host, page=page, address=address)
    if 300 <= status < 400:
        target = urlsplit(urljoin(url, to))
        same_but_safe = urlsplit(url).scheme == "http" and target.scheme == "https"
        address = f"{target.scheme}://{target.netloc}"
        code = "link_http_redirects" if same_but_safe else "link_redirects"
        raise LinkProblem(code, host=host, address=address)
    if status == 404:
        several = NO_DATABASE in body
        raise LinkProblem("link_several_databases" if several else "link_not_found", host=host)
    if status == 405:
        raise LinkProblem("link_no_post", host=host)
    if status in (401, 403):
        raise LinkProblem("link_forbidden", host=host, status=status)
    if status >= 400:
        raise LinkProblem("link_status", host=host, status=status)
    try:
        data = decoded_answer(body)
        answer = data.get("proof") if isinstance(data, dict) else ""
    except ValueError:
        answer = ""
    if not hmac.compare_digest(str(answer).encode(errors="replace"), proof(token, nonce).encode()):
        raise LinkProblem("link_somebody_else", host=host)


def _page_of(url):
    """Return the page of a public address that was copied from the browser.

    :param url: the whole link
    :return: ``(page, address without it)``; the page is empty when there is none
    """
    address = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    return url.removeprefix(address).partition("/keycrm/webhook/")[0], address


def _certificate_code(error):
    """Return the error code for the TLS library's message about a certificate."""
    text = str(error).lower()
    for words, code in CERTIFICATE_FAULTS:
        if words in text:
            return code
    return "link_certificate"
