"""The preconditioner: one multigrid cycle over voxels of doubling edge, in single precision."""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation import element
from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.cycle import instructions
from kyphoplan.simulation.fields import new_field
from kyphoplan.simulation.kernels import Grid, addresses
from kyphoplan.simulation.lanes import padded
from kyphoplan.simulation.transfer import (
    coarsen_material,
    coarsen_supports,
    find_spans,
    invert_diagonal,
)

DIRECT_UNKNOWNS = 700  # [1] a level of so few is solved by a dense inverse of 2 MB
SHIFT = 1e-5  # [1] keeps the coarsest stiffness regular where a hinge is left
SMALLEST_EDGE = 2  # [voxels] no coarser
SHARED_VOXELS = 8_000  # [1] smaller levels are swept by one thread: starting two costs more
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


def make_grid(lam: Array, mu: Array, free: Array | None, threads: int) -> Grid:
    """Complete a grid from its material; supports can be filled in later."""
    spans = np.zeros((*lam.shape[:2], 2), np.int32)
    find_spans(lam, mu, spans)
    inverse = new_field(lam.shape, np.float32)
    if free is None:
        free = new_field(lam.shape, np.uint8)
    parts = threads if lam.size >= SHARED_VOXELS else 1
    work = np.cumsum((spans[..., 1] - spans[..., 0]).sum(axis=1) + 1e-9)
    cuts = np.searchsorted(work, work[-1] * np.arange(parts + 1) / parts).astype(np.int64)
    cuts[-1] = lam.shape[0]
    cuts = np.maximum.accumulate(cuts)
    invert_diagonal(lam, mu, LAM_WEIGHT, MU_WEIGHT, inverse)
    return Grid(lam, mu, inverse, free, spans, cuts)


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
    return grid


def _real_nodes(grid: Grid, axis: int) -> int:
    """Count the nodes along an axis, without the padding of the rows."""
    if axis < 2:  # noqa: PLR2004 - only k is padded
        return int(grid.lam.shape[axis])
    where = np.flatnonzero(grid.inverse.any(axis=(0, 1)))
    return int(where[-1]) + 1 if where.size else 2


def build(finest: Grid, largest: float, *, steps: int, threads: int) -> Hierarchy:
    """Build all coarser grids and the inverse of the coarsest."""
    grids = [finest]
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
    shared = [len(level.grid.cuts) > 2 for level in levels]  # noqa: PLR2004 - threads
    program, weights = instructions(len(levels), chebyshev(steps, largest), shared)
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


def dense_inverse(grid: Grid) -> tuple[NDArray[np.intp], Array]:
    """Invert the stiffness of a small grid on its free components."""
    planes, rows, nodes = grid.lam.shape
    bits = (grid.free[:, :, None, :] >> np.arange(3)[None, None, :, None]) & 1
    unknowns = np.flatnonzero(bits)
    number = np.full(planes * rows * 3 * nodes, -1)
    number[unknowns] = np.arange(unknowns.size)
    number = number.reshape(planes, rows, 3, nodes)
    matrix = np.zeros((unknowns.size + 1, unknowns.size + 1))  # the last collects what is held
    by_lam, by_mu = element.stiffness(1.0, 0.0), element.stiffness(0.0, 1.0)
    for i, j, k in np.argwhere((grid.lam > 0) | (grid.mu > 0)):
        block = number[i : i + 2, j : j + 2, :, k : k + 2].transpose(0, 1, 3, 2).ravel()
        stiffness = float(grid.lam[i, j, k]) * by_lam + float(grid.mu[i, j, k]) * by_mu
        matrix[np.ix_(block, block)] += stiffness
    matrix = matrix[:-1, :-1]
    matrix[np.diag_indices(unknowns.size)] *= 1.0 + SHIFT
    return unknowns, _inverted(matrix).astype(np.float32)


def _inverted(matrix: Array) -> Array:
    """Invert a symmetric matrix, on this thread alone: a library's threads cost more here."""
    result = matrix.copy()
    if not swept(result):
        return np.asarray(np.linalg.inv(matrix))
    return np.asarray(np.tril(result) + np.tril(result, -1).T)


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _less(row, factor, column):  # type: ignore[no-untyped-def]
    for k in range(row.size):
        row[k] -= factor * column[k]


@nb.njit(cache=KEPT, nogil=True)
def swept(matrix):  # type: ignore[no-untyped-def]
    """Invert a positive definite matrix in place, its lower half; tell whether it was one.

    References
    ----------
    Goodnight 1979, Am Stat 33:149, doi:10.1080/00031305.1979.10482685 (sweep operator).
    """
    size = len(matrix)
    column = np.zeros(size)
    for k in range(size):
        pivot = matrix[k, k]
        if not pivot > 0.0:
            return False
        column[:k], column[k], column[k + 1 :] = matrix[k, :k], 0.0, matrix[k + 1 :, k]
        for i in range(size):
            if i != k and column[i] != 0.0:
                _less(matrix[i, : i + 1], column[i] / pivot, column[: i + 1])
        matrix[k, :k], matrix[k, k] = column[:k] / pivot, -1.0 / pivot
        matrix[k + 1 :, k] = column[k + 1 :] / pivot
    matrix *= -1.0
    return True
