"""Linear elasticity of a block of voxels, each with its own material, void where there is none.

Find the displacement u that makes ``integral strain(v) : C : strain(u) = forces . v`` for every v
that vanishes where u is prescribed; each voxel is one eight-node element (`element`), solved by
conjugate gradients (`krylov`) around a multigrid cycle (`hierarchy`), without a matrix.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.connectivity import Body, unheld_bodies
from kyphoplan.simulation.solver.eigenstress import add_eigenstress
from kyphoplan.simulation.solver.fields import (
    conclude,
    fill_free,
    fill_held,
    free_squares,
    new_field,
)
from kyphoplan.simulation.solver.guess import guess_linear
from kyphoplan.simulation.solver.hierarchy import (
    build,
    smoothing_steps,
    strengthened,
)
from kyphoplan.simulation.solver.kernels import FORCE, Grid, sweep
from kyphoplan.simulation.solver.krylov import conjugate_gradients
from kyphoplan.simulation.solver.problem import Problem, bounds, checked, lay_out
from kyphoplan.simulation.solver.rigid import driven, remove_rigid_motion
from kyphoplan.simulation.solver.team import side_by_side, together

REFINEMENTS = 3  # [1] new starts from the true residual, if rounding has parted it from ours
SLACK = 1.5  # [1] by which the true residual may exceed the tolerance before that


class Outcome(StrEnum):
    """How a solution ended, as a sentence."""

    CONVERGED = "converged"
    STALLED = "stalled: the residual stayed above the tolerance"
    BROKEN = "stalled: the numbers left the range of the machine"
    UNHELD = "singular: a body is not held"
    DRIVEN = "singular: a load drives a motion that nothing holds"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loads:
    """What acts on the block besides prescribed displacements.

    Attributes
    ----------
    forces_n : (I + 1, J + 1, K + 1, 3) nodal forces [N], or None.
    eigenstress_mpa : (I, J, K, 6) stress that each voxel carries without being strained, as
        xx, yy, zz, yz, xz, xy, tension positive [MPa], or None; a pressure p is -p, -p, -p, 0...
    """

    forces_n: Array | None = None
    eigenstress_mpa: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Method:
    """How to solve; the result does not depend on it beyond the tolerance.

    Attributes
    ----------
    threads : processor cores to use.
    smoothing : smoothing steps before and after each coarser correction; None for as many as the
        block asks for (`hierarchy.smoothing_steps`), and more if it converges slowly.
    iterations : give up after so many.
    start_mm : first guess (I + 1, J + 1, K + 1, 3) [mm], such as the last increment; or None for
        the linear field closest to the prescribed displacement, or nothing if that is better.
    free_motion : allow rigid motions that nothing holds, if no load drives them (x and y under
        a smooth plate); the one without mean motion is returned. Only for bone in one piece.
    """

    threads: int = 1
    smoothing: int | None = None
    iterations: int = 300
    start_mm: Array | None = field(default=None, repr=False)
    free_motion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """The displaced block.

    Attributes
    ----------
    displacement_mm : (I + 1, J + 1, K + 1, 3) [mm]; NaN at nodes without material, and everywhere
        if the problem is singular.
    reaction_n : (I + 1, J + 1, K + 1, 3) force of the supports on the block [N], 0 where free.
    strain_energy_mj : elastic energy [mJ].
    iterations : steps of conjugate gradients.
    residuals : unbalanced force after each step, relative to `reference_n` [1].
    reference_n : unbalanced force of the prescribed motion and the loads alone [N].
    outcome : how it ended.
    detail : which body, how far; empty if there is nothing to say.
    """

    displacement_mm: Array
    reaction_n: Array
    strain_energy_mj: float
    iterations: int
    residuals: tuple[float, ...]
    reference_n: float
    outcome: Outcome
    detail: str = ""

    @property
    def converged(self) -> bool:
        """Tell whether the figures can be used."""
        return self.outcome is Outcome.CONVERGED


def solve(
    modulus_mpa: ArrayLike,
    spacing_mm: float,
    prescribed_mm: ArrayLike,
    *,
    poisson: ArrayLike = 0.3,
    tolerance: float = 1e-6,
    loads: Loads | None = None,
    method: Method | None = None,
) -> Solution:
    """Displace a block of voxels and return its displacement and the force of its supports.

    Parameters
    ----------
    modulus_mpa : (I, J, K) Young's modulus of each voxel [MPa]; 0 is void.
    spacing_mm : edge of the cubic voxels [mm].
    prescribed_mm : (I + 1, J + 1, K + 1, 3) displacement of the nodes [mm], NaN where free.
        On nodes without material it is not used.
    poisson : Poisson's ratio, one for all or (I, J, K) [1], over -1 and under 0.5.
    tolerance : largest unbalanced force relative to that of the prescribed motion or loads [1].
    loads : forces and stresses; none by default.
    method : how to solve.

    Raises
    ------
    ValueError
        If the arrays do not fit each other or hold impossible values.

    Examples
    --------
    A cube of 2 voxels between smooth plates, shortened by 1 %: stress 10 MPa on 4 mm2.

    >>> prescribed = np.full((3, 3, 3, 3), np.nan)
    >>> prescribed[0, ..., 0] = prescribed[:, 0, :, 1] = prescribed[:, :, 0, 2] = 0.0
    >>> prescribed[:, :, 2, 2] = -0.02
    >>> solution = solve(np.full((2, 2, 2), 1000.0), 1.0, prescribed)
    >>> str(solution.outcome), round(float(solution.reaction_n[:, :, 2, 2].sum()), 3)
    ('converged', -40.0)
    """
    loads, method = loads or Loads(), method or Method()
    problem = checked(modulus_mpa, spacing_mm, prescribed_mm, poisson, method.threads)
    _check_loads(problem, loads, method)
    grid, bodies = side_by_side(
        partial(lay_out, problem, method.threads),
        partial(unheld_bodies, problem.modulus > 0.0, problem.held),
        threads=method.threads,
    )
    if bodies and not (
        method.free_motion and bodies[0].voxels == np.count_nonzero(problem.modulus)
    ):
        others = f" and {len(bodies) - 1} more" if len(bodies) > 1 else ""
        return _singular(problem, Outcome.UNHELD, f"{bodies[0]} is not held{others}")
    return _solve(problem, grid, tolerance, loads, method, bodies)


def _check_loads(problem: Problem, loads: Loads, method: Method) -> None:
    nodal = (*problem.nodes, 3)
    for name, array, shape in (
        ("forces_n", loads.forces_n, nodal),
        ("eigenstress_mpa", loads.eigenstress_mpa, (*problem.modulus.shape, 6)),
        ("start_mm", method.start_mm, nodal),
    ):
        if array is not None and np.shape(array) != shape:
            raise ValueError(f"{name} has shape {np.shape(array)}: give {shape}")
    for name, array in (("forces_n", loads.forces_n), ("eigenstress_mpa", loads.eigenstress_mpa)):
        if array is not None and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite everywhere")


def _singular(problem: Problem, outcome: Outcome, detail: str) -> Solution:
    nothing = np.broadcast_to(np.nan, (*problem.nodes, 3))
    return Solution(
        displacement_mm=nothing,
        reaction_n=nothing,
        strain_energy_mj=float("nan"),
        iterations=0,
        residuals=(),
        reference_n=float("nan"),
        outcome=outcome,
        detail=f"singular: {detail}",
    )


def _solve(
    problem: Problem,
    grid: Grid,
    tolerance: float,
    loads: Loads,
    method: Method,
    bodies: tuple[Body, ...],
) -> Solution:
    shape = (*grid.lam.shape[:2], 3, grid.lam.shape[2])
    x, q = new_field(shape, float), new_field(shape, float)
    largest, ratio = bounds(problem)
    steps, if_slow = smoothing_steps(grid, ratio)
    steps = method.smoothing or steps
    hierarchy, scale = side_by_side(
        partial(build, grid, largest, steps=steps, threads=method.threads),
        partial(_begin, problem, grid, loads, method.start_mm, (x, q)),
        threads=method.threads,
    )
    if bodies and driven(bodies[0].motions, q, grid.inverse):
        detail = f"{bodies[0]} is driven where it is not held"
        return _singular(problem, Outcome.DRIVEN, detail)
    hasty = method.smoothing is None and steps < if_slow
    residuals: list[float] = []
    for _ in range(2 + REFINEMENTS):  # until the true residual is small, not only the one carried
        left = method.iterations - max(len(residuals) - 1, 0)
        history = conjugate_gradients(
            hierarchy, x, q, scale=scale, tolerance=tolerance, limit=left, hasty=hasty
        )
        residuals += history.residuals[1 if residuals else 0 :]
        residuals[-1] = _unbalanced(problem, grid, loads, x, q) / scale
        if history.slow:
            hierarchy, hasty = strengthened(hierarchy, largest, if_slow), False
        elif not history.converged or residuals[-1] <= SLACK * tolerance:
            break
    del hierarchy
    return _result(problem, grid, loads, (x, q), (residuals, scale, tolerance), bodies)


def _begin(
    problem: Problem, grid: Grid, loads: Loads, start: Array | None, fields: tuple[Array, Array]
) -> float:
    """Fill in a first guess and its force; return what is unbalanced without a guess [N], or 1.

    The guess is the one that was given, else linear where that leaves less force unbalanced.
    """
    x, q = fields
    given, held, inverse, free = problem.prescribed, problem.held, grid.inverse, grid.free
    fill_held(given, held, inverse, x)
    alone = _unbalanced(problem, grid, loads, x, q)
    if start is not None:
        fill_free(np.ascontiguousarray(start, float), free, x)
        _unbalanced(problem, grid, loads, x, q)
    elif (
        guess_linear(given, held, inverse, free, x)
        and _unbalanced(problem, grid, loads, x, q) > alone
    ):
        x[...] = 0.0
        fill_held(given, held, inverse, x)
        _unbalanced(problem, grid, loads, x, q)
    return alone or 1.0


def _unbalanced(problem: Problem, grid: Grid, loads: Loads, x: Array, q: Array) -> float:
    """Write the force that x takes, less the loads; return the norm of what is free of it [N]."""
    sweep(FORCE, x, x, q, grid)
    _subtract_loads(problem, loads, q)
    return float(np.sqrt(free_squares(q, grid.free)))


def _subtract_loads(problem: Problem, loads: Loads, q: Array) -> None:
    nodes = problem.nodes[2]
    if loads.forces_n is not None:
        q[..., :nodes] -= np.asarray(loads.forces_n, float).transpose(0, 1, 3, 2)
    if loads.eigenstress_mpa is not None:
        stress = np.ascontiguousarray(loads.eigenstress_mpa, float)
        add_eigenstress(stress, problem.spacing, q)


def _result(
    problem: Problem,
    grid: Grid,
    loads: Loads,
    fields: tuple[Array, Array],
    history: tuple[list[float], float, float],
    bodies: tuple[Body, ...],
) -> Solution:
    x, q = fields
    residuals, scale, tolerance = history
    loaded = loads.forces_n is not None or loads.eigenstress_mpa is not None
    nodes = problem.nodes[2]
    if bodies:
        remove_rigid_motion(bodies[0].motions, x, grid.inverse)
    if loaded:
        sweep(FORCE, x, x, q, grid)
        energy = float(np.einsum("ijck,ijck->", x, q))  # unlike a product: no threads
        _subtract_loads(problem, loads, q)
    runs = pairwise(grid.cuts.tolist())
    arrays = (x, q, grid.free, grid.inverse)
    shares = together(conclude, [tuple(array[a:b] for array in arrays) for a, b in runs])
    energy = energy if loaded else sum(shares)
    outcome, detail = _judged(residuals[-1], tolerance)
    return Solution(
        displacement_mm=x[..., :nodes].transpose(0, 1, 3, 2),
        reaction_n=q[..., :nodes].transpose(0, 1, 3, 2),
        strain_energy_mj=0.5 * energy,
        iterations=len(residuals) - 1,
        residuals=tuple(residuals),
        reference_n=scale,
        outcome=outcome,
        detail=detail,
    )


def _judged(residual: float, tolerance: float) -> tuple[Outcome, str]:
    if not np.isfinite(residual):
        return Outcome.BROKEN, "the residual is not a number"
    if residual <= SLACK * tolerance:
        return Outcome.CONVERGED, ""
    return Outcome.STALLED, f"residual {residual:.1e}, wanted {tolerance:.1e}"
