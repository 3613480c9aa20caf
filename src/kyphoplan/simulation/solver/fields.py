"""Sums of displacement fields over a run of planes, row by row where there is material."""

# mypy: disable-error-code="no-untyped-def"
import math
from typing import Any

import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

ALIGNMENT = 64  # [bytes] of a cache line
ROOM = 16  # [1] numbers behind the end of a field that a register may read


def new_field(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return zeros that start on a cache line, with room for a register behind the end."""
    count, size = math.prod(shape), np.dtype(dtype).itemsize
    flat = np.zeros(count + ROOM + ALIGNMENT // size, dtype)
    start = (-flat.ctypes.data) % ALIGNMENT // size
    return np.asarray(flat[start : start + count].reshape(shape))


@nb.njit(cache=KEPT, nogil=True)
def _bounds(spans, i, j):
    """Return where a row has material; slices start at 0 again, which the compiler likes."""
    return nb.int64(spans[i, j, 0]), nb.int64(spans[i, j, 1])


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def begin_smoothing(  # noqa: PLR0913, PLR0917 - an array per argument
    b, x, step, inverse, spans, weight, begin, end
):
    """Make the first smoothing step from zero: x = step = weight b / diagonal."""
    factor = np.float32(weight)
    for i in range(begin, end):
        for j in range(b.shape[1]):
            first, last = _bounds(spans, i, j)
            scale = inverse[i, j, first:last]
            for c in range(3):
                given, to_x = b[i, j, c, first:last], x[i, j, c, first:last]
                to_step = step[i, j, c, first:last]
                for k in range(scale.size):
                    value = factor * scale[k] * given[k]
                    to_x[k] = value
                    to_step[k] = value


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def combine(x, y, a, b, spans, begin, end):
    """Combine two fields: x = a x + b y, in the precision of x."""
    for i in range(begin, end):
        for j in range(x.shape[1]):
            first, last = _bounds(spans, i, j)
            for c in range(3):
                to, other = x[i, j, c, first:last], y[i, j, c, first:last]
                for k in range(to.size):
                    to[k] = a * to[k] + b * other[k]


@nb.njit(cache=KEPT, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def split(force, free, high, low, spans, begin, end):
    """Write r, the force that free components lack, as high + low; return r . r.

    Two numbers in single precision are good to 14 digits.
    """
    total = 0.0
    for i in range(begin, end):
        for j in range(force.shape[1]):
            first, last = _bounds(spans, i, j)
            bits = free[i, j, first:last]
            for c in range(3):
                given = force[i, j, c, first:last]
                to_high, to_low = high[i, j, c, first:last], low[i, j, c, first:last]
                for k in range(given.size):
                    value = -given[k]
                    value = value if bits[k] >> c & 1 else 0.0
                    total += value * value
                    rounded = np.float32(value)
                    to_high[k] = rounded
                    to_low[k] = np.float32(value - nb.float64(rounded))
    return total


@nb.njit(cache=KEPT, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def advance(  # noqa: PLR0913, PLR0917 - an array per argument
    x, p, high, low, q, spans, alpha, begin, end
):
    """Move along p: x += alpha p, r -= alpha q, with r = high + low; return r . r."""
    total = 0.0
    for i in range(begin, end):
        for j in range(x.shape[1]):
            first, last = _bounds(spans, i, j)
            for c in range(3):
                to, along = x[i, j, c, first:last], p[i, j, c, first:last]
                to_high, to_low = high[i, j, c, first:last], low[i, j, c, first:last]
                image = q[i, j, c, first:last]
                for k in range(to.size):
                    to[k] += alpha * along[k]
                    value = nb.float64(to_high[k]) + to_low[k]
                    value -= alpha * image[k]
                    total += value * value
                    rounded = np.float32(value)
                    to_high[k] = rounded
                    to_low[k] = np.float32(value - nb.float64(rounded))
    return total


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def two_dots(z, r, q, spans, begin, end):
    """Return z . r and z . q."""
    with_r, with_q = 0.0, 0.0
    for i in range(begin, end):
        for j in range(r.shape[1]):
            first, last = _bounds(spans, i, j)
            for c in range(3):
                left = z[i, j, c, first:last]
                one, other = r[i, j, c, first:last], q[i, j, c, first:last]
                for k in range(left.size):
                    value = nb.float64(left[k])
                    with_r += value * one[k]
                    with_q += value * other[k]
    return with_r, with_q


@nb.njit(cache=KEPT, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def free_squares(field, free):
    """Return the sum of squares of what is free."""
    total = 0.0
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            bits = free[i, j]
            for c in range(3):
                row = field[i, j, c]
                for k in range(row.size):
                    value = row[k]  # first, for the compiler does several at a time only then
                    total += value * value if bits[k] >> c & 1 else 0.0
    return total


@nb.njit(cache=KEPT, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def conclude(x, q, free, inverse):
    """Keep the force of the supports, write NaN where there is no material; return x . q."""
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            bits, there = free[i, j], inverse[i, j]
            for c in range(3):
                place, force = x[i, j, c], q[i, j, c]
                for k in range(place.size):
                    total += place[k] * force[k]
                    force[k] = 0.0 if bits[k] >> c & 1 else force[k]
                    place[k] = place[k] if there[k] > 0.0 else np.nan
    return total


@nb.njit(cache=KEPT, nogil=True)
def mark_held(prescribed, held):
    """Set bit c of a node where its component c is prescribed; tell whether by finite numbers."""
    finite = True
    for i in range(prescribed.shape[0]):
        for j in range(prescribed.shape[1]):
            for k in range(prescribed.shape[2]):
                bits = 0
                for c in range(3):
                    value = prescribed[i, j, k, c]
                    bits |= (not np.isnan(value)) << c
                    finite &= not np.isinf(value)
                held[i, j, k] = bits
    return finite


@nb.njit(cache=KEPT, nogil=True)
def mark_free(held, inverse, free):
    """Set bit c of a node with material where its component c is not prescribed."""
    for i in range(held.shape[0]):
        for j in range(held.shape[1]):
            bits, there, row = held[i, j], inverse[i, j], free[i, j]
            for k in range(bits.size):
                row[k] = ~bits[k] & 7 if there[k] > 0.0 else 0


@nb.njit(cache=KEPT, nogil=True)
def fill_held(prescribed, held, inverse, field):
    """Write what is prescribed to nodes with material."""
    for i in range(held.shape[0]):
        for j in range(held.shape[1]):
            for k in range(held.shape[2]):
                if held[i, j, k] and inverse[i, j, k] > 0.0:
                    for c in range(3):
                        if held[i, j, k] >> c & 1:
                            field[i, j, c, k] = prescribed[i, j, k, c]


@nb.njit(cache=KEPT, nogil=True)
def fill_free(guess, free, field):
    """Write a guess to free components; 0 where it is NaN."""
    for i in range(guess.shape[0]):
        for j in range(guess.shape[1]):
            for c in range(3):
                row, bits = field[i, j, c], free[i, j]
                for k in range(guess.shape[2]):
                    value = guess[i, j, k, c]
                    if bits[k] >> c & 1:
                        row[k] = 0.0 if np.isnan(value) else value
