"""Balloons that crush bone: volume in, pressure out, increment by increment; then let down.

In each increment the balloons take a set volume more. Their pressure acts on the bone around
them, which crushes where it must; the pressures are unknowns beside the displacement, and the
increment is done when the unbalanced force is small and the volume is right. It is balanced in its
middle, with bone and balloons half-way and the stress half-way, and then goes on as far again: so
pressure and work are right to second order in its length. Then everything is moved: the bone with
its mineral and stress (`material_points`), and the skins (`balloon_shape`). At the end the
pressure is let out, the bone springs back a little, and the void remains.

References
----------
Ortiz & Popov 1985, doi:10.1002/nme.1620210902 (integrating plasticity at the midpoint).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balancing import BALANCE, Asked, Balanced, Block, balance
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.membrane import Membrane
from kyphoplan.simulation.balloon.octants import Octants, endured, octants
from kyphoplan.simulation.balloon.placing import keep_out
from kyphoplan.simulation.bone_law import BoneLaw
from kyphoplan.simulation.elasticity import Method
from kyphoplan.simulation.gauge import touching

STRIDE = 0.4  # [voxel] mean path of the skin in one increment
RISE, MOST_RISE = 0.6, 1.0  # [voxel] highest rise of a skin in an increment: aimed at, and let be
FIRST = (0.05, 0.25)  # [1] of a stride: the first increments, while the bone begins to yield
HALVES = 2  # [1] parts of an increment: it is balanced after the first
LET_DOWN = (0.5, 0.0)  # [1] of the pressure, in turn
FULL, OVER = 0.98, 1.01  # [1] of its largest pressure: a balloon is full; is too full
CUTS, LEAST_CUT = 4, 0.1  # [1] times an increment is made smaller, and by how much at most
LEAST_PART = 0.25  # [1] of a stride, however high the skin rises somewhere: it comes to its end
HOPELESS = 0.5  # [1] unbalanced force of an increment that tells nothing
CONCAVE = 1.5  # [1] pressure rises fast at first: volume over this power of it is about straight
LEAST_STEP = 1e-4  # [1] of the volume: less is no increment
NEARLY = 1e-6


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
    volume_mm3, middle_mm3 : at its end and in its middle [mm3].
    pressure_mpa : in its middle; while it is let down, at its end [MPa].
    shift_mm : by how much the skins were shifted to hold their volume exactly [mm].
    unbalanced : unbalanced force over the balloons' force [1].
    balanced : whether that is small enough.
    solves, iterations : linear solves, and their steps.
    work_mj, stored_mj, dissipated_mj, grid_mj : work of the balloons on the grid so far, elastic
        energy now in bone and skins, plastic work so far, and the rest, which the grid has taken:
        holding voxels against bending within, straining the balloons' filler, handing stress
        on [mJ].
    crushing : share of the bone's voxels that yield [1].
    """

    volume_mm3: tuple[float, ...]
    middle_mm3: tuple[float, ...]
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Half:
    """The block half-way through an increment, as the last one lets it be guessed.

    Attributes
    ----------
    guess_mm : (I + 1, J + 1, K + 1, 3) displacement of the increment [mm].
    points, skins, now : after half of it.
    membranes : the sheets of the balloons.
    """

    guess_mm: Array
    points: mp.Points
    skins: tuple[Skin, ...]
    now: Octants
    membranes: tuple[Membrane, ...]


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
        self.points, self.edge, self.tamps, self.law = points, edge_mm, tamps, law or BoneLaw()
        self.block = Block(
            active=active,
            free=np.isnan(held) & touching(active)[..., None],
            edge_mm=edge_mm,
            method=method or Method(),
        )
        self.skins = tuple(tamp.skin for tamp in tamps)
        self.pressures = np.zeros(len(tamps))
        self.markers = np.zeros((0, 3)) if markers is None else markers.copy()
        self.displacement_mm = np.zeros(held.shape)
        self.work = self.dissipated = self.stored = self.stretched = 0.0
        self.gained, self.risen, self.climbed = (np.zeros(len(tamps)) for _ in range(3))
        self.now = self.mapped(points, self.skins)

    def mapped(self, points: mp.Points, skins: tuple[Skin, ...]) -> Octants:
        """Return what points and skins come to on the grid."""
        return octants(points, skins, self.block.active, self.edge, self.law)

    @property
    def shares(self) -> Array:
        """Share of each voxel inside each balloon (B, I, J, K) [1]."""
        return self.now.shares

    @property
    def density(self) -> Array:
        """Bone mineral (I, J, K), as the voxel's mean [mg/cm3]."""
        return self.now.density

    def inflate(self, told: Callable[[Increment], None] = lambda _: None) -> list[Increment]:
        """Inflate all balloons together until each holds its volume or is at its limit.

        A balloon at its largest pressure is closed and keeps its volume.

        Raises
        ------
        CaseError
            If an increment cannot be solved at all.
        """
        done: list[Increment] = []
        limits = np.array([tamp.largest_mpa for tamp in self.tamps])
        inside = np.array([tamp.inside for tamp in self.tamps])
        open_ = np.ones(len(self.tamps), bool)
        while True:
            now = np.array([skin.volume_mm3 for skin in self.skins])
            left = np.array([tamp.volume_mm3 for tamp in self.tamps]) - now
            open_ &= (left > LEAST_STEP * np.maximum(now, 1.0)) & (self.pressures < FULL * limits)
            if not open_.any():
                return done
            stride = np.minimum(left, self._stride(left, limits, len(done)))
            done.append(self._grown(np.where(open_, stride, 0.0) * inside, limits))
            told(done[-1])

    def _grown(self, volumes: Array, limits: Array) -> Increment:
        """Make an increment, smaller if it finds no balance or passes a largest pressure."""
        for cuts in range(1 + CUTS):
            half = self._half_way(volumes)
            state = self._balanced(half, volumes, self.pressures)
            growing = (volumes > 0.0) & (state.pressures > OVER * limits)
            risen = self._rises(half, state)
            if state.unbalanced > BALANCE:
                volumes = 0.5 * volumes
            elif risen.max() > MOST_RISE * self.edge and not cuts:
                volumes = max(RISE * self.edge / float(risen.max()), LEAST_PART) * volumes
            elif growing.any():
                rise = np.where(growing, state.pressures - self.pressures, 1.0)
                part = np.where(growing, (limits - self.pressures) / rise, 1.0).min()
                volumes = max(float(part) ** CONCAVE, LEAST_CUT) * volumes
            else:
                break
        if state.unbalanced > HOPELESS:
            raise CaseError("the balloon cannot be inflated: no balance is found")
        self.work += float(state.pressures @ state.gained_mm3)
        return self._moved(half, state, parts=HALVES)

    def _stride(self, left: Array, limits: Array, number: int) -> Array:
        """Return the volumes of the next increment.

        A set path of the skins; less where only a weak spot gives way, or near a largest pressure.
        """
        area = np.array([_area(skin) for skin in self.skins])
        part = FIRST[number] if number < len(FIRST) else 1.0
        stride = part * STRIDE * self.edge * area
        even = RISE * self.edge / np.maximum(self.risen, NEARLY)
        room = (limits - self.pressures) / np.maximum(self.climbed, NEARLY)
        ahead = np.minimum(even, np.where(self.climbed > 0.0, room, np.inf)) * self.gained
        ahead = np.clip(ahead, LEAST_PART * stride, stride)
        stride = np.where(self.gained > 0.0, ahead, stride)
        return np.asarray(left / np.ceil(np.maximum(left / stride - NEARLY, 1.0)))

    def _half_way(self, volumes: Array | None, part: float = 1.0) -> Half:
        """Guess how this increment goes on, from the last, and go half of it.

        Parameters
        ----------
        part : of their full pressure, by which the sheets are stretched [1].
        """
        guess = np.zeros(self.displacement_mm.shape)
        points, skins, now = self.points, self.skins, self.now
        if volumes is not None and self.gained.any():
            guess = self.displacement_mm * float(volumes.sum() / self.gained.sum())
            points, still = points.copy(), np.zeros((*now.tissue.shape, 8))
            mp.move(points, self.points, 0.5 * guess, self.edge, still)
            skins = tuple(skin.carried(0.5 * guess, self.edge) for skin in skins)
            now = self.mapped(points, skins)
        membranes = tuple(
            Membrane.of(skin, push, self.edge, part)
            for skin, push in zip(self.skins, now.pushes, strict=True)
        )
        return Half(guess_mm=guess, points=points, skins=skins, now=now, membranes=membranes)

    def _balanced(self, half: Half, volumes: Array | None, pressures: Array) -> Balanced:
        """Balance an increment in its middle; at its end if its pressures are given."""
        parts = 1 if volumes is None else HALVES
        asked = Asked(
            now=half.now,
            volumes=None if volumes is None else volumes / parts,
            least_pressures=np.zeros(len(pressures)) if pressures.any() else self.pressures,
            membranes=half.membranes,
        )
        state = balance(self.block, asked, half.guess_mm / parts, pressures)
        u, gained = state.displacement_mm, state.gained_mm3
        return replace(state, displacement_mm=parts * u, gained_mm3=parts * gained)

    def _rises(self, half: Half, state: Balanced) -> Array:
        """Return the highest rise of each skin [mm]."""
        u = state.displacement_mm
        return np.array(
            [
                float((read.carried(u, self.edge).height_mm - read.height_mm).max())
                for read in half.skins
            ]
        )

    def let_down(self) -> list[Increment]:
        """Take the pressure out; the bone springs back, the sheets go slack."""
        full, done, before = self.pressures.copy(), [], 1.0
        for part in LET_DOWN:
            slack = (1.0 - part / before) * self.stretched
            self.work, self.stretched, before = self.work - slack, self.stretched - slack, part
            half = self._half_way(None, part)
            state = self._balanced(half, None, full * part)
            self.work += float(0.5 * (self.pressures + state.pressures) @ state.gained_mm3)
            done.append(self._moved(half, state, parts=1))
        return done

    def _moved(self, half: Half, state: Balanced, parts: int) -> Increment:
        """Move everything as an increment has come out, its stress in one or two parts."""
        u, then = state.displacement_mm, [skin.volume_mm3 for skin in self.skins]
        change, stored, lost = endured(half.now, u, self.edge, self.law, parts)
        self.dissipated += lost
        self.stretched += sum(sheet.energy(u) - sheet.energy(0.0 * u) for sheet in half.membranes)
        self.stored = stored + self.stretched
        mp.move(self.points, half.points, u, self.edge, change)
        places = mp.carried(self.markers, 0.5 * half.guess_mm, self.edge)
        self.markers = mp.carried(self.markers, u, self.edge, places)
        gains = [g / tamp.inside for g, tamp in zip(state.gained_mm3, self.tamps, strict=True)]
        wanted = [volume + gain for volume, gain in zip(then, gains, strict=True)]
        moved = [
            skin.carried(u, self.edge, read)
            for skin, read in zip(self.skins, half.skins, strict=True)
        ]
        self.skins = tuple(
            skin.holding(volume, tamp.largest_mm)
            for skin, volume, tamp in zip(moved, wanted, self.tamps, strict=True)
        )
        shift = tuple(
            float(np.mean(new.height_mm - then.height_mm))
            for new, then in zip(self.skins, moved, strict=True)
        )
        keep_out(self.points, self.skins, self.edge)
        self.climbed, self.pressures = state.pressures - self.pressures, state.pressures
        self.displacement_mm, self.gained = u, state.gained_mm3
        self.risen = self._rises(half, state)
        self.now = self.mapped(self.points, self.skins)
        return Increment(
            volume_mm3=tuple(skin.volume_mm3 for skin in self.skins),
            middle_mm3=tuple(v + 0.5 * gain for v, gain in zip(then, gains, strict=True)),
            pressure_mpa=tuple(float(p) for p in state.pressures),
            shift_mm=shift,
            unbalanced=state.unbalanced,
            balanced=state.unbalanced <= BALANCE,
            solves=state.solves,
            iterations=state.iterations,
            work_mj=self.work,
            stored_mj=self.stored,
            dissipated_mj=self.dissipated,
            grid_mj=self.work - self.dissipated - self.stored,
            crushing=state.yielding / self.now.crushable,
        )


def _area(skin: Skin) -> float:
    """Return the area of a skin [mm2], as the gain of volume when it is shifted a little."""
    step = 0.01
    return (replace(skin, height_mm=skin.height_mm + step).volume_mm3 - skin.volume_mm3) / step
