"""Rigid motions that nothing holds: whether a load drives them, and how they are taken out."""

# mypy: disable-error-code="no-untyped-def"
import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

DRIVEN = 1e-6  # [1] share of the load along a free motion that is no rounding


@nb.njit(cache=KEPT)
def _moved(motion, i, j, k, c):
    """Displacement along c of node (i, j, k) under a rigid motion: shift, then turn."""
    if c == 0:
        return motion[0] + motion[4] * k - motion[5] * j
    if c == 1:
        return motion[1] + motion[5] * i - motion[3] * k
    return motion[2] + motion[3] * j - motion[4] * i


@nb.njit(cache=KEPT)
def _works(motions, field, inverse):
    """Work of a field along each motion, and the sum of its terms without their signs."""
    works, sizes = np.zeros(len(motions)), np.zeros(len(motions))
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            for k in range(field.shape[3]):
                if inverse[i, j, k] > 0.0:
                    for c in range(3):
                        for m in range(len(motions)):
                            term = _moved(motions[m], i, j, k, c) * field[i, j, c, k]
                            works[m] += term
                            sizes[m] += abs(term)
    return works, sizes


@nb.njit(cache=KEPT)
def _add(motions, shares, field, inverse):
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            for k in range(field.shape[3]):
                if inverse[i, j, k] > 0.0:
                    for c in range(3):
                        for m in range(len(motions)):
                            field[i, j, c, k] += shares[m] * _moved(motions[m], i, j, k, c)


def driven(motions: Array, residual: Array, inverse: Array) -> bool:
    """Tell whether the unbalanced force ``[i, j, component, k]`` works on a free motion."""
    works, sizes = _works(motions, residual, inverse)
    return bool((np.abs(works) > DRIVEN * np.maximum(sizes, np.finfo(float).tiny)).any())


def remove_rigid_motion(motions: Array, x: Array, inverse: Array) -> None:
    """Take the mean free motion out of a displacement ``[i, j, component, k]``, in place."""
    trial = np.zeros_like(x)
    gram = []
    for motion in motions:
        trial[...] = 0.0
        _add(motion[None], np.ones(1), trial, inverse)
        gram.append(_works(motions, trial, inverse)[0])
    shares = np.linalg.solve(np.array(gram), _works(motions, x, inverse)[0])
    _add(motions, -shares, x, inverse)
