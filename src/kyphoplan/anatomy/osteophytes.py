"""Osteophytes told from the body: bone past its endplates, and lips beyond its usual rim."""

import numpy as np
from numpy.typing import NDArray

from kyphoplan.anatomy.body import PEDICLE_ROOT_MM, wall_position
from kyphoplan.anatomy.endplates import Columns
from kyphoplan.anatomy.frame import Fit
from kyphoplan.anatomy.grid import Grid, Mask
from kyphoplan.anatomy.relief import Relief
from kyphoplan.geometry import Array, Frame

LIP_MM = 0.8  # [mm] farther out than the usual flare is a lip
# [mm] of a healthy rim (ours): 2.4 to 9 in the 19 whole bodies of the real scans in
# tests/validation. It stands in for a crushed body, which shows none: any value from 0 to 2.5 mm
# gives the crushed L1 there the same volume within 2.6 %
LEAST_FLARE_MM = 1.0
SECTORS = 24  # [1] directions around the body in which the rim is looked at
RIM_PART = (0.65, 0.85)  # [1] of the half height, where the rim flares but is not rounded yet
WAIST_PART = 0.15  # [1] of the height on each side of the middle that shows the waist
BESIDE_MM = 1.03  # [mm] from the rim's surface, where its flare is read
SPUR_MM = 1.0  # [mm] bone beyond the endplate by more, and half a slice, is osteophyte


def _continued(surface: Columns, grid: Grid) -> Array:
    """Smooth continuation of an endplate over the whole grid (L, P) [mm]."""
    base = Relief.through(surface.left, surface.posterior, surface.height, np.inf)
    return base.at(*np.meshgrid(grid.left, grid.posterior, indexing="ij"))


def osteophytes(fit: Fit, surfaces: tuple[Columns, Columns], edges: Array) -> Mask:
    """Bone (L, P, S) that stands out of the body's own outline: spurs, lips and bridges.

    In front of the pedicles' roots: bone beyond the endplates' own surfaces, and bone farther out
    of the waist than the rim of this body usually is. In a direction in which a lip stands out,
    all that lies beyond the usual rim belongs to it.

    ``edges`` (3, 3) are the label's voxel edges [mm] as columns.
    """
    grid = fit.grid
    top, bottom = (_continued(surface, grid)[:, :, None] for surface in surfaces)
    s = grid.superior[None, None, :]
    spur = SPUR_MM + 0.5 * float(np.linalg.norm(grid.frame.superior @ edges))
    past = (s > top + spur) | (s < bottom - spur)
    part = np.abs(s - 0.5 * (top + bottom)) / np.maximum(0.5 * (top - bottom), 1.0)
    middle = np.abs(grid.superior - fit.found.middle) < WAIST_PART * fit.found.height
    beyond = fit.field[:, :, middle].mean(axis=2)[:, :, None]  # [mm] outside the waist
    front = grid.posterior < wall_position(fit.found, grid) - PEDICLE_ROOT_MM
    sector = _sectors(fit)
    least = _least_lip(fit.grid.frame, edges)[sector]
    usual = _flare(np.where(front[:, None], fit.field, np.inf), part, beyond, sector)
    over = beyond - usual * np.minimum(part, 1.0) ** 2
    reach = np.abs(grid.left) < 30.0  # noqa: PLR2004 [mm] not the processes' tips
    here = (reach[:, None] & front[None, :])[:, :, None] & (fit.field < 0) & ~fit.waist[:, :, None]
    lips = (here & (over > least[:, :, None])).any(axis=2)
    lipped = np.isin(sector, np.unique(sector[lips]))
    return np.asarray(here & (past | ((over > 0.0) & lipped[:, :, None])))


def _least_lip(frame: Frame, edges: Array) -> Array:
    """Tell how far bone must stand out of the usual rim to be a lip, in each sector (K,) [mm].

    More than what the voxels' steps feign: waist and rim are each known to half an edge across
    them, and a rim half an edge higher or lower than it seems flares otherwise.
    """
    turn = ((np.arange(SECTORS) + 0.5) / SECTORS - 0.5) * 2.0 * np.pi
    across = np.stack([np.sin(turn), -np.cos(turn)], axis=1) @ frame.axes[:2]
    steps = np.abs(across @ edges).max(axis=1)
    return np.maximum(np.maximum(steps, 0.5 * np.linalg.norm(edges, axis=0).max()), LIP_MM)


def _sectors(fit: Fit) -> NDArray[np.intp]:
    """Return the number (L, P) of the direction around the body in which each column lies."""
    left, posterior = np.meshgrid(fit.grid.left, fit.grid.posterior, indexing="ij")
    centre = [float(place[fit.waist].mean()) for place in (left, posterior)]
    turn = np.arctan2(left - centre[0], centre[1] - posterior) / (2.0 * np.pi)
    return np.floor((turn + 0.5) * SECTORS).astype(np.intp) % SECTORS


def _flare(field: Array, part: Array, beyond: Array, sector: NDArray[np.intp]) -> float:
    """Measure how far the rim of this body stands out of its waist, in most directions [mm].

    ``field`` (L, P, S) is the distance to the body's surface [mm], ``part`` (L, P, S) 0 in the
    middle and 1 at the endplates, ``beyond`` (L, P, 1) the distance to the waist [mm], ``sector``
    (L, P) the direction. Beside the rim's surface the two distances differ by the flare.
    """
    rim = (part > RIM_PART[0]) & (part < RIM_PART[1]) & (np.abs(field) < BESIDE_MM)
    flare = ((beyond - field)[rim]) / part[rim] ** 2
    direction = np.broadcast_to(sector[:, :, None], rim.shape)[rim]
    each = [float(np.median(flare[direction == k])) for k in np.unique(direction)]
    return max(float(np.median(each)), LEAST_FLARE_MM) if each else LEAST_FLARE_MM
