"""Packages of ``make package``, and pictures of each addon for the list of apps."""

from __future__ import annotations

import ast
import zipfile

import pytest
from PIL import Image

from tools import git_history, package

ADDONS = package.addons()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return package.build(tmp_path_factory.mktemp("dist") / "new folder")


def test_zip_and_wheels_contain_the_same_files(packages):
    archive, *wheels = packages
    in_wheels = set()
    for wheel in wheels:
        names = zipfile.ZipFile(wheel).namelist()
        in_wheels |= {name for name in names if ".dist-info/" not in name}
    in_zip = {f"odoo/addons/{name}" for name in zipfile.ZipFile(archive).namelist()}
    assert in_zip == in_wheels
    for addon in ADDONS:
        for name in ("LICENSE", "__manifest__.py", "i18n/uk.po"):
            assert f"odoo/addons/{addon.name}/{name}" in in_zip


def test_packages_contain_exactly_the_files_in_git(packages):
    listed = git_history.files("addons")
    if not listed:
        pytest.skip("this copy of the repository has no git")
    recipes = {f"{addon.name}/pyproject.toml" for addon in ADDONS}
    licenses = {f"{addon.name}/LICENSE" for addon in ADDONS}
    in_git = {name.removeprefix("addons/") for name in listed} - recipes
    assert set(zipfile.ZipFile(packages[0]).namelist()) == in_git | licenses


def test_the_same_sources_give_the_same_packages(packages, tmp_path):
    again = package.build(tmp_path)
    assert [one.name for one in again] == [one.name for one in packages]
    assert [one.read_bytes() for one in again] == [one.read_bytes() for one in packages]


def test_each_addon_has_a_banner_of_its_own():
    banners = {(addon / "static/description/banner.png").read_bytes() for addon in ADDONS}
    assert len(banners) == len(ADDONS)


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.name)
def test_pictures_of_the_manifest_exist_and_the_banner_has_its_shape(addon):
    images = ast.literal_eval((addon / "__manifest__.py").read_text())["images"]
    for image in images:
        with Image.open(addon / image) as opened:
            opened.verify()
    assert images[0] == "static/description/banner.png"
    with Image.open(addon / images[0]) as banner:
        width, height = banner.size
    assert width >= 560 and width == 2 * height
