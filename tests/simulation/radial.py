"""A balloon in a ball of bone, in one dimension: the reference for balloons in voxels.

Shells of material move outwards; each has the same law of crushing as a voxel. Small increments
and many shells make it as good as exact, with start radius, outer boundary and compaction as in
the block it is compared with.

References
----------
Yu 2000, Cavity Expansion Methods in Geomechanics, ch. 3 (equilibrium of a ball, flow, limit).
"""

from collections.abc import Callable

import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.materials import DensityLaw, Status
from kyphoplan.simulation.balloon.tamps import Increment
from kyphoplan.simulation.bone_law import BoneLaw


@nb.njit
def _nearest(q, p, bulk, shear, limit, factor, centre):  # type: ignore[no-untyped-def]
    """Return the point of the yield surface that is nearest in elastic energy (associated flow).

    It is sought along the ellipse, which goes through ``q = Y, p = -Y / 3``.
    """
    high = np.sqrt(1.0 + factor * (1.0 / 3.0 + centre) ** 2) * limit  # half axes
    wide, middle = high / np.sqrt(factor), centre * limit
    if (q / high) ** 2 + ((p - middle) / wide) ** 2 <= 1.0:
        return q, p
    low, top = -0.5 * np.pi, 0.5 * np.pi
    for _ in range(60):
        angle = 0.5 * (low + top)
        here, there = high * np.cos(angle), middle + wide * np.sin(angle)
        climbs = (q - here) * high * np.sin(angle) / (3.0 * shear)
        climbs -= (p - there) * wide * np.cos(angle) / bulk
        if climbs > 0.0:
            top = angle
        else:
            low = angle
    return high * np.cos(angle), middle + wide * np.sin(angle)


@nb.njit
def _stress(strain, old, shear, bulk, limit, factor, centre, new):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    """Radial and hoop stress after a strain increment (radial, hoop)."""
    volume = strain[0] + 2.0 * strain[1]
    before = (old[0] + 2.0 * old[1]) / 3.0
    part = old[0] - before + 2.0 * shear * (strain[0] - volume / 3.0)
    q, mean = 1.5 * abs(part), before + bulk * volume
    less, mean = _nearest(q, mean, bulk, shear, limit, factor, centre)
    part *= less / q if q > 0.0 else 1.0
    new[0], new[1] = mean + part, mean - 0.5 * part


@nb.njit
def _force(r, u, old, constants, pair, new):  # type: ignore[no-untyped-def]
    """Nodal forces of one shell between r[0] and r[1]; its stress goes to new."""
    thick, middle = r[1] - r[0], 0.5 * (r[0] + r[1])
    strain = np.array([(u[1] - u[0]) / thick, 0.5 * (u[0] + u[1]) / middle])
    limit = constants[2] * (1.0 + strain[0] + 2.0 * strain[1]) ** -constants[5]
    _stress(strain, old, constants[0], constants[1], limit, constants[3], constants[4], new)
    size = 4.0 * np.pi * middle * middle * thick
    pair[0] = size * (-new[0] / thick + new[1] / middle)
    pair[1] = size * (new[0] / thick + new[1] / middle)


@nb.njit
def _residual(r, u, stress, constants, force, low, main, high, new):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    force[:], low[:], main[:], high[:] = 0.0, 0.0, 0.0, 0.0
    pair, moved, scratch, step = np.zeros(2), np.zeros(2), np.zeros(2), 1e-7
    for n in range(r.size - 1):
        _force(r[n : n + 2], u[n : n + 2], stress[n], constants[n], pair, new[n])
        force[n] += pair[0]
        force[n + 1] += pair[1]
        for which in range(2):
            near = u[n : n + 2].copy()
            near[which] += step
            _force(r[n : n + 2], near, stress[n], constants[n], moved, scratch)
            slope = (moved - pair) / step
            main[n + which] += slope[which]
            if which == 0:
                low[n] += slope[1]
            else:
                high[n] += slope[0]


@nb.njit
def _swept(low, main, high, right):  # type: ignore[no-untyped-def]
    """Solve a tridiagonal system."""
    for n in range(1, main.size):
        part = low[n - 1] / main[n - 1]
        main[n] -= part * high[n - 1]
        right[n] -= part * right[n - 1]
    right[-1] /= main[-1]
    for n in range(main.size - 2, -1, -1):
        right[n] = (right[n] - high[n] * right[n + 1]) / main[n]


@nb.njit
def _balanced(r, u, stress, constants, new, last):  # type: ignore[no-untyped-def]
    """Find the displacement of all but what is held; tell whether it is found."""
    force, main = np.zeros(r.size), np.zeros(r.size)
    low, high = np.zeros(r.size - 1), np.zeros(r.size - 1)
    u[last:] = 0.0
    for n in range(60):
        _residual(r, u, stress, constants, force, low, main, high, new)
        change = -force[1:last]
        if not np.isfinite(change).all():
            return False
        if np.abs(change).max() < 1e-6 * abs(force[0]):
            return True
        main += 1e-9 * main.max()
        _swept(low[1 : last - 1], main[1:last], high[1 : last - 1], change)
        u[1:last] += change if n < 8 else 0.5 * change  # shells that yield and cease in turn
        if (np.diff(r + u) <= 0.0).any():
            return False
    return False


@nb.njit
def _outward(r, stress):  # type: ignore[no-untyped-def]
    """Force on the wall of the first shell [N]."""
    middle, thick = 0.5 * (r[0] + r[1]), r[1] - r[0]
    size = 4.0 * np.pi * middle * middle * thick
    return size * (-stress[0, 0] / thick + stress[0, 1] / middle)


Law = Callable[[Array], Array]


def expand(radii: Array, start: Array, law: Law, *, held: bool, steps: int = 400) -> Array:
    """Return the pressures at radii of the wall [MPa].

    Parameters
    ----------
    radii : of the wall, rising from its first [mm].
    start : radii of the shells' borders, the first the wall's [mm].
    law : from compaction (volume before over now, per shell) to shear, bulk, limit, shape
        and centre of the yield surface, hardening (N, 6).
    held : whether the outer border is held; else it is free.
    """
    walls, found = _path(float(radii[-1]), start, law, held, steps, let_down=False)
    return np.interp(radii, walls, found)


def recoiled(radius_mm: float, start: Array, law: Law, *, held: bool, steps: int = 400) -> float:
    """Return the radius of the void when a wall is let down from a radius, see `expand` [mm]."""
    walls, found = _path(radius_mm, start, law, held, steps, let_down=True)
    last, before = found[-1], found[-2]
    return walls[-1] + (walls[-2] - walls[-1]) * last / (last - before)


def _path(
    radius_mm: float, start: Array, law: Law, held: bool, steps: int, *, let_down: bool
) -> tuple[list[float], list[float]]:
    """Return radii of the wall and pressures there, up to a radius or until there is none."""
    r, stress = start.copy(), np.zeros((start.size - 1, 2))
    volumes = np.diff(r**3)
    walls, found, last = [], [], r.size - 1 if held else r.size
    u, whole = (r[0] / r) ** 2, (radius_mm - r[0]) / steps
    full = False
    while not full or found[-1] > 0.0:
        constants, new, step = law(volumes / np.diff(r**3)), np.zeros_like(stress), whole
        while not _balanced(r, guess := u / u[0] * step, stress, constants, new, last):
            step *= 0.5
        force = _outward(r, new)
        walls.append(float(r[0]))
        found.append(float(force / (4.0 * np.pi * r[0] ** 2)))
        u = guess
        r, stress = r + u, new
        if not full and r[0] >= radius_mm:
            if not let_down:
                break
            full, whole = True, -DOWN * whole
    return walls, found


DOWN = 0.1  # [1] of a step up: a step down


YIELD_MPA, DENSITY = 1.6, 104.0  # [MPa], [mg/cm3] of the even bone of the balloon's tests
MODULUS_MPA, POISSON = 280.0, 0.3


def law(strength: float = YIELD_MPA, modulus: float = MODULUS_MPA) -> BoneLaw:
    """Return the law of even bone, whatever its density [MPa]."""

    def even(name: str, value: float) -> DensityLaw:
        return DensityLaw(name=name, factor=value, exponent=0.0, source="", status=Status.READ)

    return BoneLaw(modulus=even("e", modulus), strength=even("y", strength), plastic_poisson=0.3)


def shelled(first_mm: float, width_mm: float, tension: float = 1.0) -> tuple[Array, Law]:
    """Return a ball of that bone in one dimension: radii of its shells, and their law.

    It stands for a cube that is held at its faces: its border is between a face and a corner.

    Parameters
    ----------
    first_mm, width_mm : radius of the balloon at the start; edge of the cube [mm].
    tension : share of its strength that it bears in tension [1].
    """
    bone = law()
    start = first_mm * (0.55 * width_mm / first_mm) ** np.linspace(0.0, 1.0, 201)

    def shells(squeezed: Array) -> Array:
        same = np.ones_like(squeezed)
        factor, centre = bone.surface(DENSITY * squeezed, tension * same)
        shear, bulk = 0.5 * MODULUS_MPA / (1.0 + POISSON), MODULUS_MPA / (3.0 - 6.0 * POISSON)
        limit = YIELD_MPA * squeezed**bone.hardening
        rest = (shear * same, bulk * same, limit, factor, centre, bone.hardening * same)
        return np.stack(rest, axis=-1)

    return start, shells


def radius_of(step: Increment) -> float:
    """Return the radius of a ball that holds what the first balloon does [mm]."""
    return float((0.75 * step.volume_mm3[0] / np.pi) ** (1.0 / 3.0))
