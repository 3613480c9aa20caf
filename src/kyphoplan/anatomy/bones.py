"""The labelled vertebrae cut out of the map, stored along the patient's own axes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kyphoplan.anatomy.frame import settle
from kyphoplan.anatomy.grid import signed_distance
from kyphoplan.anatomy.orientation import CONE_DEG, Rough, cone, hemisphere, see_through_in
from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.geometry import Array, unit

DIRECTIONS = 250  # [1] trial directions over the half sphere, 9 degrees apart
POINTS = 4000  # [1] bone points that make the shadow
MARGIN = 3  # [voxel] background kept around a vertebra
SMALLEST_VOXELS = 200  # [voxel] fewer is a crumb of a vertebra
SLAB_MM = 6.0  # [mm] a label thinner than this along any axis shows no vertebra


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """One vertebra cut out of the label map.

    Attributes
    ----------
    points_mm : (N, 3) voxel centres [mm, LPS].
    field : signed distance to the label's surface [mm].
    border_mm : (M, 3) voxel centres that lie on the image's border [mm, LPS].
    """

    level: Level
    points_mm: Array
    field: Volume
    border_mm: Array


def stored_by_anatomy(labels: LabelMap) -> Volume:
    """Return the map stored along the patient's own axes, however it came.

    The largest vertebra shows where its canal runs; from then on every result is the same for
    all 48 storage orders and every pose of the patient.
    """
    volume = labels.volume
    basis = orthogonal(volume)
    counts = {v: int((volume.voxels == v).sum()) for v in labels.levels}
    for value in sorted(counts, key=lambda v: (-counts[v], v)):
        bone = cut_out(volume, value, labels.levels[value])
        rough = (
            None
            if bone is None
            else see_through_in(basis, _thinned(bone), hemisphere(DIRECTIONS) @ basis)
        )
        if bone is None or rough is None:
            continue
        head = _line_of_centres(volume, labels)
        found = settle(bone.field, rough, head)
        if found is not None:
            return volume.reordered(found[0].axes)
    return volume


def _line_of_centres(volume: Volume, labels: LabelMap) -> Array | None:
    """Direction from the lowest to the highest labelled vertebra; None if there is only one."""
    centres = [
        volume.to_patient(np.argwhere(volume.voxels == value).mean(axis=0))
        for value in labels.levels
        if (volume.voxels == value).any()
    ]
    return unit(centres[0] - centres[-1]) if len(centres) > 1 else None


def orthogonal(volume: Volume) -> Array:
    """Rows: the voxel axes made orthogonal (nearest rotation or reflection)."""
    u, _, vt = np.linalg.svd(volume.affine[:3, :3] / volume.spacing_mm)
    return np.asarray((u @ vt).T)


def cut_out(volume: Volume, value: int, level: Level) -> Bone | None:
    """Cut one label out with a margin; None if hardly any voxel carries it."""
    index = np.argwhere(volume.voxels == value)
    if len(index) < SMALLEST_VOXELS:
        extent = np.ptp(index, axis=0) * volume.spacing_mm if len(index) else np.zeros(3)
        if len(index) == 0 or extent.min() < SLAB_MM:
            return None
    low, high = index.min(axis=0), index.max(axis=0)
    block = volume.cropped(low - MARGIN, high + MARGIN + 1)
    mask = Volume(np.asarray(block.voxels == value), block.affine)
    on_border = ((index == 0) | (index == np.array(volume.shape) - 1)).any(axis=1)
    return Bone(
        level=level,
        points_mm=volume.to_patient(index),
        field=signed_distance(mask),
        border_mm=volume.to_patient(index[on_border]),
    )


def _thinned(bone: Bone) -> Array:
    """Every n-th bone point, enough for a shadow."""
    return bone.points_mm[:: max(1, len(bone.points_mm) // POINTS)]


def heads_of(bones: Mapping[Level, Bone]) -> dict[Level, Array]:
    """Direction to the head at each level from its neighbours' centres; empty for one level."""
    levels = sorted(bones)
    centres = [bones[level].points_mm.mean(axis=0) for level in levels]
    heads = {}
    for row, level in enumerate(levels):
        upper, lower = max(row - 1, 0), min(row + 1, len(levels) - 1)
        if upper != lower:
            heads[level] = unit(centres[upper] - centres[lower])
    return heads


def rough_of(bone: Bone, head: Array | None, basis: Array) -> Rough | None:
    """Look along the canal: near the neighbours' line if there is one, else everywhere."""
    points = _thinned(bone)
    wide = hemisphere(DIRECTIONS) @ basis if head is None else cone(head, CONE_DEG, 8.0, basis)
    first = see_through_in(basis, points, wide)
    if first is None:
        return None
    return see_through_in(basis, points, cone(first.along, 10.5, 3.5, basis)) or first


def borrowed(
    roughs: Mapping[Level, Rough | None], bones: Mapping[Level, Bone]
) -> dict[Level, Rough | None]:
    """Fill a canal that could not be seen from the vertebrae above and below it."""
    levels = sorted(roughs)
    filled = dict(roughs)
    for row, level in enumerate(levels):
        if roughs[level] is not None or not 0 < row < len(levels) - 1:
            continue
        upper, lower = roughs[levels[row - 1]], roughs[levels[row + 1]]
        if upper is None or lower is None:
            continue
        centre = bones[level].points_mm.mean(axis=0)
        along = unit(upper.canal_mm - lower.canal_mm)
        canal = upper.canal_mm + ((centre - upper.canal_mm) @ along) * along
        offset = canal - centre
        filled[level] = Rough(
            canal_mm=canal,
            along=along,
            posterior=unit(offset - (offset @ along) * along),
            hole_mm2=0.0,
        )
    return filled
