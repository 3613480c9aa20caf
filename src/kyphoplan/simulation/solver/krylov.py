"""Conjugate gradients in double precision around the single-precision multigrid cycle."""

# mypy: disable-error-code="no-untyped-def"
from dataclasses import dataclass

import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT
from kyphoplan.simulation.solver.cycle import (
    CORRECTION,
    FREE,
    RESIDUALS,
    field,
    grid_of,
    of_nodes,
    spans_of,
    walk,
)
from kyphoplan.simulation.solver.fields import advance, combine, new_field, split, two_dots
from kyphoplan.simulation.solver.hierarchy import Hierarchy
from kyphoplan.simulation.solver.kernels import APPLY, sweep_planes, workspace
from kyphoplan.simulation.solver.team import new_team, summed, together, wait

TRIAL = 6  # [1] steps after which it is foreseen, by the later half, how many there will be
MANY = 15  # [1] so many foreseen become 25 to 50, since the last errors are the slowest


@dataclass(frozen=True)
class History:
    """How the iteration went.

    Attributes
    ----------
    residuals : relative, the first before any step.
    converged : whether the last is within the tolerance.
    slow : whether it was given up, since more than `MANY` steps were foreseen.
    """

    residuals: tuple[float, ...]
    converged: bool
    slow: bool


def conjugate_gradients(
    hierarchy: Hierarchy,
    x: Array,
    q: Array,
    *,
    scale: float,
    tolerance: float,
    limit: int,
    hasty: bool = False,
) -> History:
    """Solve for the free components; x is improved in place.

    On entry q is the force that x takes, less the loads; it becomes scratch. If hasty, a slow
    start is given up.
    """
    finest = hierarchy.levels[0].grid
    p, low = new_field(x.shape, float), new_field(x.shape, np.float32)
    threads = hierarchy.cuts.shape[1] - 1
    team, residuals = new_team(threads), np.zeros(limit + 1)
    plane = 3 * finest.lam.shape[1] * finest.lam.shape[2]
    runs = []
    for me in range(threads):
        halo = new_field((2, plane if threads > 1 else 0), np.float32)
        space, kept = workspace(finest), np.zeros((len(hierarchy.levels), 2))
        given = (hierarchy.program, hierarchy.weights, hierarchy.table, hierarchy.cuts)
        coarsest = (hierarchy.unknowns, hierarchy.inverse)
        runs.append(
            (
                *given,
                coarsest,
                team,
                me,
                space,
                halo,
                kept,
                x,
                p,
                q,
                low,
                scale,
                tolerance,
                residuals,
                hasty,
            )
        )
    count = together(_iterate, runs)[0]
    told = tuple(residuals[: count + 1].tolist())
    converged = told[-1] <= tolerance
    return History(told, converged, hasty and not converged and count == TRIAL < limit)


@nb.njit(cache=KEPT, nogil=True)
def _iterate(  # noqa: PLR0913, PLR0917 - everything a thread works on
    program,
    weights,
    table,
    cuts,
    coarsest,
    team,
    me,
    space,
    halo,
    kept,
    x,
    p,
    q,
    low,
    scale,
    tolerance,
    residuals,
    hasty,
):
    """Iterate with the other threads; return the number of steps.

    The residual is kept as two fields in single precision, the first of which is what the cycle
    starts from. The direction is kept conjugate to the last by the difference of residuals (Polak
    and Ribiere), which forgives that the cycle rounds; that difference is known without being
    kept.
    """
    threads = cuts.shape[1] - 1
    begin, end = cuts[0, me], cuts[0, me + 1]
    z, high, spans = field(table, 0, CORRECTION), field(table, 0, RESIDUALS), spans_of(table, 0)
    size = 24 * x.shape[1] * x.shape[3]
    at = (nb.int64(p.ctypes.data), nb.int64(p.ctypes.data), nb.int64(q.ctypes.data))
    planes = (at[0] + max(begin - 1, 0) * size, at[0] + min(end, x.shape[0] - 1) * size)
    free = of_nodes(table, 0, FREE, np.uint8)
    squares = split(q, free, high, low, spans, begin, end)
    squares, _ = summed(team, threads, me, squares, 0.0)
    residual, steps = np.sqrt(squares) / scale, 0
    residuals[0] = residual
    along, alpha = 1.0, 0.0
    while residual > tolerance and steps + 1 < len(residuals):
        walk(program, weights, table, cuts, coarsest, team, me, space, halo, kept)
        wait(team, threads)
        z_r, z_q = two_dots(z, high, q, spans, begin, end)
        z_r, z_q = summed(team, threads, me, z_r, z_q)
        combine(p, z, -alpha * z_q / along, 1.0, spans, begin, end)
        wait(team, threads)
        none = (0.0, 0.0)
        grid = grid_of(table, 0)
        double = nb.boolean(True)  # no literal; see `kernels`
        curvature = sweep_planes(APPLY, double, grid, at, planes, begin, end, none, space)
        curvature, _ = summed(team, threads, me, curvature, 0.0)
        if not (np.isfinite(curvature) and curvature > 0.0):
            break
        along, alpha = z_r, z_r / curvature
        squares = advance(x, p, high, low, q, spans, alpha, begin, end)
        squares, _ = summed(team, threads, me, squares, 0.0)
        residual = np.sqrt(squares) / scale
        steps += 1
        residuals[steps] = residual
        if hasty and steps == TRIAL:
            later = residual / residuals[TRIAL // 2]
            if residual * later ** (2.0 * (MANY - TRIAL) / TRIAL) > tolerance:
                break
    return steps
