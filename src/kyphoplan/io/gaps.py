"""Which levels lie where slices of the CT are missing."""

import numpy as np

from kyphoplan.case import LabelMap, Level
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array


def touching(error: CaseError, labels: LabelMap) -> CaseError:
    """Return a refused series' error with the levels that its gaps touch; others as they are."""
    gaps, normal = error.found.get("gaps"), error.found.get("normal")
    if not gaps or normal is None:
        return error
    ends = [(gap["from_mm"], gap["to_mm"]) for gap in gaps]
    levels = [
        str(level)
        for level, (low, high) in heights_of(labels, normal).items()
        if any(low < end and start < high for start, end in ends)
    ]
    where = f"touches {', '.join(levels)}" if levels else "touches no labelled level"
    return type(error)(f"{error}; the gap {where}", code=error.code, **error.found, levels=levels)


def heights_of(labels: LabelMap, normal: Array) -> dict[Level, tuple[float, float]]:
    """Return the lowest and highest voxel of each level along a direction [mm]."""
    found = {}
    for value, level in labels.levels.items():
        places = labels.volume.to_patient(np.argwhere(labels.volume.voxels == value)) @ normal
        if places.size:
            found[level] = (float(places.min()), float(places.max()))
    return found
