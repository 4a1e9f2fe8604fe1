"""``python -m sandbox``: start a KeyCRM simulator on this machine."""

from __future__ import annotations

import argparse
import errno
import os
import secrets
import sys
from datetime import timedelta

from .app import Sandbox
from .seed import Seed
from .server import is_loopback, listen, serve
from .switches import BadSwitch, Switches, listing


def parser() -> argparse.ArgumentParser:
    """Describe the command line.

    :return: the parser
    """
    found = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A KeyCRM that runs on this machine: its API below /v1, a web page "
        "at /, a control interface for tests below /control.",
        epilog="Environment: SANDBOX_HOST, SANDBOX_PORT, SANDBOX_KEY, SANDBOX_CONTROL_TOKEN are "
        "the defaults of these options.",
    )
    env = os.environ.get
    found.add_argument(
        "--host",
        default=env("SANDBOX_HOST") or "127.0.0.1",
        help="address to listen on (127.0.0.1)",
    )
    found.add_argument(
        "--port",
        default=env("SANDBOX_PORT") or "8099",
        help="port to listen on, 0 for any free one (8099)",
    )
    found.add_argument(
        "--key", default=env("SANDBOX_KEY"), help="API key; generated and printed by default"
    )
    found.add_argument(
        "--control-token",
        default=env("SANDBOX_CONTROL_TOKEN"),
        help="token of the control interface; generated and printed by default",
    )
    found.add_argument("--seed", type=int, default=1, help="seed number of the data (1)")
    found.add_argument("--orders", type=int, default=0, help="initial number of orders (0)")
    found.add_argument("--offers", type=int, default=0, help="initial number of offers (0)")
    found.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="answer one of the open questions; may be given several times",
    )
    found.add_argument(
        "--list-switches", action="store_true", help="print all switches and what they mean"
    )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    :param arguments: the command line, without the program's name
    :return: the exit code
    """
    given = parser().parse_args(arguments)
    if given.list_switches:
        print(listing())
        return 0
    try:
        port = _port(given.port)
        switches = _switches(given.switch)
        if given.orders < 0 or given.offers < 0:
            raise ValueError("--orders and --offers take a number from 0 on")
    except ValueError as error:
        return _fail(f"{error}.")
    try:
        opened = listen(given.host, port)
    except OverflowError:
        return _fail(f"{port} is no port: choose one from 0 to 65535.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _fail(
                f"Port {port} is taken by another program: stop it, or choose another port with "
                "--port (0 takes any free one)."
            )
        return _fail(f"Cannot listen on {given.host} port {port}: {error.strerror or error}.")
    key = given.key or _generated("API key")
    token = given.control_token or _generated("control token")
    sandbox = Sandbox(key, token, switches, is_loopback(given.host))
    sandbox.own_process = True
    # An hour ago: records older than the connection are no updates.
    newest = sandbox.shop.now().replace(minute=0, second=0) - timedelta(hours=1)
    sandbox.fill(Seed(sandbox.shop, given.seed, newest), orders=given.orders, offers=given.offers)
    serve(sandbox, opened)
    return 0


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise ValueError(f"{text} is no port: choose one from 0 to 65535")
    return int(text)


def _switches(given: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise BadSwitch(f"--switch takes NAME=VALUE, not {item!r}")
        found[name.strip()] = value
    Switches(found)
    return found


def _generated(what: str) -> str:
    value = secrets.token_urlsafe(18)
    print(f"{what}: {value}", file=sys.stderr, flush=True)
    return value


def _fail(sentence: str) -> int:
    print(f"sandbox: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
