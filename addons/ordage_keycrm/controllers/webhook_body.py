"""The body of a webhook is read before Odoo takes a database connection.

Odoo opens a cursor before it calls a controller, so a client that sends its body byte by byte would hold a
database connection for as long as it likes; seventy of them would keep everybody out. Nothing in Odoo runs
earlier but the WSGI application itself: so there the body is read, for the webhook's path alone, up to a size
and for a time, counted in bytes that were read, however they were sent.
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

#: Where the controller finds why there is no body.
FAULT = "keycrm.body_fault"
TOO_LARGE, INCOMPLETE = "too_large", "incomplete"


def read_ahead(environ):
    """Read the body of a request and put it in the place of the connection.

    :param environ: WSGI environment; with :data:`FAULT` where the body is too large or did not come in time
    """
    if _announced(environ) > WEBHOOK_MAX_BYTES:
        environ[FAULT] = TOO_LARGE
        return
    connection = environ.get("werkzeug.socket")
    timer = threading.Timer(WEBHOOK_SECONDS, _stop_reading, [connection])
    timer.daemon = True
    if connection is not None:
        timer.start()
    try:
        # One more byte than allowed tells that there are more.
        stream = get_input_stream(environ, max_content_length=None)
        body = _read(stream, WEBHOOK_MAX_BYTES + 1)
    except (OSError, HTTPException):
        body = None
    finally:
        timer.cancel()
    if body is None or len(body) < _announced(environ):
        environ[FAULT] = INCOMPLETE
        return
    if len(body) > WEBHOOK_MAX_BYTES:
        environ[FAULT] = TOO_LARGE
        return
    for name in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)


def _announced(environ):
    """:return: the length that the request names; 0 without one"""
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
    """The time is up: whoever reads finds the end. The answer can still be written."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        _logger.debug("KeyCRM: the connection of a slow webhook is gone")


def install():
    """Let each webhook's body be read ahead; once a process."""
    call = http.Application.__call__
    if getattr(call, "keycrm_reads_ahead", False):
        return

    def __call__(self, environ, start_response):
        if environ.get("REQUEST_METHOD") == "POST" and is_webhook(environ.get("PATH_INFO", "")):
            read_ahead(environ)
        return call(self, environ, start_response)

    __call__.keycrm_reads_ahead = True
    http.Application.__call__ = __call__
