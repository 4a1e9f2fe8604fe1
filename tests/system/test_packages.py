"""Installation of the wheels and the zip in an Odoo without the repository."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import package, shop, terms
from tools import venv as environments
from tools.odoo_config import environment_of
from tools.odoo_server import OdooServer
from tools.paths import ADDONS

#: Names of all addons.
ALL = terms.addons()
INSTALLED = """
import importlib.metadata as metadata
import sys
for name in sys.argv[1:]:
    for requirement in metadata.requires(name):
        print(requirement)
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return package.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory):
    """Create a Python environment with Odoo's requirements for a package."""
    folder = tmp_path_factory.mktemp("clean") / "environment"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    python = environments.python_of(folder)
    ours = sysconfig.get_path("purelib")
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(purelib) / "what_odoo_needs.pth").write_text(f"{ours}\n")
    return python


@pytest.fixture(scope="module", params=["wheels", "zip"])
def odoo(request, runtime, packages, clean_python, tmp_path_factory):
    archive, *wheels = packages
    scratch = tmp_path_factory.mktemp("scratch")
    if request.param == "wheels":
        installer = environments.find_pip(scratch)
        options = ("--no-index", "--no-deps", "--disable-pip-version-check")
        run(installer, "-m", "pip", "--python", clean_python, "install", *options, *wheels)
        where, addons_path, addons_to_install = clean_python, "", ALL
    else:
        # It holds the same files as the wheels, see tests/tools/test_package.py: one addon is enough.
        addons_to_install = ["ordage_keycrm"]
        addons_path = scratch / "my addons"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(addons_path)
        where = Path(sys.executable)
    addons = [*runtime.source.addons, addons_path]
    database = runtime.plain_database("package")
    server = OdooServer(
        runtime, database, python=where, addons_path=",".join(str(a) for a in addons if a)
    )
    yield server.start(300, install=",".join(addons_to_install))
    server.kill()
    runtime.databases.drop(database)


def run(python, *arguments, **options):
    ran = subprocess.run([python, *arguments], capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_an_installed_package_imports_an_order(odoo, account, wait_for):
    assert str(ADDONS) not in odoo.log_text()
    made = account.keycrm.create_sample_order()["answer"]
    order = wait_for(lambda: account.order(made["id"], "amount_total"), 60, "the order")
    assert shop.money(order["amount_total"]) == shop.money(made["grand_total"])


def test_an_odoo_19_environment_has_what_the_wheels_require(odoo, runtime, packages, clean_python):
    del odoo  # installed the wheels
    wheels = [f"odoo-addon-{name}" for name in ALL]
    required = [
        Requirement(line) for line in run(clean_python, "-c", INSTALLED, *wheels).splitlines()
    ]
    assert {one.name for one in required} == {
        *("odoo", "odoo-addon-ordage_keycrm", "cryptography", "requests")
    }
    code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    for one in required:
        version = run(clean_python, "-c", code, one.name, env=environment_of(runtime.source))
        assert one.specifier.contains(version.strip()), one
