"""The first guess of a displacement: the linear field that is closest to what is prescribed.

Plates that come together leave little more to find than how the bone between them differs from
an even one.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

RANK = 1e-9  # [1] of the largest singular value: slopes that nothing tells are none


@nb.njit(cache=KEPT, nogil=True)
def _moments(prescribed, held, inverse, half):
    """Sum up products of 1, i, j, k (from -1 to 1) and with the displacement, per component."""
    grams, sums, row = np.zeros((3, 4, 4)), np.zeros((3, 4)), np.ones(4)
    for i in range(held.shape[0]):
        for j in range(held.shape[1]):
            row[1], row[2] = i / half[0] - 1.0, j / half[1] - 1.0
            for k in range(held.shape[2]):
                if held[i, j, k] == 0 or inverse[i, j, k] == 0.0:
                    continue
                row[3] = k / half[2] - 1.0
                for c in range(3):
                    if held[i, j, k] >> c & 1:
                        for a in range(4):
                            sums[c, a] += row[a] * prescribed[i, j, k, c]
                            for b in range(4):
                                grams[c, a, b] += row[a] * row[b]
    return grams, sums


@nb.njit(cache=KEPT, nogil=True)
def _fill(free, half, field, terms):
    """Write the linear field to free components."""
    for i in range(free.shape[0]):
        for j in range(free.shape[1]):
            x, y, bits = i / half[0] - 1.0, j / half[1] - 1.0, free[i, j]
            for c in range(3):
                base = terms[c, 0] + terms[c, 1] * x + terms[c, 2] * y - terms[c, 3]
                step, row = terms[c, 3] / half[2], field[i, j, c]
                for k in range(row.size):
                    row[k] = base + step * k if bits[k] >> c & 1 else row[k]


def guess_linear(
    prescribed: Array, held: NDArray[np.uint8], inverse: Array, free: Array, field: Array
) -> bool:
    """Fill the closest linear field ``[i, j, component, k]`` in where it is free.

    Parameters
    ----------
    prescribed : (I + 1, J + 1, K + 1, 3) displacement [mm] where it is held.
    held : (I + 1, J + 1, K + 1), bit c is set if component c is prescribed.
    inverse, free : see `Grid`.

    Returns
    -------
    Whether the field is not zero; if it is, nothing is done.
    """
    half = (np.array(held.shape) - 1) / 2.0
    grams, sums = _moments(prescribed, held, inverse, half)
    terms = np.array(
        [np.linalg.lstsq(*pair, rcond=RANK)[0] for pair in zip(grams, sums, strict=True)]
    )
    if not terms.any():
        return False
    _fill(free, half, field, terms)
    return True
