"""Between a grid of voxels and one of twice the edge: material, supports, residuals, corrections.

Coarse node I lies on fine node 2 I. Corrections are interpolated trilinearly, residuals are
gathered by the transpose, and a coarse voxel has the mean material of its eight, void included.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.lanes import LANES


@nb.njit(cache=KEPT, nogil=True)
def find_spans(lam, mu, spans):
    """Find for each node row where it touches material, in whole registers (see `Grid.spans`)."""
    planes, rows, nodes = lam.shape
    own = np.zeros((planes, rows, 2), np.int32)
    for i in range(planes):
        for j in range(rows):
            first, last = nodes, 0
            for k in range(nodes):
                if lam[i, j, k] > 0.0 or mu[i, j, k] > 0.0:
                    first = min(first, k)
                    last = k + 2
            own[i, j, 0], own[i, j, 1] = first, last
    for i in range(planes):
        for j in range(rows):
            first, last = nodes, 0
            for di in range(max(i - 1, 0), i + 1):
                for dj in range(max(j - 1, 0), min(j + 2, rows)):
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


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _add_row(line, row, weight):
    for k in range(row.size):
        line[k] += weight * row[k]


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _gather(fine, i, j, c, low, high, line):
    """Weigh the nine fine rows around a coarse one into a line, shifted by one."""
    line[low : high + 2] = np.float32(0.0)
    for di in range(max(2 * i - 1, 0), min(2 * i + 2, fine.shape[0])):
        for dj in range(max(2 * j - 1, 0), min(2 * j + 2, fine.shape[1])):
            weight = np.float32((1.0 if di == 2 * i else 0.5) * (1.0 if dj == 2 * j else 0.5))
            _add_row(line[low + 1 : high + 1], fine[di, dj, c, low:high], weight)


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
    nodes = fine.shape[3]
    line = np.zeros(2 * coarse.shape[3] + nodes + 2, np.float32)
    for i in range(begin, end):
        for j in range(coarse.shape[1]):
            first, last = nb.int64(spans[i, j, 0]), nb.int64(spans[i, j, 1])
            if last <= first:
                continue
            low, high = max(2 * first - 1, 0), min(2 * last, nodes)
            for c in range(3):
                line[high + 1 : 2 * last + 1] = np.float32(0.0)
                _gather(fine, i, j, c, low, high, line)
                out, free = coarse[i, j, c, first:last], coarse_free[i, j, first:last]
                _every_other(line[2 * first : 2 * last + 1], free, c, out)


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _between(line, out):
    """Put the mean of two neighbours between them."""
    half = np.float32(0.5)
    for k in range(out.size // 2):
        out[2 * k] = line[k]
        out[2 * k + 1] = half * (line[k] + line[k + 1])


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _add_free(row, value, free, c):
    for k in range(row.size):
        row[k] += value[k] if free[k] >> c & 1 else np.float32(0.0)


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def prolong(coarse, fine, free, spans, begin, end):
    """Add the interpolated correction to the free components of the fine grid."""
    line = np.zeros(coarse.shape[3] + 1, np.float32)
    whole = np.zeros(2 * coarse.shape[3] + 2, np.float32)
    for i in range(begin, end):
        for j in range(fine.shape[1]):
            first, last = nb.int64(spans[i, j, 0]), nb.int64(spans[i, j, 1])
            if last <= first:
                continue
            low, high = first // 2, min(last // 2 + 1, coarse.shape[3])
            weight = np.float32((0.5 if i % 2 else 1.0) * (0.5 if j % 2 else 1.0))
            for c in range(3):
                line[low : high + 1] = np.float32(0.0)
                for di in range(i // 2, i // 2 + 1 + i % 2):
                    for dj in range(j // 2, j // 2 + 1 + j % 2):
                        _add_row(line[low:high], coarse[di, dj, c, low:high], weight)
                _between(line[low : high + 1], whole[first:last])
                _add_free(fine[i, j, c, first:last], whole[first:last], free[i, j, first:last], c)
