"""Sums of displacement fields over a run of planes, row by row where there is material."""

# mypy: disable-error-code="no-untyped-def"
from typing import Any

import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.lanes import LANES

ALIGNMENT = 64  # [bytes] of a cache line


def new_field(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return zeros that start on a cache line, with room for a register behind the end."""
    count, size = int(np.prod(shape)), np.dtype(dtype).itemsize
    flat = np.zeros(count + LANES + ALIGNMENT // size, dtype)
    start = (-flat.ctypes.data) % ALIGNMENT // size
    return np.asarray(flat[start : start + count].reshape(shape))


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def begin_smoothing(  # noqa: PLR0913, PLR0917 - an array per argument
    b, x, step, inverse, spans, weight, begin, end
):
    """Make the first smoothing step from zero: x = step = weight b / diagonal."""
    for i in range(begin, end):
        for j in range(b.shape[1]):
            first, last = spans[i, j, 0], spans[i, j, 1]
            for c in range(3):
                for k in range(first, last):
                    value = np.float32(weight) * inverse[i, j, k] * b[i, j, c, k]
                    x[i, j, c, k] = value
                    step[i, j, c, k] = value


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def combine(x, y, a, b, spans, begin, end):
    """Combine two fields: x = a x + b y, in the precision of x."""
    for i in range(begin, end):
        for j in range(x.shape[1]):
            first, last = spans[i, j, 0], spans[i, j, 1]
            for c in range(3):
                for k in range(first, last):
                    x[i, j, c, k] = a * x[i, j, c, k] + b * y[i, j, c, k]


@nb.njit(cache=KEPT, nogil=True)
def split(whole, high, low, spans, begin, end):
    """Keep a field as the sum of two in single precision, good to 14 digits."""
    for i in range(begin, end):
        for j in range(whole.shape[1]):
            first, last = spans[i, j, 0], spans[i, j, 1]
            for c in range(3):
                for k in range(first, last):
                    rounded = np.float32(whole[i, j, c, k])
                    high[i, j, c, k] = rounded
                    low[i, j, c, k] = np.float32(whole[i, j, c, k] - nb.float64(rounded))


@nb.njit(cache=KEPT, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def advance(  # noqa: PLR0913, PLR0917 - an array per argument
    x, p, high, low, q, spans, alpha, begin, end
):
    """Move along p: x += alpha p, r -= alpha q, with r = high + low; return r . r."""
    total = 0.0
    for i in range(begin, end):
        for j in range(x.shape[1]):
            first, last = spans[i, j, 0], spans[i, j, 1]
            for c in range(3):
                for k in range(first, last):
                    x[i, j, c, k] += alpha * p[i, j, c, k]
                    value = nb.float64(high[i, j, c, k]) + low[i, j, c, k]
                    value -= alpha * q[i, j, c, k]
                    total += value * value
                    rounded = np.float32(value)
                    high[i, j, c, k] = rounded
                    low[i, j, c, k] = np.float32(value - nb.float64(rounded))
    return total


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def two_dots(z, r, q, spans, begin, end):
    """Return z . r and z . q."""
    with_r, with_q = 0.0, 0.0
    for i in range(begin, end):
        for j in range(r.shape[1]):
            first, last = spans[i, j, 0], spans[i, j, 1]
            for c in range(3):
                for k in range(first, last):
                    value = nb.float64(z[i, j, c, k])
                    with_r += value * r[i, j, c, k]
                    with_q += value * q[i, j, c, k]
    return with_r, with_q
