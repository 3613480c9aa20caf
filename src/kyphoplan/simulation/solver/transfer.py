"""Between a grid of voxels and one of twice the edge: material, supports, residuals, corrections.

Coarse node I lies on fine node 2 I. Corrections are interpolated trilinearly, residuals are
gathered by the transpose, and a coarse voxel has the mean material of its eight, void included.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.solver.caching import KEPT
from kyphoplan.simulation.solver.lanes import LANES


@nb.njit(cache=KEPT, nogil=True)
def _any_free(free, i, j, k):
    """Tell whether one of the four nodes at k of a row of voxels moves."""
    return free[i, j, k] | free[i + 1, j, k] | free[i, j + 1, k] | free[i + 1, j + 1, k] != 0


@nb.njit(cache=KEPT, nogil=True)
def find_spans(lam, mu, free, spans):
    """Find for each node row where a force on free nodes arises, in whole registers.

    Voxels whose nodes are all held do not count, nor do held nodes behind the last free one.
    See `Grid.spans`.
    """
    planes, rows, nodes = lam.shape
    own = np.zeros((planes, rows, 2), np.int32)
    for i in range(planes - 1):
        for j in range(rows - 1):
            first, last = nodes, 0
            for k in range(nodes - 1):
                if lam[i, j, k] > 0.0 or mu[i, j, k] > 0.0:
                    beyond = _any_free(free, i, j, k + 1)
                    if beyond or _any_free(free, i, j, k):
                        first = min(first, k)
                        last = k + 2 if beyond else k + 1
            own[i, j, 0], own[i, j, 1] = first, last
    for i in range(planes):
        for j in range(rows):
            first, last = nodes, 0
            for di in range(max(i - 1, 0), min(i + 1, planes - 1)):
                for dj in range(max(j - 1, 0), min(j + 2, rows - 1)):
                    first = min(first, own[di, dj, 0])
                    last = max(last, own[di, dj, 1])
            spans[i, j, 0] = first // LANES * LANES if last > 0 else 0
            spans[i, j, 1] = min((last + LANES - 1) // LANES * LANES, nodes)


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _weighed(line, lam, mu, lam_weight, mu_weight):
    for k in range(line.size):
        line[k] += lam_weight * lam[k] + mu_weight * mu[k]


@nb.njit(cache=KEPT, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _inverted(line, out):
    for k in range(out.size):
        total = line[k] + line[k + 1]
        out[k] = np.float32(1.0 / total) if total > 0.0 else np.float32(0.0)


@nb.njit(cache=KEPT, nogil=True)
def invert_diagonal(lam, mu, lam_weight, mu_weight, inverse):
    """Write one over the diagonal of the stiffness; 0 at nodes without material."""
    planes, rows, nodes = lam.shape
    line = np.zeros(nodes + 1)
    for i in range(planes):
        for j in range(rows):
            line[:] = 0.0
            for di in range(max(i - 1, 0), i + 1):
                for dj in range(max(j - 1, 0), j + 1):
                    _weighed(line[1:], lam[di, dj], mu[di, dj], lam_weight, mu_weight)
            _inverted(line, inverse[i, j])


@nb.njit(cache=KEPT, nogil=True)
def coarsen_material(fine, coarse, begin, end):
    """Mean of eight voxels, times two for the longer edge; voxels beyond the grid are void."""
    planes, rows, nodes = fine.shape
    for i in range(begin, end):
        for j in range(coarse.shape[1]):
            for k in range(coarse.shape[2]):
                total = np.float32(0.0)
                for di in range(2 * i, min(2 * i + 2, planes)):
                    for dj in range(2 * j, min(2 * j + 2, rows)):
                        for dk in range(2 * k, min(2 * k + 2, nodes)):
                            total += fine[di, dj, dk]
                coarse[i, j, k] = np.float32(0.25) * total


@nb.njit(cache=KEPT, nogil=True)
def coarsen_supports(free, inverse, coarse_inverse, coarse_free):
    """Free a coarse node as the fine node on it; without material there, as any around it."""
    planes, rows, nodes = free.shape
    for i in range(coarse_free.shape[0]):
        for j in range(coarse_free.shape[1]):
            for k in range(coarse_free.shape[2]):
                if coarse_inverse[i, j, k] == 0.0:
                    coarse_free[i, j, k] = 0
                    continue
                a, b, c = 2 * i, 2 * j, 2 * k
                if a < planes and b < rows and c < nodes and inverse[a, b, c] > 0.0:
                    coarse_free[i, j, k] = free[a, b, c]
                    continue
                bits = 0
                for di in range(max(a - 1, 0), min(a + 2, planes)):
                    for dj in range(max(b - 1, 0), min(b + 2, rows)):
                        for dk in range(max(c - 1, 0), min(c + 2, nodes)):
                            bits |= free[di, dj, dk]
                coarse_free[i, j, k] = bits


@nb.njit(cache=KEPT, nogil=True)
def _around(place, count):
    """Return the fine places behind, on and before a coarse one, and their weights."""
    behind, before = 2 * place - 1, 2 * place + 1
    return (
        (max(behind, 0), 0.5 if behind >= 0 else 0.0),
        (2 * place if 2 * place < count else count - 1, 1.0 if 2 * place < count else 0.0),
        (min(before, count - 1), 0.5 if before < count else 0.0),
    )


@nb.njit(cache=KEPT, nogil=True)
def _beside(place):
    """Return the one or two coarse places around a fine one, and their weights."""
    if place % 2:
        return (place // 2, 0.5), (place // 2 + 1, 0.5)
    return (place // 2, 1.0), (place // 2, 0.0)


@nb.njit(cache=KEPT, nogil=True)
def _row(field, i, j, c):
    """Return where a row starts in the flat field."""
    return nb.uintp(((i * field.shape[1] + j) * 3 + c) * field.shape[3])


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _weigh_three(flat, starts, weights, low, out):
    """Add three weighed rows of a flat field to a line."""
    a, b, c = starts[0] + nb.uintp(low), starts[1] + nb.uintp(low), starts[2] + nb.uintp(low)
    one, two, three = np.float32(weights[0]), np.float32(weights[1]), np.float32(weights[2])
    for n in range(out.size):
        k = nb.uintp(n)
        out[n] += one * flat[a + k] + two * flat[b + k] + three * flat[c + k]


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _every_other(line, free, c, out):
    """Weigh each second place of a line with its neighbours, where that component is free."""
    half, zero = np.float32(0.5), np.float32(0.0)
    for k in range(out.size):
        value = half * (line[2 * k] + line[2 * k + 2]) + line[2 * k + 1]
        out[k] = value if free[k] >> c & 1 else zero


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def restrict(fine, coarse, coarse_free, spans, begin, end):
    """Gather the residual of the fine grid on the free components of the coarse one."""
    nodes, flat = fine.shape[3], fine.reshape(-1)
    line = np.zeros(2 * coarse.shape[3] + nodes + 2, np.float32)
    for i in range(begin, end):
        for j in range(coarse.shape[1]):
            first, last = nb.int64(spans[i, j, 0]), nb.int64(spans[i, j, 1])
            if last <= first:
                continue
            low, high = max(2 * first - 1, 0), min(2 * last, nodes)
            (a, p), (b, q), (d, r) = _around(j, fine.shape[1])
            for c in range(3):
                line[low : 2 * last + 1] = np.float32(0.0)
                for at, weight in _around(i, fine.shape[0]):
                    starts = (_row(fine, at, a, c), _row(fine, at, b, c), _row(fine, at, d, c))
                    weights = (weight * p, weight * q, weight * r)
                    _weigh_three(flat, starts, weights, low, line[low + 1 : high + 1])
                out, free = coarse[i, j, c, first:last], coarse_free[i, j, first:last]
                _every_other(line[2 * first : 2 * last + 1], free, c, out)


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _weigh_four(flat, starts, weights, out):
    """Write the weighed sum of four rows of a flat field."""
    a, b, c, d = starts
    one, two = np.float32(weights[0]), np.float32(weights[1])
    three, four = np.float32(weights[2]), np.float32(weights[3])
    for n in range(out.size):
        k = nb.uintp(n)
        out[n] = one * flat[a + k] + two * flat[b + k] + three * flat[c + k] + four * flat[d + k]


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _add_between(line, free, c, out):
    """Add a line, and the means of its neighbours between them, where that component is free."""
    half, zero = np.float32(0.5), np.float32(0.0)
    for k in range(out.size // 2):
        on, between = line[k], half * (line[k] + line[k + 1])
        out[2 * k] += on if free[2 * k] >> c & 1 else zero
        out[2 * k + 1] += between if free[2 * k + 1] >> c & 1 else zero


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def prolong(coarse, fine, free, spans, begin, end):
    """Add the interpolated correction to the free components of the fine grid."""
    line, flat = np.zeros(coarse.shape[3] + 1, np.float32), coarse.reshape(-1)
    for i in range(begin, end):
        (a, p), (b, q) = _beside(i)
        for j in range(fine.shape[1]):
            first, last = nb.int64(spans[i, j, 0]), nb.int64(spans[i, j, 1])
            if last <= first:
                continue
            (d, r), (e, s) = _beside(j)
            low, high = first // 2, min(last // 2 + 1, coarse.shape[3])
            for c in range(3):
                k, part = nb.uintp(low), line[: last // 2 - low + 1]
                starts = (
                    _row(coarse, a, d, c) + k,
                    _row(coarse, a, e, c) + k,
                    _row(coarse, b, d, c) + k,
                    _row(coarse, b, e, c) + k,
                )
                part[-1] = np.float32(0.0)
                weights = (p * r, p * s, q * r, q * s)
                _weigh_four(flat, starts, weights, part[: high - low])
                _add_between(part, free[i, j, first:last], c, fine[i, j, c, first:last])
