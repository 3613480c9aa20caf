"""Bone that remembers its stress: one increment of strain in each eighth of a voxel.

A voxel's displacement is trilinear, and its stress is asked in the middle of its eight octants, so
that a voxel in which the balloon's wall lies, or which bends, resists as much as its parts do and
no more. The mean dilatation is that of the whole voxel, without which bone that keeps its volume
locks (Nagtegaal). Stress beyond the yield surface is brought back to it (`plasticity`); bone that
is squeezed in this increment is as strong as its new density makes it.

References
----------
Nagtegaal, Parks & Rice 1974, Comput Methods Appl Mech Eng 4:153 (mean dilatation).
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.caching import KEPT
from kyphoplan.simulation.plasticity import return_factor

SHEAR, BULK, LIMIT, FACTOR, HARDENING, LAWS = 0, 1, 2, 3, 4, 5  # columns of an octant's law
MOST_SQUEEZE = 0.4  # [1] of a volume is left after one increment at least, for its strength
SMALL = 1e-3  # [voxel] corners that part by less are not followed half-way: it would not be seen
LEAST_SIZE = 0.1  # [1] of an octant half-way: less and the increment was too large


def _slopes():
    """Gradients of a unit voxel's eight corners in the middle of each octant (8, 8, 3)."""
    sign = np.array([[2.0 * (n >> s & 1) - 1.0 for s in (2, 1, 0)] for n in range(8)])
    near = 0.5 + 0.25 * sign[:, None, :] * sign[None, :, :]
    out = np.empty((8, 8, 3))
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        out[..., axis] = sign[None, :, axis] * near[..., one] * near[..., other]
    return out


SLOPES = _slopes()


@nb.njit(cache=KEPT, nogil=True)
def _corners(u, i, j, k, edge, out):
    """Write the displacements of a voxel's eight corners, in voxels (8, 3); return their spread."""
    scale, spread = 1.0 / edge, 0.0
    for corner in range(8):
        a, b, c = i + (corner >> 2 & 1), j + (corner >> 1 & 1), k + (corner & 1)
        for n in range(3):
            out[corner, n] = scale * u[a, b, c, n]
            spread = max(spread, abs(out[corner, n] - out[0, n]))
    return spread


@nb.njit(cache=KEPT, nogil=True)
def _half_way(corners, spread, octant, slope, strain):
    """Write an octant's corner gradients half-way and its strain; return its size there and at last.

    Half-way the strain increment is that of the logarithm to second order, and a volume gained is
    what the surface sweeps.

    References
    ----------
    Hughes & Winget 1980, Int J Numer Methods Eng 15:1862, doi:10.1002/nme.1620151210.
    """
    xx = xy = xz = yx = yy = yz = zx = zy = zz = 0.0
    for corner in range(8):
        x, y, z = SLOPES[octant, corner, 0], SLOPES[octant, corner, 1], SLOPES[octant, corner, 2]
        p, q, r = corners[corner, 0], corners[corner, 1], corners[corner, 2]
        xx += x * p
        xy += y * p
        xz += z * p
        yx += x * q
        yy += y * q
        yz += z * q
        zx += x * r
        zy += y * r
        zz += z * r
    if spread < SMALL:
        slope[:] = SLOPES[octant]
        strain[0], strain[1], strain[2] = xx, yy, zz
        strain[3], strain[4], strain[5] = yz + zy, xz + zx, xy + yx
        return 1.0, 1.0 + xx + yy + zz
    last = _determinant(xx, xy, xz, yx, yy, yz, zx, zy, zz, 1.0)
    size = max(_determinant(xx, xy, xz, yx, yy, yz, zx, zy, zz, 0.5), LEAST_SIZE)
    a, b, c = 1.0 + 0.5 * xx, 1.0 + 0.5 * yy, 1.0 + 0.5 * zz
    c00, c01, c02 = (
        b * c - 0.25 * yz * zy,
        0.25 * yz * zx - 0.5 * yx * c,
        0.25 * yx * zy - 0.5 * b * zx,
    )
    c10, c11, c12 = (
        0.25 * xz * zy - 0.5 * xy * c,
        a * c - 0.25 * xz * zx,
        0.25 * xy * zx - 0.5 * a * zy,
    )
    c20, c21, c22 = (
        0.25 * xy * yz - 0.5 * xz * b,
        0.25 * xz * yx - 0.5 * a * yz,
        a * b - 0.25 * xy * yx,
    )
    scale = 1.0 / size
    exx = eyy = ezz = eyz = exz = exy = 0.0
    for corner in range(8):
        x, y, z = SLOPES[octant, corner, 0], SLOPES[octant, corner, 1], SLOPES[octant, corner, 2]
        one = scale * (c00 * x + c01 * y + c02 * z)
        two = scale * (c10 * x + c11 * y + c12 * z)
        three = scale * (c20 * x + c21 * y + c22 * z)
        slope[corner, 0], slope[corner, 1], slope[corner, 2] = one, two, three
        p, q, r = corners[corner, 0], corners[corner, 1], corners[corner, 2]
        exx += one * p
        eyy += two * q
        ezz += three * r
        eyz += three * q + two * r
        exz += three * p + one * r
        exy += two * p + one * q
    strain[0], strain[1], strain[2], strain[3], strain[4], strain[5] = exx, eyy, ezz, eyz, exz, exy
    return size, last


@nb.njit(cache=KEPT, nogil=True)
def _determinant(xx, xy, xz, yx, yy, yz, zx, zy, zz, part):  # noqa: PLR0913, PLR0917
    """Determinant of one plus a part of a gradient."""
    a, b, c = 1.0 + part * xx, 1.0 + part * yy, 1.0 + part * zz
    square = part * part
    total = a * (b * c - square * yz * zy) - part * xy * (part * yx * c - square * yz * zx)
    return total + part * xz * (square * yx * zy - part * b * zx)


@nb.njit(cache=KEPT, nogil=True)
def _voxel(corners, spread, whole, slopes, strains, sizes, lasts):
    """Do so for all octants of a voxel; in a whole one they share their dilatation."""
    mean = total = 0.0
    for octant in range(8):
        e = strains[octant]
        sizes[octant], lasts[octant] = _half_way(corners, spread, octant, slopes[octant], e)
        mean += sizes[octant] * (e[0] + e[1] + e[2])
        total += sizes[octant]
    if whole:
        for octant in range(8):
            e = strains[octant]
            rest = (mean / total - e[0] - e[1] - e[2]) / 3.0
            for n in range(3):
                e[n] += rest


@nb.njit(cache=KEPT, nogil=True)
def _returned(strain, old, law, last, new):
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
    t = 0.0
    if np.isfinite(limit):
        if last < 1.0:
            limit *= max(last, MOST_SQUEEZE) ** -law[HARDENING]
        t = return_factor(np.sqrt(1.5 * square), mean, bulk, shear, limit, factor)
    one, other = 1.0 + 3.0 * shear * t, 1.0 + bulk * factor * t
    for n in range(3):
        new[n] = new[n] / one + mean / other
        new[n + 3] /= one
    return shear / one, bulk / other


@nb.njit(cache=KEPT, nogil=True)
def respond(u, edge, law, stress, whole, secant, force):
    """Write the secant stiffness of each voxel, and subtract the forces of its stress.

    Parameters
    ----------
    u : (I + 1, J + 1, K + 1, 3) displacement of this increment [mm].
    law : (2 I, 2 J, 2 K, LAWS) of each octant: shear and bulk modulus, yield stress [MPa], shape
        of the yield surface, exponent of strength over density [1]; nothing where shear is 0.
    stress : (2 I, 2 J, 2 K, 6) before the increment [MPa].
    whole : (I, J, K) voxels whose octants share their dilatation.
    secant : (I, J, K, 2) out: shear and bulk modulus [MPa].
    force : (I + 1, J + 1, K + 1, 3) changed in place [N].

    Returns
    -------
    Octants that yield.
    """
    strain, new = np.zeros((8, 6)), np.zeros((8, 6))
    slope, size, last = np.zeros((8, 8, 3)), np.zeros(8), np.zeros(8)
    corners = np.zeros((8, 3))
    eighth = edge * edge / 8.0
    yielding = 0
    for i in range(secant.shape[0]):
        for j in range(secant.shape[1]):
            for k in range(secant.shape[2]):
                secant[i, j, k, 0] = secant[i, j, k, 1] = 0.0
                if law[2 * i, 2 * j, 2 * k, SHEAR] == 0.0:
                    continue
                spread = _corners(u, i, j, k, edge, corners)
                _voxel(corners, spread, whole[i, j, k], slope, strain, size, last)
                mean = total = 0.0
                for octant in range(8):
                    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
                    here = law[2 * i + a, 2 * j + b, 2 * k + c]
                    old, s = stress[2 * i + a, 2 * j + b, 2 * k + c], new[octant]
                    g, m = _returned(strain[octant], old, here, last[octant], s)
                    yielding += g < here[SHEAR]
                    secant[i, j, k, 0] += g / 8.0
                    secant[i, j, k, 1] += m / 8.0
                    mean += size[octant] * (s[0] + s[1] + s[2]) / 3.0
                    total += size[octant]
                for octant in range(8):
                    s = new[octant]
                    rest = mean / total - (s[0] + s[1] + s[2]) / 3.0 if whole[i, j, k] else 0.0
                    for corner in range(8):
                        x = eighth * size[octant] * slope[octant, corner, 0]
                        y = eighth * size[octant] * slope[octant, corner, 1]
                        z = eighth * size[octant] * slope[octant, corner, 2]
                        a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                        f = force[i + a, j + b, k + c]
                        f[0] -= x * (s[0] + rest) + y * s[5] + z * s[4]
                        f[1] -= x * s[5] + y * (s[1] + rest) + z * s[3]
                        f[2] -= x * s[4] + y * s[3] + z * (s[2] + rest)
    return yielding


@nb.njit(cache=KEPT, nogil=True)
def happened(u, edge, law, stress, whole, least, change):
    """Write what an increment did to each octant; return stored and dissipated energy.

    Parameters
    ----------
    least : shear modulus up to which an octant is filler, which has no memory [MPa].
    change : (2 I, 2 J, 2 K, 8) out: volume strain [1], six changes of stress [MPa], crushing [1].

    Returns
    -------
    Elastic energy at the end, plastic work of the increment by its mean stress [mJ].
    """
    strain, new, rest = np.zeros((8, 6)), np.zeros(6), np.zeros(6)
    slope, size, last = np.zeros((8, 8, 3)), np.zeros(8), np.zeros(8)
    corners = np.zeros((8, 3))
    stored, lost = 0.0, 0.0
    for i in range(whole.shape[0]):
        for j in range(whole.shape[1]):
            for k in range(whole.shape[2]):
                if law[2 * i, 2 * j, 2 * k, SHEAR] == 0.0:
                    continue
                spread = _corners(u, i, j, k, edge, corners)
                _voxel(corners, spread, whole[i, j, k], slope, strain, size, last)
                for octant in range(8):
                    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
                    here = law[2 * i + a, 2 * j + b, 2 * k + c]
                    old = stress[2 * i + a, 2 * j + b, 2 * k + c]
                    out = change[2 * i + a, 2 * j + b, 2 * k + c]
                    _returned(strain[octant], old, here, last[octant], new)
                    out[0] = last[octant] - 1.0
                    if here[SHEAR] <= least:
                        out[1:] = 0.0
                        continue
                    shear, bulk = here[SHEAR], here[BULK]
                    before, after = (
                        (old[0] + old[1] + old[2]) / 3.0,
                        (new[0] + new[1] + new[2]) / 3.0,
                    )
                    whole_size = size[octant]
                    stored += last[octant] * 0.5 * after * after / bulk
                    square = 0.0
                    for n in range(6):
                        step = new[n] - old[n]
                        out[1 + n] = step
                        if n < 3:  # noqa: PLR2004
                            elastic = (step - after + before) / (2.0 * shear)
                            elastic += (after - before) / (3.0 * bulk)
                            stored += last[octant] * 0.25 * (new[n] - after) ** 2 / shear
                        else:
                            elastic = step / shear
                            stored += last[octant] * 0.5 * new[n] ** 2 / shear
                        rest[n] = strain[octant, n] - elastic
                        lost += whole_size * 0.5 * (old[n] + new[n]) * rest[n]
                        square += rest[n] ** 2 * (1.0 if n < 3 else 0.5)  # noqa: PLR2004
                    out[7] = np.sqrt(square / 1.5)
    volume = edge**3 / 8.0
    return stored * volume, lost * volume


@nb.njit(cache=KEPT, nogil=True)
def push(u, share, edge, out):
    """Add the nodal forces of a pressure of 1 MPa within a share of each octant [N].

    Their sum over the displacements is the volume that the share gains.
    """
    strain, slope, corners = np.zeros(6), np.zeros((8, 3)), np.zeros((8, 3))
    eighth = edge * edge / 8.0
    for i in range(out.shape[0] - 1):
        for j in range(out.shape[1] - 1):
            for k in range(out.shape[2] - 1):
                for octant in range(8):
                    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
                    part = share[2 * i + a, 2 * j + b, 2 * k + c]
                    if part <= 0.0:
                        continue
                    spread = _corners(u, i, j, k, edge, corners)
                    size, _ = _half_way(corners, spread, octant, slope, strain)
                    for corner in range(8):
                        f = out[i + (corner >> 2 & 1), j + (corner >> 1 & 1), k + (corner & 1)]
                        for n in range(3):
                            f[n] += eighth * part * size * slope[corner, n]
