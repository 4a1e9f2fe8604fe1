"""Keep secrets out of log lines that Odoo itself writes: the webhook's token, and an API key being saved."""

import logging
import re

#: Loggers with a line a request: of Odoo's threads and workers, of its process for live connections, and
#: (at the level DEBUG) of requests that leave, as "Check link" does.
ACCESS_LOGGERS = ("werkzeug", "longpolling", "urllib3.connectionpool")
#: Logger to which Odoo writes each call from outside with all its values, at the level DEBUG.
CALL_LOGGER = "odoo.service.model"
#: A client may spell the slashes in another way; the server understands it all the same.
_TOKEN = re.compile(r"(keycrm(?:/|%2f)+webhook(?:/|%2f)+)[^\s\"'?#]+", re.IGNORECASE)
#: A value as Python writes it, of a field that holds the key.
_KEY = re.compile(r"""(['"](?:keycrm_)?api_key['"]:\s*)('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
#: An imported table names its columns once and has the values elsewhere.
_TABLE = re.compile(r"(keycrm\.account.*?\.load\().*api_key.*", re.DOTALL)


def masked_token(text):
    """Mask the webhook's secret in a text."""
    return _TOKEN.sub(r"\1***", text)


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
