"""Balloons that crush bone: volume in, pressure out, increment by increment; then let down.

In each increment the balloons take a set volume more. Their pressure acts on the bone around
them, which crushes where it must; the pressures are unknowns beside the displacement, and the
increment is done when the unbalanced force is small and the volume is right. Then everything is
moved: the bone with its mineral and stress (`material_points`), and the skins (`balloon_shape`).
At the end the pressure is let out, the bone springs back a little, and the void remains.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.materials import (
    BONE_MINERAL,
    MODULUS,
    PLASTIC_WIDENING,
    STRENGTH,
    DensityLaw,
    default,
)
from kyphoplan.simulation import material_points as mp
from kyphoplan.simulation.balloon_shape import Skin
from kyphoplan.simulation.crushing import mixed
from kyphoplan.simulation.eigenstress import subtract_eigenstress
from kyphoplan.simulation.elasticity import Loads, Method, Solution, solve
from kyphoplan.simulation.gauge import touching
from kyphoplan.simulation.operative_field import SOFT_MPA
from kyphoplan.simulation.plasticity import shape_factor
from kyphoplan.simulation.yielding import happened, secant, subtract_hourglass

BALANCE = 1e-2  # [1] unbalanced nodal force left in an increment over the balloons' force
ROUNDS = 40  # [1] linear solves of an increment at most
LINEAR = 0.03  # [1] a linear solve leaves this part of the unbalanced force
MEMORY = 6  # [1] solves that are remembered
STRIDE = 0.4  # [voxel] mean path of the skin in one increment
FIRST = (0.05, 0.25)  # [1] of a stride: the first increments, while the bone begins to yield
LET_DOWN = (0.5, 0.0)  # [1] of the pressure, in turn
LEAST_YIELD_MPA = 1e-3  # [MPa] of bone without mineral
SOFT_SHARE = 0.5  # [1] of a voxel's stiffness that is not bone's: more and it does not crush


@dataclass(frozen=True, slots=True, kw_only=True)
class BoneLaw:
    """How bone resists.

    Attributes
    ----------
    modulus, strength : from mineral density [MPa].
    plastic_poisson : how much crushed bone widens [1].
    soft_mpa : Young's modulus of what fills the rest [MPa].
    """

    modulus: DensityLaw = field(default_factory=lambda: default(MODULUS))
    strength: DensityLaw = field(default_factory=lambda: default(STRENGTH))
    plastic_poisson: float = PLASTIC_WIDENING.value
    soft_mpa: float = SOFT_MPA

    def factor(self, density: Array) -> Array:
        """Shape of the yield surface at a mineral density [mg/cm3]: without pores it is Mises'."""
        porous = np.maximum(1.0 - np.asarray(density) / MOST_MINERAL, 0.0)
        return np.asarray(shape_factor(self.plastic_poisson) * porous)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tamp:
    """A balloon to be inflated.

    Attributes
    ----------
    skin : deflated, in the block.
    volume_mm3 : what it is to hold [mm3].
    largest_mpa : the pressure at which it is not inflated further [MPa].
    largest_mm : how far its skin can lie from its core [mm].
    inside : part of the balloon that lies in the block; less than 1 only where it is cut by planes
        of symmetry [1].
    """

    skin: Skin
    volume_mm3: float
    largest_mpa: float = np.inf
    largest_mm: float = np.inf
    inside: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Increment:
    """What one increment came to; sequences hold one entry per balloon.

    Attributes
    ----------
    volume_mm3, pressure_mpa : [mm3], [MPa]; the pressure that did the work on the bone: without
        the share that the grid has taken.
    shift_mm : by how much the skins were shifted to hold their volume exactly [mm].
    unbalanced : unbalanced force over the balloons' force [1].
    balanced : whether that is small enough.
    solves, iterations : linear solves, and their steps.
    work_mj, stored_mj, dissipated_mj, grid_mj : work of the balloons on the grid so far, elastic
        energy now, plastic work so far, and the rest, which the grid has taken: holding voxels
        against bending within, straining the balloons' filler, handing stress on [mJ].
    crushing : share of the bone's voxels that yield [1].
    """

    volume_mm3: tuple[float, ...]
    pressure_mpa: tuple[float, ...]
    shift_mm: tuple[float, ...]
    unbalanced: float
    balanced: bool
    solves: int
    iterations: int
    work_mj: float
    stored_mj: float
    dissipated_mj: float
    grid_mj: float
    crushing: float


def placed_points(
    points: mp.Points, skins: tuple[Skin, ...], tools: NDArray[np.bool_], edge_mm: float
) -> mp.Points:
    """Take out what the folded balloons have replaced, and make metal of what the cannulas have.

    Parameters
    ----------
    points : of the bone as it was.
    tools : (N,) points inside a cannula's track.
    """
    inside = np.zeros(len(points.place), bool)
    for skin in skins:
        inside |= skin.above(points.place * edge_mm) < 0.0
    kept = {name: getattr(points, name)[~inside].copy() for name in points.__slots__}
    metal = tools[~inside]
    kept["mass_mg"][metal], kept["soft_mpa"][metal], kept["weak"][metal] = 0.0, TOOL_MPA, 1.0
    return mp.Points(**kept)


class Operation:
    """The bone, the balloons and their history; `inflate` and `let_down` move them on.

    Attributes
    ----------
    points, skins, pressures : as they are now.
    markers : (M, 3) places that are carried along [voxel].
    displacement_mm : (I + 1, J + 1, K + 1, 3) of the last increment [mm].
    """

    def __init__(  # noqa: PLR0913 - the problem, and how to solve it
        self,
        points: mp.Points,
        active: NDArray[np.bool_],
        held: Array,
        edge_mm: float,
        tamps: tuple[Tamp, ...],
        *,
        law: BoneLaw | None = None,
        markers: Array | None = None,
        method: Method | None = None,
    ) -> None:
        self.points, self.active, self.held, self.edge = points, active, held, edge_mm
        self.tamps, self.law, self.method = tamps, law or BoneLaw(), method or Method()
        self.skins = tuple(tamp.skin for tamp in tamps)
        self.pressures = np.zeros(len(tamps))
        self.markers = np.zeros((0, 3)) if markers is None else markers.copy()
        self.displacement_mm = np.zeros(held.shape)
        self.work = self.dissipated = self.stored = 0.0
        self.part = 1.0
        self.touched = touching(active)
        self.gained = np.zeros(len(tamps))
        self._map()

    def _map(self) -> None:
        """Write what the points bring to the voxels: stiffness, strength, stress, balloons."""
        shape = self.active.shape
        self.shares: Array = np.zeros((len(self.skins), *shape))
        for out, skin in zip(self.shares, self.skins, strict=True):
            out[:] = skin.share(shape, self.edge)
        cells = mp.gather(self.points, shape)
        share = filled(cells, np.minimum(self.shares.sum(axis=0), 1.0))
        density = np.minimum(cells[..., mp.MASS] / (self.edge**3 / 1000.0), MOST_MINERAL)
        whole = share * cells[..., mp.WEAK]
        self.density = density * share
        bone = self.law.modulus(density) * whole
        soft = cells[..., mp.SOFT] * share
        self.modulus = np.where(self.active, bone + soft + self.law.soft_mpa, 0.0)
        self.poisson = share * cells[..., mp.POISSON] + (1.0 - share) * FILL_POISSON
        self.factor = self.law.factor(density)
        limit = self.law.strength(density) * whole
        springs = bone < SOFT_SHARE * self.modulus
        self.limit = np.where(springs, np.inf, np.maximum(limit, LEAST_YIELD_MPA))
        self.crushable = max(int((self.active & ~springs).sum()), 1)
        borne = np.where(self.modulus > BEARS * self.law.soft_mpa, share, 0.0)
        self.stress, self.share = cells[..., mp.STRESS :] * borne[..., None], share
        self.pushes: Array = np.zeros((len(self.skins), *self.held.shape))
        for forces, inside in zip(self.pushes, self.shares, strict=True):
            forces[:] = _push(inside, self.edge)

    def inflate(self, told: Callable[[Increment], None] = lambda _: None) -> list[Increment]:
        """Inflate all balloons together until each holds its volume or is at its limit.

        Raises
        ------
        CaseError
            If an increment cannot be solved at all.
        """
        done: list[Increment] = []
        while True:
            self.done = len(done)
            now = np.array([skin.volume_mm3 for skin in self.skins])
            left = np.array([tamp.volume_mm3 for tamp in self.tamps]) - now
            limits = np.array([tamp.largest_mpa for tamp in self.tamps]) / self.part
            growing = (left > LEAST_STEP * np.maximum(now, 1.0)) & (self.pressures < limits)
            if not growing.any():
                return done
            step = np.where(growing, np.minimum(left, self._stride(now, left)), 0.0)
            done.append(self._advance(step * np.array([tamp.inside for tamp in self.tamps])))
            told(done[-1])

    def _stride(self, now: Array, left: Array) -> Array:
        """Return the volumes of the next increment: a set path of the skins."""
        area = np.array([_area(skin) for skin in self.skins])
        part = FIRST[self.done] if self.done < len(FIRST) else 1.0
        stride = part * STRIDE * self.edge * area
        return np.asarray(left / np.ceil(np.maximum(left / stride - NEARLY, 1.0)))

    def let_down(self) -> list[Increment]:
        """Take the pressure out; the bone springs back."""
        full = self.pressures.copy()
        return [self._advance(None, full * part) for part in LET_DOWN]

    def greatest(self, pressures: Array) -> Array:
        """Return pressures to compare forces with: these, or where they are let out, the last."""
        return pressures if pressures.any() else self.pressures

    def _advance(self, volumes: Array | None, pressures: Array | None = None) -> Increment:
        """Find the balance of one increment, then move everything."""
        state = _balance(self, volumes, pressures)
        limits = np.array([tamp.largest_mpa for tamp in self.tamps]) / self.part
        if volumes is not None and (state.pressures > limits).any():  # held at the limit instead
            state = _balance(self, None, np.minimum(state.pressures, limits))
        u = state.displacement
        change = np.zeros((*self.active.shape, 8))
        given = (self.modulus, self.poisson, self.limit, self.factor, self.stress)
        stored, lost, _ = happened(u, self.edge, *given, BEARS * self.law.soft_mpa, change)
        gained = self.pushes.reshape(len(self.skins), -1) @ u.ravel()
        work = float(state.pressures @ gained)
        if volumes is not None and work > 0.0:
            bone = lost * self.edge**3 + stored * self.edge**3 - self.stored
            self.part = float(np.clip(bone / work, LEAST_PART, 1.0))
        self.work += work
        self.dissipated += lost * self.edge**3
        self.stored = stored * self.edge**3
        change[..., 1:7] /= np.maximum(self.share, LEAST_SHARE)[..., None]  # in the bone itself
        mp.move(self.points, u, self.edge, change)
        self.markers = mp.carried(self.markers, u, self.edge)
        wanted = [
            skin.volume_mm3 + gain / tamp.inside
            for skin, gain, tamp in zip(self.skins, gained, self.tamps, strict=True)
        ]
        moved = [skin.carried(u, self.edge) for skin in self.skins]
        self.skins = tuple(
            skin.holding(volume, tamp.largest_mm)
            for skin, volume, tamp in zip(moved, wanted, self.tamps, strict=True)
        )
        shift = tuple(
            float(np.mean(now.height_mm - then.height_mm))
            for now, then in zip(self.skins, moved, strict=True)
        )
        self._keep_out()
        self.pressures, self.displacement_mm, self.gained = state.pressures, u, gained
        self._map()
        return Increment(
            volume_mm3=tuple(skin.volume_mm3 for skin in self.skins),
            pressure_mpa=tuple(float(self.part * p) for p in state.pressures),
            shift_mm=shift,
            unbalanced=state.unbalanced,
            balanced=state.unbalanced <= BALANCE,
            solves=state.solves,
            iterations=state.iterations,
            work_mj=self.work,
            stored_mj=self.stored,
            dissipated_mj=self.dissipated,
            grid_mj=self.work - self.dissipated - self.stored,
            crushing=state.yielding / self.crushable,
        )

    def _keep_out(self) -> None:
        """Put points that rounding has left inside a balloon back on its skin."""
        for skin in self.skins:
            reach = float(skin.height_mm.max()) + 1.0
            low = np.minimum(skin.start_mm, skin.end_mm) - reach
            high = np.maximum(skin.start_mm, skin.end_mm) + reach
            place = self.points.place * self.edge
            near = np.flatnonzero(((place > low) & (place < high)).all(axis=1))
            above = skin.above(place[near])
            inside = near[above < 0.0]
            if not inside.size:
                continue
            axis, start = skin.axes[0], skin.start_mm
            foot = (
                start
                + np.clip((place[inside] - start) @ axis, 0.0, skin.length_mm)[:, None] * axis
            )
            out = place[inside] - foot
            length = np.linalg.norm(out, axis=1, keepdims=True)
            out = np.where(length > NEARLY, out / np.maximum(length, NEARLY), skin.axes[1])
            self.points.place[inside] -= above[above < 0.0][:, None] * out / self.edge


def filled(cells: Array, taken: Array) -> Array:
    """Tell how much of each voxel is tissue, and make its mineral a density within the tissue.

    Where bone is stretched the points lie far apart: a voxel among them is whole although it holds
    few, and one without any takes after its neighbours.

    Parameters
    ----------
    cells : (I, J, K, COUNT) of `material_points.gather`; changed in place: mineral per volume.
    taken : (I, J, K) share that the balloons take [1].

    Returns
    -------
    (I, J, K) share of tissue [1].
    """
    volume, left = cells[..., mp.VOLUME].copy(), 1.0 - taken
    around = ndimage.uniform_filter(volume, 3)
    among = around > AMONG * ndimage.uniform_filter(left, 3)
    share = np.where(among, left, np.minimum(volume, left))
    cells[..., mp.MASS] /= np.maximum(volume, NEARLY)
    lonely = (volume < FEW) & (share > 0.0)
    if lonely.any():
        for column in (n for n in range(mp.COUNT) if n != mp.VOLUME):
            mean = ndimage.uniform_filter(cells[..., column] * volume, 3)
            cells[..., column][lonely] = (mean / np.maximum(around, NEARLY))[lonely]
    return np.asarray(share)


AMONG = 0.8  # [1] of the room around a voxel that is tissue: more, and it lies among it
FEW = 0.3  # [voxel] of points in a voxel: fewer, and it takes after its neighbours
BEARS = 2.0  # [1] times soft tissue's stiffness: less, and a voxel has no stress to remember
LEAST_PART = 0.4  # [1] of the work goes into the bone at least, or the grid is too coarse
LEAST_SHARE = 0.1  # [1] of tissue in a voxel: less does not make its stress larger
MOST_MINERAL = BONE_MINERAL.value  # [mg/cm3] of bone without pores: no crushed bone is denser
TOOL_MPA = 500.0  # [MPa] of a cannula in its track: far stiffer than the bone around it
FILL_POISSON = 0.3  # [1] of soft tissue and of the balloon's inside; neither bears anything
LEAST_STEP = 1e-4  # [1] of the volume: less is no increment
NEARLY = 1e-6


def _push(share: Array, edge_mm: float) -> Array:
    """Return the nodal forces of a pressure of 1 MPa in a balloon [N]."""
    stress = np.zeros((*share.shape, 6))
    stress[..., :3] = -share[..., None]
    out = np.zeros((share.shape[0] + 1, share.shape[1] + 1, 3, share.shape[2] + 1))
    subtract_eigenstress(stress, edge_mm, out)
    return np.ascontiguousarray(out.transpose(0, 1, 3, 2))


def _area(skin: Skin) -> float:
    """Return the area of a skin [mm2], as the gain of volume when it is shifted a little."""
    step = 0.01
    return (replace(skin, height_mm=skin.height_mm + step).volume_mm3 - skin.volume_mm3) / step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _State:
    displacement: Array
    pressures: Array
    unbalanced: float
    solves: int
    iterations: int
    yielding: int
    grid_mj: float


def _balance(op: Operation, volumes: Array | None, pressures: Array | None) -> _State:
    """Find displacement and pressures at which forces and volumes agree.

    Parameters
    ----------
    volumes : what the balloons gain [mm3]; None if their pressures are given.
    """
    count = len(op.skins)
    pushes = op.pushes.reshape(count, -1)
    held = op.held * (0.0 if volumes is None else float(volumes.sum()))
    u: Array = np.where(np.isnan(held), _guess(op, volumes), held)
    p: Array = op.pressures.copy() if pressures is None else pressures.copy()
    tried: list[tuple[Array, Array]] = []
    answers = np.zeros((count, u.size))
    solves = iterations = 0
    for rounds in range(ROUNDS):
        state, force, yielding, grid = _forces(op, u, p)
        scale = float(np.linalg.norm(np.tensordot(op.greatest(p), op.pushes, axes=1)))
        gap = np.zeros(count) if volumes is None else volumes - pushes @ u.ravel()
        missing = 0.0 if volumes is None else float(np.abs(gap).max() / volumes.max())
        unbalanced = max(float(np.linalg.norm(force)) / (scale or NEARLY), missing)
        if unbalanced <= BALANCE:
            break
        if volumes is not None and rounds in RENEWED:
            found = [_linear(op, state, push) for push in op.pushes]
            answers = np.stack([answer.displacement_mm.ravel() for answer in found])
            solves += count
        change: Array = np.zeros(u.shape)
        rise: Array = np.zeros(count)
        if force.any():
            solution = _linear(op, state, force)
            change = np.nan_to_num(solution.displacement_mm)
            solves, iterations = solves + 1, iterations + solution.iterations
        if volumes is not None:
            answered = np.nan_to_num(answers)
            wanting = gap - pushes @ change.ravel()
            rise = np.asarray(np.linalg.solve(pushes @ answered.T, wanting), np.float64)
            change = np.asarray(change + (rise @ answered).reshape(u.shape), np.float64)
        whole = np.concatenate([u.ravel(), p])
        tried = [*tried, (whole, np.concatenate([change.ravel(), rise]))][-MEMORY:]
        new: Array = mixed(tried)
        u, p = new[: u.size].reshape(u.shape), new[u.size :]
    return _State(
        displacement=u,
        pressures=p,
        unbalanced=unbalanced,
        solves=solves,
        iterations=iterations,
        yielding=yielding,
        grid_mj=grid,
    )


def _forces(op: Operation, u: Array, p: Array) -> tuple[Array, Array, int, float]:
    """Return secant state, unbalanced forces, voxels that yield, and work of the grid."""
    state = np.zeros((*op.active.shape, 8))
    given = (op.modulus, op.poisson, op.limit, op.factor, op.stress)
    yielding = secant(u, op.edge, *given, state)
    inner = np.zeros((*u.shape[:2], 3, u.shape[2]))
    subtract_eigenstress(np.ascontiguousarray(state[..., 2:]), op.edge, inner)
    force = np.ascontiguousarray(inner.transpose(0, 1, 3, 2))
    work = subtract_hourglass(u, op.edge, state, force)
    force += np.tensordot(p, op.pushes, axes=1)
    force[~(np.isnan(op.held) & op.touched[..., None])] = 0.0
    return state, force, int(yielding), float(work)


RENEWED = (0, 3)  # [1] rounds in which the answer to a pressure is found anew


def _guess(op: Operation, volumes: Array | None) -> Array:
    """Guess the displacement from that of the last increment: crushing goes on as it went."""
    if volumes is None or not op.gained.any():
        return np.zeros(op.held.shape)
    return np.asarray(op.displacement_mm * float(volumes.sum() / op.gained.sum()))


def _linear(op: Operation, state: Array, force: Array) -> Solution:
    """Answer to nodal forces with the secant stiffness of now [mm]."""
    found = solve(
        state[..., 0] * op.active,
        op.edge,
        0.0 * op.held,
        poisson=state[..., 1] * op.active,
        tolerance=LINEAR,
        loads=Loads(forces_n=force),
        method=op.method,
    )
    if not found.converged:
        raise CaseError(f"the balloon cannot be inflated: {found.outcome}: {found.detail}")
    return found
