"""A block of voxels as the solver takes it: checked, and laid out as a grid."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver import element
from kyphoplan.simulation.solver.fields import mark_free, mark_held, new_field
from kyphoplan.simulation.solver.hierarchy import make_grid
from kyphoplan.simulation.solver.kernels import Grid
from kyphoplan.simulation.solver.lanes import padded
from kyphoplan.simulation.solver.team import together


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A block of voxels and what holds it.

    Attributes
    ----------
    modulus : (I, J, K) Young's modulus [MPa]; 0 is void.
    spacing : edge of the voxels [mm].
    prescribed : (I + 1, J + 1, K + 1, 3) displacement [mm], NaN where free.
    held : (I + 1, J + 1, K + 1) bit c of a node is set if its component c is prescribed.
    poisson : Poisson's ratio, one for all or (I, J, K) [1].
    """

    modulus: Array
    spacing: float
    prescribed: Array
    held: NDArray[np.uint8]
    poisson: Array

    @property
    def nodes(self) -> tuple[int, int, int]:
        """Shape of the block's nodes."""
        i, j, k = self.modulus.shape
        return (i + 1, j + 1, k + 1)


def checked(
    modulus: ArrayLike, spacing: float, prescribed: ArrayLike, poisson: ArrayLike, threads: int
) -> Problem:
    """Return the problem, or refuse what cannot be one (`ValueError`)."""
    e, u = np.asarray(modulus), np.ascontiguousarray(prescribed, float)
    nu = np.asarray(poisson, float)
    if e.ndim != 3 or e.size == 0:  # noqa: PLR2004
        raise ValueError(f"modulus_mpa has shape {e.shape}: give a non-empty 3-D array")
    if u.shape != (*(n + 1 for n in e.shape), 3):
        raise ValueError(f"prescribed_mm has shape {u.shape}: give nodes of {e.shape} voxels, 3")
    if nu.ndim and nu.shape != e.shape:
        raise ValueError(f"poisson has shape {nu.shape}: give one number or {e.shape}")
    if not (np.isfinite(e).all() and (e >= 0.0).all()):
        raise ValueError("modulus_mpa must be finite and not negative [MPa]: 0 is void")
    if not ((nu > -1.0) & (nu < 0.5)).all():  # noqa: PLR2004
        raise ValueError("poisson must lie over -1 and under 0.5 [1]")
    if not (np.isfinite(spacing) and spacing > 0.0):
        raise ValueError(f"spacing_mm is {spacing}: give a positive length [mm]")
    held = np.empty(u.shape[:3], np.uint8)
    runs = pairwise(np.linspace(0, len(u), threads + 1).astype(int).tolist())
    if not all(together(mark_held, [(u[a:b], held[a:b]) for a, b in runs])):
        raise ValueError("prescribed_mm is infinite somewhere: give a length [mm] or NaN")
    return Problem(modulus=e, spacing=float(spacing), prescribed=u, held=held, poisson=nu)


def lay_out(problem: Problem, threads: int) -> Grid:
    """Lay out material and supports."""
    planes, rows, nodes = problem.nodes
    shape = (planes, rows, padded(nodes))
    lam, mu = new_field(shape, np.float32), new_field(shape, np.float32)
    for i in range(planes - 1):
        nu = problem.poisson[i] if problem.poisson.ndim else problem.poisson
        lame = element.lame(problem.modulus[i] * problem.spacing, nu)
        for out, values in zip((lam, mu), lame, strict=True):
            out[i, :-1, : nodes - 1] = values
    grid = make_grid(lam, mu, None, threads)
    mark_free(problem.held, grid.inverse, grid.free)
    return grid


def bounds(problem: Problem) -> tuple[float, float]:
    """Bound the largest eigenvalue of the scaled stiffness; return the largest lam / mu too."""
    nu = problem.poisson
    least, most = (2.0 * n / (1.0 - 2.0 * n) for n in (float(nu.min()), float(nu.max())))
    ratios = {most} if least == most else {0.0, least, most}
    return max(element.largest_eigenvalue(ratio) for ratio in ratios), most
