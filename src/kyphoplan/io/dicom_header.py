"""Tags of a DICOM header as plain text and checked numbers."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array

LONGEST = 64  # [1] letters of a header's text that are shown
BIG = 4096  # [byte] longer values are read when they are asked for


class Header:
    """The header of a slice; equal bytes of a tag are decoded once for a whole series.

    Attributes
    ----------
    dataset : pydicom's own, with its long values still in the file.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self.filename = Path(str(dataset.filename))
        self.preamble = bytes(dataset.preamble or b"")
        self.syntax = dataset.file_meta.get("TransferSyntaxUID", "")
        self._letters = str(dataset.original_character_set)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a tag's value by its keyword; None if it is empty."""
        stored = self.dataset.get_item(_tag(name))
        if stored is None:
            return default
        if not isinstance(getattr(stored, "value", None), bytes):
            return self.dataset[_tag(name)].value
        key = (name, stored.VR, stored.value, self._letters)
        if key not in _DECODED:
            _DECODED[key] = self.dataset[_tag(name)].value
        return _DECODED[key]


_DECODED: dict[tuple[Any, ...], Any] = {}  # lives as long as the child that reads one folder


@cache
def _tag(name: str) -> Any:
    from pydicom.datadict import tag_for_keyword  # noqa: PLC0415
    from pydicom.tag import Tag  # noqa: PLC0415

    return Tag(tag_for_keyword(name))


def plain(text: object, longest: int = LONGEST) -> str:
    r"""Return a text from a file as one short line that no terminal or page can mistake.

    Examples
    --------
    >>> plain("Bone\x1b[2J\n1.0")
    'Bone [2J 1.0'
    """
    letters = ("".join(" " if unicodedata.category(c)[0] == "C" else c for c in str(text))).split()
    line = " ".join(letters)
    return line if len(line) <= longest else line[: longest - 3] + "..."


def name_of(header: Header) -> str:
    """Return the name of a slice's file, fit to be shown."""
    return plain(header.filename.name)


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
