"""The client of KeyCRM's Open API.

Implements the protocol: bearer key, JSON, status codes, pages, 429 and retries. Independent of Odoo and
of the database: the request quota, the clock and the sleep are injected, so that a test of a retry
takes no time.
"""

import logging
import posixpath
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from urllib3.exceptions import ReadTimeoutError

from . import rate_limit_rules
from .errors import (
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
from .parsing import decoded_answer, to_id, to_int, to_object, to_objects, to_text
from .time_limit import TimeLimitAdapter, TimeLimitExceeded

_logger = logging.getLogger(__name__)

#: Rows per page; more is refused (confirmed). Without the parameter, KeyCRM sends 15.
PAGE_SIZE = 50
#: Seconds to connect, and seconds between two bytes of the answer. A worker is blocked once for this
#: time; afterwards the account sends only short probes.
TIMEOUT = (5, 20)
#: Seconds that a whole answer may take.
ANSWER_SECONDS = 60
#: Bytes of an answer that are read at once.
READ_BYTES = 64 * 1024
#: Ports that an address need not name.
DEFAULT_PORTS = {"http": 80, "https": 443}
#: Longest address of a request, in bytes: a longer one may be answered with 414 (assumed).
MAX_ADDRESS_BYTES = 4096
#: Pages of a list that are read at most: half a million rows.
MAX_PAGES = 10_000
#: Attempts of one request before the error is raised to the caller.
TRIES = 3
#: Seconds before the second attempt; doubled for each further one.
RETRY_PAUSE = 0.3
#: Seconds for which a successful answer means that KeyCRM is available.
JUST_ANSWERED = 10.0
#: An answer larger than this is not read to its end.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
#: KeyCRM's message for a wrong key (confirmed).
UNAUTHENTICATED = "Unauthenticated."
#: Number of characters of a message from KeyCRM that are shown.
MESSAGE_LENGTH = 500


class RateLimiter:
    """Allow every request: the interface of rate limiters, without a limit.

    The client calls ``acquire`` before each request and ``refused`` after a 429.
    """

    def acquire(self, queue: str, *, continues: bool = False) -> None:
        """Wait for the quota or raise :class:`~.errors.QuotaExceeded`.

        :param queue: ``live`` or ``bulk``
        :param continues: whether it belongs to a piece of work that would have to be restarted without it
        """

    def refused(self, retry_after: float | None) -> None:
        """Record a 429.

        :param retry_after: seconds named by KeyCRM, or None
        """


class KeyCrmClient:
    """Send requests to one KeyCRM account.

    :param api_key: the key from the cabinet (Settings → General); never logged, never in an error
    :param base_url: address of the API, with its version, e.g. ``…/v1``
    :param rate_limiter: the request quota
    :param queue: ``live`` or ``bulk``, for the rate limiter
    :param sleep: called with seconds between two attempts
    :param timeout: ``(connect, read)`` seconds
    :param is_proven: whether KeyCRM is known to be at the address; else an error does not reveal which
        other server responds there
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        *,
        rate_limiter: RateLimiter | None = None,
        queue: str = rate_limit_rules.LIVE,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timeout: tuple[float, float] = TIMEOUT,
        tries: int = TRIES,
        is_proven: bool = True,
    ):
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")
        self._rate_limiter = rate_limiter or RateLimiter()
        self._sleep = sleep
        self._timeout = timeout
        self._tries = tries
        self._is_proven = is_proven
        self.queue = queue
        # Whether the next request can be deferred without loss.
        self.is_deferrable = True
        self._is_reserved = False
        self._answered_at = float("-inf")
        self._session = session or requests.Session()
        self._adapter = TimeLimitAdapter()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "ordage-keycrm",
        }

    def __enter__(self) -> "KeyCrmClient":
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def has_just_answered(self) -> bool:
        """Return whether KeyCRM answered successfully within the last seconds."""
        return time.monotonic() - self._answered_at < JUST_ANSWERED

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # === READING AND WRITING ===#

    def get(self, path: str, params: dict[str, Any] | None = None) -> Any:
        """Send a GET; retried after transient errors.

        :param path: below the base address, with its leading slash
        :param params: query parameters
        :return: the decoded JSON
        :raise KeyCrmError: see :mod:`.errors`
        """
        return self._request("GET", path, params=params)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Send absolute values by PUT: idempotent, so retried like a GET.

        :param path: below the base address, with its leading slash
        :param body: the JSON object to send
        :return: the decoded JSON
        :raise KeyCrmError: see :mod:`.errors`
        """
        return self._request("PUT", path, json=body)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Create a record by POST: sent once, since a second attempt could create a second record.

        :param path: below the base address, with its leading slash
        :param body: the JSON object to send
        :return: the decoded JSON
        :raise KeyCrmError: see :mod:`.errors`; after a transient error the record may exist
        """
        return self._request("POST", path, tries=1, json=body)

    def page(self, path: str, params: dict[str, Any] | None = None, number: int = 1) -> "Page":
        """Read one page of a list.

        :param path: below the base address, with its leading slash
        :param params: query parameters
        :param number: from 1
        :return: :class:`Page`
        :raise MalformedAnswer: when the answer is no list
        """
        answer = self.get(path, {"limit": PAGE_SIZE, **(params or {}), "page": number})
        try:
            page = Page.from_answer(answer, number)
        except MalformedAnswer:
            if self._is_proven:
                raise
            raise self._no_keycrm() from None
        self._is_proven = True
        return page

    def pages(
        self, path: str, params: dict[str, Any] | None = None, first: int = 1
    ) -> Iterator["Page"]:
        """Read a list page by page, to its end.

        The end follows from KeyCRM's envelope (``last_page``, ``next_page_url``) and from an empty
        page: an answer that always names a next page cannot cause an endless loop.

        :param path: below the base address, with its leading slash
        :param params: query parameters
        :param first: number of the first page to read
        :return: iterator over :class:`Page`
        """
        number = first
        while True:
            page = self.page(path, params, number)
            yield page
            if page.is_last:
                return
            number += 1

    # === ONE REQUEST ===#

    def reserve(self) -> None:
        """Wait for the quota of the next request, before work that would be in vain without it.

        :raise QuotaExceeded: when it would take too long
        """
        is_deferrable, self.is_deferrable = self.is_deferrable, False
        self._rate_limiter.acquire(self.queue, continues=not is_deferrable)
        self._is_reserved = True

    def _request(self, method: str, path: str, tries: int | None = None, **kwargs) -> Any:
        tries = tries or self._tries
        for attempt in range(1, tries + 1):
            if not self._is_reserved:
                self.reserve()
            self._is_reserved = False
            try:
                return self._send(method, path, **kwargs)
            except RateLimited as error:
                # The rate limiter blocks all users of the key for the time that KeyCRM named; waiting
                # here would block a worker.
                self._rate_limiter.refused(error.retry_after)
                raise
            except KeyCrmError as error:
                # After a timeout a second attempt would block its caller as long again.
                if not error.transient or isinstance(error, TimedOut) or attempt == tries:
                    raise
                pause = RETRY_PAUSE * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                _logger.info("KeyCRM: %s %s: %s; again in %.1f s", method, path, error.code, pause)
                self._sleep(pause)
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, **kwargs) -> Any:
        try:
            return self._exchange(method, path, **kwargs)
        except KeyCrmError as error:
            if self._is_proven or _is_keycrms_own(error):
                raise
            raise self._no_keycrm() from None

    def _no_keycrm(self) -> Unreachable:
        """Return the only error for an address at which KeyCRM was never reached.

        The address may be any in Odoo's own network, so the error does not reveal whether a port is
        closed, silent or responds.
        """
        return Unreachable("no_keycrm", host=_host_of(self._base_url))

    def _exchange(self, method: str, path: str, **kwargs) -> Any:
        url = self._base_url + path
        host = _host_of(url)
        try:
            # Redirects are not followed: the key must not be sent to another host, and a redirected
            # write would become a read.
            with (
                self._adapter.limit(ANSWER_SECONDS),
                self._session.request(
                    method,
                    url,
                    headers=self._headers,
                    auth=self._signed,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    **kwargs,
                ) as response,
            ):
                self._read(response, path)
        except TimeLimitExceeded:
            raise TimedOut("timed_out", host=host, seconds=ANSWER_SECONDS) from None
        except requests.exceptions.Timeout:
            raise TimedOut("timed_out", host=host, seconds=self._timeout[1]) from None
        except requests.exceptions.SSLError:
            raise Unreachable("bad_certificate", host=host) from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            if error.args and isinstance(error.args[0], ReadTimeoutError):
                raise TimedOut("timed_out", host=host, seconds=self._timeout[1]) from None
            raise Unreachable("unreachable", host=host) from None
        except requests.exceptions.ContentDecodingError:
            raise MalformedAnswer("not_json", path=path, status=0) from None
        except requests.exceptions.RequestException as error:
            # InvalidURL, InvalidHeader (a key with a line break), …: the settings are wrong.
            raise Refused("bad_settings", kind=type(error).__name__) from None
        except ValueError as error:
            raise Refused("bad_settings", kind=type(error).__name__) from None
        return self._decoded(response, path)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the key, as ``auth``: a plain header would yield to the server's ``.netrc``.

        :param request: the prepared request
        :return: the same request
        """
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request

    @staticmethod
    def _read(response: requests.Response, path: str) -> None:
        """Read the body of the answer, limited in size: a server may send it without end.

        :param response: the response, as a stream
        :param path: of the request, for the error
        :raise MalformedAnswer: when it is too large
        """
        parts, size = [], 0
        for part in response.iter_content(READ_BYTES):
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise MalformedAnswer("answer_too_large", path=path)
        # The attribute in which requests caches a body.
        response._content = b"".join(parts)

    def _decoded(self, response: requests.Response, path: str) -> Any:
        status = response.status_code
        if status in (200, 201, 202):
            try:
                answer = decoded_answer(response.content)
            except ValueError:
                raise MalformedAnswer("not_json", path=path, status=status) from None
            self._answered_at = time.monotonic()
            return answer
        # A server that echoes the request must not cause the key to be displayed.
        message = _message_of(response).replace(self._api_key, "…")[:MESSAGE_LENGTH]
        if status in (401, 403):
            raise Unauthorized("unauthorized", message=message)
        if status == 404:
            raise NotFound("not_found", path=path, message=message)
        if status == 429:
            raise RateLimited("rate_limited", retry_after=_retry_after(response))
        if status >= 500:
            raise ServerTrouble("server_trouble", status=status, message=message)
        if 300 <= status < 400:
            raise Refused("redirected", host=_host_of(response.url), status=status)
        raise Refused("refused", status=status, path=path, message=message)


class Page:
    """Hold one page of a list.

    :param rows: the rows, as decoded
    :param number: number of the page, from 1
    :param total: rows of the whole list, as KeyCRM counts them now; 0 when it is not in the answer
    :param last: number of the last page; 0 when it is not in the answer
    :param has_next: whether the answer contains the address of a next page
    :param unread: rows that KeyCRM could not return, see :mod:`.list_parts`
    :param is_flat: whether the rows lack the includes of the query
    """

    __slots__ = ("has_next", "is_flat", "last", "number", "rows", "total", "unread")

    def __init__(
        self,
        rows: list[dict],
        number: int,
        total: int,
        last: int,
        has_next: bool,
        unread: tuple = (),
    ):
        self.rows = rows
        self.number = number
        self.total = total
        self.last = last
        self.has_next = has_next
        self.unread = unread
        self.is_flat = False

    @property
    def numbered(self) -> dict[int, dict]:
        """Return the rows by their ids; a row without a valid id is skipped."""
        found = {to_id(row.get("id")): row for row in self.rows}
        found.pop(None, None)
        return found

    @property
    def is_last(self) -> bool:
        """Return whether it is the last page.

        KeyCRM's own count ends a list that always names a next page.
        """
        if not self.rows or self.number >= MAX_PAGES:
            return True
        return self.number >= self.last if self.last else not self.has_next

    def pages_back(self, total_before: int) -> int:
        """Return by how many pages the remaining rows may have moved forward.

        :param total_before: rows of the whole list at the page before; 0 when it was not read
        """
        moved = max(0, (total_before or self.total) - self.total)
        return -(-moved // PAGE_SIZE)

    @classmethod
    def from_answer(cls, answer: Any, number: int) -> "Page":
        """Parse the envelope of a list. Entries that are no objects are skipped.

        :param answer: decoded JSON
        :param number: number of the requested page
        :raise MalformedAnswer: when it has no ``data`` list of objects
        """
        data = answer.get("data") if isinstance(answer, dict) else None
        rows = to_objects(data)
        if not isinstance(data, list) or (data and not rows):
            raise MalformedAnswer("not_a_list", number=number)
        try:
            total = to_int(answer.get("total")) or 0
            last = to_int(answer.get("last_page")) or 0
        except MalformedAnswer:
            raise MalformedAnswer("not_a_list", number=number) from None
        if total > 0 and data:
            # Computed from the rows of this answer, as KeyCRM may return fewer than requested.
            counted = -(-total // len(data))
            last = min(last, counted) if last else counted
        return cls(rows, number, total, last, bool(answer.get("next_page_url")))


def normalized_address(url: str) -> str:
    """Normalize an address: one key has one rate limit and one account, however it is spelled.

    :param url: an address
    :return: scheme, host, port and path in one spelling
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").rstrip(".")
    if port and port != DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    path = posixpath.normpath(f"/{unquote(parts.path).strip('/')}").rstrip("/")
    return parts._replace(netloc=host, path=path, query="", fragment="").geturl()


def _host_of(url: str) -> str:
    """Return the host of an address for display; an invalid address unchanged."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return url


def _is_keycrms_own(error: KeyCrmError) -> bool:
    """Return whether an error reveals nothing about a server that is not KeyCRM's."""
    if isinstance(error, Unauthorized):
        return error.params.get("message") == UNAUTHENTICATED
    return isinstance(error, RateLimited) or error.code == "bad_settings"


def _message_of(response: requests.Response) -> str:
    """Return the message in KeyCRM's answer; empty when there is none."""
    try:
        answer = decoded_answer(response.content)
    except ValueError:
        return ""
    return to_text(to_object(answer).get("message"))


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds of the ``Retry-After`` header; None without a valid one."""
    try:
        return min(max(0.0, float(response.headers["Retry-After"])), rate_limit_rules.LONGEST_BLOCK)
    except (KeyError, ValueError):
        return None
