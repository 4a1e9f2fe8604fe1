"""An Odoo process that crashes at a chosen point and is restarted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.odoo_server import OdooServer

#: Seconds for one operation, also on a busy machine.
TIMEOUT = 120


class CrashServer:
    """Control an Odoo process that crashes at points; see ``addons/keycrm_faults``.

    :param odoo: the process
    :param folder: the folder of its control files
    """

    def __init__(self, odoo: OdooServer, folder: Path) -> None:
        self.odoo = odoo
        self._folder = folder

    def reset(self) -> None:
        """Clear the recorded points and the planned crash."""
        for name in ("passed", "plan", "crashed"):
            (self._folder / name).unlink(missing_ok=True)

    def passed_points(self) -> list[str]:
        """List the points that were passed, each once, in order."""
        return list(dict.fromkeys((self._folder / "passed").read_text().splitlines()))

    def plan_crash(self, point: str) -> None:
        """Crash the process when it next reaches a point."""
        self.reset()
        # Renamed into place: the process never reads half a plan.
        written = self._folder / "written"
        written.write_text(point)
        written.rename(self._folder / "plan")

    def crash_on_answer(self, address: str) -> None:
        """Crash at each answer from an address of KeyCRM; an empty one ends that."""
        file = self._folder / "crash_on_answer"
        if address:
            file.write_text(address)
        else:
            file.unlink()

    def has_crashed(self) -> bool:
        """Return whether the planned crash has happened."""
        return (self._folder / "crashed").exists()

    def restart(self) -> None:
        """Start Odoo as a supervisor does after a crash, and notify its scheduler.

        In a server with workers only the worker crashes, and the server starts another one by itself.
        Odoo's scheduler first polls up to 70 seconds after a start, hence the notification.
        """
        if not self.odoo.is_alive():
            self.odoo.kill()
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KEYCRM_FAULTS", str(self._folder))
                self.odoo.start()
        self.notify_scheduler()

    def notify_scheduler(self) -> None:
        """Notify Odoo's scheduler, which then runs the actions that are due."""
        notify_scheduler(self.odoo)


def make_polling_due(odoo: OdooServer) -> None:
    """Make polling due: KeyCRM does not repeat a lost webhook. No user may write that field."""
    statement = "UPDATE keycrm_account SET polled_at = '2020-01-01'"
    odoo.runtime.server.query(odoo.database, statement)


def notify_scheduler(odoo: OdooServer) -> None:
    """Notify Odoo's scheduler without a change in the database."""
    odoo.runtime.server.query("postgres", "SELECT pg_notify('cron_trigger', %s)", (odoo.database,))
