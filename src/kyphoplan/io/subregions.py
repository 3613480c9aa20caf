"""SPINEPS subregion masks: parts of vertebrae without level names, joined to vertebrae."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.errors import CaseError
from kyphoplan.io.label_schemes import SUBREGION_BODY, SUBREGION_BONE, SUBREGIONS, VERSE

SMALLEST_BODY_MM3 = 300.0  # [mm3] own choice: less is a speck, not a body or a cropped body


def vertebrae_from_subregions(volume: Volume, levels: Sequence[Level] | None) -> LabelMap:
    """Join the parts of a subregion mask to named vertebrae.

    Each connected body is one vertebra; the arch goes to the nearest body.

    Raises
    ------
    CaseError
        If the levels are not given, or their number is not that of the bodies in view.
    """
    from scipy import ndimage  # noqa: PLC0415

    pieces, _ = ndimage.label(np.isin(volume.voxels, SUBREGION_BODY))
    bodies = _bodies_from_head_to_tail(volume, pieces)
    if not bodies:
        raise CaseError(
            f"holds no vertebral body (label {' or '.join(map(str, SUBREGION_BODY))}) "
            f"of {SUBREGIONS}: give another label map or scheme",
            code="no_vertebra",
        )
    if levels is None or len(levels) != len(bodies):
        told = "none was" if levels is None else f"{len(levels)} were"
        raise CaseError(
            f"{len(bodies)} vertebral bodies are in view, and {SUBREGIONS} does not name them "
            f"({told} named): give the {len(bodies)} levels, from head to tail",
            code="levels_unnamed",
        )
    if list(levels) != sorted(set(levels)):
        raise CaseError(
            "levels are not in order from head to tail: give them as T12, L1, L2",
            code="levels_unnamed",
        )
    number = np.zeros(int(pieces.max()) + 1, np.uint8)
    number[bodies] = [VERSE.value_of(level) for level in levels]
    seeds = number[pieces]
    nearest = ndimage.distance_transform_edt(
        seeds == 0, sampling=volume.spacing_mm, return_distances=False, return_indices=True
    )
    bone = np.isin(volume.voxels, SUBREGION_BONE)
    voxels = np.where(bone, seeds[tuple(nearest)], 0).astype(np.uint8)
    return LabelMap(
        volume=Volume(voxels, volume.affine),
        levels={VERSE.value_of(level): level for level in levels},
        scheme=SUBREGIONS,
        basis="levels stated by user",
    )


def _bodies_from_head_to_tail(volume: Volume, pieces: NDArray[np.int32]) -> list[int]:
    """Return the numbers of the pieces that are large enough for a body, cranial first."""
    indices = np.stack(np.nonzero(pieces), axis=-1)
    which = pieces[tuple(indices.T)]
    count = np.bincount(which, minlength=1)
    height = volume.to_patient(indices)[:, 2]
    mean_height = np.bincount(which, height, minlength=1) / np.maximum(count, 1)
    large = np.flatnonzero(count * volume.voxel_mm3 >= SMALLEST_BODY_MM3)
    return sorted((int(n) for n in large), key=lambda n: -mean_height[n])
