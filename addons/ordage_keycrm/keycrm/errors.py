"""What can go wrong between us and KeyCRM, as typed errors.

Every error carries a ``code`` and ``params`` instead of a finished sentence: background work runs in
OdooBot's language, so the sentence is made when a person reads it, in that person's language.
``str(error)`` is English and for logs; no error ever holds the API key.
"""


class KeyCrmError(Exception):
    """Base of all errors of this package.

    :param code: stable name of what happened; the key of the sentence shown to people
    :param params: plain values (str, int, float) that the sentence needs
    """

    #: True when the same request may well succeed later without anybody doing anything.
    transient = False
    #: Whether only this request failed while KeyCRM is available; None until that was probed.
    of_request: bool | None = None

    def __init__(self, code: str, **params):
        self.code = code
        self.params = params
        details = ", ".join(f"{name}={value!r}" for name, value in params.items())
        super().__init__(f"{code} ({details})" if details else code)


class TransientError(KeyCrmError):
    """KeyCRM cannot serve us now; waiting helps."""

    transient = True


class Unreachable(TransientError):
    """No connection: name not found, refused, broken, certificate not valid."""


class TimedOut(TransientError):
    """KeyCRM did not answer in time."""


class ServerTrouble(TransientError):
    """KeyCRM answered 5xx."""


class MalformedAnswer(TransientError):
    """The answer is not what the API promises: not JSON, cut off, HTML."""


class RateLimited(TransientError):
    """KeyCRM answered 429.

    :param retry_after: seconds to wait, as KeyCRM said, or None when it did not say
    """

    def __init__(self, code: str, *, retry_after: float | None = None, **params):
        super().__init__(code, **params)
        self.retry_after = retry_after


class QuotaExceeded(TransientError):
    """Our own request quota has no room now; nothing was sent.

    :param wait: seconds until there is room
    """

    def __init__(self, wait: float):
        super().__init__("budget_spent", wait=round(wait, 1))
        self.wait = wait


class Locked(TransientError):
    """Somebody else works on a record in Odoo: it is put off for some seconds and counts as no try."""

    def __init__(self):
        super().__init__("row_locked")


class Unauthorized(KeyCrmError):
    """401 or 403: the API key is wrong, or was withdrawn."""


class NotFound(KeyCrmError):
    """404: there is no such thing in KeyCRM (any more), or the address is wrong."""


class Refused(KeyCrmError):
    """400 or 422: KeyCRM does not accept the request; ``message`` is what it said."""


class ImportProblem(KeyCrmError):
    """Something in an order, or around it in Odoo, keeps it from being written. A person has to act."""


def is_outage(error: KeyCrmError) -> bool:
    """Return whether KeyCRM could not answer, and may do so at any moment: no fault of what was requested."""
    return isinstance(error, ServerTrouble | TimedOut | Unreachable) or error.code == "not_json"
