"""The spinal canal as forbidden volume: its bony ring carried along its centre line."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.case import Canal
from kyphoplan.geometry import Array, Frame
from kyphoplan.planning.outline import outline_distance

REACH_MM = 24.0  # [mm] no canal is wider than twice this
ANGLES = np.arange(72) * (2.0 * np.pi / 72)  # [rad] directions around the line
STEP_MM = 0.5  # [mm] along rays and of the map
HALF_MAP_MM = 45.0  # [mm] the map covers so much beside the line
BEYOND_MM = 30.0  # [mm] the line is carried on straight beyond its ends
PEDICLES = 0.6  # [1] sine of the angle from lateral within which pedicles bound the canal (37 deg)
BESIDE_PEDICLES = 0.25  # [1] quantile of the radius there: they are rounded, and the canal is open
# above and below them; half of the heights would put their wall 0.3 voxel too far out (phantoms)
SMALLEST_SHARE = 0.7  # [1] part of the directions in which the ring must be seen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tube:
    """The canal in a vertebra's own coordinates (left, posterior, superior).

    The ring is the median of the bone around the line over all its heights, so a fragment that
    stands into the canal does not make the forbidden volume smaller.

    Attributes
    ----------
    line_mm : (M, 3) centre line from caudal to cranial [mm].
    distance_mm : (N, N) signed distance to the ring around the line, negative inside [mm].
    ring_mm : (R, 2) outline around the line: left, posterior [mm].
    """

    line_mm: Array
    distance_mm: Array
    ring_mm: Array

    def distance(self, local_mm: Array) -> Array:
        """Signed distance (...) of local points (..., 3) to the canal, negative inside [mm]."""
        height = local_mm[..., 2]
        offset = [
            local_mm[..., axis] - np.interp(height, self.line_mm[:, 2], self.line_mm[:, axis])
            for axis in range(2)
        ]
        index = (np.stack(offset) + HALF_MAP_MM) / STEP_MM
        return np.asarray(
            ndimage.map_coordinates(self.distance_mm, index, order=1, mode="nearest")
        )


def canal_tube(canal: Canal, frame: Frame, bone: Callable[[Array], Array]) -> Tube | None:
    """Build the canal's tube; None if too little bone stands around it.

    ``bone`` gives the signed distance to the bone's surface at local points (..., 3) [mm].
    """
    line = frame.to_local(canal.line_mm)
    line = line[np.argsort(line[:, 2])]
    radius = _ring(line, bone)
    if radius is None:
        return None
    ring = radius[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    nodes = np.arange(-HALF_MAP_MM, HALF_MAP_MM + STEP_MM / 2, STEP_MM)
    grid = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)
    distance = outline_distance(grid.reshape(-1, 2), ring).reshape(nodes.size, nodes.size)
    return Tube(line_mm=_extended(line), distance_mm=distance, ring_mm=ring)


def _ring(line: Array, bone: Callable[[Array], Array]) -> Array | None:
    """Radius (R,) of the bone around the line [mm]: median over the heights where there is any."""
    t = np.arange(0.0, REACH_MM, STEP_MM)
    rays = np.stack([np.cos(ANGLES), np.sin(ANGLES), 0.0 * ANGLES], axis=-1)
    values = bone(line[:, None, None, :] + rays[:, None, :] * t[:, None])
    first = np.argmax(values < 0, axis=-1)
    met = (values < 0).any(axis=-1) & (first > 0)
    b = np.take_along_axis(values, first[..., None], -1)[..., 0]
    a = np.take_along_axis(values, np.maximum(first - 1, 0)[..., None], -1)[..., 0]
    share = a / np.where(met, a - b, 1.0)
    radius = np.where(met, (first - 1 + share) * STEP_MM, np.nan)
    known = met.any(axis=0)
    if known.mean() < SMALLEST_SHARE:
        return None
    far, near = np.nanquantile(radius[:, known], (0.5, BESIDE_PEDICLES), axis=0)
    ring = np.where(np.abs(np.sin(ANGLES[known])) < PEDICLES, near, far)
    return np.asarray(np.interp(ANGLES, ANGLES[known], ring, period=2.0 * np.pi))


def _extended(line: Array) -> Array:
    """Carry a line on straight beyond both ends."""
    ends = []
    for end, inner in (
        (line[0], line[min(5, len(line) - 1)]),
        (line[-1], line[-min(6, len(line))]),
    ):
        along = (end - inner) / np.linalg.norm(end - inner)
        ends.append(end + BEYOND_MM * along)
    return np.vstack([ends[0], line, ends[1]])
