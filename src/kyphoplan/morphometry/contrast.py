"""Contrast agent that no header tells of: a bright tube where the aorta lies."""

from itertools import pairwise

import numpy as np
from scipy import ndimage

from kyphoplan.case import Level, Notice, Severity, Spine, Vertebra, Volume
from kyphoplan.geometry import Array

# The aorta lies in front of the bodies or at their left from T5 to its fork at L4, 15 to 30 mm
# wide; plain blood has 30 to 50 HU, and 130 is more than any has without contrast agent (shared
# reference: reliability, row D1). Bone and metal at its side are brighter or thinner.
HIGHEST, LOWEST = Level.T5, Level.L4
BRIGHT_HU, TOO_BRIGHT_HU = 130.0, 600.0  # [HU]
LEFT_MM, RIGHT_MM, FRONT_MM = 40.0, 15.0, 45.0  # [mm] how far is looked, from the anterior wall
WALL_MM = 2.0  # [mm] in front of the wall: its blur stays out
SLAB_MM = (-2.0, 0.0, 2.0)  # [mm] along the body's axis: planes that are averaged
# [mm] radius of the largest circle in what is bright: 0 to 3.2 on two plain scans (calcified
# walls, spurs, small vessels), 6 and more with a vessel of 16 mm drawn into them
SMALLEST_RADIUS_MM = 5.0


def contrast_notices(spine: Spine, ct: Volume | None) -> tuple[Notice, ...]:
    """Warn where two neighbouring bodies have a bright tube in front; a hint, no proof.

    Oral contrast agent in the bowel looks alike; a weakly filled vessel is not seen.
    """
    if ct is None:
        return ()
    bright = [v.level for v in spine.vertebrae if _has_bright_tube(v, ct)]
    levels = list(spine.levels)
    pairs = [p for p in pairwise(bright) if levels.index(p[1]) == levels.index(p[0]) + 1]
    if not pairs:
        return ()
    return (
        Notice(
            code="contrast_suspected",
            severity=Severity.WARNING,
            level=None,
            text=f"a bright tube lies in front of {', '.join(map(str, bright))}: contrast agent "
            "may have been given, so that bone density reads too high",
            remedy="ask whether it was; use a plain CT for density",
        ),
    )


def _has_bright_tube(vertebra: Vertebra, ct: Volume) -> bool:
    if vertebra.body is None or vertebra.frame is None:
        return False
    if not HIGHEST <= vertebra.level <= LOWEST:
        return False
    hu = _in_front(vertebra, ct)
    bright = (hu > BRIGHT_HU) & (hu < TOO_BRIGHT_HU)
    depth = ndimage.distance_transform_edt(np.pad(bright, 1))
    return bool(depth.max() > SMALLEST_RADIUS_MM)


def _in_front(vertebra: Vertebra, ct: Volume) -> Array:
    """Sample the plane through the body's middle (left, anterior; 1 mm), in front of the wall."""
    body, frame = vertebra.body, vertebra.frame
    if body is None or frame is None:
        raise ValueError("a body that was not located has nothing in front")
    wall = body.anterior_wall_mm[len(body.anterior_wall_mm) // 2]
    left, front, up = np.meshgrid(
        np.arange(-RIGHT_MM, LEFT_MM), np.arange(WALL_MM, FRONT_MM), SLAB_MM, indexing="ij"
    )
    places = wall + np.stack([left, -front, up], axis=-1) @ frame.axes
    index = np.moveaxis(ct.to_indices(places), -1, 0)
    hu = ndimage.map_coordinates(ct.voxels, index, np.float32, order=1, cval=-1024.0)
    return np.asarray(hu.mean(axis=-1), float)
