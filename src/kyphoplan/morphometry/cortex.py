"""Holes in the cortical shell: ways out for cement."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import Confidence, CorticalGap, GapSite, Measure, Vertebra, Volume
from kyphoplan.geometry import Array

FAN_DEG = 3.0  # [deg] step of the directions around the body
RISE_MM = 0.75  # [mm] step of the heights
REACH_MM = 2.5  # [mm] inside and outside of the wall in which the shell is sought
SHELL_SHARE = 0.25  # [1] a shell weaker than this part of the body's usual one is a gap
SMALLEST_MM2 = 6.0  # [mm2] a smaller hole is not told from noise
RIM_PART = 0.86  # [1] of the half height: beyond, the rim belongs to the endplate
COARSEST_MM = 1.6  # [mm] voxels thicker than this hide a hole of the smallest size
NOISIEST = 0.40  # [1] if more of the shell than this seems missing, nothing can be said


def cortical_gaps(vertebra: Vertebra, ct: Volume | None) -> tuple[tuple[CorticalGap, ...], str]:
    """Find gaps of the walls and endplates of a body.

    Returns
    -------
    The gaps, largest first, and the reason of what could not be judged (empty if all could).
    """
    if vertebra.body is None or vertebra.frame is None:
        return (), vertebra.reason
    if ct is None:
        return (), "no CT: the shell is not in a label map"
    if np.sort(ct.spacing_mm)[1] > COARSEST_MM:
        return (), f"voxels of {ct.spacing_mm.max():.1f} mm are too coarse for cortical gaps"
    walls = _wall_gaps(vertebra, ct)
    plates = _plate_gaps(vertebra, ct)
    if walls is None or plates is None:
        return (), "the shell does not stand out from the trabecular bone"
    found = sorted(walls + plates, key=lambda gap: -(gap.area.value or 0.0))
    return tuple(found), ""


def _peaks(ct: Volume, surface: Array, outward: Array) -> Array:
    """Highest intensity [HU] across the surface at points (..., 3); NaN outside the image."""
    t = np.arange(-REACH_MM, REACH_MM + 0.01, 0.5)
    places = surface[..., None, :] + t[:, None] * outward[..., None, :]
    index = np.moveaxis(ct.to_indices(places), -1, 0)
    values = ndimage.map_coordinates(
        np.asarray(ct.voxels, np.float32), index, order=1, mode="constant", cval=np.nan
    )
    return np.asarray(values.max(axis=-1))


def _threshold(ct: Volume, vertebra: Vertebra, peaks: Array) -> float | None:
    """Intensity [HU] below which the shell counts as missing; None if it cannot be told."""
    assert vertebra.frame is not None  # located
    offsets = np.stack(np.meshgrid(*[np.arange(-5.0, 5.1, 2.5)] * 3), axis=-1).reshape(-1, 3)
    index = ct.to_indices(vertebra.frame.to_patient(offsets)).T
    inner = ndimage.map_coordinates(np.asarray(ct.voxels, np.float32), index, order=1)
    middle, spread = float(np.median(inner)), float(inner.std())
    if np.isnan(peaks).all():
        return None
    usual = float(np.nanmedian(peaks))
    level = middle + SHELL_SHARE * (usual - middle)
    enough = usual > middle + 2.0 * spread and np.nanmean(peaks < level) < NOISIEST
    return level if enough else None


def _wall_gaps(vertebra: Vertebra, ct: Volume) -> list[CorticalGap] | None:
    """Gaps of the walls, on a map of direction around the body against height."""
    surface, outward, usable = _wall_map(vertebra)
    usable &= _sharp(ct, outward)
    peaks = np.where(usable, _peaks(ct, surface, outward), np.nan)
    level = _threshold(ct, vertebra, peaks)
    if level is None:
        return None
    holes = ndimage.gaussian_filter(np.where(np.isnan(peaks), level + 1.0, peaks), 0.7) < level
    assert vertebra.frame is not None
    local = outward @ vertebra.frame.axes.T
    width = np.deg2rad(FAN_DEG) * np.hypot(
        *np.moveaxis(vertebra.frame.to_local(surface)[..., :2], -1, 0)
    )
    return _gaps(holes & usable, surface, width * RISE_MM, lambda at: _wall_site(local[at]))


def _wall_map(vertebra: Vertebra) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Surface points (A, H, 3), outward directions and where the wall is free of pedicles."""
    body, frame = vertebra.body, vertebra.frame
    assert body is not None
    assert frame is not None
    assert vertebra.parts is not None
    angles = np.deg2rad(np.arange(0.0, 360.0, FAN_DEG))
    half = 0.5 * float((body.superior.middle_mm - body.inferior.middle_mm) @ frame.superior)
    heights = np.arange(-RIM_PART * half, RIM_PART * half, RISE_MM)
    local = np.stack([np.sin(angles), -np.cos(angles), 0.0 * angles], axis=1)
    outward = np.broadcast_to((local @ frame.axes)[:, None, :], (angles.size, heights.size, 3))
    start = frame.origin_mm + heights[:, None] * frame.superior
    t = np.arange(4.03, 40.0, 0.5)  # off the lattice of the parts
    places = start[None, :, None, :] + t[:, None] * outward[:, :, None, :]
    index = np.moveaxis(vertebra.parts.to_indices(places), -1, 0)
    parts = ndimage.map_coordinates(vertebra.parts.voxels, index, order=0, mode="nearest")
    bone = parts != 0
    out = np.argmax(~bone, axis=-1)
    surface = start[None] + t[out][..., None] * outward
    into_arch = (parts == 2).any(axis=-1) & (  # noqa: PLR2004 - Part.ARCH
        np.argmax(parts == 2, axis=-1) <= out + 2  # noqa: PLR2004
    )
    return surface, outward, ~into_arch & (~bone).any(axis=-1)


def _sharp(ct: Volume, outward: Array) -> NDArray[np.bool_]:
    """Tell where the CT's voxels are thin enough along a direction (..., 3) for the shell."""
    return np.asarray(np.linalg.norm(outward @ ct.affine[:3, :3], axis=-1) <= COARSEST_MM)


def _wall_site(direction: Array) -> GapSite:
    """Name the wall that an outward direction (left, posterior, superior) belongs to."""
    if abs(direction[0]) > abs(direction[1]):
        return GapSite.LEFT if direction[0] > 0 else GapSite.RIGHT
    return GapSite.POSTERIOR if direction[1] > 0 else GapSite.ANTERIOR


def _plate_gaps(vertebra: Vertebra, ct: Volume) -> list[CorticalGap] | None:
    """Gaps of both endplates, on a 1 mm map of the surface."""
    body, frame = vertebra.body, vertebra.frame
    assert body is not None
    assert frame is not None
    found: list[CorticalGap] = []
    for plate, site in ((body.superior, GapSite.SUPERIOR), (body.inferior, GapSite.INFERIOR)):
        local = frame.to_local(plate.points_mm)
        node = np.rint(0.997 * local[:, :2]).astype(int)  # off the lattice of the columns
        node -= node.min(axis=0)
        surface = np.full((*(node.max(axis=0) + 1), 3), np.nan)
        surface[node[:, 0], node[:, 1]] = plate.points_mm
        usable = ~np.isnan(surface[..., 0])
        peaks = np.full(usable.shape, np.nan)
        outward = np.sign(plate.normal @ frame.superior) * frame.superior
        if not _sharp(ct, outward):
            continue
        peaks[usable] = _peaks(ct, surface[usable], np.broadcast_to(outward, (usable.sum(), 3)))
        level = _threshold(ct, vertebra, peaks)
        if level is None:
            return None
        holes = ndimage.gaussian_filter(np.where(usable, peaks, level + 1.0), 0.7) < level
        cell = np.ones(usable.shape)
        found += _gaps(holes & usable, surface, cell, lambda at, site=site: site)
    return found


def _gaps(holes: Array, surface: Array, cell: Array, site: object) -> list[CorticalGap]:
    """Turn connected holes of a map into gaps with centre and area."""
    labels, count = ndimage.label(holes)
    found = []
    for index in range(1, count + 1):
        here = labels == index
        size = float(cell[here].sum())
        if size < SMALLEST_MM2:
            continue
        middle = np.argwhere(here)[int(here.sum()) // 2]
        found.append(
            CorticalGap(
                site=site(tuple(middle)),  # type: ignore[operator]
                centre_mm=surface[here].mean(axis=0),
                area=Measure.of(
                    size,
                    0.3 * size + 1.0,
                    "mm2",
                    "shell below a third of its usual height over the trabecular bone",
                    confidence=Confidence.LOW,
                    lowest=0.0,
                ),
            )
        )
    return found
