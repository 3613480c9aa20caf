"""Bone that remembers its stress: one increment of strain, brought back to the yield surface.

The surface and the flow are those of `plasticity`; here the memory is the stress itself, so that
it can be carried along by bone that moves through the grid.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.plasticity import mean_strain, return_factor

HOURGLASS = 1.0  # [1] of a shear stiffness; full integration has 1.5 at a ratio of 0.3


@nb.njit(cache=KEPT)
def _returned(strain, old, shear, bulk, limit, factor, new):
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
    """Write each voxel's secant modulus and ratio, and its stress after the increment.

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
                one, other = _returned(
                    strain, old, shear, bulk, limit[i, j, k], factor[i, j, k], new
                )
                yielding += one > 1.0
                g, b = shear / one, bulk / other
                state[i, j, k, 0] = 9.0 * b * g / (3.0 * b + g)
                state[i, j, k, 1] = (3.0 * b - 2.0 * g) / (2.0 * (3.0 * b + g))
                for n in range(6):
                    state[i, j, k, 2 + n] = new[n]
    return yielding


@nb.njit(cache=KEPT)
def happened(u, spacing, modulus, poisson, limit, factor, stress, least, change):  # noqa: PLR0913, PLR0917
    """Write what an increment did to each voxel; return stored and dissipated energy density.

    Parameters
    ----------
    least : Young's modulus up to which a voxel is filler, which has no memory [MPa].
    change : (I, J, K, 8) out: volume strain, six changes of stress [MPa], crushing [1].

    Returns
    -------
    Elastic energy at the end, plastic work of the increment by the stress at its end, and work
    on filler; sums over voxels [MPa], to be multiplied by a voxel's volume.
    """
    strain, new, rest = np.zeros(6), np.zeros(6), np.zeros(6)
    stored, lost, filler = 0.0, 0.0, 0.0
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
                if modulus[i, j, k] <= least:
                    for n in range(6):
                        filler += new[n] * strain[n]
                        change[i, j, k, 1 + n] = 0.0
                    continue
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
                    lost += new[n] * rest[n]
                    square += rest[n] ** 2 * (1.0 if n < 3 else 0.5)  # noqa: PLR2004
                change[i, j, k, 7] = np.sqrt(square / 1.5)
    return stored, lost, filler


@nb.njit(cache=KEPT)
def subtract_hourglass(u, spacing, state, out):
    """Subtract the forces that hold a voxel against bending within itself [N]; return their work.

    A voxel's stress is that of its mean strain, which does not see the twelve ways in which its
    corners can move without it. They are held by a small stiffness without memory (Flanagan and
    Belytschko 1981, doi:10.1002/nme.1620170504): full integration would hold them so firmly that
    a tenth to a third of a balloon's pressure went into it.

    Parameters
    ----------
    state : (I, J, K, 8) secant modulus and ratio first.
    out : (I + 1, J + 1, K + 1, 3) changed in place.
    """
    work = 0.0
    for i in range(state.shape[0]):
        for j in range(state.shape[1]):
            for k in range(state.shape[2]):
                if state[i, j, k, 0] <= 0.0:
                    continue
                shear = state[i, j, k, 0] / (2.0 * (1.0 + state[i, j, k, 1]))
                for component in range(3):
                    for mode in range(4):
                        size = 0.0
                        for corner in range(8):
                            a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                            size += _sign(mode, a, b, c) * u[i + a, j + b, k + c, component]
                        size /= 8.0
                        force = 0.5 * HOURGLASS * shear * spacing * size
                        work += 4.0 * force * size
                        for corner in range(8):
                            a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                            out[i + a, j + b, k + c, component] -= _sign(mode, a, b, c) * force
    return work


@nb.njit(cache=KEPT)
def _sign(mode, a, b, c):
    """Sign of a corner in one of the four patterns: xy, yz, xz, xyz."""
    x, y, z = 2.0 * a - 1.0, 2.0 * b - 1.0, 2.0 * c - 1.0
    if mode == 0:
        return x * y
    if mode == 1:
        return y * z
    return x * z if mode == 2 else x * y * z  # noqa: PLR2004
