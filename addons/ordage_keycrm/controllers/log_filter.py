"""Mask secrets in Odoo's own log lines: the webhook's token and a saved API key."""

import logging
import re
from urllib.parse import unquote

#: Loggers with a line per request: of Odoo's threads and workers, of its process for live connections,
#: and (at the level DEBUG) of outgoing requests, as "Check link" sends, of the languages in addresses,
#: and of queries, since Odoo searches an attachment for an address without a route.
ACCESS_LOGGERS = (
    "werkzeug",
    "longpolling",
    "urllib3.connectionpool",
    "odoo.addons.http_routing.models.ir_http",
    "odoo.sql_db",
)
#: Logger to which Odoo writes each RPC call with all its values, at the level DEBUG.
CALL_LOGGER = "odoo.service.model"
#: A path of the webhook contains at least one of these.
_MARKS = re.compile(r"%|webhook", re.IGNORECASE)
#: Token of a log line between blanks and quotes: a path, an address, a word.
_WORD = re.compile(r"""[^\s"']+""")
#: The webhook's path in its normalized spelling; the secret follows it, also where no route matches the path.
_WEBHOOK = re.compile("keycrm/webhook/", re.IGNORECASE)
#: The ``repr`` of a value of a field that holds the key.
_KEY = re.compile(r"""(['"](?:keycrm_)?api_key['"]:\s*)('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
#: An imported table has its column names in one list and the values in another.
_TABLE = re.compile(r"(keycrm\.account.*?\.load\().*api_key.*", re.DOTALL)


def masked_token(text):
    """Mask the webhook's secret in a text.

    :param text: a log line
    :return: the text without the secret
    """
    return _WORD.sub(_masked_word, text)


def is_webhook(path):
    """Return whether a path leads to the webhook's controller or resembles it.

    :param path: URL path in any spelling
    """
    return bool(_WEBHOOK.search(_plain(path)))


def _masked_word(word):
    plain = _plain(word[0])
    found = _WEBHOOK.search(plain)
    return f"{plain[: found.end()]}***" if found else word[0]


def _plain(path):
    """Normalize the spelling of a path.

    A client may encode characters, also twice, use backslashes, repeat slashes, and add segments that
    have no effect. The server, or a proxy before it, still resolves the path to the same route.

    :param path: URL or path
    :return: the path in one spelling
    """
    if not _MARKS.search(path):
        return path
    for _ in range(3):
        path = unquote(path)
    path = path.replace("\\x5c", "/").replace("\\", "/")
    scheme, found, remainder = path.partition("://")
    if found:
        return f"{scheme}{found}{_without_dots(remainder)}"
    return _without_dots(path)


def _without_dots(path):
    end = "/" if path.endswith("/") else ""
    kept = []
    for segment in re.sub(r";[^/]*", "", path).split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", ".", ".."):
            kept.append(segment)
    return ("/" if path.startswith("/") else "") + "/".join(kept) + end


def masked_key(text):
    """Mask the API key in a call as Odoo logs it.

    :param text: a log line
    :return: the text without the key
    """
    return _TABLE.sub(r"\1***)", _KEY.sub(r"\1'***'", text)) if "api_key" in text else text


class MaskFilter(logging.Filter):
    """Replace a secret in log records of any kind by asterisks.

    :param masked: function that returns the masked text of a log line
    """

    def __init__(self, masked):
        super().__init__()
        self.masked = masked

    def filter(self, record):
        text = record.getMessage()
        masked = self.masked(text)
        if masked != text:
            record.msg, record.args = masked, ()
        return True


def install():
    """Install the filters on the loggers, once per process (idempotent)."""
    wanted = {**dict.fromkeys(ACCESS_LOGGERS, masked_token), CALL_LOGGER: masked_key}
    for name, masked in wanted.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, MaskFilter) for known in logger.filters):
            logger.addFilter(MaskFilter(masked))
