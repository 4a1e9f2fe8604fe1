"""Tests inside Odoo that run in two processes do not remove each other's stored files."""

from __future__ import annotations

from pathlib import Path

from tools.pytest_filestore import own_data_dir


def test_processes_add_and_remove_files_of_their_own(tmp_path: Path) -> None:
    common = tmp_path / "data" / "filestore" / "test" / "common"
    common.parent.mkdir(parents=True)
    common.write_bytes(b"of both")
    configs = [{"data_dir": str(tmp_path / "data")} for _ in range(2)]
    for config, worker in zip(configs, ("gw0", "gw1"), strict=True):
        own_data_dir(config, worker)
    first, second = (Path(config["data_dir"]) / "filestore" / "test" for config in configs)
    (first / "new").write_bytes(b"of the first")
    (first / "common").unlink()
    assert sorted(file.name for file in first.iterdir()) == ["new"]
    assert (second / "common").read_bytes() == common.read_bytes() == b"of both"
    assert not (second / "new").exists()
