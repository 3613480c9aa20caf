"""The spinal canal behind one vertebra: rays from its axis to the bone around it.

The axis is that of the straight tube which most of the bone around the canal follows: it stays
where it was when the body in front of it breaks.
"""

from collections.abc import Callable

import numpy as np

from kyphoplan.anatomy.orientation import Rough, across
from kyphoplan.anatomy.rays import ANGLES, RAYS, area, centroid, directions, radii
from kyphoplan.case import Canal, Confidence, Measure, Volume
from kyphoplan.geometry import Array, Frame, angle_deg, unit

REACH_MM = 24.0  # [mm] no canal is wider than twice this
SLICE_MM = 1.0  # [mm] distance of the cross-sections
RING_QUANTILE = 0.35  # [1] of the distances of bone in one direction
FEWEST_SECTIONS = 5  # [1] that show a direction
UNEVEN_MM = 2.5  # [mm] a ray this far from its usual length meets something else
STRAIGHT_MM = 1.0  # [mm] a wall this far from the tube tells nothing of it
TURNS = 4  # [1] rounds of each fit; the axis moves by less than 0.1 deg after the third
WORST_CONDITION = 1e3  # [1] of the fit: walls in one direction only do not tell the lean
NORMALS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)  # (R, 2) [1]
STEEPEST_DEG = 20.0  # [deg] a canal leans no farther from its first look
# [1] of the mean squared error of an oval's area seen on a lattice, over its radius in voxels
# (Kendall 1948, doi:10.1093/qmath/os-19.1.1, has 0.676 for counted voxels; 0.41-0.47 for our rays
# through tubes along the lattice's axis, 0.5-2 mm voxels)
LATTICE = 0.45
METHOD_SD = 0.006  # [1] of the area: how the axis leans, where the canal is narrowest (phantoms)
# [voxel] half the standard error of one point of a label's edge, 1/sqrt(12): with all of it a real
# narrowing of a few tenths of a millimetre is lost, with none the lattice makes one
TOLD_APART = 0.15
LOST_SD = 0.2  # [1] of the area that a fragment takes from the usual ring (phantoms)
RECESS_MM = 1.0  # [mm] beyond the ring: bone there bounds a recess or another opening
CLOSED_SHARE = 0.25  # [1] part of the sections in which a direction must meet bone


def ring_centre(field: Volume, frame: Frame, rough: Rough, extent: tuple[float, float]) -> Array:
    """Centre (3,) of the canal where the arch closes around it best [mm]; the rough one if none.

    ``extent`` is bottom and top of the body along the frame's superior axis [mm].
    """
    centres = _axis_points(frame, rough.canal_mm, rough.along, extent)
    first, second = _cross_section(frame, rough.along)
    radius = radii(field, centres, directions(first, second), REACH_MM, leaving=False)
    ring = _ring(radius)
    if ring is None:
        return rough.canal_mm
    closed = (~np.isnan(radius)).mean(axis=1)
    weight = np.where(closed >= 0.9 * closed.max(), 1.0, 0.0)  # the sections closed best
    shift = centroid(np.where(np.isnan(radius), ring, np.minimum(radius, 1.6 * ring)))
    moved = centres + shift[:, :1] * first + shift[:, 1:] * second
    return np.asarray(weight @ moved / weight.sum())


def canal_axis(
    field: Volume, frame: Frame, centre: Array, along: Array, extent: tuple[float, float]
) -> Array:
    """Direction (3,) of the canal in this vertebra: a tube is fitted to the bone around it.

    Posterior wall, pedicles and laminae count alike where they are straight. What stands out from
    the tube counts less, and nothing from 1 mm on: a fragment that was pushed in, a foramen, a
    recess. (Laminae alone mislead: in real vertebrae they lean against the canal by 2-12 deg.)
    ``along`` where too little is seen.

    References
    ----------
    Bisquare weights: Beaton and Tukey 1974, doi:10.1080/00401706.1974.10489171.
    """
    axis = along
    for loss in (_absolute, _bisquare):
        for _ in range(TURNS):
            centres = _axis_points(frame, centre, axis, extent)
            first, second = _cross_section(frame, axis)
            radius = radii(field, centres, directions(first, second), REACH_MM, leaving=False)
            lean = _lean(radius, (centres - centre) @ axis, loss)
            if lean is None:
                return along
            axis = unit(axis + lean[0] * first + lean[1] * second)
    return axis if angle_deg(axis, along) < STEEPEST_DEG else along


def _absolute(rest: Array) -> Array:
    """Weights that make a sum of absolute values of the rests [mm] the least."""
    return np.asarray(np.where(np.abs(rest) < UNEVEN_MM, 1.0 / np.maximum(np.abs(rest), 0.2), 0.0))


def _bisquare(rest: Array) -> Array:
    """Weights that fall to 0 at a rest of STRAIGHT_MM."""
    return np.asarray(np.clip(1.0 - (rest / STRAIGHT_MM) ** 2, 0.0, None) ** 2)


def _lean(radius: Array, height: Array, loss: Callable[[Array], Array]) -> Array | None:
    """How a tube leans (2,) [mm/mm] whose wall is met at radii (S, R) at heights (S,) [mm].

    Each direction has its own distance to the wall: only its change with height tells the lean.
    None if hardly any direction meets a wall.
    """
    seen = (~np.isnan(radius)).sum(axis=0) >= FEWEST_SECTIONS
    if seen.mean() < CLOSED_SHARE:
        return None
    radius, normals = radius[:, seen], NORMALS[seen]
    met, values = ~np.isnan(radius), np.nan_to_num(radius)
    rest = values - np.nanmedian(radius, axis=0)
    lean = np.zeros(2)
    for _ in range(TURNS):
        weight = np.where(met, loss(rest), 0.0)
        total = np.maximum(weight.sum(axis=0), 1e-9)
        up = height[:, None] - weight.T @ height / total
        out = values - (weight * values).sum(axis=0) / total
        square = np.einsum("sr,ra,rb->ab", weight * up**2, normals, normals)
        if np.linalg.cond(square) > WORST_CONDITION:
            return None
        lean = np.linalg.solve(square, (weight * up * out).sum(axis=0) @ normals)
        rest = out - up * (normals @ lean)
    return lean


def find_canal(
    field: Volume, frame: Frame, line: tuple[Array, Array], extent: tuple[float, float]
) -> Canal | None:
    """Find the narrowest cross-section of the canal and its area.

    Parameters
    ----------
    line : a point (3,) on the canal's axis [mm] and its cranial unit direction (3,).
    extent : bottom and top of the posterior wall along the frame's superior axis [mm].

    Returns
    -------
    None if the canal is open to most sides (no arch in the mask).
    """
    centre, along = line
    centres = _axis_points(frame, centre, along, extent)
    if len(centres) < 3:  # noqa: PLR2004 - nothing to choose from
        return None
    return _narrowest(field, frame, centres, along)


def _axis_points(
    frame: Frame, canal_mm: Array, along: Array, extent: tuple[float, float]
) -> Array:
    """Points (S, 3) on the axis over the body's height."""
    origin = frame.to_local(canal_mm)
    direction = frame.axes @ along
    heights = np.arange(extent[0], extent[1] + 0.01, SLICE_MM)
    t = (heights - origin[2]) / direction[2]
    return canal_mm + t[:, None] * along


def _cross_section(frame: Frame, along: Array) -> tuple[Array, Array]:
    """Two unit vectors (..., 3) across the canal's direction (..., 3): posterior and left."""
    posterior = frame.posterior - (along @ frame.posterior)[..., None] * along
    posterior = posterior / np.linalg.norm(posterior, axis=-1, keepdims=True)
    left = np.cross(posterior, along)
    return posterior, left * np.sign(left @ frame.left)[..., None]


def _ring(radius: Array) -> Array | None:
    """Radius (R,) of the bony ring: usual over the sections in which a ray meets bone.

    Below the median: where a ray runs into a recess or foramen it tells nothing of the ring.
    """
    share = (~np.isnan(radius)).mean(axis=0)
    known = share >= min(CLOSED_SHARE, 3.0 / radius.shape[0])
    if known.mean() < 0.7:  # noqa: PLR2004 - two thirds of the ring must be there
        return None
    ring = np.full(RAYS, np.nan)
    ring[known] = np.nanquantile(radius[:, known], RING_QUANTILE, axis=0)
    place = np.arange(RAYS)
    return np.interp(place, place[known], ring[known], period=RAYS)


def _narrowest(field: Volume, frame: Frame, centres: Array, along: Array) -> Canal | None:
    """Measure the cross-sections perpendicular to the axis (3,) and keep the smallest."""
    first, second = _cross_section(frame, along)
    rays = directions(first, second)
    radius = radii(field, centres, rays, REACH_MM, leaving=False)
    ring = _ring(radius)
    if ring is None:
        return None
    ring = _usual(radius, ring)
    edges = np.linalg.norm(across(along) @ field.affine[:3, :3], axis=1)
    voxel = float(np.sqrt(np.mean(edges**2)))
    closed = ring + _deviation(radius, ring, TOLD_APART * voxel)
    areas = area(closed)
    k = int(np.argmin(areas))
    shift = centroid(closed[k])
    centre = centres[k] + shift[0] * first + shift[1] * second
    outline = centres[k] + closed[k][:, None] * rays
    seen = float((~np.isnan(radius[k])).mean())
    return Canal(
        centre_mm=centre,
        axis=along,
        outline_mm=np.vstack([outline, outline[:1]]),
        line_mm=centres,
        area=Measure.of(
            float(areas[k]),
            _area_sd(closed[k], ring, voxel, _drift(centres[-1] - centres[0], field.affine)),
            "mm2",
            "edge of the label, averaged around the canal",
            confidence=Confidence.HIGH if seen > 0.5 else Confidence.MEDIUM,  # noqa: PLR2004
            lowest=0.0,
        ),
    )


def _usual(radius: Array, ring: Array) -> Array:
    """Median radius (R,) of the bone near a first ring, to which all heights err alike [mm]."""
    near = np.abs(np.nan_to_num(radius, nan=np.inf) - ring) < RECESS_MM
    rows = zip(radius.T, near.T, ring, strict=True)
    return np.array([np.median(r[n]) if n.any() else first for r, n, first in rows])


def _deviation(radius: Array, ring: Array, doubt_mm: float) -> Array:
    """How far the bone of each section lies off the usual ring (S, R) [mm].

    What a label's edge may err is taken off, else the narrowest of many sections is the one whose
    edge errs most. 0 where there is no bone, or only that of a recess or a foramen.

    References
    ----------
    Soft threshold: Donoho 1995, doi:10.1109/18.382009.
    """
    met = np.nan_to_num(radius, nan=np.inf)
    away = np.where(met < ring + RECESS_MM, met, ring) - ring
    return np.asarray(np.sign(away) * np.maximum(np.abs(away) - doubt_mm, 0.0))


def _drift(line: Array, affine: Array) -> float:
    """How far a line (3,) runs across the lattice axis that it follows most [mm]."""
    columns = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    along = columns[:, int(np.argmax(np.abs(line @ columns)))]
    return float(np.linalg.norm(line - (line @ along) * along))


def _area_sd(radius: Array, ring: Array, voxel: float, drift: float) -> float:
    """Uncertainty of an area from the label's voxels and from the method [mm2].

    The errors of a label's edge cancel around an oval; what is left grows with the square root of
    its radius and with the ``voxel``'s edge [mm] to the power of 1.5. It changes from section to
    section as the canal drifts across the lattice: the variance falls with 1 + ``drift`` [mm] in
    voxels (simulated tubes that lean by up to 20 degrees). Beside a fragment the rest of the ring
    is seen elsewhere: what is lost of the ring is known by that much less.
    """
    counted = np.sqrt(LATTICE * float(radius.mean()) * voxel**3 / (1.0 + drift / voxel))
    lost = max(float(area(ring) - area(radius)), 0.0)
    return float(np.linalg.norm([counted, METHOD_SD * float(area(radius)), LOST_SD * lost]))
