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
STEEPEST = (0.7, 0.45)  # [1] tangents: 35 deg of convergence, 24 deg up or down
JUMP = 0.75  # [1] sections whose centres move aside so much faster than usual are not one tube
REACH_DEG = 12.0  # [deg] the axis may turn from the line of the centres
TURN_STEP_DEG = 3.0  # [deg]
FAR_DEG = 30.0  # [deg] a turn so far must halve the section
NARROWEST = 1.25  # [1] sections no larger than this times the smallest tell the axis
FEWEST = 3  # [1] sections that make a line
STEP_MM = 0.5  # [mm] along the axis
BESIDE = 2  # [1] steps: the diameters are means over 1 mm on each side; one section alone is read
# 0.08 mm too narrow where voxels are 1-1.5 mm, since the narrowest of several has the worst luck
ONE_SIDED = 1.3  # [1] a ray longer than this times its opposite runs on into a process
DIAMETER_SD_MM = 0.08  # [mm] of a diameter in fine voxels, calibrated on phantoms
DIAMETER_VOXEL_SD = 0.055  # [1/mm] growth with the square of the voxel size (phantoms)
NARROW = 4.0  # [1] and more in a narrow pedicle, over few voxels: times voxel over diameter
ACROSS_SHARE = 0.55  # [1] thick voxels across a diameter blur it too (phantoms)
PAST_ELLIPSE = 1.12  # [1] a ray longer than this times the fitted ellipse is a leak
BROADEST = 1.35  # [1] width over height; L5: 18.0 / 14.0 mm in Zindrick 1987 (secondary)
LEAK = 2.6  # [1] a ray longer than this times the median leaks; pedicles are up to 3:1


def find_pedicle(fit: Fit, field: Volume, side: Side) -> Pedicle | None:
    """Find one pedicle; None if no bridge of bone leads from the body to the arch."""
    sections = _coronal_sections(fit, 1.0 if side is Side.LEFT else -1.0)
    if sections is None:
        return None
    frame = fit.grid.frame
    place, forward, reach = _start(sections)
    centre, axis = frame.to_patient(place), forward @ frame.axes
    for turn in (frame.superior, frame.left):
        axis = _across(field, centre, axis, turn, frame.left)
    return _narrowest(field, side, centre, axis, frame.left, reach)


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
    """Keep the longest run of sections that continue each other, without slivers and roots.

    Slivers beside the body, and the broad sections of body and lamina, are no pedicle.
    """
    usual = float(np.median(sections[:, 3]))
    kept = sections[(sections[:, 3] > 0.4 * usual) & (sections[:, 3] < 1.8 * usual)]
    aside = np.diff(kept[:, [0, 2]], axis=0) / np.diff(kept[:, 1])[:, None]
    broken = (np.abs(aside - np.median(aside, axis=0)) > JUMP).any(axis=1)
    runs = np.split(kept, np.flatnonzero(broken) + 1)
    run = max(runs, key=len)
    run = run if len(run) >= FEWEST else kept  # a pedicle hardly wider than the voxels
    return run if len(run) >= FEWEST else None


def _start(sections: Array) -> tuple[Array, Array, Array]:
    """Centre (3,) [mm, local] of the smallest coronal section, the way forward there (3,), steps.

    However a tube is cut, the centres of the cuts lie on its axis. The steps (S,) [mm] along the
    way stay between the first and the last of the sections.
    """
    smooth = ndimage.gaussian_filter1d(sections[:, 3], 1.0, mode="nearest")
    k = int(np.argmin(smooth))
    near = sections[:, 1] - sections[k, 1]
    close = (near >= -NEAR_MM[0]) & (near <= NEAR_MM[1])
    close &= sections[:, 3] <= NARROWEST * smooth[k]
    close |= np.argsort(np.argsort(np.abs(near), kind="stable")) < FEWEST
    slope = _median_slope(near[close], sections[close][:, [0, 2]])
    middle = np.median(sections[close][:, [0, 2]] - near[close, None] * slope, axis=0)
    centre = np.array([middle[0], sections[k, 1], middle[1]])
    slope = np.clip(slope, -np.array(STEEPEST), STEEPEST)
    forward = unit(np.array([-slope[0], -1.0, -slope[1]]))
    behind, ahead = near.max() / forward[1], near.min() / forward[1]
    steps = np.arange(-WALK_MM, WALK_MM + 0.01, STEP_MM)
    return centre, forward, steps[(steps >= behind) & (steps <= ahead)]


def _median_slope(x: Array, y: Array) -> Array:
    """Median of the pairwise slopes (2,) of y (S, 2) over x (S,): no single section turns it."""
    i, j = np.triu_indices(x.size, 1)
    return np.asarray(np.median((y[j] - y[i]) / (x[j] - x[i])[:, None], axis=0))


def _across(field: Volume, centre: Array, axis: Array, turn: Array, left: Array) -> Array:
    """Turn the axis a little about one direction (3,) to where it cuts smaller sections.

    A tube's section is smallest when it is cut straight across; a far turn must gain more.
    """
    turns = np.arange(-REACH_DEG, REACH_DEG + 0.1, TURN_STEP_DEG)
    cost = np.array(
        [
            _section_area(field, centre, rotation(turn, angle) @ axis, left)
            * (1.0 + (angle / FAR_DEG) ** 2)
            for angle in turns
        ]
    )
    best = turns[int(np.argmin(cost))] if np.isfinite(cost).any() else 0.0
    return rotation(turn, float(best)) @ axis


def _section_area(field: Volume, centre: Array, axis: Array, left: Array) -> float:
    """Mean area [mm2] of three sections around a centre; inf where the axis leaves the bone."""
    first = unit(reject(left, axis))
    centres = centre + np.array([-1.5, 0.0, 1.5])[:, None] * axis
    found = _centred(field, centres, directions(first, np.cross(axis, first)))
    return np.inf if found is None else float(area(found[1]).mean())


def _centred(field: Volume, centres: Array, rays: Array) -> tuple[Array, Array] | None:
    """Move centres (S, 3) to the middle of their sections; they and the radii (S, R) around them.

    None if a centre lies outside the bone.
    """
    radius = _without_leaks(radii(field, centres, rays, REACH_MM, leaving=True))
    for _ in range(3):
        if radius is None:
            return None
        shift = centroid(radius)
        centres = centres + shift[:, :1] * rays[0] + shift[:, 1:] * rays[RAYS // 4]
        radius = _without_leaks(radii(field, centres, rays, REACH_MM, leaving=True))
    return None if radius is None else (centres, radius)


def _narrowest(
    field: Volume, side: Side, centre: Array, axis: Array, left: Array, along: Array
) -> Pedicle | None:
    """Walk along the axis to the smallest section, and measure around it."""
    first = unit(reject(left, axis))
    second = np.cross(axis, first) * np.sign(np.cross(axis, first) @ np.cross(axis, left))
    rays = directions(first, second)
    found = _centred(field, centre + along[:, None] * axis, rays)
    if found is None:
        return None
    centres, radius = found
    sizes = np.array([ellipse(_within_ellipse(row)) for row in radius])
    smooth = ndimage.gaussian_filter1d(sizes, 1.0, axis=0, mode="nearest")
    k = int(np.argmin(smooth[:, 0] * smooth[:, 1]))
    if area(radius[k]) < SMALLEST_MM2:
        return None
    outline = centres[k] + radius[k][:, None] * rays
    size = sizes[max(k - BESIDE, 0) : k + BESIDE + 1].mean(axis=0)
    return Pedicle(
        side=side,
        isthmus_mm=centres[k],
        axis=axis,
        outline_mm=np.vstack([outline, outline[:1]]),
        width=_diameter(size, 0, field, (first, second))
        if size[0] <= BROADEST * size[1]
        else Measure.unknown("mm", "no isthmus: the pedicle runs into the transverse process"),
        height=_diameter(size, 1, field, (first, second)),
    )


def _without_leaks(radius: Array) -> Array | None:
    """Close rays that run on into the body or a lamina; None if a section's centre is outside."""
    known = ~np.isnan(radius)
    if (known.mean(axis=1) < 0.3).any():  # noqa: PLR2004 - the axis left the bone
        return None
    rows, count = np.arange(len(radius)), known.sum(axis=1)
    ordered = np.sort(radius, axis=1)  # NaN last
    median = 0.5 * (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2])
    closed = np.minimum(np.where(known, radius, REACH_MM), LEAK * median[:, None])
    return np.minimum(closed, ONE_SIDED * np.roll(closed, RAYS // 2, axis=1))


def _within_ellipse(radius: Array) -> Array:
    """Cut rays (R,) that leave the section's own ellipse: roots of processes, corners."""
    a, b = ellipse(radius)
    edge = 0.5 / np.sqrt((np.cos(ANGLES) / a) ** 2 + (np.sin(ANGLES) / b) ** 2)
    return np.minimum(radius, PAST_ELLIPSE * edge)


def _diameter(size: Array, which: int, field: Volume, axes: tuple[Array, Array]) -> Measure:
    """Turn one of two diameters (2,) into a figure; ``axes`` are their directions."""
    edges = [float(np.linalg.norm(d @ field.affine[:3, :3])) for d in axes]
    voxel = float(np.hypot(edges[which], ACROSS_SHARE * edges[1 - which]))
    narrow = float(np.hypot(1.0, NARROW * voxel / size.min()))
    return Measure.of(
        float(size[which]),
        float(np.hypot(DIAMETER_SD_MM, DIAMETER_VOXEL_SD * voxel**2 * narrow)),
        "mm",
        f"edges of the label at {voxel:.1f} mm voxels",
        confidence=Confidence.HIGH if voxel <= 0.2 * size[which] else Confidence.LOW,
        lowest=0.0,
    )
