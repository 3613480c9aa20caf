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

from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.fields import new_field
from kyphoplan.simulation.lanes import (
    LANES,
    Finish,
    apply_double,
    apply_single,
    force_double,
    mix_double,
    mix_single,
    nothing_double,
    nothing_single,
    residual_single,
    smooth_single,
)
from kyphoplan.simulation.threads import together

NOTHING, FORCE, APPLY = int(Finish.NOTHING), int(Finish.FORCE), int(Finish.APPLY)
RESIDUAL, SMOOTH = int(Finish.RESIDUAL), int(Finish.SMOOTH)


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


@nb.njit(cache=KEPT, nogil=True)
def _row(kind, addresses, strides, span, weights):
    if kind == SMOOTH:
        return smooth_single(addresses, strides, span, weights)
    if kind == RESIDUAL:
        return residual_single(addresses, strides, span, weights)
    if kind == APPLY:
        return apply_single(addresses, strides, span, weights)
    return nothing_single(addresses, strides, span, weights)


@nb.njit(cache=KEPT, nogil=True)
def _row_double(kind, addresses, strides, span, weights):
    if kind == FORCE:
        return force_double(addresses, strides, span, weights)
    if kind == APPLY:
        return apply_double(addresses, strides, span, weights)
    return nothing_double(addresses, strides, span, weights)


@nb.njit(cache=KEPT, nogil=True)
def _mix(lower, upper, j, out, spans, strides):
    span = (nb.int64(spans[j, 0]), nb.int64(spans[j, 1]))
    at = (_address(lower[j]), _address(upper[j]), _address(out))
    if lower.itemsize == 4:  # noqa: PLR2004 - single precision
        mix_single(at, strides, span)
    else:
        mix_double(at, strides, span)


@nb.njit(cache=KEPT, nogil=True)
def _address(array):
    return nb.int64(array.ctypes.data)


@nb.njit(cache=KEPT, nogil=True)
def _chunk(  # noqa: PLR0913, PLR0917 - an array per argument
    kind, u, b, out, grid, below, above, first, last, weights
):
    """Sweep the planes from first to last; see the module's text."""
    size = u.itemsize
    rows_j, nodes_k = u.shape[1], u.shape[3]
    width = nodes_k + LANES
    rows = np.zeros((2, 12, width), u.dtype)
    carry = np.zeros((12, width), u.dtype)
    held = np.zeros((rows_j, 6, nodes_k), u.dtype)
    strides = (width * size, nodes_k * size, nodes_k * size)
    total = 0.0
    for i in range(max(first - 1, 0), last):
        lower = below if i < first else u[i]
        upper = above if i + 1 >= last else u[i + 1]
        what = NOTHING if i < first else kind
        spans = grid.spans[i]
        _mix(lower, upper, 0, rows[0], spans, strides)
        for j in range(rows_j):
            if j + 1 < rows_j:
                _mix(lower, upper, j + 1, rows[(j + 1) % 2], spans, strides)
            if spans[j, 1] > spans[j, 0]:
                at = (
                    _address(rows[j % 2]),
                    _address(rows[(j + 1) % 2]),
                    _address(grid.lam[i, j]),
                    _address(grid.mu[i, j]),
                    _address(carry),
                    _address(held[j]),
                    _address(grid.free[i, j]),
                    _address(grid.inverse[i, j]),
                    _address(u[i, j]),
                    _address(b[i, j]),
                    _address(out[i, j]),
                )
                span = (nb.int64(spans[j, 0]), nb.int64(spans[j, 1]))
                if size == 4:  # noqa: PLR2004 - single precision
                    total += _row(what, at, strides, span, weights)
                else:
                    total += _row_double(what, at, strides, span, weights)
    return total


def sweep(kind: int, u: Any, b: Any, out: Any, grid: Grid, weights: Any = (0.0, 0.0)) -> float:
    """Go once over the voxels and do what `kind` (a `Finish`) says; return u . out for APPLY."""
    if grid.cuts.size == 2:  # noqa: PLR2004 - one thread
        return float(_chunk(kind, u, b, out, grid, u[0], u[-1], 0, u.shape[0], weights))
    runs = []
    for begin, end in pairwise(grid.cuts.tolist()):
        below, above = _copied(u, max(begin - 1, 0)), _copied(u, min(end, u.shape[0] - 1))
        runs.append((kind, u, b, out, grid, below, above, begin, end, weights))
    return sum(together(_chunk, runs))


def _copied(u: Any, plane: int) -> Any:
    copy = new_field(u.shape[1:], u.dtype)
    copy[...] = u[plane]
    return copy
