"""The eight-node voxel: its stiffness in the basis where it is almost diagonal.

Inside a voxel the displacement is a polynomial in xi, eta, zeta (each from -1/2 to 1/2)::

    u = u_0 + u_x xi + u_y eta + u_z zeta + u_xy xi eta + u_xz xi zeta + u_yz eta zeta
        + u_xyz xi eta zeta

Its coefficients are sums and differences of the nodal values (a Walsh-Hadamard transform), and
monomials are orthogonal over the cube, so the strain energy couples only a few of them. All
integrals are exact, as by 2x2x2 Gauss points. The two elastic parameters enter linearly.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from kyphoplan.geometry import Array

Z, Y, YZ, X, XZ, XY, XYZ = range(1, 8)  # place of each monomial; 0 is the constant
LINEAR = 1.0 / 16.0  # [1] a linear coefficient is a quarter of the sum of differences; squared
BILINEAR = LINEAR / 3.0  # [1] a half of it, squared, times the mean of xi^2
TRILINEAR = 1.0 / 144.0  # [1] the mean of (xi eta)^2
NODES = 8


def modal_forces(
    x: Sequence[Any], y: Sequence[Any], z: Sequence[Any], lam: Any, mu: Any
) -> tuple[list[Any], list[Any], list[Any]]:
    """Turn the sums and differences of a voxel's displacement into those of its forces.

    The derivative of the strain energy, term by term. Works on numbers, arrays and vector lanes.

    Parameters
    ----------
    x, y, z : eight sums and differences per component; the constant is not used.
    lam, mu : Lame parameters times the edge [MPa mm].

    Returns
    -------
    Seven modal forces per component, from `Z` to `XYZ`, behind a None for the constant.
    """
    lam1, mu1 = lam * LINEAR, mu * LINEAR
    p = lam1 * (x[X] + y[Y] + z[Z])
    two = mu * (2.0 * LINEAR)
    xy, xz, yz = mu1 * (x[Y] + y[X]), mu1 * (x[Z] + z[X]), mu1 * (y[Z] + z[Y])
    lam2, mu2 = lam * BILINEAR, mu * BILINEAR
    three = mu1  # three times mu2
    p_xi, p_eta, p_zeta = lam2 * (y[XY] + z[XZ]), lam2 * (x[XY] + z[YZ]), lam2 * (x[XZ] + y[YZ])
    twist = mu2 * (x[YZ] + y[XZ] + z[XY])
    last = lam * TRILINEAR + mu * (4.0 * TRILINEAR)
    from_x = [xz, xy, twist + mu2 * x[YZ], p + two * x[X]]
    from_x += [p_zeta + three * x[XZ], p_eta + three * x[XY], last * x[XYZ]]
    from_y = [yz, p + two * y[Y], p_zeta + three * y[YZ], xy]
    from_y += [twist + mu2 * y[XZ], p_xi + three * y[XY], last * y[XYZ]]
    from_z = [p + two * z[Z], yz, p_eta + three * z[YZ], xz]
    from_z += [p_xi + three * z[XZ], twist + mu2 * z[XY], last * z[XYZ]]
    return [None, *from_x], [None, *from_y], [None, *from_z]


def diagonal(lam: Any, mu: Any) -> Any:
    """Return the diagonal of the stiffness, the same at all nodes and components [N/mm].

    Examples
    --------
    >>> bool(np.allclose(np.diag(stiffness(2.0, 3.0)), diagonal(2.0, 3.0)))
    True
    """
    whole = lam + 4.0 * mu
    return whole * (LINEAR + 2.0 * BILINEAR + TRILINEAR)


def signs() -> Array:
    """Walsh-Hadamard matrix (8 modes, 8 nodes); node 4i + 2j + k is the corner (i, j, k)."""
    pair = np.array([[1.0, 1.0], [-1.0, 1.0]])
    return np.kron(np.kron(pair, pair), pair)


def stiffness(lam: float, mu: float) -> Array:
    """Assemble the 24x24 stiffness of a voxel, rows 3 node + component [N/mm].

    Parameters
    ----------
    lam, mu : Lame parameters times the edge [MPa mm].
    """
    to_modes = signs()
    columns = []
    for component in range(3):
        for node in range(NODES):
            modes = np.zeros((3, NODES))
            modes[component] = to_modes[:, node]
            forces = [[0.0, *f[1:]] for f in modal_forces(modes[0], modes[1], modes[2], lam, mu)]
            columns.append((np.array(forces) @ to_modes).T.ravel())
    matrix = np.array(columns).reshape(3, NODES, 24).transpose(1, 0, 2).reshape(24, 24)
    return np.asarray(0.5 * (matrix + matrix.T))


@cache
def largest_eigenvalue(ratio: float) -> float:
    """Bound the eigenvalues of the stiffness scaled by its diagonal, for any mesh [1].

    The largest eigenvalue of one element scaled by its own diagonal bounds that of every assembly
    of such elements (each Rayleigh quotient of the mesh is a mean of those of its elements). It
    depends on lam / mu alone.

    References
    ----------
    Wathen 1987, IMA J Numer Anal 7:449, doi:10.1093/imanum/7.4.449.

    Examples
    --------
    >>> round(largest_eigenvalue(1.5), 3)  # Poisson's ratio 0.3
    5.318
    """
    return float(np.linalg.eigvalsh(stiffness(ratio, 1.0)).max() / diagonal(ratio, 1.0))


def lame(modulus_mpa: Any, poisson: Any) -> tuple[Any, Any]:
    """Turn Young's modulus [MPa] and Poisson's ratio into Lame's parameters [MPa]."""
    return (
        modulus_mpa * poisson / ((1.0 + poisson) * (1.0 - 2.0 * poisson)),
        modulus_mpa / (2.0 * (1.0 + poisson)),
    )
