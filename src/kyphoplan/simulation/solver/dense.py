"""The dense inverse of the coarsest stiffness."""

from functools import cache

import numba as nb
import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver import element
from kyphoplan.simulation.solver.caching import KEPT
from kyphoplan.simulation.solver.kernels import Grid

PIVOTS = 4  # [1] rows that are eliminated together
SHIFT = 1e-5  # [1] keeps the coarsest stiffness regular where a hinge is left


def dense_inverse(grid: Grid) -> tuple[NDArray[np.intp], Array]:
    """Invert the stiffness of a small grid on its free components."""
    planes, rows, nodes = grid.lam.shape
    bits = (grid.free[:, :, None, :] >> np.arange(3)[None, None, :, None]) & 1
    unknowns = np.flatnonzero(bits)
    size = unknowns.size + 1  # the last collects what is held
    number = np.full(planes * rows * 3 * nodes, size - 1)
    number[unknowns] = np.arange(unknowns.size)
    number = number.reshape(planes, rows, 3, nodes)
    i, j, k = np.nonzero((grid.lam > 0) | (grid.mu > 0))
    corners = [number[i + a, j + b, :, k + c] for a, b, c in np.ndindex(2, 2, 2)]
    places = np.stack(corners, axis=1).reshape(-1, 3 * element.NODES)
    by_lam, by_mu = _unit_stiffness()
    lam, mu = (m[i, j, k].astype(float)[:, None, None] for m in (grid.lam, grid.mu))
    where = places[:, :, None] * size + places[:, None, :]
    summed = np.bincount(where.ravel(), (lam * by_lam + mu * by_mu).ravel(), size * size)
    matrix = np.asarray(summed, float).reshape(size, size)[:-1, :-1]
    matrix[np.diag_indices(unknowns.size)] *= 1.0 + SHIFT
    return unknowns, _inverted(matrix).astype(np.float32)


@cache
def _unit_stiffness() -> tuple[Array, Array]:
    """Return the stiffness of a voxel per lam and per mu."""
    return element.stiffness(1.0, 0.0), element.stiffness(0.0, 1.0)


def _inverted(matrix: Array) -> Array:
    """Invert a symmetric matrix, on this thread alone: a library's threads cost more here."""
    result = matrix.copy()
    if not swept(result):
        return np.asarray(np.linalg.inv(matrix))
    return np.asarray(np.tril(result) + np.tril(result, -1).T)


@nb.njit(cache=KEPT, nogil=True)
def _inverted_block(block, count):  # type: ignore[no-untyped-def]
    """Invert the first rows of a small matrix in place, pivot by pivot; see `swept`."""
    for k in range(count):
        pivot = block[k, k]
        if not pivot > 0.0:
            return False
        for j in range(count):
            block[k, j] /= pivot
        for i in range(count):
            factor = block[i, k]
            for j in range(count):
                if i != k:
                    block[i, j] -= factor * block[k, j]
            block[i, k] = block[k, i]
        block[k, k] = -1.0 / pivot
    for i in range(count):
        for j in range(count):
            block[i, j] *= -1.0
    return True


@nb.njit(cache=KEPT, nogil=True)
def _gathered(matrix, start, end, block, columns):  # type: ignore[no-untyped-def]
    """Copy the pivots' columns, and their block; the columns are left zero there."""
    for n in range(PIVOTS):
        for i in range(len(matrix)):
            row, column = max(i, start + n), min(i, start + n)
            columns[n, i] = matrix[row, column] if start + n < end else 0.0
        for m in range(end - start):
            block[n, m] = columns[n, start + m]
            columns[n, start + m] = 0.0


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _eliminated(matrix, start, end, block, columns):  # type: ignore[no-untyped-def]
    """Take the pivots' share out of all other rows."""
    one, two, three, four = columns[0], columns[1], columns[2], columns[3]
    shares = np.zeros(PIVOTS)
    for i in range(len(matrix)):
        for n in range(PIVOTS):
            total = block[n, 0] * one[i] + block[n, 1] * two[i]
            shares[n] = total + block[n, 2] * three[i] + block[n, 3] * four[i]
        a, b, c, d = shares[0], shares[1], shares[2], shares[3]
        if start <= i < end or a == b == c == d == 0.0:
            continue
        row = matrix[i]
        for k in range(i + 1):
            row[k] -= a * one[k] + b * two[k] + c * three[k] + d * four[k]
        for n in range(end - start):
            matrix[max(i, start + n), min(i, start + n)] = shares[n]


@nb.njit(cache=KEPT, nogil=True)
def swept(matrix):  # type: ignore[no-untyped-def]
    """Invert a positive definite matrix in place, its lower half; tell whether it was one.

    Pivots are taken four at a time, so that the matrix is read a quarter as often.

    References
    ----------
    Goodnight 1979, Am Stat 33:149, doi:10.1080/00031305.1979.10482685 (sweep operator).
    """
    columns, block = np.zeros((PIVOTS, len(matrix))), np.zeros((PIVOTS, PIVOTS))
    for start in range(0, len(matrix), PIVOTS):
        end = min(start + PIVOTS, len(matrix))
        _gathered(matrix, start, end, block, columns)
        if not _inverted_block(block, end - start):
            return False
        _eliminated(matrix, start, end, block, columns)
        for n in range(end - start):
            for m in range(end - start):
                matrix[start + n, start + m] = -block[n, m]
    for i in range(len(matrix)):
        for k in range(i + 1):
            matrix[i, k] *= -1.0
    return True
