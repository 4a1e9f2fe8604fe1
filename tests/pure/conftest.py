"""Let pure tests import ``keycrm`` without the addon, which needs Odoo."""

import socket
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "ordage_keycrm"))


@pytest.fixture
def dripping():
    """Return a context manager: a server that answers with single bytes, each of them in time.

    It takes the bytes that are sent at once, before the slow ones, and returns host and port.
    """

    @contextmanager
    def server(data):
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def answer():
                connection, _address = listening.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(data)
                    while True:
                        connection.sendall(b"x")
                        time.sleep(0.05)

            Thread(target=answer, daemon=True).start()
            yield f"127.0.0.1:{listening.getsockname()[1]}"

    return server
