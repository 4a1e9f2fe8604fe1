"""The documents of the sandbox list all switches, faults and methods."""

from __future__ import annotations

from pathlib import Path

from sandbox import fields
from sandbox.control import Control
from sandbox.faults import KINDS
from sandbox.switches import SWITCHES

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = "".join((DOCS / name).read_text("utf-8") for name in ("sandbox.md", "sandbox-control.md"))


def row(name: str) -> str:
    return next((line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |")), "")


def test_every_switch_is_documented_with_default_and_values():
    for switch in SWITCHES.values():
        values = row(switch.name).split(" | ")[-1]
        assert values.startswith(f"`{switch.default}`"), switch.name
        for value, meaning in switch.values.items():
            assert f"`{value}` {meaning}" in values, (switch.name, value)


def test_every_kind_of_misbehaviour():
    for kind, meaning in KINDS.items():
        assert meaning in row(kind)


def test_every_method_of_the_control_side_is_documented():
    for name in vars(Control).keys() | {n for c in Control.__mro__[1:-1] for n in vars(c)}:
        if not name.startswith("_") and name != "close":
            assert f"`{name}`" in TEXT or f"`{name}(" in TEXT, name


def test_every_field_is_documented():
    for kind in ("ORDER", "LINE", "PAYMENT", "BUYER", "OFFER", "STATUS", "TRANSACTION"):
        for name in getattr(fields, kind):
            assert f"`{name}`" in TEXT, (kind, name)
