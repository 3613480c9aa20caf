"""Conjugate gradients in double precision around the single-precision multigrid cycle."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.fields import advance, combine, new_field, split, two_dots
from kyphoplan.simulation.hierarchy import Hierarchy, cycle
from kyphoplan.simulation.kernels import APPLY, sweep
from kyphoplan.simulation.threads import share


@dataclass(frozen=True)
class History:
    """How the iteration went: relative residuals, the first before any step."""

    residuals: tuple[float, ...]
    converged: bool


def conjugate_gradients(
    hierarchy: Hierarchy, x: Array, q: Array, *, scale: float, tolerance: float, limit: int
) -> History:
    """Solve for the free components; x is improved in place.

    On entry q is the unbalanced force; it becomes scratch. The residual is kept as two fields in
    single precision, the first of which is what the cycle starts from. The direction is kept
    conjugate to the last by the difference of residuals (Polak and Ribiere), which forgives that
    the cycle rounds; that difference is known without being kept.
    """
    finest = hierarchy.levels[0]
    grid, spans, cuts = finest.grid, finest.grid.spans, finest.grid.cuts
    p, low = new_field(x.shape, float), new_field(x.shape, np.float32)
    z, high = finest.correction, finest.residual
    share(split, cuts, q, high, low, spans)

    def moved(alpha: float) -> float:
        squares = share(advance, cuts, x, p, high, low, q, spans, alpha)
        return float(np.sqrt(sum(squares))) / scale

    residuals = [moved(0.0)]
    along, alpha = 1.0, 0.0
    while residuals[-1] > tolerance and len(residuals) <= limit:
        cycle(hierarchy)
        z_r, z_q = np.sum(share(two_dots, cuts, z, high, q, spans), axis=0)
        share(combine, cuts, p, z, -alpha * z_q / along, 1.0, spans)
        curvature = sweep(APPLY, p, p, q, grid)
        if not (np.isfinite(curvature) and curvature > 0.0):
            break
        along, alpha = z_r, z_r / curvature
        residuals.append(moved(alpha))
    return History(tuple(residuals), residuals[-1] <= tolerance)
