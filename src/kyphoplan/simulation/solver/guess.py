"""The first guess of a displacement: the linear field that is closest to what is prescribed.

Plates that come together leave little more to find than how the bone between them differs from
an even one.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

RANK = 1e-9  # [1] of the largest singular value: slopes that nothing tells are none


@nb.njit(cache=KEPT)
def _moments(prescribed, inverse, half):
    """Sum up products of 1, i, j, k (from -1 to 1) and with the displacement, per component."""
    grams, sums, row = np.zeros((3, 4, 4)), np.zeros((3, 4)), np.ones(4)
    for i in range(prescribed.shape[0]):
        for j in range(prescribed.shape[1]):
            row[1], row[2] = i / half[0] - 1.0, j / half[1] - 1.0
            for k in range(prescribed.shape[2]):
                if inverse[i, j, k] == 0.0:
                    continue
                row[3] = k / half[2] - 1.0
                for c in range(3):
                    value = prescribed[i, j, k, c]
                    if np.isnan(value):
                        continue
                    for a in range(4):
                        sums[c, a] += row[a] * value
                        for b in range(4):
                            grams[c, a, b] += row[a] * row[b]
    return grams, sums


@nb.njit(cache=KEPT)
def _fill(prescribed, inverse, half, field, terms):
    """Write the linear field to nodes with material, or their prescribed displacement."""
    for i in range(prescribed.shape[0]):
        for j in range(prescribed.shape[1]):
            x, y = i / half[0] - 1.0, j / half[1] - 1.0
            for c in range(3):
                base = terms[c, 0] + terms[c, 1] * x + terms[c, 2] * y - terms[c, 3]
                step = terms[c, 3] / half[2]
                for k in range(prescribed.shape[2]):
                    value = prescribed[i, j, k, c]
                    if np.isnan(value):
                        value = base + step * k
                    field[i, j, c, k] = value if inverse[i, j, k] > 0.0 else 0.0


def guess_linear(prescribed: Array, inverse: Array, field: Array) -> bool:
    """Fill in the closest linear field ``[i, j, component, k]``; tell whether it is not zero.

    Parameters
    ----------
    prescribed : (I + 1, J + 1, K + 1, 3) displacement [mm], NaN where free.
    inverse : 0 at nodes without material; see `Grid`.
    """
    half = (np.array(prescribed.shape[:3]) - 1) / 2.0
    grams, sums = _moments(prescribed, inverse, half)
    terms = np.array(
        [np.linalg.lstsq(*pair, rcond=RANK)[0] for pair in zip(grams, sums, strict=True)]
    )
    if not terms.any():
        return False
    _fill(prescribed, inverse, half, field, terms)
    return True
