"""Compression beyond yield: bone is shortened step by step and crushes where it must.

Each step finds the displacement that balances the crushed material, by repeated linear solves
in which every voxel has the secant stiffness of its present state (Picard), sped up by what the
last few solves have shown (Anderson). A step ends when the unbalanced force is small; if it does
not become small, the curve says so.

References
----------
Walker & Ni 2011, SIAM J Numer Anal 49:1715, doi:10.1137/10078356X (Anderson's acceleration).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.elasticity import Loads, Method, Outcome, Solution, solve
from kyphoplan.simulation.plasticity import shape_factor, update, von_mises

BALANCE = 2e-3  # [1] norm of the unbalanced nodal forces of a finished step over its force
TIGHTER = 0.1  # [1] a linear solve leaves this part of the unbalanced force
FIRST_TOLERANCE, LEAST_TOLERANCE = 1e-4, 1e-7  # [1] of the linear solves
MEMORY = 3  # [1] solves that are remembered; more are misled by bone that yields and unyields
ROUNDS = 40  # [1] linear solves of one step at most; between discs some steps need more than 20
HALVINGS = 4  # [1] steps out of balance that are tried again in halves, in all of a curve
PLASTIC_POISSON = 0.3  # [1] of crushing bone; assumed, as its elastic one; a range is worth a run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """A block that can crush.

    Attributes
    ----------
    modulus_mpa, yield_mpa : (I, J, K) Young's modulus, 0 for void, and yield stress [MPa].
        infinite where it only springs back.
    poisson : Poisson's ratio, one for all or (I, J, K) [1].
    spacing_mm : edge of a voxel [mm].
    """

    modulus_mpa: Array
    yield_mpa: Array
    poisson: float | Array
    spacing_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One point of the curve.

    Attributes
    ----------
    share : part of the whole shortening [1].
    force_n : force of the moved supports along their motion [N].
    yielding : share of the bone's voxels that yield [1].
    solves, iterations : linear solves and steps of conjugate gradients they took.
    unbalanced : unbalanced force left [1].
    balanced : whether that is small enough.
    gauge_mm : what was watched [mm]; NaN if nothing was.
    """

    share: float
    force_n: float
    yielding: float
    solves: int
    iterations: int
    unbalanced: float
    balanced: bool
    gauge_mm: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """A length to read off each step, and when it is enough.

    Attributes
    ----------
    gauge : the length, from the displacement of the nodes [mm].
    enough_mm : the curve ends with the first step that reaches it [mm].
    """

    gauge: Callable[[Array], float]
    enough_mm: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crushed:
    """The curve, and the block at its end.

    Attributes
    ----------
    steps : the curve, without its origin.
    outcome : how it ended; "converged" only if every step is balanced.
    detail : what went wrong, or empty.
    displacement_mm : (I + 1, J + 1, K + 1, 3) at the end [mm].
    plastic_strain : (I, J, K, 6) xx, yy, zz, doubled yz, xz, xy [1].
    von_mises_mpa, equivalent_strain : (I, J, K) stress [MPa] and total strain [1].
    """

    steps: tuple[Step, ...]
    outcome: Outcome
    detail: str
    displacement_mm: Array
    plastic_strain: Array
    von_mises_mpa: Array
    equivalent_strain: Array


def crush(
    bone: Bone,
    prescribed_mm: Array,
    shares: Array,
    *,
    method: Method | None = None,
    plastic_poisson: float = PLASTIC_POISSON,
    told: Callable[[Step], None] = lambda step: None,
    watch: Watch | None = None,
) -> Crushed:
    """Move the supports in steps to their prescribed place and let the bone crush.

    Parameters
    ----------
    bone : the block.
    prescribed_mm : (I + 1, J + 1, K + 1, 3) final displacement of the supports, NaN where free.
    shares : rising parts of that displacement, one per step [1]; a step that does not balance is
        tried again in halves, so that there may be more.
    method : how to solve; the first guess is not used.
    plastic_poisson : how much crushed bone widens: 0 not at all, 0.5 at constant volume [1].
    told : called after each step.
    watch : a length to read off each step.
    """
    method = method or Method()
    law = _Law(bone, shape_factor(plastic_poisson))
    u = np.zeros(prescribed_mm.shape)
    steps: list[Step] = []
    detail, last, halvings = "", u, 0
    ahead = np.asarray(shares, float).tolist()
    while ahead:
        share = ahead[0]
        guess = _extrapolated(steps, last, u, share)
        found, step = _balance(law, share * prescribed_mm, guess, method)
        if not found.converged:
            detail = f"at {share:.0%} of the shortening: {found.outcome}"
            break
        if not step.balanced and halvings < HALVINGS:
            halvings += 1
            ahead.insert(0, 0.5 * (share + (steps[-1].share if steps else 0.0)))
            continue
        ahead.pop(0)
        last, u = u, np.nan_to_num(found.displacement_mm)
        yielding = law.update(u, keep=True)
        gauge = watch.gauge(u) if watch else float("nan")
        step = replace(step, share=share, yielding=yielding, gauge_mm=gauge)
        steps.append(step)
        told(step)
        if watch and gauge >= watch.enough_mm:
            break
    if not detail and not all(step.balanced for step in steps):
        first = next(step for step in steps if not step.balanced)
        detail = f"unbalanced from {first.share:.0%} of the shortening on"
    stress, strain = law.maps(u)
    return Crushed(
        steps=tuple(steps),
        outcome=Outcome.STALLED if detail else Outcome.CONVERGED,
        detail=detail,
        displacement_mm=u,
        plastic_strain=law.plastic,
        von_mises_mpa=stress,
        equivalent_strain=strain,
    )


def _extrapolated(steps: list[Step], last: Array, u: Array, share: float) -> Array:
    """Guess the displacement of the next step from the last two."""
    if not steps:
        return u
    before = steps[-2].share if len(steps) > 1 else 0.0
    ratio = (share - steps[-1].share) / (steps[-1].share - before)
    return np.asarray(u + ratio * (u - last))


class _Law:
    """The bone with its memory: plastic strain so far, and the secant state of now."""

    def __init__(self, bone: Bone, factor: float) -> None:
        shape = bone.modulus_mpa.shape
        self.spacing, self.factor = bone.spacing_mm, factor
        self.modulus = np.ascontiguousarray(bone.modulus_mpa, float)
        self.limit = np.ascontiguousarray(bone.yield_mpa, float)
        self.poisson = np.full(shape, bone.poisson, float)
        self.plastic, self.state = np.zeros((*shape, 6)), np.zeros((*shape, 8))
        self.state[..., 1] = bone.poisson
        can_yield = (self.modulus > 0.0) & np.isfinite(self.limit)
        self.voxels = max(int(can_yield.sum()), 1)

    def update(self, u: Array, *, keep: bool) -> float:
        """Find the secant state at a displacement; return the share of voxels that yield."""
        given = (self.modulus, self.poisson, self.limit, self.factor)
        u = np.ascontiguousarray(u)  # else it is compiled for both ways to lie in memory
        return update(u, self.spacing, *given, self.plastic, self.state, keep) / self.voxels

    def maps(self, u: Array) -> tuple[Array, Array]:
        stress, strain = np.zeros_like(self.modulus), np.zeros_like(self.modulus)
        given = (self.modulus, self.poisson, self.plastic)
        von_mises(np.ascontiguousarray(u), self.spacing, *given, stress, strain)
        return stress, strain


def _balance(law: _Law, prescribed: Array, guess: Array, method: Method) -> tuple[Solution, Step]:
    """Solve with the secant stiffness of the last displacement until that is in balance."""
    moved = np.nan_to_num(prescribed)
    u = np.where(np.isnan(prescribed), guess, prescribed)
    tried: list[tuple[Array, Array]] = []
    iterations, tolerance = 0, FIRST_TOLERANCE
    for rounds in range(1, ROUNDS + 1):  # noqa: B007 - counted for the report
        law.update(u, keep=False)
        found = solve(
            law.state[..., 0],
            law.spacing,
            prescribed,
            poisson=law.state[..., 1],
            tolerance=tolerance,
            loads=Loads(eigenstress_mpa=law.state[..., 2:]),
            method=replace(method, start_mm=u),
        )
        if not found.converged:
            break
        iterations += found.iterations
        force = float((found.reaction_n * moved).sum() / np.abs(moved).max())
        unbalanced = found.residuals[0] * found.reference_n / max(abs(force), 1e-12)
        if unbalanced <= BALANCE:
            break
        tolerance = float(np.clip(TIGHTER * found.residuals[0], LEAST_TOLERANCE, FIRST_TOLERANCE))
        tried = [*tried, (u, np.nan_to_num(found.displacement_mm) - u)][-MEMORY:]
        u = mixed(tried)
    return found, Step(
        share=0.0,
        force_n=force if found.converged else float("nan"),
        yielding=0.0,
        solves=rounds,
        iterations=iterations,
        unbalanced=float(unbalanced) if found.converged else float("inf"),
        balanced=bool(found.converged and unbalanced <= BALANCE),
    )


def mixed(tried: list[tuple[Array, Array]]) -> Array:
    """Combine the last displacements so that their changes would cancel best, and step on."""
    u, change = tried[-1]
    if len(tried) == 1:
        return u + change
    differences = np.array([(change - other).ravel() for _, other in tried[:-1]])
    gram = np.einsum("ac,bc->ab", differences, differences)  # not by a library's threads
    gram[np.diag_indices_from(gram)] *= 1.0 + 1e-10
    along = np.einsum("ac,c->a", differences, change.ravel())
    shares = np.linalg.lstsq(gram, along, rcond=None)[0]
    result = u + change
    for share, (other, its) in zip(shares, tried[:-1], strict=True):
        result -= share * (u + change - other - its)
    return np.asarray(result)
