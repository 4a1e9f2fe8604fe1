"""Read the body of a webhook before Odoo takes a database connection.

Odoo opens a cursor before it calls a controller, so a client that sends its body byte by byte would
hold a database connection for as long as it sends; seventy of them would block all users. Only the WSGI
application runs before that, so the body is read there, for the webhook's path alone and within limits
of size and time. The size is that of the bytes that were read, so the limit holds for any transfer
encoding.
"""

import io
import logging
import socket
import threading

from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import get_input_stream

from odoo import http

from ..const import WEBHOOK_MAX_BYTES, WEBHOOK_SECONDS
from .log_filter import is_webhook

_logger = logging.getLogger(__name__)

#: Key in the WSGI environment for the reason why there is no body.
FAULT = "keycrm.body_fault"
TOO_LARGE, INCOMPLETE = "too_large", "incomplete"


def read_ahead(environ):
    """Read the body of a request and replace the input stream by it.

    :param environ: WSGI environment; receives :data:`FAULT` where the body is too large or was not
        received in time
    """
    if _declared_length(environ) > WEBHOOK_MAX_BYTES:
        environ[FAULT] = TOO_LARGE
        return
    connection = environ.get("werkzeug.socket")
    timer = threading.Timer(WEBHOOK_SECONDS, _stop_reading, [connection])
    timer.daemon = True
    if connection is not None:
        timer.start()
    try:
        # Reading one more byte than allowed shows whether the body is too large.
        stream = get_input_stream(environ, max_content_length=None)
        body = _read(stream, WEBHOOK_MAX_BYTES + 1)
    except (OSError, HTTPException):
        body = None
    finally:
        timer.cancel()
    if body is None or len(body) < _declared_length(environ):
        environ[FAULT] = INCOMPLETE
        return
    if len(body) > WEBHOOK_MAX_BYTES:
        environ[FAULT] = TOO_LARGE
        return
    for name in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)


def _declared_length(environ):
    """Return the length that the request declares.

    :param environ: WSGI environment
    :return: number of bytes; 0 without a header
    """
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _read(stream, most):
    body = b""
    while len(body) < most and (part := stream.read(most - len(body))):
        body += part
    return body


def _stop_reading(connection):
    """End a read whose time is up; the response can still be written.

    :param connection: socket, whose reader then receives the end of the stream
    """
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        _logger.debug("KeyCRM: the connection of a slow webhook is gone")


def install():
    """Install the reader on Odoo's WSGI application, once per process (idempotent)."""
    call = http.Application.__call__
    if getattr(call, "keycrm_reads_ahead", False):
        return

    def __call__(self, environ, start_response):
        if environ.get("REQUEST_METHOD") == "POST" and is_webhook(environ.get("PATH_INFO", "")):
            read_ahead(environ)
        return call(self, environ, start_response)

    __call__.keycrm_reads_ahead = True
    http.Application.__call__ = __call__
