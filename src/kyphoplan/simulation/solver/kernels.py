"""Sweeps over the voxels: force, residual and smoothing, plane by plane, without a matrix.

Fields are stored ``[i, j, component, k]``, node rows along k padded to a multiple of eight. A
sweep holds one plane of unfinished forces and finishes each node row while it is in the cache, so
a smoothing step reads and writes every field once. Rows without material are skipped. Each thread
takes a run of planes; it computes the voxels before its first plane a second time and sees copies
of its neighbours' planes, so the result does not depend on the number of threads' timing.
"""

# mypy: disable-error-code="no-untyped-def"
from itertools import pairwise
from typing import Any, NamedTuple

import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT
from kyphoplan.simulation.solver.fields import new_field
from kyphoplan.simulation.solver.node_rows import (
    Finish,
    apply_double,
    apply_single,
    first_double,
    first_single,
    force_double,
    nothing_double,
    nothing_single,
    residual_single,
    smooth_single,
)
from kyphoplan.simulation.solver.team import pointer, together

# Numbers, not Python's integers: for each of those the compiler would make a version of its own.
NOTHING, FORCE, APPLY, RESIDUAL, SMOOTH = (np.int64(each) for each in Finish)
KEPT_ROWS = 12  # [1] numbers per node of each of two rows that are kept, and as many handed on
HELD_ROWS = 6  # [1] numbers per node that are handed to the next plane
ROOM = 64  # [1] numbers between parts of a workspace


class Grid(NamedTuple):
    """What a sweep knows of one level: material, supports, and where there is anything.

    Attributes
    ----------
    lam, mu : (I, J, K) Lame parameters times the edge [MPa mm]; voxel (i, j, k) lies above node
        (i, j, k), so the last plane and row are void.
    inverse : (I, J, K) one over the diagonal [mm/N], 0 where there is no material.
    free : (I, J, K) bit c is set if component c of the node moves.
    spans : (I, J, 2) first and last + 1 node of each row that has a force, multiples of eight.
    cuts : first plane of each thread's run, and the end.
    """

    lam: Any
    mu: Any
    inverse: Any
    free: Any
    spans: Any
    cuts: Any


def addresses(grid: Grid) -> tuple[int, ...]:
    """Return the grid as numbers: planes, rows, nodes, and where its arrays lie."""
    arrays = (grid.lam, grid.mu, grid.free, grid.inverse, grid.spans)
    return (*grid.lam.shape, *(array.ctypes.data for array in arrays))


def workspace(grid: Grid) -> Array:
    """Return room for what one thread keeps during a sweep over a grid or a coarser one."""
    _, rows, nodes = grid.lam.shape
    return np.zeros((3 * KEPT_ROWS + HELD_ROWS * rows) * nodes + 5 * ROOM)


@nb.njit(cache=KEPT, nogil=True)
def _row(kind, double, at, plane, span, weights):  # noqa: PLR0911 - one call
    if double:
        if kind == FORCE:
            return force_double(at, plane, span, weights)
        if kind == APPLY:
            return apply_double(at, plane, span, weights)
        return nothing_double(at, plane, span, weights)
    if kind == SMOOTH:
        return smooth_single(at, plane, span, weights)
    if kind == RESIDUAL:
        return residual_single(at, plane, span, weights)
    if kind == APPLY:
        return apply_single(at, plane, span, weights)
    return nothing_single(at, plane, span, weights)


@nb.njit(cache=KEPT, nogil=True)
def _next_row(double, at, plane, span):
    if double:
        first_double(at, plane, span)
    else:
        first_single(at, plane, span)


@nb.njit(cache=KEPT, nogil=True)
def sweep_planes(  # noqa: PLR0913, PLR0917 - everything by address
    kind, double, grid, fields, halo, begin, end, weights, space
):
    """Sweep the planes from begin to end; see the module's text; return u . out for APPLY.

    Parameters
    ----------
    grid : see `addresses`.
    fields : addresses of u, b and out.
    halo : addresses of the planes before the first and behind the last one.
    space : see `workspace`.
    """
    _, rows, nodes, lam, mu, free, inverse, spans_at = grid
    u, b, out = fields
    size = 8 if double else 4
    kept, held = _prepared(space, rows, nodes, double)
    spans = nb.carray(pointer(spans_at), (grid[0], rows, 2), np.int32)
    row, small = 3 * nodes * size, 4 * nodes
    total = 0.0
    for i in range(max(begin - 1, 0), end):
        lower = halo[0] if i < begin else u + i * rows * row
        upper = halo[1] if i + 1 >= end else u + (i + 1) * rows * row
        what = NOTHING if i < begin else kind
        empty = True
        for j in range(rows):
            span = (nb.int64(spans[i, j, 0]), nb.int64(spans[i, j, 1]))
            if span[1] <= span[0]:
                empty = True
                continue
            if empty:
                _next_row(double, (lower + j * row, upper + j * row, kept[0]), nodes * size, span)
                empty = False
            after, place = min(j + 1, rows - 1) * row, i * rows + j
            _next_row(double, (lower + after, upper + after, kept[1]), nodes * size, span)
            at = (
                kept[0],
                kept[1],
                kept[2],
                held + 2 * j * row,
                lam + place * small,
                mu + place * small,
                free + place * nodes,
                inverse + place * small,
                u + place * row,
                b + place * row,
                out + place * row,
            )
            total += _row(what, double, at, nodes * size, span, weights)
            kept = (kept[1], kept[0], kept[2])
    return total


@nb.njit(cache=KEPT, nogil=True)
def _prepared(space, rows, nodes, double):
    """Clear a workspace; return the addresses of its parts."""
    size = 8 if double else 4
    used = (3 * KEPT_ROWS + HELD_ROWS * rows) * nodes * size // 8 + 4 * ROOM
    space[:used] = 0.0
    start = nb.int64(space.ctypes.data)
    start += -start % ROOM
    step = KEPT_ROWS * nodes * size + 2 * ROOM
    return (start, start + step, start + 2 * step), start + 3 * step


def sweep(kind: Any, u: Any, b: Any, out: Any, grid: Grid, weights: Any = (0.0, 0.0)) -> float:
    """Go once over the voxels and do what `kind` (a `Finish`) says; return u . out for APPLY."""
    double, last = u.itemsize == 8, u.shape[0] - 1  # noqa: PLR2004 - bytes
    fields = tuple(array.ctypes.data for array in (u, b, out))
    runs, kept = [], []
    for begin, end in pairwise(grid.cuts.tolist()):
        planes = [u[max(begin - 1, 0)], u[min(end, last)]]
        if kind == SMOOTH and len(grid.cuts) > 2:  # noqa: PLR2004 - changed by its owner meanwhile
            planes = [_copied(plane) for plane in planes]
        kept.append(planes)
        halo = (planes[0].ctypes.data, planes[1].ctypes.data)
        given = (kind, double, addresses(grid), fields, halo)
        runs.append((*given, begin, end, weights, workspace(grid)))
    return float(sum(together(sweep_planes, runs)))


def _copied(plane: Any) -> Any:
    copy = new_field(plane.shape, plane.dtype)
    copy[...] = plane
    return copy
