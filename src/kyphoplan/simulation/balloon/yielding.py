"""Bone that remembers its stress: one increment of strain in each octant of a voxel.

The displacement is trilinear, and a voxel's stress is asked in the middle of its eight octants, so
that a voxel in which the balloon's wall lies, or which bends, resists as much as its parts do and
no more. In a voxel that is all tissue they share their dilatation, without which bone that keeps
its volume locks (Nagtegaal). Stress beyond the yield surface is brought back to it (`plasticity`);
bone that is squeezed in this increment is as strong as its new density makes it.

References
----------
Nagtegaal, Parks & Rice 1974, doi:10.1016/0045-7825(74)90032-2 (mean dilatation).
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.balloon.octant_slopes import strains, subtract_forces
from kyphoplan.simulation.plasticity import return_factor
from kyphoplan.simulation.solver.caching import KEPT

SHEAR, BULK, LIMIT, FACTOR, CENTRE, HARDENING, LAWS = range(7)  # columns of an octant's law
MOST_SQUEEZE = 1.0  # [1] logarithm of volume lost in one increment that still makes it stronger


@nb.njit(cache=KEPT, nogil=True, inline="always")
def _returned(strain, old, law, new):
    """Write the stress after a strain increment; return the secant shear and bulk moduli."""
    shear, bulk, limit, factor = law[SHEAR], law[BULK], law[LIMIT], law[FACTOR]
    volume = strain[0] + strain[1] + strain[2]
    before = (old[0] + old[1] + old[2]) / 3.0
    mean = before + bulk * volume
    square = 0.0
    for n in range(3):
        new[n] = old[n] - before + 2.0 * shear * (strain[n] - volume / 3.0)
        new[n + 3] = old[n + 3] + shear * strain[n + 3]
        square += new[n] * new[n] + 2.0 * new[n + 3] * new[n + 3]
    t = centre = 0.0
    if np.isfinite(limit):
        limit *= np.exp(law[HARDENING] * min(max(-volume, 0.0), MOST_SQUEEZE))
        centre = law[CENTRE] * limit
        q, p = np.sqrt(1.5 * square), mean - centre
        t = return_factor(q, p, bulk, shear, limit, factor, law[CENTRE])
    if t == 0.0:  # most bone, most of the time
        for n in range(3):
            new[n] += mean
        return shear, bulk
    one, other = 1.0 + 3.0 * shear * t, 1.0 + bulk * factor * t
    mean = centre + (mean - centre) / other
    for n in range(3):
        new[n] = new[n] / one + mean
        new[n + 3] /= one
    return shear / one, bulk / other


@nb.njit(cache=KEPT, nogil=True)
def respond(u, edge, law, stress, whole, secant, force):
    """Write the secant stiffness of each voxel, and subtract the forces of its stress.

    Parameters
    ----------
    u : (I + 1, J + 1, K + 1, 3) displacement of this increment [mm].
    law : (2 I, 2 J, 2 K, LAWS) of each octant: shear and bulk modulus, yield stress [MPa], shape
        and centre of the yield surface, exponent of strength over density [1]; nothing where
        shear is 0.
    stress : (2 I, 2 J, 2 K, 6) before the increment [MPa].
    whole : (I, J, K) voxels whose octants share their dilatation.
    secant : (I, J, K, 2) out: shear and bulk modulus [MPa].
    force : (I + 1, J + 1, K + 1, 3) changed in place [N].

    Returns
    -------
    Octants that yield.
    """
    strain, new, slope = np.zeros((8, 6)), np.zeros((8, 6)), np.zeros((3, 3, 2, 2))
    eighth = edge * edge / 8.0
    yielding = 0
    for i in range(secant.shape[0]):
        for j in range(secant.shape[1]):
            for k in range(secant.shape[2]):
                secant[i, j, k, 0] = secant[i, j, k, 1] = 0.0
                if law[2 * i, 2 * j, 2 * k, SHEAR] == 0.0:
                    continue
                strains(u, i, j, k, edge, whole[i, j, k], slope, strain)
                mean = 0.0
                for octant in range(8):
                    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
                    here = law[2 * i + a, 2 * j + b, 2 * k + c]
                    old, s = stress[2 * i + a, 2 * j + b, 2 * k + c], new[octant]
                    g, m = _returned(strain[octant], old, here, s)
                    yielding += g < here[SHEAR]
                    secant[i, j, k, 0] += g / 8.0
                    secant[i, j, k, 1] += m / 8.0
                    mean += (s[0] + s[1] + s[2]) / 24.0
                if whole[i, j, k]:
                    for octant in range(8):
                        s = new[octant]
                        rest = mean - (s[0] + s[1] + s[2]) / 3.0
                        for n in range(3):
                            s[n] += rest
                subtract_forces(new, eighth, i, j, k, slope, force)
    return yielding


@nb.njit(cache=KEPT, nogil=True)
def happened(u, edge, law, stress, whole, least, change):
    """Write what an increment did to each octant; return stored and dissipated energy.

    Parameters
    ----------
    least : shear modulus up to which an octant is filler, which has no memory [MPa].
    change : (2 I, 2 J, 2 K, 8) out: logarithm of its volume over that before [1], six changes of
        stress [MPa], crushing [1].

    Returns
    -------
    Elastic energy at the end, plastic work of the increment at its mean yield stress [mJ].
    """
    strain, new, rest = np.zeros((8, 6)), np.zeros(6), np.zeros(6)
    slope = np.zeros((3, 3, 2, 2))
    stored, lost = 0.0, 0.0
    for i in range(whole.shape[0]):
        for j in range(whole.shape[1]):
            for k in range(whole.shape[2]):
                if law[2 * i, 2 * j, 2 * k, SHEAR] == 0.0:
                    continue
                strains(u, i, j, k, edge, whole[i, j, k], slope, strain)
                for octant in range(8):
                    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
                    here = law[2 * i + a, 2 * j + b, 2 * k + c]
                    old = stress[2 * i + a, 2 * j + b, 2 * k + c]
                    out = change[2 * i + a, 2 * j + b, 2 * k + c]
                    _returned(strain[octant], old, here, new)
                    out[0] = strain[octant, 0] + strain[octant, 1] + strain[octant, 2]
                    shear, bulk = here[SHEAR], here[BULK]
                    if shear <= least:
                        out[1:] = 0.0
                        continue
                    squeeze = min(max(-out[0], 0.0), MOST_SQUEEZE)
                    mean = 0.5 + 0.5 * np.exp(-here[HARDENING] * squeeze)
                    before = (old[0] + old[1] + old[2]) / 3.0
                    after = (new[0] + new[1] + new[2]) / 3.0
                    stored += 0.5 * after * after / bulk
                    square = 0.0
                    for n in range(6):
                        step = new[n] - old[n]
                        out[1 + n] = step
                        if n < 3:  # noqa: PLR2004
                            elastic = (step - after + before) / (2.0 * shear)
                            elastic += (after - before) / (3.0 * bulk)
                            stored += 0.25 * (new[n] - after) ** 2 / shear
                        else:
                            elastic = step / shear
                            stored += 0.5 * new[n] ** 2 / shear
                        rest[n] = strain[octant, n] - elastic
                        lost += mean * new[n] * rest[n]
                        square += rest[n] ** 2 * (1.0 if n < 3 else 0.5)  # noqa: PLR2004
                    out[7] = np.sqrt(square / 1.5)
    volume = edge**3 / 8.0
    return stored * volume, lost * volume


@nb.njit(cache=KEPT, nogil=True)
def push(share, edge, out):
    """Add the nodal forces of a pressure of 1 MPa within a share of each octant [N].

    Their sum over the displacements is the volume that the share gains.
    """
    stress, slope = np.zeros((8, 6)), np.zeros((3, 3, 2, 2))
    eighth = edge * edge / 8.0
    for i in range(out.shape[0] - 1):
        for j in range(out.shape[1] - 1):
            for k in range(out.shape[2] - 1):
                within = 0.0
                for octant in range(8):
                    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
                    part = share[2 * i + a, 2 * j + b, 2 * k + c]
                    stress[octant, :3] = -part
                    within += part
                if within > 0.0:
                    subtract_forces(stress, eighth, i, j, k, slope, out)
