"""Bone that crushes: an isotropic foam that yields in shear and in volume, voxel by voxel.

The yield surface is the ellipse of Deshpande and Fleck, ``(q^2 + a^2 p^2) / (1 + a^2 / 9) = Y^2``
with the von Mises stress q and the mean stress p; Y is the uniaxial yield stress, and a follows
from how much a crushed sample widens. Flow is associated and Y stays, as on a plateau. The
elastic predictor is scaled back along both axes, so the stress is that of a secant material.

Rubble that bears less in tension has the same ellipse, shifted along p to a centre c Y below 0 as
in modified Cam clay, ``q^2 + a^2 (p - c Y)^2 = (1 + a^2 (1/3 + c)^2) Y^2``. Three things that are
measured fix it: how it bears (Y) and widens when it is pressed in one direction, and what it
bears when it is pulled. The predictor is scaled back towards that centre.

References
----------
Deshpande & Fleck 2000, J Mech Phys Solids 48:1253, doi:10.1016/S0022-5096(99)00082-4.
Lunde & Skallerud 2009, J Mech Behav Biomed Mater 2:43 (abstract): morsellised bone as a modified
Cam clay.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

ROUNDS = 80  # [1] Newton steps of the return; it is convex and needs five, more if far outside


def shape_factor(plastic_poisson: float) -> float:
    """Return a^2 for a plastic Poisson's ratio: 0.5 is von Mises, 0 a foam that never widens.

    Examples
    --------
    >>> shape_factor(0.5), shape_factor(0.0)
    (0.0, 4.5)
    """
    if not 0.0 <= plastic_poisson <= 0.5:  # noqa: PLR2004
        raise ValueError(f"plastic_poisson is {plastic_poisson}: give 0 to 0.5 [1]")
    return 4.5 * (1.0 - 2.0 * plastic_poisson) / (1.0 + plastic_poisson)


def pulled(factor: Array, tension: Array) -> tuple[Array, Array]:
    """Return a^2 and centre c of foam that bears only a share of its strength in tension.

    Pressed in one direction it yields and widens as the foam with the given a^2 does.

    Parameters
    ----------
    factor : a^2 of foam that bears as much in tension, see `shape_factor` [1].
    tension : uniaxial strength in tension over that in compression [1], above 0.

    Examples
    --------
    >>> pulled(np.array(2.25), np.array(1.0))
    (array(2.25), array(-0.))
    >>> pulled(np.array(2.25), np.array(0.5))
    (array(6.), array(-0.20833333))
    """
    missing = 1.0 - np.asarray(tension)
    steeper = (2.0 * factor + 9.0 * missing) / (1.0 + tension)
    safe = np.maximum(steeper, LEAST_FACTOR)  # without pores, and whole: Mises, without a centre
    return np.asarray(steeper), np.asarray(-1.5 * missing * (1.0 / safe + 1.0 / 9.0))


LEAST_FACTOR = 1e-9


@nb.njit(cache=KEPT)
def mean_strain(u, i, j, k, spacing, out):
    """Write the mean strain of a voxel: xx, yy, zz and the doubled yz, xz, xy."""
    slope = np.zeros((3, 3))
    for corner in range(8):
        a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
        for component in range(3):
            value = u[i + a, j + b, k + c, component] / (4.0 * spacing)
            slope[component, 0] += value * (2 * a - 1)
            slope[component, 1] += value * (2 * b - 1)
            slope[component, 2] += value * (2 * c - 1)
    out[0], out[1], out[2] = slope[0, 0], slope[1, 1], slope[2, 2]
    out[3] = slope[1, 2] + slope[2, 1]
    out[4] = slope[0, 2] + slope[2, 0]
    out[5] = slope[0, 1] + slope[1, 0]


@nb.njit(cache=KEPT)
def return_factor(q, p, bulk, shear, limit, factor, centre=0.0):
    """Find t so that q / (1 + 3 G t) and p / (1 + K a^2 t) lie on the yield surface; 0 inside.

    Both are measured from its centre, which lies at centre times limit.
    """
    target = (1.0 + factor * (1.0 / 3.0 + centre) ** 2) * limit * limit
    if q * q + factor * p * p <= target:
        return 0.0
    t = 0.0
    for _ in range(ROUNDS):
        one, other = 1.0 + 3.0 * shear * t, 1.0 + bulk * factor * t
        value = (q / one) ** 2 + factor * (p / other) ** 2 - target
        slope = -6.0 * shear * q * q / one**3 - 2.0 * bulk * factor**2 * p * p / other**3
        t -= value / slope
        if abs(value) <= 1e-10 * target:
            break
    return t


@nb.njit(cache=KEPT)
def update(  # noqa: PLR0913, PLR0917 - an array per argument
    u, spacing, modulus, poisson, limit, factor, plastic, state, commit
):
    """Bring each voxel's stress back to the yield surface.

    Parameters
    ----------
    u : (I + 1, J + 1, K + 1, 3) displacement [mm].
    modulus, poisson, limit : (I, J, K) elastic constants and yield stress [MPa, 1, MPa].
    factor : a^2, see `shape_factor`.
    plastic : (I, J, K, 6) plastic strain; changed if `commit`.
    state : (I, J, K, 8) out: secant modulus and ratio, and the eigenstress of the plastic strain.
    commit : keep the new plastic strain.

    Returns
    -------
    Voxels that yield.
    """
    strain = np.zeros(6)
    yielding = 0
    for i in range(modulus.shape[0]):
        for j in range(modulus.shape[1]):
            for k in range(modulus.shape[2]):
                if modulus[i, j, k] <= 0.0:
                    continue
                mean_strain(u, i, j, k, spacing, strain)
                shear = modulus[i, j, k] / (2.0 * (1.0 + poisson[i, j, k]))
                bulk = modulus[i, j, k] / (3.0 * (1.0 - 2.0 * poisson[i, j, k]))
                old = plastic[i, j, k]
                volume, square = 0.0, 0.0
                for n in range(6):
                    strain[n] -= old[n]
                    volume += strain[n] if n < 3 else 0.0  # noqa: PLR2004
                for n in range(6):
                    part = strain[n] - volume / 3.0 if n < 3 else strain[n]  # noqa: PLR2004
                    square += part * part * (1.0 if n < 3 else 0.5)  # noqa: PLR2004
                q = 2.0 * shear * np.sqrt(1.5 * square)
                t = return_factor(q, bulk * volume, bulk, shear, limit[i, j, k], factor)
                g, b = shear / (1.0 + 3.0 * shear * t), bulk / (1.0 + bulk * factor * t)
                yielding += t > 0.0
                state[i, j, k, 0] = 9.0 * b * g / (3.0 * b + g)
                state[i, j, k, 1] = (3.0 * b - 2.0 * g) / (2.0 * (3.0 * b + g))
                kept, kept_volume = 1.0 - g / shear, (1.0 - b / bulk) * volume / 3.0
                if commit:
                    for n in range(6):
                        mean = volume / 3.0 if n < 3 else 0.0  # noqa: PLR2004
                        grown = kept_volume if n < 3 else 0.0  # noqa: PLR2004
                        old[n] += kept * (strain[n] - mean) + grown
                lam = b - 2.0 / 3.0 * g
                total = old[0] + old[1] + old[2]
                for n in range(6):
                    twice = 2.0 * g * old[n] + lam * total if n < 3 else g * old[n]  # noqa: PLR2004
                    state[i, j, k, 2 + n] = -twice
    return yielding


@nb.njit(cache=KEPT)
def von_mises(u, spacing, modulus, poisson, plastic, stress, strain_out):
    """Write the von Mises stress [MPa] and the equivalent strain [1] of each voxel."""
    strain = np.zeros(6)
    for i in range(modulus.shape[0]):
        for j in range(modulus.shape[1]):
            for k in range(modulus.shape[2]):
                if modulus[i, j, k] <= 0.0:
                    continue
                mean_strain(u, i, j, k, spacing, strain)
                shear = modulus[i, j, k] / (2.0 * (1.0 + poisson[i, j, k]))
                for which in range(2):
                    square = 0.0
                    volume = 0.0
                    for n in range(6):
                        strain[n] -= plastic[i, j, k, n] if which == 1 else 0.0
                        volume += strain[n] if n < 3 else 0.0  # noqa: PLR2004
                    for n in range(6):
                        part = strain[n] - volume / 3.0 if n < 3 else strain[n]  # noqa: PLR2004
                        square += part * part * (1.0 if n < 3 else 0.5)  # noqa: PLR2004
                    if which == 0:
                        strain_out[i, j, k] = np.sqrt(square / 1.5)
                    else:
                        stress[i, j, k] = 2.0 * shear * np.sqrt(1.5 * square)
