"""Rigid motions that nothing holds: whether a load drives them, and how they are taken out."""

from collections.abc import Sequence

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.connectivity import Body

DRIVEN = 1e-6  # [1] share of the load along a free motion that is no rounding


def _motion(motion: Array, i: int, rows: int, nodes: int) -> Array:
    """Displacement ``[j, component, k]`` of plane i under a rigid motion (shift, turn)."""
    j, k = np.meshgrid(np.arange(rows), np.arange(nodes), indexing="ij")
    place = np.stack([np.full_like(j, i), j, k], axis=-1)
    return np.asarray((motion[:3] + np.cross(motion[3:], place)).transpose(0, 2, 1))


def driven(bodies: Sequence[Body], residual: Array, nodes: int) -> bool:
    """Tell whether the unbalanced force does work on a free motion of a block of one body."""
    for motion in bodies[0].motions:
        work = size = 0.0
        for i, plane in enumerate(residual):
            moved = _motion(motion, i, plane.shape[0], nodes)
            terms = moved * plane[..., :nodes]
            work += float(terms.sum())
            size += float(np.abs(terms).sum())
        if abs(work) > DRIVEN * max(size, np.finfo(float).tiny):
            return True
    return False


def without_rigid_motion(bodies: Sequence[Body], x: Array, inverse: Array, nodes: int) -> None:
    """Take the mean free motion out of a displacement ``[i, j, component, k]``, in place."""
    motions = bodies[0].motions
    gram, right = np.zeros((len(motions),) * 2), np.zeros(len(motions))
    for i, plane in enumerate(x):
        solid = inverse[i, :, None, :nodes] > 0.0
        moved = np.array([_motion(m, i, plane.shape[0], nodes) * solid for m in motions])
        gram += np.tensordot(moved, moved, axes=((1, 2, 3), (1, 2, 3)))
        right += np.tensordot(moved, plane[..., :nodes], axes=((1, 2, 3), (0, 1, 2)))
    shares = np.linalg.solve(gram, right)
    for i, plane in enumerate(x):
        solid = inverse[i, :, None, :nodes] > 0.0
        for share, motion in zip(shares, motions, strict=True):
            plane[..., :nodes] -= share * _motion(motion, i, plane.shape[0], nodes) * solid
