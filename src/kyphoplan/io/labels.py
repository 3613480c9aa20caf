"""The one door for label maps: voxels, their place, and which value is which vertebra."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import LabelMap, Level, Notice, Severity, Volume
from kyphoplan.errors import CaseError
from kyphoplan.io.apart import Request, read_apart
from kyphoplan.io.decoded import Decoded
from kyphoplan.io.label_names import (
    IMAGE_SUFFIXES,
    level_of,
    levels_from_names,
    read_table,
    sidecar_of,
    stem,
)
from kyphoplan.io.label_proof import centroids, check_order, prove_scheme
from kyphoplan.io.label_schemes import SCHEME_NAMES, SCHEMES, SUBREGIONS, VERSE
from kyphoplan.io.label_sizes import check_sizes
from kyphoplan.io.subregions import vertebrae_from_subregions
from kyphoplan.io.volumes import naming, unchanged

ROLE = "label map"
SAME_GRID_MM = 1e-3  # [mm] structures of one folder must share their grid this well


def read_labels(
    path: str | Path,
    *,
    scheme: str | Path | None = None,
    levels: Sequence[Level] | None = None,
    assume_orientation: str | None = None,
) -> LabelMap:
    """Read a vertebra label map, or a folder with one file per structure.

    Parameters
    ----------
    scheme : name of a label scheme, or the path of a JSON or TSV name table. Without it the scheme
        is proven from the file's own names, a table beside it, or the order of the labels.
    levels : the vertebrae in view from head to tail, for SPINEPS subregion masks.
    assume_orientation : where the voxel axes lead, such as "LPS", for a file that does not say.

    Returns
    -------
    LabelMap
        With `scheme` and `basis` saying how the levels are known.

    Raises
    ------
    CaseError
        If the map cannot be used, or its scheme is unknown or ambiguous; never guessed.
    """
    return read_labels_with_notices(
        path, scheme=scheme, levels=levels, assume_orientation=assume_orientation
    )[0]


def read_labels_with_notices(
    path: str | Path,
    *,
    scheme: str | Path | None = None,
    levels: Sequence[Level] | None = None,
    assume_orientation: str | None = None,
) -> tuple[LabelMap, tuple[Notice, ...]]:
    """Read a label map as `read_labels` does, with everything the reader has to report."""
    path = Path(path)
    with naming(path), unchanged(path):
        if path.is_dir():
            labels, notices = _read_folder(path, assume_orientation)
        else:
            decoded = read_apart(Request(path=path, role=ROLE, orientation=assume_orientation))
            volume = decoded.as_volume()
            labels, notices = _name(path, volume, decoded, scheme, levels)
        centres = centroids(labels.volume)
        return labels, notices + check_order(labels, centres) + check_sizes(labels)


def _name(
    path: Path,
    volume: Volume,
    decoded: Decoded,
    scheme: str | Path | None,
    levels: Sequence[Level] | None,
) -> tuple[LabelMap, tuple[Notice, ...]]:
    """Find out which value is which vertebra."""
    if scheme == SUBREGIONS or levels is not None:
        if scheme not in (SUBREGIONS, None):
            raise CaseError(
                f"levels go only with {SUBREGIONS}, not with {scheme}: leave them out",
                code="scheme_unknown",
            )
        return vertebrae_from_subregions(volume, levels), decoded.notices
    centres = centroids(volume)
    if not centres:
        raise CaseError(
            "all voxels are background: give a label map with vertebrae", code="no_vertebra"
        )
    known, name, basis = _known_levels(path, decoded, list(centres), scheme)
    if known is None:
        proven, known, basis = prove_scheme(centres)
        name = proven.name
    if not known:
        raise CaseError(_no_vertebra(decoded, list(centres), name), code="no_vertebra")
    labels = LabelMap(volume=volume, levels=known, scheme=name, basis=basis)
    return labels, decoded.notices + _ignored_notice(labels, list(centres))


def _known_levels(
    path: Path, decoded: Decoded, present: list[int], scheme: str | Path | None
) -> tuple[dict[int, Level] | None, str, str]:
    """Return levels, scheme and basis where they are stated or stand in names; else None."""
    if scheme is not None and str(scheme) in SCHEMES:
        stated = SCHEMES[str(scheme)].levels
        return {v: stated[v] for v in present if v in stated}, str(scheme), "stated by user"
    if scheme is not None:
        return levels_from_names(_stated_table(scheme), present), "table", f"name table {scheme}"
    if decoded.names:
        named = levels_from_names(decoded.names, present)
        return named, scheme_of(named), decoded.names_from
    if beside := sidecar_of(path):
        return levels_from_names(read_table(beside), present), "table", f"name table {beside.name}"
    return None, "", ""


def scheme_of(named: Mapping[int, Level]) -> str:
    """Return the scheme whose numbers named levels follow, or "names" if none does."""
    following = (s.name for s in SCHEMES.values() if named.items() <= s.levels.items())
    return next(following, "names")


def _stated_table(scheme: str | Path) -> dict[int, str]:
    if Path(scheme).suffix.lower() not in (".json", ".tsv"):
        names = ", ".join(SCHEME_NAMES)
        raise CaseError(
            f"label scheme {scheme} is not known: use {names}, or a .json or .tsv file",
            code="scheme_unknown",
        )
    return read_table(Path(scheme))


def _no_vertebra(decoded: Decoded, present: list[int], name: str) -> str:
    if decoded.names:
        told = ", ".join(sorted(decoded.names.values())[:6])
        return f"names no vertebra with a level (only {told}): give a vertebra label map"
    return f"label values {present[:12]} are no vertebrae in scheme {name}: state the right one"


def _ignored_notice(labels: LabelMap, present: Iterable[int]) -> tuple[Notice, ...]:
    ignored = [value for value in present if value not in labels.levels]
    if not ignored:
        return ()
    return (
        Notice(
            code="labels_ignored",
            severity=Severity.INFO,
            level=None,
            text=f"label map: {len(ignored)} values are no vertebrae, left out: {ignored[:12]}",
            remedy="none needed if no vertebra is missing",
        ),
    )


def _read_folder(folder: Path, orientation: str | None) -> tuple[LabelMap, tuple[Notice, ...]]:
    """Join a folder with one file per structure (``vertebrae_L1.nii.gz``) to one label map."""
    files = sorted(f for f in folder.iterdir() if f.name.lower().endswith(IMAGE_SUFFIXES))
    named = sorted((level, file) for file in files if (level := level_of(stem(file))) is not None)
    if not named:
        raise CaseError(
            "holds no file such as vertebrae_L1.nii.gz: give a label map", code="no_vertebra"
        )
    joined: NDArray[np.uint8] | None = None
    affine = np.eye(4)
    levels: dict[int, Level] = {}
    notices: tuple[Notice, ...] = ()
    overlap = 0
    for level, file in named:
        with naming(file.name):
            part = read_apart(Request(path=file, role=ROLE, orientation=orientation))
        inside = part.voxels > 0
        if joined is None:
            joined, affine, notices = np.zeros(inside.shape, np.uint8), part.affine, part.notices
        _check_same_grid(file, part, joined.shape, affine)
        if not inside.any():
            continue
        if level in levels.values():
            raise CaseError(f"holds two files for {level}: leave one", code="level_twice")
        overlap += int((inside & (joined > 0)).sum())
        joined[inside & (joined == 0)] = VERSE.value_of(level)
        levels[VERSE.value_of(level)] = level
    if joined is None or not levels:
        raise CaseError(
            "all vertebra files are empty: give a label map with vertebrae", code="no_vertebra"
        )
    labels = LabelMap(
        volume=Volume(joined, affine), levels=levels, scheme="files", basis="file names"
    )
    return labels, notices + _overlap_notice(overlap)


def _check_same_grid(
    file: Path, part: Decoded, shape: tuple[int, ...], affine: NDArray[np.float64]
) -> None:
    apart = np.abs(part.affine - affine).max()
    if part.voxels.shape != shape or apart > SAME_GRID_MM:
        raise CaseError(
            f"{file.name} has another grid than the rest: use files of one run",
            code="grids_differ",
        )


def _overlap_notice(overlap: int) -> tuple[Notice, ...]:
    if not overlap:
        return ()
    return (
        Notice(
            code="labels_overlap",
            severity=Severity.WARNING,
            level=None,
            text=f"label map: {overlap} voxels are in two structures; taken for the upper one",
            remedy="check the outlines on the pictures",
        ),
    )
