"""Balloons that crush bone: volume in, pressure out, increment by increment; then let down.

In each increment the balloons take a set volume more. Their pressure acts on the bone around
them, which crushes where it must; the pressures are unknowns beside the displacement, and the
increment is done when the unbalanced force is small and the volume is right. Then everything is
moved: the bone with its mineral and stress (`material_points`), and the skins (`balloon_shape`).
At the end the pressure is let out, the bone springs back a little, and the void remains.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation import material_points as mp
from kyphoplan.simulation.balancing import BALANCE, Balanced, Block, balance
from kyphoplan.simulation.balloon_shape import Skin
from kyphoplan.simulation.bone_law import BoneLaw
from kyphoplan.simulation.elasticity import Method
from kyphoplan.simulation.gauge import touching
from kyphoplan.simulation.octants import BEARS, LEAST_SHARE, Octants, octants
from kyphoplan.simulation.yielding import happened

STRIDE = 0.4  # [voxel] mean path of the skin in one increment
FIRST = (0.05, 0.25)  # [1] of a stride: the first increments, while the bone begins to yield
LET_DOWN = (0.5, 0.0)  # [1] of the pressure, in turn
TOOL_MPA = 500.0  # [MPa] of a cannula in its track: far stiffer than the bone around it
FULL, OVER = 0.98, 1.01  # [1] of its largest pressure: a balloon is full; is too full
CUTS, LEAST_CUT = 4, 0.1  # [1] times an increment is made smaller, and by how much at most
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
        self.work = self.dissipated = self.stored = 0.0
        self.gained = np.zeros(len(tamps))
        self.now = self._mapped()

    def _mapped(self) -> Octants:
        return octants(self.points, self.skins, self.block.active, self.edge, self.law)

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
            stride = np.minimum(left, self._stride(left, len(done)))
            done.append(self._grown(np.where(open_, stride, 0.0) * inside, limits))
            told(done[-1])

    def _grown(self, volumes: Array, limits: Array) -> Increment:
        """Make an increment, smaller if a balloon would pass its largest pressure."""
        state = self._balanced(volumes, self.pressures)
        for _ in range(CUTS):
            growing = (volumes > 0.0) & (state.pressures > OVER * limits)
            if not growing.any():
                break
            rise = np.where(growing, state.pressures - self.pressures, 1.0)
            part = np.where(growing, (limits - self.pressures) / rise, 1.0).min()
            volumes = max(float(part), LEAST_CUT) * volumes
            state = self._balanced(volumes, self.pressures)
        return self._moved(state)

    def _stride(self, left: Array, number: int) -> Array:
        """Return the volumes of the next increment: a set path of the skins."""
        area = np.array([_area(skin) for skin in self.skins])
        part = FIRST[number] if number < len(FIRST) else 1.0
        stride = part * STRIDE * self.edge * area
        return np.asarray(left / np.ceil(np.maximum(left / stride - NEARLY, 1.0)))

    def _balanced(self, volumes: Array | None, pressures: Array) -> Balanced:
        """Balance one increment, beginning with how the last one went on."""
        guess = np.zeros(self.displacement_mm.shape)
        if volumes is not None and self.gained.any():
            guess = self.displacement_mm * float(volumes.sum() / self.gained.sum())
        least = np.zeros(len(pressures)) if pressures.any() else self.pressures
        return balance(self.block, self.now, guess, pressures, volumes, least_pressures=least)

    def let_down(self) -> list[Increment]:
        """Take the pressure out; the bone springs back."""
        full = self.pressures.copy()
        return [self._moved(self._balanced(None, full * part)) for part in LET_DOWN]

    def _moved(self, state: Balanced) -> Increment:
        """Move everything as an increment has come out."""
        u = state.displacement_mm
        change = np.zeros((*self.now.tissue.shape, 8))
        given = (self.edge, self.now.law, self.now.stress, self.now.whole)
        stored, lost = happened(u, *given, BEARS * self.law.soft_mpa / 2.6, change)
        gained = state.gained_mm3
        self.work += float(0.5 * (self.pressures + state.pressures) @ gained)
        self.dissipated += lost
        self.stored = stored
        change[..., 1:7] /= np.maximum(self.now.tissue, LEAST_SHARE)[..., None]  # of the bone
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
        self.now = self._mapped()
        return Increment(
            volume_mm3=tuple(skin.volume_mm3 for skin in self.skins),
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


def _area(skin: Skin) -> float:
    """Return the area of a skin [mm2], as the gain of volume when it is shifted a little."""
    step = 0.01
    return (replace(skin, height_mm=skin.height_mm + step).volume_mm3 - skin.volume_mm3) / step
