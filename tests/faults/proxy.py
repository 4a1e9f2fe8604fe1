"""The wire between Odoo and KeyCRM, which can be cut: then connections are refused, as really happens."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from tools.waiting import free_port


class Wire:
    """Forwards connections from a port of its own.

    :param url: where to, such as ``http://127.0.0.1:8099``
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._listening: socket.socket | None = None
        self._open: list[socket.socket] = []

    def join(self) -> Wire:
        """Let connections through."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()
        return self

    def cut(self) -> None:
        """Break all connections and refuse new ones."""
        for one in (self._listening, *self._open):
            if one:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._listening, self._open = None, []

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _address = listening.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            self._open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
