"""A balloon in endless bone: the same law as in the voxels, along one radius.

Shells of bone around a round balloon, each followed as it moves, is squeezed and hardens. It
answers in a fraction of a second, so it serves as a preview, and it knows no grid, so it serves as
the yardstick of the voxel model.

References
----------
Hill 1950, The Mathematical Theory of Plasticity, ch. 5 (`limit_pressure`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from kyphoplan.geometry import Array

SHELLS = 70  # [1]
REACH = 40.0  # [1] outermost radius over the first one; beyond it the bone is elastic
STEP = 0.01  # [1] growth of the radius in one increment
ROUNDS = 30  # [1] Newton steps
SMALL = 1e-8  # [1] relative change of a displacement, and unbalanced pressure
MOST_SQUEEZE = 0.3  # [1] of a shell's thickness in one Newton step
RETURNS = 40  # [1] Newton steps of the return to the yield surface


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shells:
    """What an endless bone around a balloon does.

    Attributes
    ----------
    radius_mm, pressure_mpa : (N,) the balloon, from its first size on.
    crushed_mm : (N,) how far out the bone has yielded [mm].
    """

    radius_mm: Array
    pressure_mpa: Array
    crushed_mm: Array


Law = Callable[[Array], Array]


def limit_pressure(modulus_mpa: float, poisson: float, yield_mpa: float) -> float:
    """Return the pressure at which a balloon in endless bone grows on and on [MPa].

    Bone that yields by von Mises and keeps its volume then; Hill 1950.

    Examples
    --------
    >>> round(limit_pressure(200.0, 0.3, 2.0), 2)
    6.48
    """
    ratio = modulus_mpa / (3.0 * (1.0 - poisson) * yield_mpa)
    return float(2.0 / 3.0 * yield_mpa * (1.0 + np.log(ratio)))


def expand(
    first_mm: float,
    last_mm: float,
    modulus: Law,
    limit: Law,
    *,
    poisson: float = 0.3,
    factor: Law,
) -> Shells:
    """Widen a round balloon and return its pressure.

    Parameters
    ----------
    modulus, limit, factor : Young's modulus and yield stress [MPa] of the bone, and the shape of
        its yield surface (`plasticity.shape_factor`), at so many times its first density (N,) [1].
    """
    r = first_mm * np.geomspace(1.0, REACH, SHELLS + 1)
    start = r.copy()
    stress = np.zeros((SHELLS, 2))  # radial, hoop
    yielded = np.zeros(SHELLS, bool)
    u = np.zeros_like(r)
    curve = [(first_mm, 0.0, first_mm)]
    steps = int(np.ceil(np.log(last_mm / first_mm) / np.log1p(STEP)))
    for target in np.geomspace(first_mm, last_mm, steps + 1)[1:]:
        density = np.diff(start**3) / np.diff(r**3)
        stiff, limits = modulus(density), limit(density)
        bulk, shear = stiff / (3.0 * (1.0 - 2.0 * poisson)), stiff / (2.0 * (1.0 + poisson))
        given = (bulk, shear, limits, factor(density))
        u = (target - r[0]) * (u / u[0] if u.any() else (r[0] / r) ** 2)
        for n, thick in enumerate(np.diff(r)):  # a first guess that turns no shell inside out
            u[n + 1] = max(u[n + 1], u[n] - MOST_SQUEEZE * thick)
        for _ in range(ROUNDS):
            force, slope, new, now = _forces(r, u, stress, given)
            change = np.zeros_like(u)
            change[1:] = solve_banded((1, 1), slope[:, 1:], -force[1:])
            squeezed = -np.diff(change) / (np.diff(r + u) * MOST_SQUEEZE)
            u += change / max(float(squeezed.max()), 1.0)
            if np.abs(change).max() <= SMALL * abs(u[0]):
                break
        r, stress, yielded = r + u, new, yielded | now
        pressure = force[0] / r[0] ** 2
        out = float(r[1:][yielded].max()) if yielded.any() else float(r[0])
        curve.append((float(r[0]), float(pressure), out))
    radius, pressures, crushed = np.array(curve).T
    return Shells(radius_mm=radius, pressure_mpa=pressures, crushed_mm=crushed)


def _forces(
    r: Array, u: Array, old: Array, given: tuple[Array, ...]
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return unbalanced nodal forces over 4 pi, their slope, the stresses, and who yields."""
    low = r + u
    middle = r + 0.5 * u
    dr, mean = np.diff(middle), 0.5 * (middle[1:] + middle[:-1])
    radial = np.diff(u) / dr
    hoop = 0.5 * (u[1:] + u[:-1]) / mean
    new, yields = _returned(radial, hoop, old, given)
    tiny = 1e-7
    by_radial = (_returned(radial + tiny, hoop, old, given)[0] - new) / tiny
    by_hoop = (_returned(radial, hoop + tiny, old, given)[0] - new) / tiny
    dr, mean = np.diff(low), 0.5 * (low[1:] + low[:-1])
    count = len(r)
    force, bands = np.zeros(count), np.zeros((3, count))  # above, on and below the diagonal
    half = 0.5 * (middle[1:] + middle[:-1])
    for node in (0, 1):
        across = (-1.0, 1.0)[node] * mean**2
        along = mean * dr
        force[node : count - 1 + node] += across * new[:, 0] + along * new[:, 1]
        for other in (0, 1):
            sign = (-1.0, 1.0)[other] / np.diff(middle)
            here = by_radial * sign[:, None] + by_hoop * (0.5 / half)[:, None]
            value = across * here[:, 0] + along * here[:, 1]
            bands[1 + node - other, other : count - 1 + other] += value
    return force, bands, new, yields


def _returned(
    radial: Array, hoop: Array, old: Array, given: tuple[Array, ...]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the stresses (N, 2) after strain increments, on the yield surface or inside."""
    bulk, shear, limit, factor = given
    mean = (old[:, 0] + 2.0 * old[:, 1]) / 3.0 + bulk * (radial + 2.0 * hoop)
    apart = old[:, 0] - old[:, 1] + 2.0 * shear * (radial - hoop)
    target = (1.0 + factor / 9.0) * limit**2
    outside = apart**2 + factor * mean**2 > target
    t = np.zeros_like(mean)
    for _ in range(RETURNS):
        one, other = 1.0 + 3.0 * shear * t, 1.0 + bulk * factor * t
        value = (apart / one) ** 2 + factor * (mean / other) ** 2 - target
        fall = -6.0 * shear * apart**2 / one**3 - 2.0 * bulk * factor**2 * mean**2 / other**3
        t = np.where(outside, t - value / np.where(fall == 0.0, -1.0, fall), 0.0)
        if (np.abs(value[outside]) <= 1e-10 * target[outside]).all():
            break
    mean, apart = mean / (1.0 + bulk * factor * t), apart / (1.0 + 3.0 * shear * t)
    return np.stack([mean + 2.0 / 3.0 * apart, mean - apart / 3.0], axis=1), outside
