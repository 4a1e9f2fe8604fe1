"""A process that is made to die at a chosen point, and started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.odoo_server import OdooServer

#: Seconds for a piece of work, also when the machine is busy.
LONG = 120


class CrashServer:
    """An Odoo process that ends itself at chosen points; see ``addons/keycrm_faults``.

    :param odoo: the process
    :param folder: where it is steered from
    """

    def __init__(self, odoo: OdooServer, folder: Path) -> None:
        self.odoo = odoo
        self._folder = folder

    def forget(self) -> None:
        """Forget the points that were seen, and the plan."""
        for name in ("seen", "plan", "died"):
            (self._folder / name).unlink(missing_ok=True)

    def seen(self) -> list[str]:
        """List the points that were passed, each once, in their order."""
        return list(dict.fromkeys((self._folder / "seen").read_text().splitlines()))

    def plan(self, point: str) -> None:
        """Let the process die when it reaches a point for the first time from now on."""
        self.forget()
        written = self._folder / "written"
        written.write_text(point)
        written.rename(self._folder / "plan")

    def let_kill(self, address: str) -> None:
        """Let each answer from an address of KeyCRM end the process; an empty one lets it live."""
        deadly = self._folder / "deadly"
        if address:
            deadly.write_text(address)
        else:
            deadly.unlink()

    def died(self) -> bool:
        """Return whether it died as planned."""
        return (self._folder / "died").exists()

    def start_again(self) -> None:
        """Start it as a person or a supervisor does after a crash, and let its scheduler look.

        Of a server with workers only the worker died, and the server starts another one by itself.
        Odoo's scheduler looks for the first time up to 70 seconds after a start; it is told to look
        at once, as any other wake-up would.
        """
        if not self.odoo.is_alive():
            self.odoo.kill()
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KEYCRM_FAULTS", str(self._folder))
                self.odoo.start()
        self.wake()

    def wake(self) -> None:
        """Let Odoo's scheduler look for what is due."""
        wake_scheduler(self.odoo)


def wake_scheduler(odoo: OdooServer) -> None:
    """Let Odoo's scheduler look for what is due, without changing anything in the database."""
    odoo.runtime.server.query("postgres", "SELECT pg_notify('cron_trigger', %s)", (odoo.database,))
