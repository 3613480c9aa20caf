"""Pressures on voxels, fast: conjugate gradients with one cycle of multigrid before each step.

Blocks of 2 x 2 x 2 voxels make a coarser voxel, again and again, with the conductances of its
faces added up (Galerkin's product for constant blocks). That is too stiff, by a factor of two
where the flow is even, so it is softened.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

FEWEST = 30  # [1] voxels below which no coarser level is made
MOST_STEPS = 1000  # [1] slow is no failure: 20 are usual, 300 were met in uneven bone
COARSE_SWEEPS = 8  # [1] pairs of sweeps on the coarsest level
SOFTENED = 0.6  # [1] of the coarse conductances; 0.5, 0.6, 0.7 were tried: 0.6 takes fewest steps
SIDES = 6  # i+, i-, j+, j-, k+, k-


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Voxels of all levels one behind the other, finest first.

    Attributes
    ----------
    starts : (L + 1,) where each level begins.
    others : (all, 6) the voxel behind each side, numbered over all levels; -1 for none.
    parent : (all,) the coarser voxel that it belongs to; -1 on the coarsest level.
    """

    starts: NDArray[np.int64]
    others: NDArray[np.int32]
    parent: NDArray[np.int64]


def levels_of(index: NDArray[np.int64]) -> Levels:
    """Build the levels over voxels (I, J, K) numbered from 0; -1 where there is none."""
    starts, others, parents = [0], [], []
    while True:
        count = int(index.max()) + 1
        begin = starts[-1]
        starts.append(begin + count)
        others.append(_sides(index, begin))
        if count <= FEWEST or max(index.shape) == 1:
            parents.append(np.full(count, -1, np.int64))
            break
        where = np.argwhere(index >= 0)[np.argsort(index[index >= 0])]
        shape = tuple((n + 1) // 2 for n in index.shape)
        coarse = np.full(shape, -1, np.int64)
        used = np.unique(np.ravel_multi_index(tuple((where // 2).T), shape))
        coarse.ravel()[used] = np.arange(used.size)
        parents.append(coarse[tuple((where // 2).T)] + starts[-1])
        index = coarse
    return Levels(
        starts=np.array(starts), others=np.concatenate(others), parent=np.concatenate(parents)
    )


def _sides(index: NDArray[np.int64], begin: int) -> NDArray[np.int32]:
    """Find the voxel behind each side (N, 6), numbered from ``begin``; -1 for none."""
    padded = np.pad(index, 1, constant_values=-1)
    here = index >= 0
    found = np.empty((int(here.sum()), SIDES), np.int32)  # half the memory to read
    for side in range(SIDES):
        step = -1 if side % 2 == 0 else 1
        behind = np.roll(padded, step, side // 2)[1:-1, 1:-1, 1:-1]
        found[index[here], side] = np.where(behind[here] >= 0, behind[here] + begin, -1)
    return found


@nb.njit(cache=KEPT, nogil=True)
def coarsen(starts, others, parent, ways, out):
    """Fill in the conductances (all, 6) and outward conductances (all,) of coarser levels."""
    diagonal = np.empty(out.size)
    ways[starts[1] :] = 0.0
    out[starts[1] :] = 0.0
    for level in range(starts.size - 1):
        for cell in range(starts[level], starts[level + 1]):
            total = out[cell]
            for side in range(6):
                total += ways[cell, side]
            diagonal[cell] = total
            if parent[cell] < 0:
                continue
            out[parent[cell]] += out[cell]
            for side in range(6):
                other = others[cell, side]
                if other < 0 or parent[other] == parent[cell] or ways[cell, side] <= 0.0:
                    continue
                ways[parent[cell], side] += SOFTENED * ways[cell, side]
    return diagonal


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def sweep(first, last, step, others, ways, diagonal, b, x):  # noqa: PLR0913, PLR0917
    """Solve for one voxel after the other (Gauss and Seidel)."""
    for cell in range(first, last, step):
        value = b[cell]
        for side in range(6):
            if others[cell, side] >= 0:
                value += ways[cell, side] * x[others[cell, side]]
        x[cell] = value / diagonal[cell]


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def cycle(starts, others, parent, ways, diagonal, b, x):
    """Improve x from 0 for the right-hand side b of the finest level; one V-cycle."""
    count = starts.size - 1
    for level in range(count - 1):
        begin, end = starts[level], starts[level + 1]
        x[begin:end] = 0.0
        sweep(begin, end, 1, others, ways, diagonal, b, x)
        b[end : starts[level + 2]] = 0.0
        for cell in range(begin, end):
            rest = b[cell] - diagonal[cell] * x[cell]
            for side in range(6):
                if others[cell, side] >= 0:
                    rest += ways[cell, side] * x[others[cell, side]]
            b[parent[cell]] += rest
    begin, end = starts[count - 1], starts[count]
    x[begin:end] = 0.0
    for _ in range(COARSE_SWEEPS):
        sweep(begin, end, 1, others, ways, diagonal, b, x)
        sweep(end - 1, begin - 1, -1, others, ways, diagonal, b, x)
    for level in range(count - 2, -1, -1):
        begin, end = starts[level], starts[level + 1]
        for cell in range(begin, end):
            x[cell] += x[parent[cell]]
        sweep(end - 1, begin - 1, -1, others, ways, diagonal, b, x)


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def multiply(count, others, ways, diagonal, x, image):
    """Flow out of each voxel of the finest level at pressures x."""
    for cell in range(count):
        value = diagonal[cell] * x[cell]
        for side in range(6):
            if others[cell, side] >= 0:
                value -= ways[cell, side] * x[others[cell, side]]
        image[cell] = value


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _dot(one, other, count):
    total = 0.0
    for n in range(count):
        total += one[n] * other[n]
    return total


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def conjugate(starts, others, parent, ways, diagonal, source, x, least, most):  # noqa: PLR0913, PLR0917
    """Solve from a first guess x (N,); return the steps taken and the relative residual."""
    count = starts[1]
    b, z = np.zeros(diagonal.size), np.zeros(diagonal.size)
    way, image, rest = np.zeros(count), np.zeros(count), np.zeros(count)
    multiply(count, others, ways, diagonal, x, image)
    for n in range(count):
        rest[n] = source[n] - image[n]
    size = np.sqrt(_dot(source, source, count))
    before, step = 1.0, 0
    while step < most and np.sqrt(_dot(rest, rest, count)) > least * size:
        step += 1
        for n in range(count):  # an assignment of arrays takes two seconds to compile
            b[n] = rest[n]
        cycle(starts, others, parent, ways, diagonal, b, z)
        product = _dot(rest, z, count)
        turn = product / before if step > 1 else 0.0
        before = product
        for n in range(count):
            way[n] = z[n] + turn * way[n]
        multiply(count, others, ways, diagonal, way, image)
        length = product / _dot(way, image, count)
        for n in range(count):
            x[n] += length * way[n]
            rest[n] -= length * image[n]
    return step, np.sqrt(_dot(rest, rest, count)) / size


def solve(
    levels: Levels, ways: Array, out: Array, source: Array, guess: Array, least: float
) -> tuple[Array, int, float]:
    """Return the pressures (N,), the steps taken and the relative residual.

    Parameters
    ----------
    ways : (N, 6) flow per pressure through each side.
    out : (N,) flow per pressure out of each voxel.
    source : (N,) flow into each voxel.
    least : residual at which to stop, relative to the source [1].
    """
    size = int(levels.starts[-1])
    every, leaving = np.zeros((size, SIDES)), np.zeros(size)
    every[: len(ways)], leaving[: len(out)] = ways, out
    diagonal = coarsen(levels.starts, levels.others, levels.parent, every, leaving)
    x = guess.copy()
    steps, rest = conjugate(
        levels.starts, levels.others, levels.parent, every, diagonal, source, x, least, MOST_STEPS
    )
    return x, int(steps), float(rest)
