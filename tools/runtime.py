"""The runtime of one run: Odoo, a database server, and databases to clone."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

from . import commands, postgres, processes, templates
from .databases import Databases, drop_prefixed
from .fetch_odoo import OdooSource, odoo_source
from .messages import UserError, echo, step
from .odoo_config import environment_of, odoo_command, write_config
from .run_folder import RunFolder

#: Variable with what a run lends to the processes that it starts.
SHARED = "ORDAGE_SHARED"


class Runtime:
    """Everything started for one run; ended by :meth:`close` or with this process.

    A process that was started with :meth:`shared` uses the server and the templates of that run, and
    has databases of its own on it.

    Must be created in the main thread and inside the private Python environment. Processes that were
    started before are not stopped.
    """

    def __init__(self) -> None:
        others = processes.running()
        self.source: OdooSource = odoo_source()
        self._run = RunFolder(on_residue=_drop_residual_databases)
        self.folder: Path = self._run.path
        self._numbers = itertools.count(1)
        self._addon_templates: dict[str, str] = {}
        self._postgres: postgres.PrivatePostgres | None = None
        data_dir = self.folder / "odoo"
        token = self.folder.name.rsplit("-", 1)[1]
        if SHARED in os.environ:
            self._join(json.loads(os.environ[SHARED]), token)
        elif existing := postgres.existing_server():
            prefix = f"{templates.SERVER_PREFIX}{token}_"
            self._run.note(prefix=prefix)
            self.server = existing
            self.databases = Databases(existing, data_dir, prefix)
            self._run.at_end(self.databases.drop_all)
            self._base, self._base_files = templates.base_on_server(self.source, existing, data_dir)
        else:
            cluster = templates.base_cluster(self.source, self.folder / "t")
            self._postgres = postgres.PrivatePostgres(self.folder / "pg")
            self._postgres.copy_from(cluster / "data")
            self.server = self._postgres.start()
            self.databases = Databases(self.server, data_dir)
            self._base, self._base_files = "base", cluster / "filestore"
            self._run.at_end(self._postgres.kill)
        self._run.at_end(functools.partial(processes.stop_all, except_for=others))
        echo(
            f"Odoo {self.source.version}, PostgreSQL {self.server.version}, "
            f"run folder {self.folder}"
        )

    def _join(self, lent: dict[str, Any], token: str) -> None:
        self.server = postgres.Server(**lent["server"])
        prefix = f"{lent['prefix']}{token}_"
        self.databases = Databases(self.server, Path(lent["data_dir"]), prefix)
        self._run.at_end(self.databases.drop_all)
        self._base, self._base_files = lent["base"], Path(lent["base_files"])
        self._addon_templates = lent["templates"]

    def shared(self, *languages: str) -> dict[str, str]:
        """Return the variables with which other processes use this run's server and templates.

        :param languages: languages of which they need the database with the addon, see
            :meth:`addon_database`
        :return: variables for their environment
        """
        for language in languages:
            self._addon_template(language)
        lent = {
            "server": dataclasses.asdict(self.server),
            "prefix": self.databases.prefix,
            "data_dir": str(self.databases.data_dir),
            "base": self._base,
            "base_files": str(self._base_files),
            "templates": self._addon_templates,
        }
        return {SHARED: json.dumps(lent)}

    @property
    def postgres(self) -> postgres.PrivatePostgres | None:
        """Return the run's own database server, or None if an existing one is used."""
        return self._postgres

    def plain_database(self, short: str = "plain") -> str:
        """Clone the database that has only Odoo's standard addons.

        :param short: prefix of its name
        :return: the copy's name on the server
        """
        name = self._new_name(short)
        self.databases.clone(self._base, name, template_files=self._base_files)
        return name

    def addon_database(self, short: str = "db", *, language: str = "") -> str:
        """Clone the database with the addon, which is installed once per run.

        :param short: prefix of its name
        :param language: a second active language; English stays the default
        :return: the copy's name on the server
        """
        name = self._new_name(short)
        self.databases.clone(self._addon_template(language), name)
        return name

    def _addon_template(self, language: str) -> str:
        if language not in self._addon_templates:
            template = self.plain_database("addon")
            self.install(template, language=language)
            self._addon_templates[language] = template
        return self._addon_templates[language]

    def install(
        self, database: str, *addons: str, language: str = "", demo: bool = False, **config: object
    ) -> None:
        """Install addons into a database.

        :param database: its name on the server
        :param addons: their names, by default the addon; dependencies are installed too
        :param language: a second language to activate; English stays the default
        :param demo: whether to install their demo data
        :param config: further options of Odoo's configuration file
        :raise UserError: if Odoo fails, or the addon's demo data could not be loaded
        """
        addons = addons or (templates.ADDON,)
        options = ["--with-demo"] if demo else []
        if language:
            options.append(f"--load-language=en_US,{language}")
        with step(f"installing {', '.join(addons)}"):
            log = templates.install(
                self.source, self.databases, database, self.folder, addons, *options, **config
            )
        if failed := re.search(rf"Module {templates.ADDON} demo data failed.*", log, re.DOTALL):
            raise UserError(f"The demo data could not be loaded:\n{failed[0][-3000:]}")

    def run_odoo(self, database: str, *command: str) -> str:
        """Run an Odoo command on a database.

        :param database: its name on the server
        :param command: options, or a subcommand such as ``neutralize`` with its own
        :return: its output
        """
        config = self.config(f"command-{database}", database)
        first, script, *config_options = odoo_command(self.source, config)
        subcommand = [] if command[0].startswith("-") else [command[0]]
        return commands.run(
            [first, script, *subcommand, *config_options, *command[len(subcommand) :]],
            env=environment_of(self.source),
            failure=f"Odoo could not do {' '.join(command)}.",
        )

    def config(self, name: str, database: str, **options: object) -> Path:
        """Write a configuration file of Odoo into the run's folder.

        :param name: its name, without ending
        :param database: the name of the database that Odoo serves
        :param options: further options, with precedence
        :return: the file
        """
        file = self.folder / f"{name}.conf"
        return write_config(file, self.source, self.databases, database, **options)

    def free_name(self, short: str) -> Path:
        """Return an unused path in the run's folder.

        :param short: prefix of its name
        :return: the path
        """
        return self.folder / f"{short}-{next(self._numbers)}"

    def close(self) -> None:
        """Stop everything and remove the run's folder."""
        self._run.remove()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _new_name(self, short: str) -> str:
        return self.databases.name(f"{short}_{next(self._numbers)}")


def _drop_residual_databases(notes: dict[str, str]) -> None:
    prefix = notes.get("prefix", "")
    existing = postgres.existing_server()
    if existing and prefix.startswith(templates.SERVER_PREFIX):
        drop_prefixed(existing, prefix)
