"""The cut behind the pedicles: which bone is the body's and which the arch's."""

import numpy as np
from scipy import ndimage

from kyphoplan.anatomy.body import (
    INNER_CANAL_MM,
    LOWER_HALF,
    PEDICLE_ROOT_MM,
    Outline,
    largest,
    wall_position,
)
from kyphoplan.anatomy.grid import Grid, Mask
from kyphoplan.geometry import Array

CANAL_CORE_MM = 6.03  # [mm] half width in which all that stands before the canal is body
WING_MM = 5.0  # [mm] radius of the opening; roots of transverse processes are 6-10 mm thick
FLARE_MM = 3.0  # [mm] the rim of a healthy endplate stands out over the waist by 2-3 mm
MIDDLE_PART = 0.15  # [1] of the height on each side of the middle that shows the waist
LEAST_RIM_MM = 1.0  # [mm] over the waist's outline, where pedicles join (ours)
FRONT_PART = 0.25  # [1] of the depth in front of which the sides round off


def divide(
    field: Array, grid: Grid, found: Outline, canal: tuple[Array, Array]
) -> tuple[Mask, Mask]:
    """Return the body (L, P, S) and its waist's outline (L, P) as booleans.

    Within the canal's width everything in front of the canal is body (a fragment pushed into the
    canal too); beside it, the wall seen below the pedicles is continued upwards as the cut. Where
    pedicles join, the body leaves its waist's outline as its wall leans and as it stands out in
    front at each height.
    """
    canal_left, canal_posterior = canal
    beside = np.abs(grid.left[:, None] - canal_left[None, :])
    lean = found.wall_slope * grid.superior[None, :]
    wall = wall_position(found, grid)
    back = (grid.posterior > wall - PEDICLE_ROOT_MM)[None, :, None]

    def before(cut: Array) -> Mask:
        cut = np.where(beside <= CANAL_CORE_MM, canal_posterior[None, :], cut + lean)
        return np.asarray((field < 0) & (grid.posterior[None, :, None] < cut[:, None, :]))

    bone = before(found.wall_across[:, None])
    outline = footprint(bone, grid, found)
    beyond = ndimage.distance_transform_edt(~outline, sampling=grid.step_mm)
    rim = np.clip(wall - grid.posterior - PEDICLE_ROOT_MM, LEAST_RIM_MM, FLARE_MM)
    fragment = (beside <= INNER_CANAL_MM[1])[:, None, :] & back
    upright = bone & ((beyond <= rim[None, :])[:, :, None] | fragment)
    wide = before(_widened(found.wall_across, grid, _flare(field, grid, found)))
    leaning = wide & back & (_leaning(beyond, grid, found) <= LEAST_RIM_MM)
    return np.asarray(upright | leaning), footprint(upright, grid, found)


def _flare(field: Array, grid: Grid, found: Outline) -> Array:
    """Width (S,) of the body at each height over that of its waist [1], where no pedicle joins.

    The rims stand out; a healthy one by no more than FLARE_MM on each side.
    """
    wall, front = wall_position(found, grid), float(np.nanmedian(found.anterior_wall))
    sides = (grid.posterior > front + FRONT_PART * (wall - front)) & (
        grid.posterior < wall - PEDICLE_ROOT_MM - LEAST_RIM_MM
    )
    if not sides.any():
        return np.ones(grid.superior.size)
    width = np.median((field[:, sides] < 0).sum(axis=0), axis=0) * grid.step_mm
    part = np.abs(grid.superior - found.middle) / found.height
    waist = float(np.median(width[part < MIDDLE_PART]))
    return np.asarray(np.clip(width / max(waist, FLARE_MM), 1.0, 1.0 + 2.0 * FLARE_MM / waist))


def _widened(wall: Array, grid: Grid, flare: Array) -> Array:
    """Return a wall (L,) stretched sideways by a factor at each height (S,): (L, S) [mm]."""
    return np.stack([np.interp(grid.left / wider, grid.left, wall) for wider in flare], axis=1)


def _leaning(beyond: Array, grid: Grid, found: Outline) -> Array:
    """Move distances (L, P) from the waist's outline backwards as the wall does: (L, P, S) [mm].

    A wedge's back leaves the waist's outline where it leans out of it.
    """
    back = found.wall_slope * (grid.superior - found.middle)
    steps = np.rint(np.maximum(back, 0.0) / grid.step_mm).astype(int)
    rows = np.arange(grid.posterior.size)[:, None] - steps[None, :]
    return np.asarray(beyond[:, np.maximum(rows, 0)])


def _mostly(slices: Mask) -> Mask:
    """Tell (L, P) where at least half of the slices (L, P, N) hold bone."""
    return np.asarray(slices.mean(axis=2) > 0.5)  # noqa: PLR2004 - majority


def footprint(bone: Mask, grid: Grid, found: Outline) -> Mask:
    """Return the waist's outline (L, P) as booleans, without roots of processes, ribs or spurs.

    The middle of the body seen from above; where pedicles join its sides, only what is seen below
    them too. Opened by a disc: what is thinner than a body goes.
    """
    part = (grid.superior - found.middle) / (found.top - found.bottom)
    below = (part > LOWER_HALF[0] + 0.1) & (part < LOWER_HALF[1] + 0.1)
    middle = _mostly(bone[:, :, np.abs(part) < MIDDLE_PART])
    roots = grid.posterior > wall_position(found, grid) - PEDICLE_ROOT_MM
    flat = middle & (_mostly(bone[:, :, below]) | ~roots[None, :])
    core = ndimage.distance_transform_edt(flat, sampling=grid.step_mm) > WING_MM
    opened = ndimage.distance_transform_edt(~core, sampling=grid.step_mm) <= WING_MM
    return largest(flat & opened)
