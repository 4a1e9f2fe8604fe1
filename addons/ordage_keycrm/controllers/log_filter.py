"""Keep secrets out of log lines that Odoo itself writes: the webhook's token, and an API key being saved."""

import logging
import re
from urllib.parse import unquote

#: Loggers with a line a request: of Odoo's threads and workers, of its process for live connections, and
#: (at the level DEBUG) of requests that leave, as "Check link" does, of the languages in addresses, and of
#: queries, which look for an attachment at an address that leads nowhere.
ACCESS_LOGGERS = (
    "werkzeug",
    "longpolling",
    "urllib3.connectionpool",
    "odoo.addons.http_routing.models.ir_http",
    "odoo.sql_db",
)
#: Logger to which Odoo writes each call from outside with all its values, at the level DEBUG.
CALL_LOGGER = "odoo.service.model"
#: Without any of these a word is no path of the webhook.
_MARKS = re.compile(r"%|webhook", re.IGNORECASE)
#: What a log line holds between blanks and quotes: a path, an address, words.
_WORD = re.compile(r"""[^\s"']+""")
#: The webhook's path, however it was spelled; its secret follows.
_WEBHOOK = "keycrm/webhook/"
#: A value as Python writes it, of a field that holds the key.
_KEY = re.compile(r"""(['"](?:keycrm_)?api_key['"]:\s*)('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
#: An imported table names its columns once and has the values elsewhere.
_TABLE = re.compile(r"(keycrm\.account.*?\.load\().*api_key.*", re.DOTALL)


def masked_token(text):
    """Mask the webhook's secret in a text."""
    return _WORD.sub(_masked_word, text)


def is_webhook(path):
    """Return whether a path leads to the webhook's controller, or looks like it."""
    return _WEBHOOK in _plain(path)


def _masked_word(word):
    plain = _plain(word[0])
    begin, found, _secret = plain.partition(_WEBHOOK)
    return f"{begin}{found}***" if found else word[0]


def _plain(path):
    """Spell a path in one way: a client may encode its characters, also twice, turn its slashes, repeat
    them, and put in segments that lead nowhere. The server, or a proxy before it, understands it all the
    same."""
    if not _MARKS.search(path):
        return path
    for _ in range(3):
        path = unquote(path)
    path = path.replace("\\x5c", "/").replace("\\", "/")
    scheme, found, rest = path.partition("://")
    if found:
        return f"{scheme}{found}{_without_dots(rest)}"
    return _without_dots(path)


def _without_dots(path):
    end = "/" if path.endswith("/") else ""
    kept = []
    for segment in path.split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", ".", ".."):
            kept.append(segment)
    return ("/" if path.startswith("/") else "") + "/".join(kept) + end


def masked_key(text):
    """Mask the API key in a call as Odoo logs it."""
    return _TABLE.sub(r"\1***)", _KEY.sub(r"\1'***'", text)) if "api_key" in text else text


class MaskFilter(logging.Filter):
    """Put stars in the place of a secret, whatever the line is for.

    :param masked: makes the text to be logged out of the one that was meant
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
    """Let the filters see each line; once a process."""
    wanted = {**dict.fromkeys(ACCESS_LOGGERS, masked_token), CALL_LOGGER: masked_key}
    for name, masked in wanted.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, MaskFilter) for known in logger.filters):
            logger.addFilter(MaskFilter(masked))
