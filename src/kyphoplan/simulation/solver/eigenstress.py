"""Nodal forces of a stress that each voxel carries by itself: a pressure, old plasticity."""

# mypy: disable-error-code="no-untyped-def"
import numba as nb

from kyphoplan.simulation.solver.caching import KEPT


@nb.njit(cache=KEPT, nogil=True)
def add_eigenstress(stress, edge_mm, out):
    """Add the integral of grad N : stress to a field ``[i, j, component, k]`` [N].

    Parameters
    ----------
    stress : (I, J, K, 6) constant in each voxel: xx, yy, zz, yz, xz, xy [MPa], tension positive.
    edge_mm : edge of a voxel [mm].
    out : changed in place.
    """
    quarter = 0.25 * edge_mm * edge_mm
    for i in range(stress.shape[0]):
        for j in range(stress.shape[1]):
            for k in range(stress.shape[2]):
                s = stress[i, j, k]
                if not s.any():
                    continue
                for corner in range(8):
                    a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                    x, y, z = quarter * (2 * a - 1), quarter * (2 * b - 1), quarter * (2 * c - 1)
                    out[i + a, j + b, 0, k + c] += x * s[0] + y * s[5] + z * s[4]
                    out[i + a, j + b, 1, k + c] += x * s[5] + y * s[1] + z * s[3]
                    out[i + a, j + b, 2, k + c] += x * s[4] + y * s[3] + z * s[2]
