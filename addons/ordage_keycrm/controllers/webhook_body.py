"""Read the body of a webhook before Odoo takes a database connection.

Odoo opens a cursor before it calls a controller, so a client that sends its body byte by byte would
hold a database connection for as long as it sends; seventy of them would block all users. Only the WSGI
application runs before that, so the body is read there, for the webhook's path alone and within limits
of size and time. The size is that of the bytes that were read, so the limit holds for any transfer
encoding. A body that is refused is answered there too: seventy that end at once would need more
connections than Odoo's pool has.
"""

import io
import logging
import socket
import threading
from http import HTTPStatus

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from odoo import http

from ..const import WEBHOOK_MAX_BYTES, WEBHOOK_SECONDS
from .log_filter import is_webhook

_logger = logging.getLogger(__name__)


def read_ahead(environ):
    """Read the body of a request and replace the input stream by it.

    :param environ: WSGI environment
    :return: status of the response where the body is too large or was not received in time; else None
    """
    if _declared_length(environ) > WEBHOOK_MAX_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
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
        return HTTPStatus.REQUEST_TIMEOUT
    if len(body) > WEBHOOK_MAX_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    for name in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return None


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
        _logger.debug("KeyCRM: the connection of a slow webhook was closed")


def install():
    """Install the reader on Odoo's WSGI application, once per process (idempotent)."""
    call = http.Application.__call__
    if getattr(call, "keycrm_reads_ahead", False):
        return

    def __call__(self, environ, start_response):
        is_post = environ.get("REQUEST_METHOD") == "POST"
        is_read = is_post and is_webhook(environ.get("PATH_INFO", ""))
        if is_read and (status := read_ahead(environ)):
            return Response(status=status)(environ, start_response)
        return call(self, environ, start_response)

    __call__.keycrm_reads_ahead = True
    http.Application.__call__ = __call__
