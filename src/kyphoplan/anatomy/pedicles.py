"""The pedicles: followed from the body to the arch, measured where they are narrowest."""

import numpy as np
from scipy import ndimage

from kyphoplan.anatomy.body import largest
from kyphoplan.anatomy.frame import Fit
from kyphoplan.anatomy.rays import ANGLES, RAYS, area, centroid, directions, ellipse, radii
from kyphoplan.case import Confidence, Measure, Pedicle, Side, Volume
from kyphoplan.geometry import Array, reject, rotation, unit

BESIDE_MM = (4.03, 27.03)  # [mm] lateral distance of a pedicle's centre from the canal's axis
REACH_MM = 16.0  # [mm] half of the tallest section that is followed
WALK_MM = 3.0  # [mm] how far the isthmus is sought along the axis on each side
NEAR_MM = (2.5, 4.0)  # [mm] before and behind the isthmus that give the axis; the body is near
SMALLEST_MM2 = 6.0  # [mm2] below this no pedicle is measured
STEEPEST = 0.7  # [1] tangent of the largest convergence, 35 degrees
TILT_DEG = 24.0  # [deg] largest turn in the sagittal plane in one search
CONVERGENCE_DEG = 16.0  # [deg] largest turn in the axial plane in one search
TURN_STEP_DEG = 4.0  # [deg]
ONE_SIDED = 1.3  # [1] a ray longer than this times its opposite runs on into a process
DIAMETER_SD_MM = 0.10  # [mm] of a diameter in fine voxels, calibrated on phantoms
DIAMETER_VOXEL_SD = 0.085  # [1/mm] growth with the square of the voxel size (phantoms)
ACROSS_SHARE = 0.55  # [1] thick voxels across a diameter blur it too (phantoms)
PAST_ELLIPSE = 1.12  # [1] a ray longer than this times the fitted ellipse is a leak
BROADEST = 1.35  # [1] width over height; L5: 18.0 / 14.0 mm in Zindrick 1987 (secondary)
LEAK = 1.7  # [1] a ray longer than this times the median runs on into body or lamina


def find_pedicle(fit: Fit, field: Volume, side: Side) -> Pedicle | None:
    """Find one pedicle; None if no bridge of bone leads from the body to the arch."""
    sections = _coronal_sections(fit, 1.0 if side is Side.LEFT else -1.0)
    if sections is None:
        return None
    frame = fit.grid.frame
    place, inward = _start(sections)
    centre = frame.to_patient(place)
    axis = unit(-frame.posterior + inward * frame.left)
    for _ in range(2):
        for turn, reach in ((frame.left, TILT_DEG), (frame.superior, CONVERGENCE_DEG)):
            axis = _most_across(field, centre, axis, (turn, reach), frame.left)
    return _narrowest(field, side, centre, axis, frame.left)


def _coronal_sections(fit: Fit, sign: float) -> Array | None:
    """Centre and area (N, 4) [mm, mm2, local] of the pedicle in coronal sections.

    From the body's posterior wall to the middle of the canal, where nothing but the pedicle
    stands beside the canal.
    """
    grid, found = fit.grid, fit.found
    k = int(np.argmin(np.abs(grid.superior - found.middle)))
    canal_left, canal_posterior = fit.canal[0][k], fit.canal[1][k]
    wall = float(np.nanmedian(found.posterior_wall))
    lateral = sign * (grid.left - canal_left)
    columns = np.flatnonzero((lateral > BESIDE_MM[0]) & (lateral < BESIDE_MM[1]))
    height = found.top - found.bottom
    rows = np.flatnonzero(
        (grid.superior > found.bottom) & (grid.superior < found.top + 0.2 * height)
    )
    sections = []
    for j in np.flatnonzero(
        (grid.posterior > wall + 1.0) & (grid.posterior < canal_posterior + 2)
    ):
        shape = largest(fit.field[columns, j][:, rows] < 0)
        if shape.sum() * grid.step_mm**2 < SMALLEST_MM2:
            continue
        i, r = (float(index.mean()) * grid.step_mm for index in np.nonzero(shape))
        size = float(shape.sum()) * grid.step_mm**2
        sections.append(
            [grid.left[columns[0]] + i, grid.posterior[j], grid.superior[rows[0]] + r, size]
        )
    return _bridge(np.array(sections)) if sections else None


def _bridge(sections: Array) -> Array | None:
    """Leave out slivers beside the body and the broad sections of body and lamina."""
    usual = float(np.median(sections[:, 3]))
    kept = sections[(sections[:, 3] > 0.4 * usual) & (sections[:, 3] < 1.8 * usual)]
    return kept if len(kept) >= 3 else None  # noqa: PLR2004 - a line


def _start(sections: Array) -> tuple[Array, float]:
    """Centre (3,) [mm, local] of the smallest coronal section and the rough convergence there.

    The convergence is the leftward shift per mm towards anterior [1].
    """
    smooth = ndimage.gaussian_filter1d(sections[:, 3], 1.0, mode="nearest")
    k = int(np.argmin(smooth))
    near = sections[:, 1] - sections[k, 1]
    close = (near >= -NEAR_MM[0]) & (near <= NEAR_MM[1])
    if np.ptp(near[close]) <= 0.0:
        return sections[k, :3], 0.0
    fit = np.polynomial.polynomial.polyfit(near[close], sections[close][:, [0, 2]], 1)
    centre = np.array([fit[0, 0], sections[k, 1], fit[0, 1]])
    return centre, -float(np.clip(fit[1, 0], -STEEPEST, STEEPEST))


def _most_across(
    field: Volume, centre: Array, axis: Array, search: tuple[Array, float], left: Array
) -> Array:
    """Turn the axis about one direction until it cuts the smallest sections.

    A tube's section is smallest when it is cut straight across. ``search`` is the direction (3,)
    to turn about and the largest turn [deg].
    """
    turn, reach = search
    turns = np.arange(-reach, reach + 0.1, TURN_STEP_DEG)
    size = np.array(
        [_section_area(field, centre, rotation(turn, angle) @ axis, left) for angle in turns]
    )
    k = int(np.argmin(size))
    if not np.isfinite(size[k]):
        return axis
    best = turns[k]
    if 0 < k < size.size - 1 and np.isfinite(size[k - 1 : k + 2]).all():
        bend = size[k - 1] - 2.0 * size[k] + size[k + 1]
        best += 0.5 * TURN_STEP_DEG * (size[k - 1] - size[k + 1]) / max(bend, 1e-9)
    return rotation(turn, float(best)) @ axis


def _section_area(field: Volume, centre: Array, axis: Array, left: Array) -> float:
    """Mean area [mm2] of three sections around a centre; inf where the axis leaves the bone."""
    first = unit(reject(left, axis))
    centres = centre + np.array([-1.5, 0.0, 1.5])[:, None] * axis
    rays = directions(first, np.cross(axis, first))
    radius = _without_leaks(radii(field, centres, rays, REACH_MM, leaving=True))
    return np.inf if radius is None else float(area(radius).mean())


def _narrowest(
    field: Volume, side: Side, centre: Array, axis: Array, left: Array
) -> Pedicle | None:
    """Walk along the axis and measure the section with the smallest width."""
    first = unit(reject(left, axis))
    second = np.cross(axis, first) * np.sign(np.cross(axis, first) @ np.cross(axis, left))
    rays = directions(first, second)
    centres = centre + np.arange(-WALK_MM, WALK_MM + 0.01, 0.5)[:, None] * axis
    for _ in range(3):
        radius = _without_leaks(radii(field, centres, rays, REACH_MM, leaving=True))
        if radius is None:
            return None
        shift = centroid(radius)
        centres = centres + shift[:, :1] * first + shift[:, 1:] * second
    radius = _without_leaks(radii(field, centres, rays, REACH_MM, leaving=True))
    if radius is None:
        return None
    sizes = np.array([ellipse(_within_ellipse(row)) for row in radius])
    smooth = ndimage.gaussian_filter1d(sizes, 1.0, axis=0, mode="nearest")
    k = int(np.argmin(smooth[:, 0] * smooth[:, 1]))
    if area(radius[k]) < SMALLEST_MM2:
        return None
    outline = centres[k] + radius[k][:, None] * rays
    return Pedicle(
        side=side,
        isthmus_mm=centres[k],
        axis=axis,
        outline_mm=np.vstack([outline, outline[:1]]),
        width=_diameter(sizes[k, 0], field, (first, second))
        if sizes[k, 0] <= BROADEST * sizes[k, 1]
        else Measure.unknown("mm", "no isthmus: the pedicle runs into the transverse process"),
        height=_diameter(sizes[k, 1], field, (second, first)),
    )


def _without_leaks(radius: Array) -> Array | None:
    """Close rays that run on into the body or a lamina; None if a section's centre is outside."""
    known = ~np.isnan(radius)
    if (known.mean(axis=1) < 0.3).any():  # noqa: PLR2004 - the axis left the bone
        return None
    closed = np.minimum(
        np.where(known, radius, REACH_MM), LEAK * np.nanmedian(radius, axis=1)[:, None]
    )
    return np.minimum(closed, ONE_SIDED * np.roll(closed, RAYS // 2, axis=1))


def _within_ellipse(radius: Array) -> Array:
    """Cut rays (R,) that leave the section's own ellipse: roots of processes, corners."""
    a, b = ellipse(radius)
    edge = 0.5 / np.sqrt((np.cos(ANGLES) / a) ** 2 + (np.sin(ANGLES) / b) ** 2)
    return np.minimum(radius, PAST_ELLIPSE * edge)


def _diameter(value: float, field: Volume, axes: tuple[Array, Array]) -> Measure:
    """Turn a diameter into a figure; ``axes`` are its own direction and the one across."""
    own, across = (float(np.linalg.norm(d @ field.affine[:3, :3])) for d in axes)
    voxel = float(np.hypot(own, ACROSS_SHARE * across))
    return Measure.of(
        float(value),
        float(np.hypot(DIAMETER_SD_MM, DIAMETER_VOXEL_SD * voxel**2)),
        "mm",
        f"edges of the label at {voxel:.1f} mm voxels",
        confidence=Confidence.HIGH if voxel <= 0.2 * value else Confidence.LOW,
        lowest=0.0,
    )
