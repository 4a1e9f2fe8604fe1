"""wkhtmltopdf, Odoo's PDF printer: the machine's own, or Debian's from the cache."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from . import debian_program
from .messages import UserError, echo

_PACKAGE = "wkhtmltopdf"
_HELP = "Install wkhtmltopdf to print PDF files (on Debian: apt-get install wkhtmltopdf)."

# Debian builds wkhtmltopdf without the patches that let it print several documents into one file,
# so they are joined before.
_SCRIPT = """#!/bin/sh
export {variables}
joined=
for argument; do
    shift
    case $argument in
    */report.body.tmp.*)
        if [ "$joined" ]; then
            echo '<p style="page-break-before: always"></p>' | cat - "$argument" >>"$joined"
            continue
        fi
        joined=$(mktemp --suffix=.html)
        trap 'rm -f "$joined"' EXIT
        cat "$argument" >"$joined"
        argument=$joined
        ;;
    esac
    set -- "$@" "$argument"
done
{program} "$@"
"""


def environment() -> dict[str, str]:
    """Return the variables with which Odoo finds wkhtmltopdf, fetched if missing.

    Without it, Odoo shows its reports as web pages.

    :return: variables to add to Odoo's environment
    """
    if shutil.which(_PACKAGE):
        return {}
    try:
        folder = debian_program.unpacked(_PACKAGE, _PACKAGE, instead=_HELP, finish=_write_script)
    except UserError as error:
        echo(f"Odoo shows slips as web pages, not as PDF files: {error}")
        return {}
    return {"PATH": os.pathsep.join((str(folder / "bin"), os.environ.get("PATH", os.defpath)))}


def _write_script(folder: Path) -> None:
    variables = {
        **debian_program.environment_of(folder),
        "QT_PLUGIN_PATH": str(next(folder.glob("root/usr/lib/*/qt5/plugins"))),
        "QT_QPA_PLATFORM": "offscreen",
    }
    script = folder / "bin" / _PACKAGE
    script.parent.mkdir()
    script.write_text(
        _SCRIPT.format(
            variables=" ".join(f"{name}={shlex.quote(text)}" for name, text in variables.items()),
            program=shlex.quote(str(folder / "root/usr/bin" / _PACKAGE)),
        )
    )
    script.chmod(0o755)
