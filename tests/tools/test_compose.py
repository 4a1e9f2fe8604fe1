"""docker-compose.yml names existing files, variables and ports."""

from __future__ import annotations

import re

import pytest
import yaml

from sandbox.__main__ import parser
from tools.paths import ADDONS, REPOSITORY
from tools.templates import ADDON

TEXT = (REPOSITORY / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
DOCKERFILE = (REPOSITORY / "sandbox" / "Dockerfile").read_text()
USED = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
EXAMPLE = dict(
    line.split("=", 1)
    for line in (REPOSITORY / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)


def test_example_environment_lists_each_variable_with_its_default():
    assert set(re.findall(r"\$\{?(\w+)", TEXT)) == USED.keys()
    assert USED == EXAMPLE


def test_images_are_odoo_19_and_a_postgresql_that_it_supports():
    assert SERVICES["odoo"]["image"] == "odoo:19.0"
    name, version = SERVICES["db"]["image"].split(":")
    assert name == "postgres"
    assert 13 <= int(version) <= 18


@pytest.mark.parametrize("service", SERVICES)
def test_every_path_of_a_service_exists(service):
    options = SERVICES[service]
    for volume in options.get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith((".", "/")):
            assert (REPOSITORY / source).is_dir(), source
        else:
            assert source in COMPOSE["volumes"]
    if build := options.get("build"):
        context = REPOSITORY / build["context"]
        assert (context / build["dockerfile"]).is_file()
        copied = re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE)
        assert copied
        for source in copied:
            assert (context / source).exists(), source


def test_every_named_volume_is_used():
    used = {v.split(":")[0] for options in SERVICES.values() for v in options.get("volumes", ())}
    assert set(COMPOSE["volumes"]) <= used


def test_the_addon_is_mounted_read_only_and_installed():
    (mount,) = (v for v in SERVICES["odoo"]["volumes"] if v.startswith("./"))
    source, _target, mode = mount.split(":")
    assert mode == "ro"
    assert (REPOSITORY / source).resolve() == ADDONS
    assert (ADDONS / ADDON / "__manifest__.py").is_file()
    assert f"--init={ADDON}" in SERVICES["odoo"]["command"]


def test_ports_are_those_that_the_programs_listen_on():
    inside = {
        name: int(options["ports"][0].rsplit(":", 1)[1])
        for name, options in SERVICES.items()
        if "ports" in options
    }
    assert inside == {"odoo": 8069, "sandbox": int(parser().get_default("port"))}
    assert re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)[1] == str(inside["sandbox"])
    assert f"SANDBOX_PORT={inside['sandbox']}" in DOCKERFILE
    for name, port in inside.items():
        assert USED[f"{name.upper()}_PORT"] == str(port)
        health = " ".join(SERVICES[name]["healthcheck"]["test"])
        assert f":{port}/" in health


def test_odoo_and_the_database_use_the_same_user_and_password():
    database, odoo = SERVICES["db"]["environment"], SERVICES["odoo"]["environment"]
    assert odoo["HOST"] in SERVICES
    assert odoo["USER"] == database["POSTGRES_USER"]
    assert odoo["PASSWORD"] == database["POSTGRES_PASSWORD"]


def test_the_sandbox_reads_the_variables_that_it_is_given(monkeypatch):
    given = {name: f"{name}-value" for name in SERVICES["sandbox"]["environment"]}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    read = parser()
    assert read.get_default("key") == given["SANDBOX_KEY"]
    assert read.get_default("control_token") == given["SANDBOX_CONTROL_TOKEN"]


def test_sandbox_starts_only_on_request():
    assert SERVICES["sandbox"]["profiles"] == ["sandbox"]
    assert all("profiles" not in SERVICES[name] for name in ("db", "odoo"))


def test_every_service_has_a_health_check():
    for name, options in SERVICES.items():
        assert options["healthcheck"]["test"], name
    assert SERVICES["odoo"]["depends_on"]["db"]["condition"] == "service_healthy"
