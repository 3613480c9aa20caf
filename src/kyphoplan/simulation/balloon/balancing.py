"""One increment in balance: the displacement and pressures at which forces and volumes agree.

Repeated linear solves, in which every voxel has the secant stiffness of its present state
(Picard), sped up by what the last few have shown (Anderson, `crushing.mixed`). Pressures are
unknowns beside the displacement: what a balloon is to gain is met exactly by each solve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.octants import Octants
from kyphoplan.simulation.balloon.yielding import respond
from kyphoplan.simulation.crushing import mixed
from kyphoplan.simulation.elasticity import Loads, Method, Solution, solve

BALANCE = 1e-2  # [1] unbalanced nodal force left in an increment over the balloons' force
ROUNDS = 40  # [1] linear solves of an increment at most
LINEAR = 0.03  # [1] a linear solve leaves this part of the unbalanced force
MEMORY = 6  # [1] solves that are remembered
RENEWED = (0, 3)  # [1] rounds in which the answer to a pressure is found anew
WORSE = 4.0  # [1] times as unbalanced as the best so far: what is remembered misleads
NEARLY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """What does not change from one increment to the next.

    Attributes
    ----------
    active : (I, J, K) voxels that are computed.
    free : (I + 1, J + 1, K + 1, 3) components that may move.
    """

    active: NDArray[np.bool_]
    free: NDArray[np.bool_]
    edge_mm: float
    method: Method


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Balanced:
    """An increment as it came out.

    Attributes
    ----------
    displacement_mm : (I + 1, J + 1, K + 1, 3) [mm].
    pressures : of the balloons [MPa].
    unbalanced : unbalanced force over the balloons' force, or missing volume over that asked [1].
    solves, iterations : linear solves, and their steps.
    yielding : octants that yield.
    gained_mm3 : volume that each balloon has gained [mm3].
    """

    displacement_mm: Array
    gained_mm3: Array
    pressures: Array
    unbalanced: float
    solves: int
    iterations: int
    yielding: int


def balance(
    block: Block,
    now: Octants,
    guess: Array,
    pressures: Array,
    volumes: Array | None = None,
    *,
    least_pressures: Array,
) -> Balanced:
    """Find displacement and pressures at which forces and volumes agree.

    Parameters
    ----------
    guess : displacement to begin with [mm].
    pressures : given, or to begin with if volumes are [MPa].
    volumes : what the balloons gain [mm3]; None if their pressures are given.
    least_pressures : by whose force the unbalanced one is measured where it is larger [MPa].
    """
    count = len(pressures)
    pushes = now.pushes.reshape(count, -1)
    u, p = guess.copy(), pressures.copy()
    tried: list[tuple[Array, Array]] = []
    answers = np.zeros((count, u.size))
    solves = iterations = 0
    best, best_at, damping = np.inf, (u, p), 1.0
    for rounds in range(ROUNDS):
        secant, force, yielded = _forces(block, now, u, p)
        scale = float(np.linalg.norm(np.maximum(p, least_pressures) @ pushes))
        gap = np.zeros(count) if volumes is None else volumes - pushes @ u.ravel()
        missing = 0.0 if volumes is None else float(np.abs(gap).max() / volumes.max())
        unbalanced = max(float(np.linalg.norm(force)) / (scale or NEARLY), missing)
        if unbalanced <= BALANCE:
            break
        if unbalanced > WORSE * best:  # misled: once more from the best so far, alone
            u, p = best_at
            tried, damping = [], 0.5 * damping
            continue
        if unbalanced < best:
            best, best_at = unbalanced, (u, p)
        if rounds == ROUNDS - 1:
            break
        if volumes is not None and rounds in RENEWED:
            found = [_linear(block, secant, push) for push in now.pushes]
            answers = np.stack([np.nan_to_num(a.displacement_mm).ravel() for a in found])
            solves += count
        change, rise = np.zeros(u.shape), np.zeros(count)
        if force.any():
            solution = _linear(block, secant, force)
            change = np.nan_to_num(solution.displacement_mm)
            solves, iterations = solves + 1, iterations + solution.iterations
        if volumes is not None:
            wanting = gap - pushes @ change.ravel()
            rise = np.asarray(np.linalg.solve(pushes @ answers.T, wanting), np.float64)
            change = np.asarray(change + (rise @ answers).reshape(u.shape), np.float64)
        whole = np.concatenate([u.ravel(), p])
        step = damping * np.concatenate([change.ravel(), rise])
        tried = [*tried, (whole, step)][-MEMORY:]
        new = mixed(tried)
        u, p = new[: u.size].reshape(u.shape), new[u.size :]
    if unbalanced > best:
        unbalanced, (u, p) = best, best_at
    return Balanced(
        displacement_mm=u,
        gained_mm3=pushes @ u.ravel(),
        pressures=p,
        unbalanced=unbalanced,
        solves=solves,
        iterations=iterations,
        yielding=yielded,
    )


def _forces(block: Block, now: Octants, u: Array, p: Array) -> tuple[Array, Array, int]:
    """Return secant state, unbalanced forces, and octants that yield."""
    secant, force = np.zeros((*block.active.shape, 2)), np.tensordot(p, now.pushes, axes=1)
    given = (block.edge_mm, now.law, now.stress, now.whole)
    yielded = respond(u, *given, secant, force)
    force[~block.free] = 0.0
    return secant, force, int(yielded)


def _linear(block: Block, secant: Array, force: Array) -> Solution:
    """Answer to nodal forces with the secant stiffness of now [mm]."""
    shear, bulk = secant[..., 0], secant[..., 1]
    both = np.maximum(3.0 * bulk + shear, NEARLY)
    found = solve(
        np.where(block.active, 9.0 * bulk * shear / both, 0.0),
        block.edge_mm,
        np.where(block.free, np.nan, 0.0),
        poisson=np.where(block.active, (3.0 * bulk - 2.0 * shear) / (2.0 * both), 0.0),
        tolerance=LINEAR,
        loads=Loads(forces_n=force),
        method=block.method,
    )
    if not found.converged:
        raise CaseError(f"the balloon cannot be inflated: {found.outcome}: {found.detail}")
    return found
