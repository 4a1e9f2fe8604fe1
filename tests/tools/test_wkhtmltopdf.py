"""Odoo finds wkhtmltopdf, or its absence is reported."""

from __future__ import annotations

import subprocess

try:
    from pypdf import PdfReader
except ImportError:
    from PyPDF2 import PdfReader

from tools import debian_program, wkhtmltopdf

PAGE = "<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>{}</body></html>"


def test_missing_wkhtmltopdf_is_no_failure_and_is_reported(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(debian_program, "_RELEASE", tmp_path / "no-os-release")
    assert wkhtmltopdf.environment() == {}
    printed = capsys.readouterr()
    assert "web pages, not as PDF files" in printed.out + printed.err
    assert "apt-get install wkhtmltopdf" in printed.out + printed.err


def test_installed_wkhtmltopdf_is_used(monkeypatch, tmp_path):
    program = tmp_path / "wkhtmltopdf"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wkhtmltopdf.environment() == {}


def test_documents_are_printed_into_one_file_with_a_page_each(tmp_path):
    folder = tmp_path / "it's here"
    folder.mkdir()
    bodies = [folder / f"report.body.tmp.{number}.x y.html" for number in range(3)]
    for number, body in enumerate(bodies):
        body.write_text(PAGE.format(f"Накладна {number}"))
    result = folder / "report.pdf"
    subprocess.run(
        ["wkhtmltopdf", "--disable-local-file-access", "--quiet", *bodies, result],
        env={"PATH": "/usr/bin:/bin", **wkhtmltopdf.environment()},
        check=True,
    )
    pages = [page.extract_text() for page in PdfReader(result).pages]
    assert [text.split() for text in pages] == [["Накладна", str(n)] for n in range(3)]
