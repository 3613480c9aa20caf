"""The booklet as PDF: tagged, every page with its foot, one clear line where it cannot be made."""

import builtins
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kyphoplan.cli import app
from kyphoplan.errors import NotFoundError
from kyphoplan.report.booklet import write_booklet_pdf
from kyphoplan.report.booklet.pdf import ABSENT

from .test_page import page_of

HISTORY = "My history and medicines on one page"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pdf") / "patient.pdf"
    try:
        write_booklet_pdf(page_of("fit"), file)
    except NotFoundError as error:
        pytest.skip(f"no PDF was made: {error}")
    return file


def unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def test_it_is_tagged_and_names_its_language_and_standard(made: Path) -> None:
    data = made.read_bytes()
    assert data.startswith(b"%PDF")
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    plain = data + b"".join(map(unpacked, packed))
    for mark in (b"/MarkInfo", b"/StructTreeRoot", b"/Lang", b"pdfuaid", b"/Alt"):
        assert mark in plain


def test_every_page_has_its_foot_and_the_history_fits_on_one(made: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext: the pages were not read")
    text = subprocess.run([reader, "-layout", made, "-"], check=True, capture_output=True).stdout
    pages = text.decode().split("\f")[:-1]
    assert 15 <= len(pages) <= 30
    for page in pages:
        assert "Research and teaching use, not for diagnosis or treatment" in page
        assert "26 November 2026" in page
        assert "scan 0123456789ab" in page
    sheet = next(page for page in pages if HISTORY in page and "What the record says" in page)
    assert "paracetamol" in sheet
    assert "Somebody who takes you home" in sheet


def test_without_weasyprint_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def refusing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "weasyprint":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(NotFoundError, match=r"pip install 'kyphoplan\[pdf\]'"):
        write_booklet_pdf("<p>", tmp_path / "patient.pdf")
    assert "\n" not in ABSENT


def test_the_command_line_refuses_a_pdf_before_it_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kyphoplan.cli.options.find_spec", lambda _: None)
    for command in (["run", "-s", "x"], ["assess", "-p", "x"]):
        result = CliRunner().invoke(app, [*command, "-o", "y", "--pdf"])
        assert result.exit_code == 2
        assert "WeasyPrint is not installed" in result.output
