"""Tags of a DICOM header as plain text and checked numbers."""

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array

LONGEST = 64  # [1] letters of a header's text that are shown
Header = Any  # pydicom's Dataset, which is untyped


def plain(text: object) -> str:
    r"""Return a text from a file as one short line that no terminal or page can mistake.

    Examples
    --------
    >>> plain("Bone\x1b[2J\n1.0")
    'Bone [2J 1.0'
    """
    letters = ("".join(" " if unicodedata.category(c)[0] == "C" else c for c in str(text))).split()
    line = " ".join(letters)
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def name_of(header: Header) -> str:
    """Return the name of a slice's file, fit to be shown."""
    return plain(Path(str(header.filename)).name)


def numbers_of(header: Header, tag: str, count: int) -> Array:
    """Return the numbers of a tag that a CT slice must have.

    Raises
    ------
    CaseError
        If the tag is missing, or is no such numbers.
    """
    stored = header.get(tag)
    if stored is None or stored == "":
        text = f"{name_of(header)} has no {tag}: give the original CT slices"
        raise CaseError(text, code="tag_missing")
    try:
        values = np.atleast_1d(np.asarray(stored, float))
    except (TypeError, ValueError) as error:
        text = f"{name_of(header)} has a damaged {tag}: copy it again"
        raise CaseError(text, code="tag_damaged") from error
    if values.shape != (count,) or not np.isfinite(values).all():
        text = f"{name_of(header)} has a damaged {tag}: copy it again"
        raise CaseError(text, code="tag_damaged")
    return values
