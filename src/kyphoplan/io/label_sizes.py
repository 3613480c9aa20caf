"""Whether labelled vertebrae have the size and distance of vertebrae, or the unit is wrong."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from kyphoplan.case import LabelMap, Level, Notice, Severity, follows
from kyphoplan.errors import GeometryError
from kyphoplan.geometry import Array

# [mm] largest extent of a labelled vertebra along a voxel axis. A body alone is 15 to 50 mm deep
# and 25 to 60 mm wide, a whole vertebra up to 130 mm wide (shared data: Panjabi 1991/92); half
# as much and twice as much still pass, since labels may be cropped or leak.
SMALLEST_MM, LARGEST_MM = 10.0, 260.0
CLOSEST_MM, FARTHEST_MM = 7.0, 60.0  # [mm] centroids of neighbours, cervical to tall lumbar


def check_sizes(labels: LabelMap, centres: Mapping[int, Array]) -> tuple[Notice, ...]:
    """Warn of a level whose size or distance is no vertebra's.

    Raises
    ------
    GeometryError
        If no level at all has a vertebra's size: the file's unit is wrong.
    """
    sizes = _largest_extents(labels)
    odd = {level: mm for level, mm in sizes.items() if not SMALLEST_MM <= mm <= LARGEST_MM}
    if sizes and len(odd) == len(sizes):
        level, mm = next(iter(odd.items()))
        raise GeometryError(
            f"{level} is {mm:.3g} mm across, which no vertebra is: check the file's unit "
            "(millimetres expected)",
            code="vertebra_size",
        )
    found = [_notice(level, f"is {mm:.3g} mm across") for level, mm in odd.items()]
    placed = [
        (level, centres[value]) for value, level in labels.levels.items() if value in centres
    ]
    for (upper, above), (lower, below) in pairwise(placed):
        apart = float(np.linalg.norm(above - below))
        if follows(upper, lower) and not CLOSEST_MM <= apart <= FARTHEST_MM:
            found.append(_notice(lower, f"lies {apart:.3g} mm from {upper}"))
    return tuple(found)


def _largest_extents(labels: LabelMap) -> dict[Level, float]:
    from scipy import ndimage  # noqa: PLC0415

    boxes = ndimage.find_objects(labels.volume.voxels)
    spacing = labels.volume.spacing_mm
    sizes = {}
    for value, level in labels.levels.items():
        box = boxes[value - 1] if value <= len(boxes) else None
        if box is not None:
            extent = [side.stop - side.start for side in box]
            sizes[level] = float((np.array(extent) * spacing).max())
    return sizes


def _notice(level: Level, text: str) -> Notice:
    return Notice(
        code="implausible_level",
        severity=Severity.WARNING,
        level=level,
        text=f"{text}, which is not a vertebra's",
        remedy="check its outline and name on the pictures; its figures are not to be trusted",
    )
