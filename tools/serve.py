"""``make serve``: both sides set up as in the demo and left running."""

from __future__ import annotations

import os
import signal

from . import shop
from .demo import Demo, start
from .messages import UserError, echo
from .rpc import Rpc
from .runtime import Runtime
from .waiting import is_taken

UKRAINIAN = "uk"  # login and password


def main(_arguments: list[str]) -> int:
    """Start, print the addresses, run until Ctrl-C.

    :return: never; a signal ends it
    """
    odoo_port = _port("ODOO_PORT", 8069)
    sandbox_port = _port("SANDBOX_PORT", 8099)
    with Runtime() as runtime:
        odoo, sandbox = start(runtime, odoo_port, sandbox_port)
        Demo(odoo, sandbox).run()
        add_languages(odoo.rpc())
        print(
            f"Odoo:            {odoo.url}\n"
            f"  in English:    login admin, password admin\n"
            f"  in Ukrainian:  login {UKRAINIAN}, password {UKRAINIAN}\n"
            f"KeyCRM sandbox:  {sandbox.url}/?lang=en (in Ukrainian: ?lang=uk)\n"
            f"Logs:            {odoo.log}, {sandbox.log}\n",
            flush=True,
        )
        echo("running until Ctrl-C; then everything is removed")
        while True:
            signal.pause()


def add_languages(rpc: Rpc) -> None:
    """Add a second administrator with Ukrainian as language.

    :param rpc: Odoo's administrator
    """
    shop.add_language(rpc, "uk_UA")
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    rpc.create(
        "res.users",
        name="Адміністратор",
        login=UKRAINIAN,
        password=UKRAINIAN,
        lang="uk_UA",
        group_ids=[(6, 0, rpc.read("res.users", admin, "group_ids")["group_ids"])],
    )


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise UserError(f"{variable}={text} is no port: choose one from 1 to 65535.")
    if is_taken(int(text)):
        raise UserError(
            f"Port {text} is taken by another program: stop it, or choose another port "
            f"(make serve {variable}={int(text) + 1})."
        )
    return int(text)
