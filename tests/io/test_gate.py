"""No wrong input passes silently: each odd input gets its verdict, and nothing else happens."""

import hashlib
import os
import re
import time
from pathlib import Path

import pytest

from kyphoplan.io.gate import examine
from kyphoplan.io.volumes import shown

from .odd_frames import FRAMES
from .odd_inputs import NIFTI, Odd
from .odd_itk import ITK
from .odd_labels import LABELS
from .odd_pixels import PIXELS
from .odd_series import SERIES

KINDS = (NIFTI, ITK, LABELS, SERIES, PIXELS, FRAMES)
CASES = [case for kind in KINDS for case in kind]
LONGEST_S = 25.0
MOST_LETTERS = 700  # of a refusal: one line, not a page


def state(folder: Path) -> str:
    """Return a hash of all that lies in a folder."""
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        about = file.lstat()
        found.update(os.fsencode(file))
        found.update(f" {about.st_mode} {about.st_mtime_ns} {about.st_size}\n".encode())
    return found.hexdigest()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_odd_input_gets_its_verdict(case: Odd, tmp_path: Path) -> None:
    path = case.build(tmp_path)
    before, start = state(tmp_path), time.monotonic()
    found = examine(
        path,
        labels=case.labels,
        series=case.series,
        scheme=case.scheme,
        assume_orientation=case.orientation,
    )
    assert time.monotonic() - start < LONGEST_S
    assert state(tmp_path) == before
    told = found.reason or {"code": "", "text": ""}
    said = (str(found.verdict), told, [n.code for n in found.notices])
    assert found.verdict == case.verdict, said
    if found.reason is not None:
        assert told["code"] in case.codes, said
        assert told["text"].startswith(f"{shown(path)}: ")
        assert told["text"].count(": ") >= 2  # what, what is wrong, what to do
        assert told["text"].isprintable()
        assert len(told["text"]) < MOST_LETTERS
    else:
        codes = [n.code for n in found.notices]
        assert sorted(codes) == sorted(case.codes), said
        assert all(n.text.isprintable() and n.remedy for n in found.notices)


def test_there_are_enough_cases_and_none_is_told_twice() -> None:
    assert len(CASES) >= 150
    names = [(str(case), case.labels) for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_every_code_of_the_door_is_documented(root: Path) -> None:
    source = "".join(file.read_text() for file in (root / "src" / "kyphoplan" / "io").glob("*.py"))
    codes = set(re.findall(r'(?:code=|_warning\(\s*)"([a-z_]+)"', source))
    pages = "".join(page.read_text() for page in (root / "docs" / "reference").glob("*.md"))
    assert len(codes) > 60
    assert [code for code in sorted(codes) if f"`{code}`" not in pages] == []
