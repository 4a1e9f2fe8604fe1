"""``make serve``: both sides set up as in the demo and left running for a person to look at."""

from __future__ import annotations

import os
import signal

from .demo import Demo, start
from .messages import Trouble, say
from .runtime import Runtime
from .waiting import is_taken


def main(_arguments: list[str]) -> int:
    """Start, print the addresses, run until Ctrl-C.

    :return: never; a signal ends it
    """
    odoo_port = _port("ODOO_PORT", 8069)
    sandbox_port = _port("SANDBOX_PORT", 8099)
    with Runtime() as runtime:
        odoo, sandbox = start(runtime, odoo_port, sandbox_port)
        Demo(odoo, sandbox).run()
        print(
            f"Odoo:    {odoo.url}   login admin, password admin\n"
            f"KeyCRM:  {sandbox.url}   (its orders and stock, and buttons to change them)\n"
            f"Logs:    {odoo.log}, {sandbox.log}\n",
            flush=True,
        )
        say("running until Ctrl-C; then everything is removed")
        while True:
            signal.pause()


def _port(variable: str, usual: int) -> int:
    text = os.environ.get(variable) or str(usual)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Trouble(f"{variable}={text} is no port: choose one from 1 to 65535.")
    if is_taken(int(text)):
        raise Trouble(
            f"Port {text} is taken by another program: stop it, or choose another port "
            f"(make serve {variable}={int(text) + 1})."
        )
    return int(text)
