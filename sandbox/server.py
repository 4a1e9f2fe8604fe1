"""Serve the sandbox: open the socket, print a line when ready, stop cleanly."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable

import uvicorn

from .app import Sandbox


def is_loopback(host: str) -> bool:
    """Return whether an address is reachable only from this machine.

    :param host: an address or name
    :return: whether it is a loopback address
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Open the socket.

    :param host: an address or name
    :param port: a port, 0 for any free one
    :return: the listening socket
    :raise OSError: if the address is not to be had
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Declared as TCP: otherwise asyncio keeps Nagle's algorithm and each answer takes 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(1024)
    except BaseException:
        opened.close()
        raise
    return opened


def address(opened: socket.socket) -> str:
    """Return the address of a socket on this machine.

    :param opened: a listening socket
    :return: such as ``http://127.0.0.1:8099``
    """
    host, port = opened.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """The HTTP server, which prints a line when it listens.

    :param sandbox: what it serves
    :param ready: called once it does
    """

    def __init__(self, sandbox: Sandbox, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                sandbox.app,
                interface="asgi3",
                http="h11",
                ws="none",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                # Longer than any test works between two calls: a closed connection resets the next one.
                timeout_keep_alive=3600,
                timeout_graceful_shutdown=1,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def serve(sandbox: Sandbox, opened: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C; print one line when ready.

    :param sandbox: the sandbox
    :param opened: a listening socket
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # the server hands a signal on when it is done; there is nothing left to do then
        signal.signal(number, lambda *_: None)

    def ready() -> None:
        print(f"sandbox ready {address(opened)}", flush=True)

    asyncio.run(Server(sandbox, ready).serve(sockets=[opened]))
