"""The spinal canal behind one vertebra: rays from its axis to the bone around it."""

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from kyphoplan.anatomy.endplates import LABEL_SD
from kyphoplan.anatomy.orientation import Rough, across
from kyphoplan.anatomy.rays import RAYS, area, centroid, directions, radii
from kyphoplan.case import Canal, Confidence, Measure, Volume
from kyphoplan.geometry import Array, Frame

REACH_MM = 24.0  # [mm] no canal is wider than twice this
SLICE_MM = 1.0  # [mm] distance of the cross-sections
SMOOTH_MM = 1.5  # [mm] sigma along the canal before the narrowest place is chosen
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


def canal_curve(centres: Array, ends: tuple[Array, Array]) -> CubicSpline:
    """Smooth curve through canal centres (N, 3) from cranial to caudal [mm].

    ``ends`` are the unit directions (cranial) at the first and the last centre.
    """
    chord = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    place = np.concatenate([[0.0], np.cumsum(chord)])
    return CubicSpline(place, centres, bc_type=((1, -ends[0]), (1, -ends[1])))


def find_canal(
    field: Volume, frame: Frame, line: tuple[Array, Array], extent: tuple[float, float]
) -> Canal | None:
    """Find the narrowest cross-section of the canal and its area.

    Parameters
    ----------
    line : points (N, 3) on the canal's axis [mm] and the cranial unit direction at each.
    extent : bottom and top of the posterior wall along the frame's superior axis [mm].

    Returns
    -------
    None if the canal is open to most sides (no arch in the mask).
    """
    heights = frame.to_local(line[0])[:, 2]
    behind = (heights >= extent[0]) & (heights <= extent[1])
    if behind.sum() < 3:  # noqa: PLR2004 - nothing to choose from
        return None
    return _narrowest(field, frame, line[0][behind], line[1][behind])


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
    """Radius (R,) of the bony ring: median over the sections in which a ray meets bone."""
    share = (~np.isnan(radius)).mean(axis=0)
    known = share >= min(CLOSED_SHARE, 3.0 / radius.shape[0])
    if known.mean() < 0.7:  # noqa: PLR2004 - two thirds of the ring must be there
        return None
    ring = np.full(RAYS, np.nan)
    ring[known] = np.nanmedian(radius[:, known], axis=0)
    place = np.arange(RAYS)
    return np.interp(place, place[known], ring[known], period=RAYS)


def _narrowest(field: Volume, frame: Frame, centres: Array, along: Array) -> Canal | None:
    """Measure the cross-sections perpendicular to the axis and keep the smallest."""
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
    centre = centres[k] + shift[0] * first[k] + shift[1] * second[k]
    outline = centres[k] + closed[k][:, None] * rays[k]
    seen = float((~np.isnan(radius[k])).mean())
    return Canal(
        centre_mm=centre,
        axis=along[k],
        outline_mm=np.vstack([outline, outline[:1]]),
        line_mm=centres[::-1],
        area=Measure.of(
            float(smooth[k]),
            _area_sd(closed[k], field, along[k]),
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
