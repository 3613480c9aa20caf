"""The sharp front between cement and marrow: a voxel passes cement on only when it is full."""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.simulation.solver.caching import KEPT


@nb.njit(cache=KEPT, nogil=True)
def advance(order, starts, others, flows, outflow, room, arriving):
    """Push cement downhill, voxel by voxel from the highest pressure to the lowest.

    A voxel keeps what it has room for and hands the rest on, shared as the flow is. So nothing is
    lost, the front is one voxel thin, and any step of time is stable.

    Parameters
    ----------
    order : (N,) voxels by falling pressure.
    starts, others, flows : the faces of each voxel, its neighbours behind them, and the flow out
        through them [mm3/s], in compressed rows.
    outflow : (N,) flow that can carry cement out of the bone [mm3/s].
    room : (N,) pore volume that still holds marrow [mm3]; lessened by what is kept.
    arriving : (N,) cement brought in [mm3]; at the end what could not be handed on.

    Returns
    -------
    (N,) cement that left the bone out of each voxel [mm3].
    """
    left = np.zeros(room.size)
    for cell in order:
        kept = min(arriving[cell], max(room[cell], 0.0))
        room[cell] -= kept
        rest = arriving[cell] - kept
        arriving[cell] = 0.0
        if rest <= 0.0:
            continue
        total = outflow[cell]
        for f in range(starts[cell], starts[cell + 1]):
            total += max(flows[f], 0.0)
        if total <= 0.0:
            arriving[cell] = rest
            continue
        left[cell] = rest * outflow[cell] / total
        for f in range(starts[cell], starts[cell + 1]):
            if flows[f] > 0.0:
                arriving[others[f]] += rest * flows[f] / total
    return left
