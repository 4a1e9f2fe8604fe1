"""Typed errors of the communication with KeyCRM.

Every error has a ``code`` and ``params`` instead of a finished sentence: workers run in OdooBot's
language, so the sentence is computed when a user reads it, in that user's language. ``str(error)`` is
English and for logs; no error ever contains the API key.
"""


class KeyCrmError(Exception):
    """Base class of all errors of this package.

    :param code: stable name of the error; the key of the sentence that users read
    :param params: plain values (str, int, float) that the sentence needs
    """

    #: True when a retry of the same request may succeed without intervention.
    transient = False
    #: Whether only this request failed while KeyCRM is available; None until that was probed.
    of_request: bool | None = None

    def __init__(self, code: str, **params):
        self.code = code
        self.params = params
        details = ", ".join(f"{name}={value!r}" for name, value in params.items())
        super().__init__(f"{code} ({details})" if details else code)


class TransientError(KeyCrmError):
    """KeyCRM is unavailable for now; a retry helps."""

    transient = True


class Unreachable(TransientError):
    """No connection: name not found, refused, broken, invalid certificate."""


class TimedOut(TransientError):
    """KeyCRM did not respond in time."""


class ServerTrouble(TransientError):
    """KeyCRM responded with 5xx."""


class MalformedAnswer(TransientError):
    """The answer violates the API: not JSON, truncated, HTML."""


class RateLimited(TransientError):
    """KeyCRM responded with 429.

    :param retry_after: seconds to wait, from the header, or None without one
    """

    def __init__(self, code: str, *, retry_after: float | None = None, **params):
        super().__init__(code, **params)
        self.retry_after = retry_after


class QuotaExceeded(TransientError):
    """Our own request quota is used up; nothing was sent.

    :param wait: seconds until a request is possible
    """

    def __init__(self, wait: float):
        super().__init__("budget_spent", wait=round(wait, 1))
        self.wait = wait


class Locked(TransientError):
    """Another transaction holds a record: deferred, and not counted as an attempt."""

    def __init__(self):
        super().__init__("row_locked")


class Unauthorized(KeyCrmError):
    """401 or 403: the API key is wrong, or was revoked."""


class NotFound(KeyCrmError):
    """404: the record does not exist in KeyCRM (any more), or the address is wrong."""


class Refused(KeyCrmError):
    """400 or 422: KeyCRM does not accept the request; ``message`` is its reason."""


class ImportProblem(KeyCrmError):
    """The order cannot be imported until a user changes it or its context in Odoo."""


def is_outage(error: KeyCrmError) -> bool:
    """Return whether KeyCRM was unavailable, rather than the request at fault.

    A retry may succeed at any time.

    :param error: the error of a request
    """
    return isinstance(error, ServerTrouble | TimedOut | Unreachable) or error.code == "not_json"


def may_have_taken_effect(error: KeyCrmError) -> bool:
    """Return whether KeyCRM may have executed, or may still execute, a request that failed.

    :param error: the error of the request
    """
    return error.transient and not isinstance(error, QuotaExceeded | RateLimited)


def of_row(error: KeyCrmError, row: str, number: int) -> KeyCrmError:
    """Return the error of a request for several rows as that of one of them.

    :param error: the error of the request
    :param row: kind of the row: ``offer`` or ``buyer``
    :param number: KeyCRM's
    """
    # Without ``__init__``: each class has its own parameters.
    found = type(error).__new__(type(error), *error.args)
    found.__dict__.update(error.__dict__, params={**error.params, "row": row, "number": number})
    return found
