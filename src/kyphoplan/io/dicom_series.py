"""Which CT slices of a folder belong together, and which series is meant."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kyphoplan.errors import CaseError
from kyphoplan.io.decoded import FEWEST_SLICES
from kyphoplan.io.dicom_header import Header, numbers_of, plain

ORIENTATION_DIGITS = 3  # [1] decimals that two slices of one stack share: DICOM files round


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """Slices of one series, orientation, frame of reference and stack.

    Attributes
    ----------
    name : by which it is chosen: series number, with a part where a series falls apart.
    uid : SeriesInstanceUID.
    """

    name: str
    uid: str
    slices: tuple[Header, ...]

    @property
    def names(self) -> set[str]:
        """What it can be called by."""
        return {self.name, self.uid, _number(self.slices[0])}

    @property
    def words(self) -> str:
        """One line about it."""
        about = plain(self.slices[0].get("SeriesDescription", "")) or "no description"
        return f"{self.name} ({about}, {len(self.slices)} slices)"

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs, with what is known of the scan."""
        first = self.slices[0]
        tags = ("SeriesDescription", "Manufacturer", "KVP", "ConvolutionKernel", "SliceThickness")
        return {
            "name": self.name,
            "uid": self.uid,
            "slices": len(self.slices),
            **{tag: plain(first.get(tag) or "") for tag in tags},
        }


def candidates(slices: Sequence[Header]) -> tuple[Candidate, ...]:
    """Group slices by series, orientation, frame of reference and stack, by series number."""
    groups: dict[tuple[str, ...], list[Header]] = {}
    for header in slices:
        groups.setdefault(_key(header), []).append(header)
    members = sorted(groups.values(), key=lambda group: (_number(group[0]), -len(group)))
    numbers = [_number(group[0]) for group in members]
    many = Counter(numbers)
    seen: Counter[str] = Counter()
    found = []
    for number, group in zip(numbers, members, strict=True):
        seen[number] += 1
        name = f"{number}/{seen[number]}" if many[number] > 1 else number
        uid = plain(group[0].get("SeriesInstanceUID", ""))
        found.append(Candidate(name=name, uid=uid, slices=tuple(group)))
    return tuple(found)


def _key(header: Header) -> tuple[str, ...]:
    turn = np.round(numbers_of(header, "ImageOrientationPatient", 6), ORIENTATION_DIGITS) + 0.0
    frame, uid = (str(header.get(t, "")) for t in ("FrameOfReferenceUID", "SeriesInstanceUID"))
    stack = str(header.get("StackID") or "")  # a multi-frame file may hold several
    return uid, frame, stack, *(f"{number:.{ORIENTATION_DIGITS}f}" for number in turn)


def _number(header: Header) -> str:
    number = header.get("SeriesNumber")
    return plain(header.get("SeriesInstanceUID", "")) if number is None else plain(number)


def choose(
    groups: Sequence[Candidate], series: str | None
) -> tuple[Candidate, tuple[Candidate, ...]]:
    """Return the one that is asked for or the only one, and single slices that were set aside.

    Raises
    ------
    CaseError
        If there are several, or none of that name; all are listed.
    """
    wanted = [group for group in groups if series is None or series in group.names]
    stacks = [g for g in wanted if len(g.slices) >= FEWEST_SLICES] or wanted
    if len(stacks) == 1:
        return stacks[0], tuple(g for g in wanted if g is not stacks[0])
    data = [group.data for group in groups]
    if not wanted:
        known = ", ".join(sorted(g.name for g in groups))
        text = f"holds no series {series}: choose from {known}"
        raise CaseError(text, code="no_such_series", series=data)
    listed = "; ".join(group.words for group in stacks)
    text = f"holds {len(stacks)} CT series: choose one by its number with --series: {listed}"
    raise CaseError(text, code="several_series", series=data)
