"""Limit the whole time of an exchange with a server.

A timeout of a socket counts from byte to byte: a server that sends single bytes slowly never exceeds it.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager


class TimeLimitExceeded(requests.exceptions.Timeout):
    """The exchange was cut."""


class TimeLimitAdapter(HTTPAdapter):
    """Cut the connections of a session, in any state, when an exchange takes too long."""

    def __init__(self) -> None:
        # Those of connections, and those of connections that were closed during the exchange: the answer
        # may still be read from them.
        self._sockets: set[socket.socket] = set()
        self._closed: set[socket.socket] = set()
        self._was_cut = False
        super().__init__()

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Limit the exchange within the block.

        :param seconds: for all of it
        :raise TimeLimitExceeded: when it took longer
        """
        self._was_cut = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (requests.exceptions.RequestException, OSError):
            if not self._was_cut:
                raise
        finally:
            timer.cancel()
            self._release()
        if self._was_cut:
            raise TimeLimitExceeded

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        result = super().init_poolmanager(*args, **kwargs)
        self._record_sockets(self.poolmanager)
        return result

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        manager = super().proxy_manager_for(*args, **kwargs)
        self._record_sockets(manager)
        return manager

    def _record_sockets(self, manager: PoolManager) -> None:
        """Let the connections of a pool manager record their sockets."""
        manager.pool_classes_by_scheme = {
            "http": self._recording(HTTPConnectionPool),
            "https": self._recording(HTTPSConnectionPool),
        }

    def _recording(self, pool: type) -> type:
        adapter = self

        class Connection(pool.ConnectionCls):
            def _new_conn(self) -> socket.socket:
                connected = super()._new_conn()
                # A second handle, which stays valid when TLS takes over the first one.
                self._handle = connected.dup()
                adapter._sockets.add(self._handle)
                if adapter._was_cut:
                    adapter._cut()
                return connected

            def close(self) -> None:
                if handle := self.__dict__.pop("_handle", None):
                    adapter._sockets.discard(handle)
                    adapter._closed.add(handle)
                return super().close()

        return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

    def close(self) -> None:
        try:
            return super().close()
        finally:
            self._release()

    def _release(self) -> None:
        while self._closed:
            self._closed.pop().close()

    def _cut(self) -> None:
        """End the connections from another thread."""
        self._was_cut = True
        for one in (*self._sockets, *self._closed):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
