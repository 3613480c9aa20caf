"""The spinal canal behind one vertebra: rays from its axis to the bone around it.

The axis is the arch's own: it stays where it was when the body in front of it breaks.
"""

import numpy as np
from scipy import ndimage

from kyphoplan.anatomy.endplates import LABEL_SD
from kyphoplan.anatomy.orientation import Rough, across
from kyphoplan.anatomy.rays import ANGLES, RAYS, area, centroid, directions, radii
from kyphoplan.case import Canal, Confidence, Measure, Volume
from kyphoplan.geometry import Array, Frame, angle_deg, unit

REACH_MM = 24.0  # [mm] no canal is wider than twice this
SLICE_MM = 1.0  # [mm] distance of the cross-sections
RING_QUANTILE = 0.35  # [1] of the distances of bone in one direction
SMOOTH_MM = 1.0  # [mm] sigma along the canal before the narrowest place is chosen
BESIDE = -0.3  # [1] cosine from posterior: directions that meet the arch, not the body
FEWEST_SECTIONS = 5  # [1] that show a direction
UNEVEN_MM = 2.5  # [mm] a ray this far from its usual length meets something else
STEEPEST_DEG = 20.0  # [deg] a canal leans no farther from its first look
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


def arch_axis(
    field: Volume, frame: Frame, centre: Array, along: Array, extent: tuple[float, float]
) -> Array:
    """Direction (3,) of the canal in this vertebra: along the inner face of its own arch.

    The arch stays whole where the body breaks: laminae and pedicles tell the direction, the
    posterior wall and its fragments do not. ``along`` where they show too little.
    """
    behind = np.cos(ANGLES) > BESIDE
    normals = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    axis = along
    for _ in range(3):
        centres = _axis_points(frame, centre, axis, extent)
        first, second = _cross_section(frame, axis)
        radius = radii(field, centres, directions(first, second), REACH_MM, leaving=False)
        seen = behind & ((~np.isnan(radius)).sum(axis=0) >= FEWEST_SECTIONS)
        rest = radius[:, seen] - np.nanmedian(radius[:, seen], axis=0)
        section, ray = np.nonzero(np.abs(rest) < UNEVEN_MM)
        if np.unique(section).size < FEWEST_SECTIONS:
            return along
        height = (centres[section] - centre) @ axis
        lean = normals[seen][ray] * height[:, None]
        offset = normals[seen][ray]
        fit = np.linalg.lstsq(np.hstack([lean, offset]), rest[section, ray], rcond=None)[0]
        axis = unit(axis + fit[0] * first + fit[1] * second)
    return axis if angle_deg(axis, along) < STEEPEST_DEG else along


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
    closed = np.where(np.isnan(radius), ring, np.minimum(radius, ring))
    smooth = ndimage.gaussian_filter1d(area(closed), SMOOTH_MM / SLICE_MM, mode="nearest")
    k = int(np.argmin(smooth))
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
            float(smooth[k]),
            _area_sd(closed[k], field, along),
            "mm2",
            "edge of the label, averaged around the canal",
            confidence=Confidence.HIGH if seen > 0.5 else Confidence.MEDIUM,  # noqa: PLR2004
            lowest=0.0,
        ),
    )


def _area_sd(radius: Array, field: Volume, along: Array) -> float:
    """Uncertainty of an area from the label's edge [mm2]: perimeter times a shared edge error."""
    perimeter = 2.0 * np.pi * float(radius.mean())
    voxel = float(np.linalg.norm(across(along) @ field.affine[:3, :3], axis=1).mean())
    return perimeter * LABEL_SD * voxel * 0.35
