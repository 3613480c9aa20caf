"""Levels that cannot be measured: of no vertebra's shape, full of metal, with missing voxels."""

import numpy as np

from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.case.plausible import implausible_levels
from kyphoplan.geometry import Array

# [HU] no bone and no acrylic cement is denser (cortical bone to about 2000, barium-loaded PMMA to
# about 2500; own choice between them and steel or titanium, which reach the scale's end at 3071)
METAL_HU = 2600.0
MOST_METAL_ML = 0.1  # [ml] more is no calcified spot or a single bright voxel; own choice
LARGEST_SAMPLE = 200_000  # [1] voxels of a level that are looked at


def unfit_levels(labels: LabelMap, ct: Volume | None) -> dict[Level, str]:
    """Return the levels that must not be measured, with the reason.

    Their own figures would be wrong with confidence; their neighbours are measured as ever.
    """
    found = misshapen_levels(labels)
    if ct is None:
        return found
    for value, level in labels.levels.items():
        if level in found:
            continue
        hu, voxel_ml = _inside(labels.volume, value, ct)
        metal_ml = float((hu > METAL_HU).sum()) * voxel_ml
        if np.isnan(hu).any():
            found[level] = f"missing: {int(np.isnan(hu).sum())} voxels of it have no value"
        elif metal_ml > MOST_METAL_ML:
            found[level] = f"metal: {metal_ml:.1f} ml of it are denser than {METAL_HU:.0f} HU"
    return found


def misshapen_levels(labels: LabelMap) -> dict[Level, str]:
    """Return the levels whose outline is no vertebra's; their neighbours must not go by them."""
    found = implausible_levels(labels).items()
    return {level: f"implausible: {what}, which is not a vertebra's" for level, what in found}


def _inside(volume: Volume, value: int, ct: Volume) -> tuple[Array, float]:
    """Intensities [HU] at the voxels of a label, and the volume each stands for [ml]."""
    indices = np.argwhere(volume.voxels == value)
    stride = max(1, len(indices) // LARGEST_SAMPLE)
    nearest = np.round(ct.to_indices(volume.to_patient(indices[::stride]))).astype(int)
    seen = nearest[((nearest >= 0) & (nearest < ct.shape)).all(axis=1)]
    hu = np.asarray(ct.voxels[tuple(seen.T)], float)
    return np.where(np.isfinite(hu), hu, np.nan), volume.voxel_mm3 * stride / 1000.0
