"""The labelled vertebrae cut out of the map, and the rough look of each one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kyphoplan.anatomy.grid import signed_distance
from kyphoplan.anatomy.orientation import CONE_DEG, Rough, cone, hemisphere, see_through
from kyphoplan.case import Level, Volume
from kyphoplan.geometry import Array, unit

DIRECTIONS = 125  # [1] trial directions on each side, 9 degrees apart
POINT_MM = 1.6  # [mm] bone points that make the shadow are no farther apart
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


def _thinned(bone: Bone) -> tuple[Array, Array]:
    """Bone points (N, 3) on a lattice that is the same seen from left and right; their depths."""
    spacing = bone.field.spacing_mm
    index = np.rint(bone.field.to_indices(bone.points_mm)).astype(int)
    from_centre = np.abs(2 * index - (index.min(axis=0) + index.max(axis=0)))
    stride = np.maximum(1, np.floor(POINT_MM / spacing)).astype(int)
    kept = (from_centre % (2 * stride) < 2).all(axis=1)  # noqa: PLR2004
    depth = -np.asarray(bone.field.voxels)[tuple(index[kept].T)].astype(float)
    return bone.points_mm[kept], depth


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


def rough_of(bone: Bone, head: Array | None) -> Rough | None:
    """Look along the canal: near the neighbours' line if there is one, else everywhere."""
    points, depth = _thinned(bone)
    wide = hemisphere(DIRECTIONS) if head is None else cone(head, CONE_DEG, 8.0)
    first = see_through(points, depth, wide)
    if first is None:
        return None
    return see_through(points, depth, cone(first.along, 10.5, 3.5)) or first


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
