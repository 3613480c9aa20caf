"""Bone that remembers its stress: one increment of strain, brought back to the yield surface.

The surface and the flow are those of `plasticity`; here the memory is the stress itself, so that
it can be carried along by bone that moves through the grid.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.plasticity import mean_strain, return_factor


@nb.njit(cache=KEPT)
def _returned(strain, old, shear, bulk, limit, factor, new):  # noqa: PLR0913, PLR0917
    """Write the stress after a strain increment; return the secant shear and bulk moduli."""
    volume = strain[0] + strain[1] + strain[2]
    mean = (old[0] + old[1] + old[2]) / 3.0 + bulk * volume
    square = 0.0
    for n in range(6):
        if n < 3:  # noqa: PLR2004
            part = old[n] + 2.0 * shear * (strain[n] - volume / 3.0)
            part -= (old[0] + old[1] + old[2]) / 3.0
            square += part * part
        else:
            part = old[n] + shear * strain[n]
            square += 2.0 * part * part
        new[n] = part
    q = np.sqrt(1.5 * square)
    t = return_factor(q, mean, bulk, shear, limit, factor) if np.isfinite(limit) else 0.0
    one, other = 1.0 + 3.0 * shear * t, 1.0 + bulk * factor * t
    for n in range(6):
        new[n] = new[n] / one + (mean / other if n < 3 else 0.0)  # noqa: PLR2004
    return one, other


@nb.njit(cache=KEPT)
def secant(u, spacing, modulus, poisson, limit, factor, stress, state):  # noqa: PLR0913, PLR0917
    """Write each voxel's secant modulus and ratio, and the stress it would keep without strain.

    Parameters
    ----------
    u : (I + 1, J + 1, K + 1, 3) displacement of this increment [mm].
    modulus, poisson, limit, factor : (I, J, K) elastic constants, yield stress [MPa, 1, MPa], and
        the shape of the yield surface, see `plasticity.shape_factor`.
    stress : (I, J, K, 6) before the increment [MPa].
    state : (I, J, K, 8) out.

    Returns
    -------
    Voxels that yield.
    """
    strain, new = np.zeros(6), np.zeros(6)
    yielding = 0
    for i in range(modulus.shape[0]):
        for j in range(modulus.shape[1]):
            for k in range(modulus.shape[2]):
                if modulus[i, j, k] <= 0.0:
                    continue
                mean_strain(u, i, j, k, spacing, strain)
                shear = modulus[i, j, k] / (2.0 * (1.0 + poisson[i, j, k]))
                bulk = modulus[i, j, k] / (3.0 * (1.0 - 2.0 * poisson[i, j, k]))
                old = stress[i, j, k]
                one, other = _returned(strain, old, shear, bulk, limit[i, j, k], factor[i, j, k], new)
                yielding += one > 1.0
                g, b = shear / one, bulk / other
                state[i, j, k, 0] = 9.0 * b * g / (3.0 * b + g)
                state[i, j, k, 1] = (3.0 * b - 2.0 * g) / (2.0 * (3.0 * b + g))
                mean = (old[0] + old[1] + old[2]) / 3.0
                for n in range(6):
                    if n < 3:  # noqa: PLR2004
                        state[i, j, k, 2 + n] = (old[n] - mean) / one + mean / other
                    else:
                        state[i, j, k, 2 + n] = old[n] / one
    return yielding


@nb.njit(cache=KEPT)
def happened(u, spacing, modulus, poisson, limit, factor, stress, change):  # noqa: PLR0913, PLR0917
    """Write what an increment did to each voxel; return stored and dissipated energy density.

    Parameters
    ----------
    change : (I, J, K, 8) out: volume strain, six changes of stress [MPa], crushing [1].

    Returns
    -------
    Elastic energy at the end, and plastic work of the increment by the mean of both stresses;
    sums over voxels [MPa], to be multiplied by a voxel's volume.
    """
    strain, new, rest = np.zeros(6), np.zeros(6), np.zeros(6)
    stored, lost = 0.0, 0.0
    for i in range(modulus.shape[0]):
        for j in range(modulus.shape[1]):
            for k in range(modulus.shape[2]):
                if modulus[i, j, k] <= 0.0:
                    continue
                mean_strain(u, i, j, k, spacing, strain)
                shear = modulus[i, j, k] / (2.0 * (1.0 + poisson[i, j, k]))
                bulk = modulus[i, j, k] / (3.0 * (1.0 - 2.0 * poisson[i, j, k]))
                old = stress[i, j, k]
                _returned(strain, old, shear, bulk, limit[i, j, k], factor[i, j, k], new)
                change[i, j, k, 0] = strain[0] + strain[1] + strain[2]
                before, after = (old[0] + old[1] + old[2]) / 3.0, (new[0] + new[1] + new[2]) / 3.0
                volume = (after - before) / bulk
                square = 0.0
                stored += 0.5 * after * after / bulk
                for n in range(6):
                    step = new[n] - old[n]
                    change[i, j, k, 1 + n] = step
                    if n < 3:  # noqa: PLR2004
                        elastic = (step - after + before) / (2.0 * shear) + volume / 3.0
                        stored += 0.25 * (new[n] - after) ** 2 / shear
                    else:
                        elastic = step / shear
                        stored += 0.5 * new[n] ** 2 / shear
                    rest[n] = strain[n] - elastic
                    lost += 0.5 * (old[n] + new[n]) * rest[n]
                    square += rest[n] ** 2 * (1.0 if n < 3 else 0.5)  # noqa: PLR2004
                change[i, j, k, 7] = np.sqrt(square / 1.5)
    return stored, lost
