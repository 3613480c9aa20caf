"""One increment in balance: the displacement and pressures at which forces and volumes agree.

Repeated linear solves, in which every voxel has the secant stiffness of its present state
(Picard), sped up by what the last few have shown (Anderson, `crushing.mixed`). Pressures are
unknowns beside the displacement: what a balloon is to gain is met exactly by each solve.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.membrane import Membrane
from kyphoplan.simulation.balloon.octants import Octants
from kyphoplan.simulation.balloon.yielding import respond
from kyphoplan.simulation.crushing import mixed
from kyphoplan.simulation.elasticity import Loads, Method, Solution, solve
from kyphoplan.simulation.solver.team import together

BALANCE = 1e-2  # [1] unbalanced nodal force left in an increment over the balloons' force
ROUNDS = 60  # [1] corrections of an increment at most
SPELL = 15  # [1] corrections after which it is foreseen whether the rest will do
LINEAR = (0.5, 0.03)  # [1] a linear solve leaves this part of the unbalanced force: in the first
# spell, which is enough for most increments, and after it, when what is remembered of coarse ones
# is noise
MEMORY = 12  # [1] solves that are remembered
RENEWED = (0, 3, SPELL)  # [1] rounds in which the answer to a pressure is found anew
WORSE = 4.0  # [1] times as unbalanced as the best so far: what is remembered misleads
STIFFENED = 0.25 * np.array([0.5, 1.0 / 3.0])  # [1] shear and bulk modulus of a voxel that stands
# for a sheet in the corrections, over what it holds; the balance does not depend on them
TAUTENED = np.array([0.5, 1.0 / 3.0])  # [1] the same where the sheet is taut
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
class Asked:
    """What is to be in balance.

    Attributes
    ----------
    now : bone and balloons.
    volumes : what the balloons gain [mm3]; NaN where the pressure is given instead.
    least_pressures : by whose force the unbalanced one is measured where it is larger [MPa].
    membranes : the sheets of the balloons.
    """

    now: Octants
    volumes: Array
    least_pressures: Array
    membranes: tuple[Membrane, ...] = ()

    @property
    def pressed(self) -> NDArray[np.bool_]:
        """Tell for which balloons the pressure is given."""
        return np.isnan(self.volumes)


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trial:
    """A displacement and pressures, and what they leave out of balance.

    Attributes
    ----------
    secant : (I, J, K, 2) shear and bulk modulus to correct it with [MPa].
    force : (I + 1, J + 1, K + 1, 3) that nothing balances [N].
    gap : (B,) volume that is missing [mm3].
    """

    u: Array
    p: Array
    secant: Array
    force: Array
    gap: Array
    unbalanced: float
    yielding: int


def balance(block: Block, asked: Asked, guess: Array, pressures: Array) -> Balanced:
    """Find displacement and pressures at which forces and volumes agree.

    Parameters
    ----------
    guess : displacement to begin with [mm].
    pressures : given, or to begin with where volumes are asked for [MPa].
    """
    u, p = guess.copy(), pressures.copy()
    count, damping, solves, iterations = len(p), 1.0, 0, 0
    asked_for = asked.now.pushes[~asked.pressed]
    answers = np.zeros((len(asked_for), u.size))
    tried: list[tuple[Array, Array]] = []
    moving = np.append(np.flatnonzero(block.free), u.size + np.arange(count))
    best = _tried(block, asked, u, p)
    before = best.unbalanced
    for rounds in range(ROUNDS):
        trial = _tried(block, asked, u, p) if rounds else best
        misled = trial.unbalanced > WORSE * best.unbalanced
        if trial.unbalanced < best.unbalanced:
            best = trial
        if best.unbalanced <= BALANCE or rounds == ROUNDS - 1:
            break
        if rounds and rounds % SPELL == 0 and not asked.pressed.all():
            if _foreseen(before, best.unbalanced, rounds) > BALANCE:
                break
            before = best.unbalanced
        if misled:  # once more from the best so far, alone
            u, p = best.u, best.p
            tried, damping = [], 0.5 * damping
            continue
        wanted = [*asked_for] if rounds in RENEWED else []
        tolerance = LINEAR[rounds >= SPELL]
        if rounds == SPELL:
            tried = []
        found = [_linear(block, trial.secant, f, tolerance) for f in (*wanted, trial.force)]
        solves += len(found)
        iterations += sum(solution.iterations for solution in found)
        if not all(solution.converged for solution in found):
            break
        fields = [np.nan_to_num(solution.displacement_mm).ravel() for solution in found]
        if wanted:
            answers = np.stack(fields[:-1])
        change = _corrected(asked, trial, fields[-1], answers)
        new = np.concatenate([u.ravel(), p])
        tried = [*tried, (new[moving], damping * change[moving])][-MEMORY:]
        new[moving] = mixed(tried)
        u, p = new[: u.size].reshape(u.shape), new[u.size :]
    return Balanced(
        displacement_mm=best.u,
        gained_mm3=asked.now.pushes.reshape(count, -1) @ best.u.ravel(),
        pressures=best.p,
        unbalanced=best.unbalanced,
        solves=solves,
        iterations=iterations,
        yielding=best.yielding,
    )


def _foreseen(before: float, now: float, rounds: int) -> float:
    """Say what will be unbalanced after all rounds, if it falls on as in the last spell.

    Examples
    --------
    >>> _foreseen(0.1, 0.05, ROUNDS - 2 * SPELL)
    0.0125
    """
    return float(now * (now / before) ** ((ROUNDS - rounds) / SPELL))


def _tried(block: Block, asked: Asked, u: Array, p: Array) -> _Trial:
    """Say what is out of balance."""
    now = asked.now
    pushes = now.pushes.reshape(len(p), -1)
    secant, force, yielding = _forces(block, now, u, p)
    for membrane in asked.membranes:
        membrane.draw_back(u, force)
        cut = ((now.shares > 0.0) & (now.shares < 1.0)).any(axis=0)
        secant[cut] += STIFFENED * membrane.hold * block.edge_mm
        taut = cut & _touched(membrane.taut(u), cut.shape)
        secant[taut] += TAUTENED * membrane.tight * block.edge_mm
    force[~block.free] = 0.0
    scale = float(np.linalg.norm(np.maximum(p, asked.least_pressures) @ pushes)) or NEARLY
    gained = pushes @ u.ravel()
    gap = np.where(asked.pressed, 0.0, asked.volumes - gained)
    whole = float(np.nan_to_num(asked.volumes).max()) or float(np.abs(gained).max()) or NEARLY
    unbalanced = max(float(np.linalg.norm(force)) / scale, float(np.abs(gap).max()) / whole)
    return _Trial(
        u=u, p=p, secant=secant, force=force, gap=gap, unbalanced=unbalanced, yielding=yielding
    )


def _touched(nodes: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which voxels (I, J, K) have one of these nodes as a corner."""
    corners = np.zeros([n + 1 for n in shape], bool)
    corners.flat[nodes] = True
    return np.asarray(ndimage.maximum_filter(corners, 2, origin=-1)[:-1, :-1, :-1])


def bone_forces(block: Block, now: Octants) -> Array:
    """Return the forces of the bone's stress on the nodes (I + 1, J + 1, K + 1, 3) [N]."""
    rest = np.zeros(block.free.shape)
    _, force, _ = _forces(block, now, rest, np.zeros(len(now.pushes)))
    return force


def _forces(block: Block, now: Octants, u: Array, p: Array) -> tuple[Array, Array, int]:
    """Return secant state, forces of the balloons less the bone's, and octants that yield."""
    planes, threads = block.active.shape[0], block.method.threads
    secant, force = np.zeros((*block.active.shape, 2)), np.tensordot(p, now.pushes, axes=1)
    ends = [planes * n // threads for n in range(threads + 1)]
    cuts = list(pairwise(ends))
    parts = [np.zeros_like(force[a : b + 1]) for a, b in cuts]
    runs = [
        (
            u[a : b + 1],
            block.edge_mm,
            now.law[2 * a : 2 * b],
            now.stress[2 * a : 2 * b],
            now.whole[a:b],
            secant[a:b],
            part,
        )
        for (a, b), part in zip(cuts, parts, strict=True)
    ]
    yielding = sum(together(respond, runs))
    for (a, b), part in zip(cuts, parts, strict=True):
        force[a : b + 1] += part
    return secant, force, int(yielding)


def _corrected(asked: Asked, trial: _Trial, change: Array, answers: Array) -> Array:
    """Return the change of displacement and pressures that also brings the missing volume."""
    known, rise = ~asked.pressed, np.zeros(len(trial.p))
    pushes = asked.now.pushes[known].reshape(answers.shape)
    rise[known] = np.linalg.solve(pushes @ answers.T, trial.gap[known] - pushes @ change)
    return np.concatenate([change + rise[known] @ answers, rise])


def _linear(block: Block, secant: Array, force: Array, tolerance: float) -> Solution:
    """Answer to nodal forces with the secant stiffness of now [mm]."""
    shear, bulk = secant[..., 0], secant[..., 1]
    both = np.maximum(3.0 * bulk + shear, NEARLY)
    return solve(
        np.where(block.active, 9.0 * bulk * shear / both, 0.0),
        block.edge_mm,
        np.where(block.free, np.nan, 0.0),
        poisson=np.where(block.active, (3.0 * bulk - 2.0 * shear) / (2.0 * both), 0.0),
        tolerance=tolerance,
        loads=Loads(forces_n=force),
        method=block.method,
    )
