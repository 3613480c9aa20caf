"""The nouns of one vertebra's bone: body with endplates and walls, arch, osteophytes."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.anatomy.body import PEDICLE_ROOT_MM, wall_position
from kyphoplan.anatomy.bones import Bone
from kyphoplan.anatomy.endplates import (
    Columns,
    build_endplate,
    columns,
    facing,
    refine,
    smoothed,
    without_spurs,
)
from kyphoplan.anatomy.frame import Fit
from kyphoplan.anatomy.grid import Grid, Mask
from kyphoplan.anatomy.relief import Relief
from kyphoplan.case import Body, Confidence, Measure, Part, Volume
from kyphoplan.geometry import Array, Frame

VOLUME_SD = 0.026  # [1] of the body's volume: where the cut behind the pedicles runs (phantoms)
LIP_MM = 0.8  # [mm] farther out than the usual flare is a lip
SECTORS = 24  # [1] directions around the body in which the rim is looked at
RIM_PART = (0.65, 0.95)  # [1] of the half height, where the rim flares
SPUR_MM = 1.5  # [mm] bone beyond the endplate's surface by more is osteophyte


def _surfaces(fit: Fit, field: Volume, ct: Volume | None) -> tuple[Columns, Columns] | None:
    """Find the columns of both endplates, sharpened by the CT if there is one."""
    found = []
    for sign in (1, -1):
        surface = columns(fit.field, fit.grid, fit.body, fit.waist, fit.found, sign)
        if surface.left.size < 60:  # noqa: PLR2004 - hardly a surface
            return None
        surface = smoothed(without_spurs(surface), fit.grid, field)
        if ct is not None:
            surface = refine(surface, fit.grid, ct)
        found.append(surface)
    return found[0], found[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A body from its surfaces and walls.

    Attributes
    ----------
    body : None if its surfaces cannot be followed.
    frame : the vertebra's frame, upright between the endplates if they are known.
    spurs : its osteophytes (L, P, S); None without a body.
    """

    body: Body | None
    frame: Frame
    spurs: Mask | None


def build_body(fit: Fit, bone: Bone, ct: Volume | None) -> Built:
    """Build the body from its surfaces and walls, and find its osteophytes."""
    grid, found, frame = fit.grid, fit.found, fit.grid.frame
    surfaces, walls = _surfaces(fit, bone.field, ct), _waist_walls(fit)
    if surfaces is None or walls is None:
        return Built(body=None, frame=frame, spurs=None)
    width = float(np.ptp(grid.left[fit.waist.any(axis=1)])) + grid.step_mm
    own = facing(surfaces, frame, walls, width)
    line = _depth_line(surfaces, walls, frame.axes @ own.posterior)
    superior, inferior = (
        build_endplate(
            s, (frame, own), line, ct if ct is not None and s.refined.any() else bone.field
        )
        for s in surfaces
    )
    known = ~np.isnan(found.posterior_wall)
    heights = grid.superior[known]
    anterior, posterior = (
        frame.to_patient(np.stack([0.0 * heights, wall[known], heights], axis=1))
        for wall in (found.anterior_wall, found.posterior_wall)
    )
    spurs = _osteophytes(fit, surfaces)
    body = Body(
        superior=superior,
        inferior=inferior,
        anterior_wall_mm=anterior,
        posterior_wall_mm=posterior,
        depth_mm=walls[1] - walls[0],
        width_mm=width,
        volume=_volume(fit, bone, spurs, surfaces),
    )
    return Built(body=body, frame=own, spurs=spurs)


def _depth_line(
    surfaces: tuple[Columns, Columns], walls: tuple[float, float], backwards: Array
) -> Array:
    """Return the ends (2, 3) of the depth on the mid-line, half way between the endplates [mm].

    ``backwards`` is the body's own posterior direction in the columns' frame.
    """
    middle = 0.5 * (walls[0] + walls[1])
    heights = [
        float(s.fitted.at(np.zeros(1), np.array([middle]))[0]) for s in surfaces if s.fitted
    ]
    half = 0.5 * (walls[1] - walls[0]) * backwards
    centre = np.array([0.0, middle, float(np.mean(heights))])
    return np.stack([centre - half, centre + half])


def _waist_walls(fit: Fit) -> tuple[float, float] | None:
    """Anterior and posterior wall on the mid-line at the body's waist [mm]."""
    near = np.abs(fit.grid.superior - fit.found.middle) <= 2.0  # noqa: PLR2004 [mm]
    anterior, posterior = fit.found.anterior_wall[near], fit.found.posterior_wall[near]
    if np.isnan(anterior).all() or np.isnan(posterior).all():
        return None
    return float(np.nanmedian(anterior)), float(np.nanmedian(posterior))


def _continued(surface: Columns, grid: Grid) -> Array:
    """Smooth continuation of an endplate over the whole grid (L, P) [mm]."""
    base = Relief.through(surface.left, surface.posterior, surface.height, np.inf)
    return base.at(*np.meshgrid(grid.left, grid.posterior, indexing="ij"))


def _osteophytes(fit: Fit, surfaces: tuple[Columns, Columns]) -> Mask:
    """Bone (L, P, S) that stands out of the body's own outline: spurs, lips and bridges.

    In front of the pedicles' roots: bone beyond the endplates' own surfaces, and bone farther out
    of the waist than the rim of this body usually is.
    """
    grid = fit.grid
    top, bottom = (_continued(surface, grid)[:, :, None] for surface in surfaces)
    s = grid.superior[None, None, :]
    past = (s > top + SPUR_MM) | (s < bottom - SPUR_MM)
    part = np.abs(s - 0.5 * (top + bottom)) / np.maximum(0.5 * (top - bottom), 1.0)
    beyond = ndimage.distance_transform_edt(~fit.waist, sampling=grid.step_mm)[:, :, None]
    flare = _flare(fit, part, beyond[:, :, 0])
    out = beyond > flare * np.minimum(part, 1.0) ** 2 + LIP_MM
    front = grid.posterior < wall_position(fit.found, grid) - PEDICLE_ROOT_MM
    reach = np.abs(grid.left) < 30.0  # noqa: PLR2004 [mm] not the processes' tips
    here = (reach[:, None] & front[None, :])[:, :, None] & (fit.field < 0) & ~fit.waist[:, :, None]
    return np.asarray(here & (past | out))


def _flare(fit: Fit, part: Array, beyond: Array) -> float:
    """How far the rim of this body stands out of its waist, in most directions [mm].

    ``part`` (L, P, S) is 0 in the middle and 1 at the endplates, ``beyond`` (L, P) the distance
    from the waist [mm].
    """
    grid = fit.grid
    left, posterior = np.meshgrid(grid.left, grid.posterior, indexing="ij")
    centre = [float(place[fit.waist].mean()) for place in (left, posterior)]
    sector = np.floor(
        (np.arctan2(left - centre[0], centre[1] - posterior) / np.pi + 1.0) * 0.5 * SECTORS
    ).astype(int)
    rim = (fit.body & (part > RIM_PART[0]) & (part < RIM_PART[1])).any(axis=2)
    front = posterior < wall_position(fit.found, grid) - PEDICLE_ROOT_MM
    far = [
        float(beyond[here].max())
        for k in range(SECTORS)
        if (here := rim & front & (sector == k)).any()
    ]
    return float(np.median(far)) / float(np.mean(RIM_PART)) ** 2 if far else 0.0


def _volume(fit: Fit, bone: Bone, osteophytes: Mask, surfaces: tuple[Columns, Columns]) -> Measure:
    """Volume of the body [ml] with partial voxels at its surface, up to its fitted endplates."""
    grid = fit.grid
    share = np.clip(0.5 - fit.field / grid.step_mm, 0.0, 1.0)
    near = fit.body & ~osteophytes
    inside = near | (_grown(near) & (fit.field >= 0))
    cell = grid.step_mm**3 / 1000.0
    value = float(share[inside].sum()) * cell
    ground = float(fit.waist.sum()) * grid.step_mm**2 / 1000.0
    value += ground * sum(float(s.sign * (s.height - s.label).mean()) for s in surfaces)
    voxel = float(np.cbrt(bone.field.voxel_mm3))
    sd = VOLUME_SD * value
    return Measure.of(
        value,
        sd,
        "ml",
        f"label edge at {voxel:.1f} mm voxels; cut behind the pedicles",
        confidence=Confidence.HIGH if sd < 0.03 * value else Confidence.MEDIUM,
        lowest=0.0,
    )


def _grown(mask: Mask) -> Mask:
    """Return the mask and its six neighbours."""
    grown = mask.copy()
    for axis in range(3):
        grown |= np.roll(mask, 1, axis) | np.roll(mask, -1, axis)
    return grown


def build_parts(fit: Fit, spurs: Mask | None) -> Volume:
    """Mark each node of the grid as outside, body, arch or osteophyte."""
    parts = np.where(fit.field < 0, Part.ARCH, Part.OUTSIDE).astype(np.uint8)
    parts[fit.body] = Part.BODY
    if spurs is not None:
        parts[spurs] = Part.OSTEOPHYTE
    return Volume(parts, fit.grid.affine)
