"""The linters of a commit are those of ``make lint``."""

from __future__ import annotations

import shlex

import pytest
import yaml

from tools import lint, references
from tools.messages import UserError
from tools.paths import REPOSITORY

HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
PREFIX = ["python3", "-m", "tools", "lint"]


@pytest.fixture
def linters(tmp_path):
    return [name for name, _command in lint._commands(tmp_path, fix=False)]


def test_each_linter_runs_in_exactly_one_hook(linters):
    chosen = []
    for hook in HOOKS:
        *command, beginning = shlex.split(hook["entry"])
        assert command == PREFIX
        found = [name for name in linters if name.startswith(beginning)]
        assert found, hook["id"]
        chosen += found
    assert sorted(chosen) == sorted(linters)


def test_a_chosen_linter_runs_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(lint.venv, "environment", lambda _kind: tmp_path)
    commands = [("one a", ["true"]), ("one b", ["false"]), ("two", ["false"])]
    monkeypatch.setattr(lint, "_commands", lambda _programs, fix: commands)
    assert lint.failures("one") == ["one b"]
    assert lint.main(["lint", "one a"]) == 0
    assert "two" not in capsys.readouterr().out
    with pytest.raises(UserError, match="three is no linter: one a, one b, two"):
        lint.failures("three")


@pytest.mark.parametrize(
    ("reference", "found"),
    [(":meth:`run`", 0), (":class:`~.jobs.Job`", 0), (":class:`Job`", 1), (":mod:`~..jobs`", 1)],
)
def test_references_of_docstrings_exist(reference, found, tmp_path):
    (tmp_path / "jobs.py").write_text("class Job:\n    pass\n")
    (tmp_path / "runner.py").write_text(f'"""See {reference}."""\n\n\ndef run():\n    pass\n')
    assert references.main(str(tmp_path)) == found
