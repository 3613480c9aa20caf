"""Whether one label holds two vertebral bodies, one above the other.

What lies deep inside a label is its body, as arch and processes are thin. One vertebra has one
such core, wider than high. Two labelled as one have two cores with a disc between them, or, where
the disc was labelled too, a single one that is higher than wide.
"""

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case.volume import Volume
from kyphoplan.geometry import Array

DEEP_MM = 4.0  # [mm] from the surface: arches and processes are up to 8 mm thick
STEP_MM = 1.5  # [mm] sampling: finer voxels are skipped
# Measured on the 31 vertebrae of five public label maps (T9 to L5, four of them fractured), and on
# their 24 whole neighbours joined in pairs. A second core of one vertebra has up to 0.10 of the
# first one's volume and lies beside it; of two, at least 0.27 and above it. Height over width of a
# core: up to 0.6 for one vertebra; for two with their disc 0.9 and more, except where a crushed
# one is among them (3 of 48 joined so were not noticed).
SECOND = 0.2  # [1] volume of the second core over that of the first
ABOVE = 0.8  # [1] cosine between the line through both cores and the spine
CLOSEST_MM = 18.0  # [mm] nearer, they can be the halves of one body with a cleft
HIGH = 0.85  # [1] height over width


def two_bodies(volume: Volume, value: int, box: tuple[slice, ...], spine: Array | None) -> str:
    """Say what shows that a label is of two vertebrae; empty if nothing does.

    Parameters
    ----------
    box : the part of the volume that holds the label.
    spine : (3,) direction of the spine there, either way [1, LPS]; None if it is not known, as of
        a label that is alone: a high core then cannot be told from a wide one that is turned.
    """
    cores = _cores(volume, value, box)
    if not cores:
        return ""
    first = cores[0]
    if len(cores) > 1:
        apart = cores[1].mean(axis=0) - first.mean(axis=0)
        along = float(np.linalg.norm(apart) if spine is None else abs(apart @ spine))
        above = along > ABOVE * float(np.linalg.norm(apart)) and along > CLOSEST_MM
        if above and len(cores[1]) > SECOND * len(first):
            return f"holds two bodies {along:.0f} mm apart"
    ratio = 0.0 if spine is None else _height_over_width(first, spine)
    return f"has a body {ratio:.1f} times as high as wide" if ratio > HIGH else ""


def _cores(volume: Volume, value: int, box: tuple[slice, ...]) -> list[Array]:
    """Return the places (N, 3) [mm] deep inside a label, by connected parts, largest first."""
    from scipy import ndimage  # noqa: PLC0415 - keeps the nouns light

    stride = np.maximum(1, (STEP_MM / volume.spacing_mm).astype(int))
    steps = tuple(slice(None, None, int(n)) for n in stride)
    inside: NDArray[np.bool_] = np.pad(volume.voxels[box][steps] == value, 1)
    depth = ndimage.distance_transform_edt(inside, sampling=volume.spacing_mm * stride)
    parts, _ = ndimage.label(depth > DEEP_MM)
    indices = np.argwhere(parts)
    if not len(indices):
        return []
    places = (indices * stride) @ volume.affine[:3, :3].T
    which = parts[tuple(indices.T)]
    sizes = np.bincount(which)
    return [places[which == part] for part in np.argsort(sizes)[::-1] if sizes[part]]


def _height_over_width(places: Array, spine: Array) -> float:
    """Spread of places (N, 3) along a direction over their largest spread across it."""
    if len(places) < len(spine):
        return 0.0
    centred = places - places.mean(axis=0)
    along = centred @ spine
    across = np.linalg.svd(centred - np.outer(along, spine), compute_uv=False)[0]
    return float(np.linalg.norm(along) / across) if across > 0.0 else 0.0
