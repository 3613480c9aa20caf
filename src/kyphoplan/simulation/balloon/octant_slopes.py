"""How a voxel's corners strain its eight octants, and how the octants' stress pulls at them.

The displacement is trilinear: its slope along one axis, in the middle of an octant, is the mean of
the voxel's four edges along that axis, where the two on the octant's side across count three to
one in each direction. So each slope has only four values in a voxel, by the octant's place across
the axis; forces go the same way back.
"""

# mypy: disable-error-code="no-untyped-def"
import numba as nb

from kyphoplan.simulation.solver.caching import KEPT

NEAR, FAR = 0.75, 0.25  # [1] of an edge on the octant's side of the voxel, and on the other


@nb.njit(cache=KEPT, nogil=True)
def _mean_edge(e00, e01, e10, e11, out):
    """Write the mean of four edges at the four places across them (2, 2)."""
    near0, far0 = NEAR * e00 + FAR * e10, FAR * e00 + NEAR * e10
    near1, far1 = NEAR * e01 + FAR * e11, FAR * e01 + NEAR * e11
    out[0, 0], out[0, 1] = NEAR * near0 + FAR * near1, FAR * near0 + NEAR * near1
    out[1, 0], out[1, 1] = NEAR * far0 + FAR * far1, FAR * far0 + NEAR * far1


@nb.njit(cache=KEPT, nogil=True)
def slopes(u, i, j, k, scale, out):
    """Write the slopes of a voxel's displacement in its octants.

    Parameters
    ----------
    u : (I + 1, J + 1, K + 1, 3) displacement [mm].
    scale : one over the edge of a voxel [1/mm].
    out : (3, 3, 2, 2) of each component along each axis, by the octant's place along the rest.
    """
    for n in range(3):
        a, b = scale * u[i, j, k, n], scale * u[i, j, k + 1, n]
        c, d = scale * u[i, j + 1, k, n], scale * u[i, j + 1, k + 1, n]
        e, f = scale * u[i + 1, j, k, n], scale * u[i + 1, j, k + 1, n]
        g, h = scale * u[i + 1, j + 1, k, n], scale * u[i + 1, j + 1, k + 1, n]
        _mean_edge(e - a, f - b, g - c, h - d, out[n, 0])
        _mean_edge(c - a, d - b, g - e, h - f, out[n, 1])
        _mean_edge(b - a, d - c, f - e, h - g, out[n, 2])


@nb.njit(cache=KEPT, nogil=True)
def strains(u, i, j, k, edge, whole, slope, out):  # noqa: PLR0913, PLR0917
    """Write the strains of a voxel's octants (8, 6); a whole one shares its dilatation.

    Parameters
    ----------
    slope : (3, 3, 2, 2) room to work in.
    """
    slopes(u, i, j, k, 1.0 / edge, slope)
    mean = 0.0
    for octant in range(8):
        a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
        e = out[octant]
        e[0], e[1], e[2] = slope[0, 0, b, c], slope[1, 1, a, c], slope[2, 2, a, b]
        e[3] = slope[2, 1, a, c] + slope[1, 2, a, b]
        e[4] = slope[2, 0, b, c] + slope[0, 2, a, b]
        e[5] = slope[1, 0, b, c] + slope[0, 1, a, c]
        mean += (e[0] + e[1] + e[2]) / 24.0
    if whole:
        for octant in range(8):
            e = out[octant]
            rest = mean - (e[0] + e[1] + e[2]) / 3.0
            for n in range(3):
                e[n] += rest


@nb.njit(cache=KEPT, nogil=True)
def subtract_forces(stress, area, i, j, k, slope, force):
    """Subtract the nodal forces of the stress in a voxel's octants.

    Parameters
    ----------
    stress : (8, 6) xx, yy, zz, yz, xz, xy [MPa].
    area : of a voxel's face, over eight [mm2].
    slope : (3, 3, 2, 2) room to work in.
    force : (I + 1, J + 1, K + 1, 3) changed in place [N].
    """
    slope[...] = 0.0
    for octant in range(8):
        a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
        s = stress[octant]
        slope[0, 0, b, c] += s[0]
        slope[1, 0, b, c] += s[5]
        slope[2, 0, b, c] += s[4]
        slope[0, 1, a, c] += s[5]
        slope[1, 1, a, c] += s[1]
        slope[2, 1, a, c] += s[3]
        slope[0, 2, a, b] += s[4]
        slope[1, 2, a, b] += s[3]
        slope[2, 2, a, b] += s[2]
    for n in range(3):
        x, y, z = slope[n, 0], slope[n, 1], slope[n, 2]
        _mean_edge(x[0, 0], x[0, 1], x[1, 0], x[1, 1], x)
        _mean_edge(y[0, 0], y[0, 1], y[1, 0], y[1, 1], y)
        _mean_edge(z[0, 0], z[0, 1], z[1, 0], z[1, 1], z)
        for corner in range(8):
            a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
            pull = (2 * a - 1) * x[b, c] + (2 * b - 1) * y[a, c] + (2 * c - 1) * z[a, b]
            force[i + a, j + b, k + c, n] -= area * pull
