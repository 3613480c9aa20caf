"""The preconditioner: one multigrid cycle over voxels of doubling edge, in single precision."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver import element
from kyphoplan.simulation.solver.cycle import instructions
from kyphoplan.simulation.solver.dense import dense_inverse
from kyphoplan.simulation.solver.fields import new_field
from kyphoplan.simulation.solver.kernels import Grid, addresses
from kyphoplan.simulation.solver.lanes import padded
from kyphoplan.simulation.solver.transfer import (
    coarsen_material,
    coarsen_supports,
    find_spans,
    invert_diagonal,
)

DIRECT_UNKNOWNS = 700  # [1] a level of so few is solved by a dense inverse of 2 MB
STEPS, STEPS_IF_THIN = 5, 12  # [1] measured: the least time in bulk, and in rods and foams
STEPS_IF_SLOW, STEPS_IF_THIN_AND_SLOW = 30, 45  # [1] " if the first steps show little progress
IMPROVED, IMPROVED_IF_SLOW = (1, 3), (1, 2)  # levels that are worth two cycles, measured
THIN = 1.5  # [1] nodes per voxel of plates of two voxels, or of rods of four or five
STEPS_PER_ROOT = 0.3  # [1] steps per root of lam / mu: 21 at a Poisson's ratio of 0.4999
ALL_FREE = 7  # [1] bits of the three components of a node
SMALLEST_EDGE = 2  # [voxels] no coarser
SHARED_VOXELS = 4_000  # [1] smaller levels are swept by one thread: starting two costs more
LAM_WEIGHT = element.diagonal(1.0, 0.0)  # [1] share of lam in the diagonal
MU_WEIGHT = element.diagonal(0.0, 1.0)  # [1] share of mu


@dataclass(frozen=True, eq=False)
class Level:
    """One grid with its room: residual, correction, smoothing step, and two for `improve`."""

    grid: Grid
    residual: Array
    correction: Array
    step: Array
    first: Array
    image: Array


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """All grids, finest first, and the dense inverse of the last.

    Attributes
    ----------
    levels : finest first.
    table, cuts : where their arrays lie, and each thread's planes; see `cycle.walk`.
    program, weights : what a cycle does; see `cycle.instructions`.
    unknowns : flat places of the free components of the last level.
    inverse : dense inverse on these.
    """

    levels: tuple[Level, ...]
    table: NDArray[np.int64]
    cuts: NDArray[np.int64]
    program: Array
    weights: Array
    unknowns: NDArray[np.intp]
    inverse: Array


def chebyshev(steps: int, largest: float) -> tuple[tuple[float, float], ...]:
    """Weights of the smoothing steps: Chebyshev polynomials of the fourth kind.

    They need a bound of the largest eigenvalue and no guess of where the smooth errors begin.

    References
    ----------
    Lottes 2023, Numer Linear Algebra Appl 30:e2518, doi:10.1002/nla.2518.
    """
    return tuple(
        ((2 * n - 3) / (2 * n + 1) if n > 1 else 0.0, (8 * n - 4) / ((2 * n + 1) * largest))
        for n in range(1, steps + 1)
    )


def smoothing_steps(finest: Grid, ratio: float) -> tuple[int, int]:
    """Choose how often to smooth: where coarser grids help less, more steps cost less time.

    That is so where the material is thin, told by its nodes per voxel (1 for a large body, 4 for
    rods of one voxel), and where it is hardly compressible: the smoother damps errors without a
    change of volume only by the square of its steps.

    Parameters
    ----------
    ratio : the largest lam / mu [1].

    Returns
    -------
    Steps at first, and those if the first iterations foretell many.
    """
    voxels, nodes = np.count_nonzero(finest.mu), np.count_nonzero(finest.inverse)
    thin = nodes > THIN * voxels
    steps = STEPS_IF_THIN if thin else STEPS
    squeezed = math.ceil(STEPS_PER_ROOT * math.sqrt(max(ratio, 0.0)))
    return max(steps, squeezed), STEPS_IF_THIN_AND_SLOW if thin else STEPS_IF_SLOW


def make_grid(lam: Array, mu: Array, free: Array | None, threads: int) -> Grid:
    """Complete a grid from its material; supports can be filled in later."""
    inverse = new_field(lam.shape, np.float32)
    if free is None:
        free = new_field(lam.shape, np.uint8)
    invert_diagonal(lam, mu, LAM_WEIGHT, MU_WEIGHT, inverse)
    whole = np.full(lam.shape, ALL_FREE, np.uint8)
    return Grid(lam, mu, inverse, free, *_work(lam, mu, whole, threads))


def narrowed(grid: Grid, threads: int) -> Grid:
    """Return the grid as it is swept where only the free components matter."""
    spans, cuts = _work(grid.lam, grid.mu, grid.free, threads)
    return grid._replace(spans=spans, cuts=cuts)


def _work(lam: Array, mu: Array, free: NDArray[Any], threads: int) -> tuple[Array, Array]:
    """Find where a sweep has to go, and the planes of each thread."""
    spans = np.zeros((*lam.shape[:2], 2), np.int32)
    find_spans(lam, mu, free, spans)
    parts = threads if lam.size >= SHARED_VOXELS else 1
    work = np.cumsum((spans[..., 1] - spans[..., 0]).sum(axis=1) + 1e-9)
    cuts = np.searchsorted(work, work[-1] * np.arange(parts + 1) / parts).astype(np.int64)
    cuts[-1] = lam.shape[0]
    return spans, np.maximum.accumulate(cuts)


def coarser(fine: Grid, threads: int) -> Grid:
    """Return the grid of twice the edge."""
    nodes = [_real_nodes(fine, axis) for axis in range(3)]
    shape = [(n - 1 + 1) // 2 + 1 for n in nodes]
    room = (shape[0], shape[1], padded(shape[2]))
    lam, mu = new_field(room, np.float32), new_field(room, np.float32)
    for material, mean in ((fine.lam, lam), (fine.mu, mu)):
        coarsen_material(material, mean, 0, shape[0])
    grid = make_grid(lam, mu, None, threads)
    coarsen_supports(fine.free, fine.inverse, grid.inverse, grid.free)
    return narrowed(grid, threads)


def _real_nodes(grid: Grid, axis: int) -> int:
    """Count the nodes along an axis, without the padding of the rows."""
    if axis < 2:  # noqa: PLR2004 - only k is padded
        return int(grid.lam.shape[axis])
    where = np.flatnonzero(grid.inverse.any(axis=(0, 1)))
    return int(where[-1]) + 1 if where.size else 2


def build(finest: Grid, largest: float, *, steps: int, threads: int) -> Hierarchy:
    """Build all coarser grids and the inverse of the coarsest."""
    grids = [narrowed(finest, threads)]
    while 3 * np.count_nonzero(grids[-1].inverse) > DIRECT_UNKNOWNS:
        if min(_real_nodes(grids[-1], axis) for axis in range(3)) <= SMALLEST_EDGE:
            break
        grids.append(coarser(grids[-1], threads))
    unknowns, inverse = dense_inverse(grids[-1])
    levels: list[Level] = []
    for grid in grids:
        shape = (*grid.lam.shape[:2], 3, grid.lam.shape[2])
        fields = [new_field(shape, np.float32) for _ in range(5 if levels else 3)]
        levels.append(Level(grid, *fields, *fields[: 5 - len(fields)]))
    program, weights = _program(tuple(levels), largest, steps, IMPROVED)
    rooms = [(v.residual, v.correction, v.step, v.first, v.image) for v in levels]
    table = [
        (*addresses(level.grid), *(each.ctypes.data for each in arrays))
        for level, arrays in zip(levels, rooms, strict=True)
    ]
    cuts = [
        np.pad(level.grid.cuts, (0, threads + 1 - len(level.grid.cuts)), "edge")
        for level in levels
    ]
    return Hierarchy(
        levels=tuple(levels),
        table=np.array(table, np.int64),
        cuts=np.array(cuts, np.int64),
        program=program,
        weights=weights,
        unknowns=unknowns,
        inverse=inverse,
    )


def _program(
    levels: tuple[Level, ...], largest: float, steps: int, improved: tuple[int, ...]
) -> tuple[Array, Array]:
    shared = tuple(len(level.grid.cuts) > 2 for level in levels)  # noqa: PLR2004 - threads
    return instructions(len(levels), chebyshev(steps, largest), shared, improved)


def strengthened(hierarchy: Hierarchy, largest: float, steps: int) -> Hierarchy:
    """Return the same grids with much more work on each, for what coarser grids see badly."""
    program, weights = _program(hierarchy.levels, largest, steps, IMPROVED_IF_SLOW)
    return replace(hierarchy, program=program, weights=weights)
