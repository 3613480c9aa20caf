"""Balloons that crush bone: volume in, pressure out, increment by increment; then let down.

In each increment the balloons take a set volume more. Their pressure acts on the bone around
them, which crushes where it must; the pressures are unknowns beside the displacement, and the
increment is done when the unbalanced force is small and the volume is right. Then everything is
moved: the bone with its mineral and stress (`material_points`), and the skins (`balloon_shape`).
At the end the pressure is let out, the bone springs back a little, and the void remains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balancing import BALANCE, Asked, Balanced, Block, balance
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.membrane import Membrane
from kyphoplan.simulation.balloon.octants import Octants, endured, octants
from kyphoplan.simulation.balloon.pacing import LEAST_PART, NEARLY, RISE, Pace
from kyphoplan.simulation.balloon.placing import keep_out
from kyphoplan.simulation.balloon.tamps import Increment, Tamp
from kyphoplan.simulation.balloon.valves import Valves
from kyphoplan.simulation.balloon.virtual_work import eased
from kyphoplan.simulation.bone_law import MOST_MINERAL, BoneLaw
from kyphoplan.simulation.elasticity import Method
from kyphoplan.simulation.gauge import touching

MOST_RISE = 1.0  # [voxel] highest rise of a skin in an increment that is let be
LET_DOWN = (0.5, 0.0)  # [1] of the pressure, in turn
OVER = 1.01  # [1] of its largest pressure: a balloon is too full
CUTS, LEAST_CUT = 4, 0.1  # [1] times an increment is made smaller, and by how much at most
CONCAVE = 1.5  # [1] pressure rises fast at first: volume over this power of it is about straight
MM3_PER_CM3 = 1000.0


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
    gave_way : whether the bone has given way to a balloon: not even a small increment finds a
        balance or lets the skin rise evenly, and none is made after it.
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
        self.limits = np.array([tamp.largest_mpa for tamp in tamps])
        self.pressures, self.pace = np.zeros(len(tamps)), Pace(edge_mm, len(tamps))
        self.markers = np.zeros((0, 3)) if markers is None else markers.copy()
        self.displacement_mm = np.zeros(held.shape)
        self.work = self.dissipated = self.stored = self.stretched = 0.0
        self.gave_way = False

    def mapped(self, points: mp.Points, skins: tuple[Skin, ...]) -> Octants:
        """Return what points and skins come to on the grid."""
        return octants(points, skins, self.block.active, self.edge, self.law)

    @cached_property
    def now(self) -> Octants:
        """What they come to at this moment; found when asked for, and kept until they move."""
        return self.mapped(self.points, self.skins)

    @property
    def shares(self) -> Array:
        """Share of each voxel inside each balloon (B, I, J, K) [1]."""
        shape = self.block.active.shape
        shares = [skin.share(shape, self.edge) for skin in self.skins]
        return np.array(shares).reshape(-1, *shape)

    @property
    def density(self) -> Array:
        """Bone mineral (I, J, K), as the voxel's mean [mg/cm3]."""
        mass = mp.gather(self.points, self.block.active.shape)[..., mp.MASS]
        return np.minimum(mass / (self.edge**3 / MM3_PER_CM3), MOST_MINERAL)

    def inflate(self, told: Callable[[Increment], None] = lambda _: None) -> list[Increment]:
        """Inflate all balloons together until each holds its volume or the bone gives way.

        A balloon at its largest pressure is closed and keeps its volume, see `Valves`.

        Raises
        ------
        CaseError
            If the first increment finds no balance.
        """
        done: list[Increment] = []
        inside = np.array([tamp.inside for tamp in self.tamps])
        valves = Valves(self.limits)
        while True:
            now = np.array([skin.volume_mm3 for skin in self.skins])
            left = np.array([tamp.volume_mm3 for tamp in self.tamps]) - now
            open_ = valves.open(now, left, self.pressures)
            if not open_.any():
                return done
            climb = self.limits - self.pressures
            stride = np.minimum(left, self.pace.stride(len(done), left, self.skins, climb))
            grown = self._grown(np.where(open_, stride, 0.0) * inside)
            if grown is None and not done:
                raise CaseError("the balloon cannot be inflated: no balance is found")
            if grown is None:
                self.gave_way = True
                return done
            done.append(grown)
            told(grown)

    def _grown(self, volumes: Array) -> Increment | None:
        """Make an increment, smaller if it finds no balance or jumps; none if that is too small.

        A balloon that would pass its largest pressure is given that pressure instead.
        """
        full, cut = np.zeros(len(volumes), bool), False
        least = self.pace.smallest(self.skins, volumes > 0.0)
        for cuts in range(1 + CUTS):
            ease = self.pace.foreseen(volumes)
            limits, begun = self.limits / ease, self.pressures / ease
            half = self._half_way(volumes)
            given = np.where(full, limits, begun)
            state = self._balanced(half, np.where(full, np.nan, volumes), given)
            over = (volumes > 0.0) & ~full & (state.pressures > OVER * limits)
            risen = float(self._rises(half, state).max()) / self.edge
            if state.unbalanced > BALANCE:
                part, cut = float(np.clip(RISE / max(risen, NEARLY), LEAST_CUT, 0.5)), True
                full[:] = False
            elif risen > MOST_RISE and not cuts:
                part = max(RISE / risen, LEAST_PART)
            elif over.any():
                rise = np.where(over, state.pressures - begun, 1.0)
                room = float(np.where(over, (limits - begun) / rise, 1.0).min())
                part, full = max(max(room, 0.0) ** CONCAVE, LEAST_CUT), full | over
            else:
                break
            if part * volumes.sum() < least and not full.any():
                return None
            volumes = part * volumes
        if state.unbalanced > BALANCE:
            return None
        self.pace.slowed(cut, state.solves)
        return self._moved(half, state, full)

    def _half_way(self, volumes: Array | None, part: float = 1.0) -> Half:
        """Guess how this increment goes on, from the last, and go half of it.

        Parameters
        ----------
        part : of their full pressure, by which the sheets are stretched [1].
        """
        guess = np.zeros(self.displacement_mm.shape)
        points, skins = self.points, self.skins
        if volumes is not None and self.pace.gained.sum() > 0.0:
            guess = self.displacement_mm * float(volumes.sum() / self.pace.gained.sum())
            points, still = points.copy(), np.zeros((*self.block.active.shape, 8))
            mp.move(points, self.points, 0.5 * guess, self.edge, still)
            skins = tuple(skin.carried(0.5 * guess, self.edge) for skin in skins)
        now = self.now if points is self.points else self.mapped(points, skins)
        membranes = tuple(
            Membrane.of(skin, push, self.edge, part, tamp.largest_mm)
            for skin, push, tamp in zip(self.skins, now.pushes, self.tamps, strict=True)
        )
        return Half(guess_mm=guess, points=points, skins=skins, now=now, membranes=membranes)

    def _balanced(self, half: Half, volumes: Array, pressures: Array) -> Balanced:
        asked = Asked(
            now=half.now,
            volumes=volumes,
            least_pressures=np.zeros(len(pressures)) if pressures.any() else self.pressures,
            membranes=half.membranes,
        )
        return balance(self.block, asked, half.guess_mm, pressures)

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
            half, pressed = self._half_way(None, part), np.full(len(full), np.nan)
            done.append(self._moved(half, self._balanced(half, pressed, full * part)))
        return done

    def _moved(
        self, half: Half, state: Balanced, full: NDArray[np.bool_] | None = None
    ) -> Increment:
        """Move everything as an increment has come out.

        Parameters
        ----------
        full : balloons that were given their largest pressure; none when they are let down.
        """
        u = state.displacement_mm
        change, stored, lost = endured(half.now, u, self.edge, self.law)
        self.dissipated += lost
        self.stretched += sum(sheet.energy(u) - sheet.energy(0.0 * u) for sheet in half.membranes)
        self.stored = stored + self.stretched
        mp.move(self.points, half.points, u, self.edge, change)
        places = mp.carried(self.markers, 0.5 * half.guess_mm, self.edge)
        self.markers = mp.carried(self.markers, u, self.edge, places)
        shift = self._carry_skins(half, state)
        keep_out(self.points, self.skins, self.edge)
        self.displacement_mm, self.pace.gained = u, state.gained_mm3
        self.pace.risen = self._rises(half, state)
        self.__dict__.pop("now", None)  # found anew when it is asked for
        pressures = state.pressures if full is None else self._told(half, state, full)
        self.work += float(0.5 * (self.pressures + pressures) @ state.gained_mm3)
        self.pace.climbed, self.pressures = pressures - self.pressures, pressures
        return Increment(
            volume_mm3=tuple(skin.volume_mm3 for skin in self.skins),
            pressure_mpa=tuple(float(p) for p in pressures),
            shift_mm=shift,
            unbalanced=state.unbalanced,
            balanced=state.unbalanced <= BALANCE,
            solves=state.solves,
            iterations=state.iterations,
            work_mj=self.work,
            stored_mj=self.stored,
            dissipated_mj=self.dissipated,
            grid_mj=self.work - self.dissipated - self.stored,
            crushing=state.yielding / half.now.crushable,
        )

    def _carry_skins(self, half: Half, state: Balanced) -> tuple[float, ...]:
        """Move the skins; return by how much each was shifted to hold its volume [mm]."""
        gains = [g / tamp.inside for g, tamp in zip(state.gained_mm3, self.tamps, strict=True)]
        wanted = [s.volume_mm3 + gain for s, gain in zip(self.skins, gains, strict=True)]
        moved = [
            skin.carried(state.displacement_mm, self.edge, read)
            for skin, read in zip(self.skins, half.skins, strict=True)
        ]
        self.skins = tuple(
            skin.holding(volume) for skin, volume in zip(moved, wanted, strict=True)
        )
        return tuple(
            float(np.mean(new.height_mm - then.height_mm))
            for new, then in zip(self.skins, moved, strict=True)
        )

    def _told(self, half: Half, state: Balanced, full: NDArray[np.bool_]) -> Array:
        """Return the pressures at its end; where the largest was given, no more [MPa]."""
        self.pace.eased = eased(self.block, half.membranes, state, self.now)
        found = self.pace.eased * state.pressures
        return np.where(full, np.minimum(found, self.limits), found)
