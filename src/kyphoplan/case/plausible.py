"""Which labelled levels have a size and distance that no vertebra has."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kyphoplan.case.level import Level, follows
from kyphoplan.case.merged import two_bodies
from kyphoplan.case.volume import LabelMap, Volume
from kyphoplan.geometry import Array

# [mm] largest extent of a labelled vertebra along a voxel axis. A body alone is 15 to 50 mm deep
# and 25 to 60 mm wide, a whole vertebra up to 130 mm wide (shared data: Panjabi 1991/92); half
# as much and twice as much still pass, since labels may be cropped or leak.
SMALLEST_MM, LARGEST_MM = 10.0, 260.0
CLOSEST_MM, FARTHEST_MM = 7.0, 60.0  # [mm] centroids of neighbours, cervical to tall lumbar


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extent:
    """Where a label lies.

    Attributes
    ----------
    size_mm : largest extent along a voxel axis [mm].
    centre_mm : (3,) centroid [mm, LPS].
    box : the part of the image that holds it.
    cut : whether it reaches the border of the image, so that its centre may not be its own.
    """

    size_mm: float
    centre_mm: Array
    box: tuple[slice, ...]
    cut: bool


def has_size(extent: Extent) -> bool:
    """Whether it has a vertebra's size."""
    return SMALLEST_MM <= extent.size_mm <= LARGEST_MM


def implausible_levels(
    labels: LabelMap, extents: Mapping[Level, Extent] | None = None
) -> dict[Level, str]:
    """Return the levels whose outline cannot be one vertebra's, with what is wrong.

    A level of a vertebra's size that is too near to, or too far from, both of its neighbours is
    the wrong one. If only one distance is wrong, it cannot be told which of the two is, and both
    are returned, unless one of them is cut by the border of the image. The sacrum, labelled as
    one bone, has its centre anywhere.

    Parameters
    ----------
    extents : as `extents_of` gives them, if they are known already.
    """
    extents = extents_of(labels) if extents is None else extents
    found = {
        level: f"is {extent.size_mm:.3g} mm across"
        for level, extent in extents.items()
        if not has_size(extent)
    }
    found |= _merged_levels(labels, {n: e for n, e in extents.items() if n not in found})
    kept = {n: extent for n, extent in extents.items() if n not in {*found, Level.S1}}
    wrong = _wrong_distances(kept)
    often = {level for pair in wrong for level in pair if _count(level, wrong) > 1}
    for (upper, lower), apart_mm in wrong.items():
        suspects = {upper, lower} & often or {upper, lower}
        for level in {s for s in suspects if kept[s].cut} or suspects:
            other = lower if level is upper else upper
            found.setdefault(level, f"lies {apart_mm:.3g} mm from {other}")
    return found


def _merged_levels(labels: LabelMap, extents: Mapping[Level, Extent]) -> dict[Level, str]:
    """Return the levels whose label holds two bodies; below the neck, whose bones differ."""
    centres = np.array([extent.centre_mm for extent in extents.values()])
    spine = None
    if len(centres) > 1:
        spine = np.linalg.svd(centres - centres.mean(axis=0))[2][0]
    found = {}
    for value, level in labels.levels.items():
        if level in extents and Level.T1 <= level < Level.S1:
            box = extents[level].box
            if what := two_bodies(labels.volume, value, box, spine):
                found[level] = what
    return found


def extents_of(labels: LabelMap) -> dict[Level, Extent]:
    """Return size and place of every level that has a voxel."""
    from scipy import ndimage  # noqa: PLC0415 - keeps the nouns light

    volume = labels.volume
    boxes = ndimage.find_objects(volume.voxels)
    found = {}
    for value, level in labels.levels.items():
        box = boxes[value - 1] if value <= len(boxes) else None
        if box is not None:
            found[level] = _extent(volume, value, box)
    return found


def _extent(volume: Volume, value: int, box: tuple[slice, ...]) -> Extent:
    low = np.array([side.start for side in box])
    high = np.array([side.stop for side in box])
    index = np.argwhere(volume.voxels[box] == value).mean(axis=0) + low
    return Extent(
        size_mm=float(((high - low) * volume.spacing_mm).max()),
        centre_mm=volume.to_patient(index),
        box=box,
        cut=bool((low == 0).any() or (high == volume.shape).any()),
    )


def _wrong_distances(extents: Mapping[Level, Extent]) -> dict[tuple[Level, Level], float]:
    """Return the neighbours whose centroids lie too near or too far [mm]."""
    wrong = {}
    for upper, lower in pairwise(sorted(extents)):
        apart = float(np.linalg.norm(extents[upper].centre_mm - extents[lower].centre_mm))
        if follows(upper, lower) and not CLOSEST_MM <= apart <= FARTHEST_MM:
            wrong[upper, lower] = apart
    return wrong


def _count(level: Level, pairs: Mapping[tuple[Level, Level], float]) -> int:
    return sum(level in pair for pair in pairs)
