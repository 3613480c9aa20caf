"""One level, operated: cut out, drilled, its balloons inflated and let down, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import (
    Inflation,
    LevelPlan,
    Side,
    Trajectory,
    Vertebra,
    VertebraMeasures,
    Volume,
)
from kyphoplan.case.rehearsal import Moment, Slices
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.planning.balloon import capsule_ml
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.placing import placed_points
from kyphoplan.simulation.balloon.tamps import Tamp
from kyphoplan.simulation.bone_law import BoneLaw
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.elasticity import Method
from kyphoplan.simulation.fracture import FractureModel, weakened
from kyphoplan.simulation.inflation import LET_DOWN, Operation
from kyphoplan.simulation.landmarks import Landmarks, landmarks
from kyphoplan.simulation.logbook import BAR_PER_MPA, Log
from kyphoplan.simulation.operative_field import PLATE, SUPPORT, Field, Surroundings, prepare

WALL_MM = 2.0  # [mm] of bone that counts as posterior wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Everything a rehearsal assumes of one patient; a draw is another set.

    Attributes
    ----------
    calibration : from HU to mineral density.
    bone : how it crushes.
    fracture : how weak the break is.
    surroundings : how far the column gives way.
    """

    calibration: Calibration
    bone: BoneLaw = field(default_factory=BoneLaw)
    fracture: FractureModel
    surroundings: Surroundings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operated:
    """A level with its voids.

    Attributes
    ----------
    field, start : as it was cut out, and its bone before the balloons.
    operation : bone and skins as they are at the end.
    moments, slices : one per increment.
    sides : of the balloons, in their order.
    middle : voxel through which the slices go.
    balanced : whether every increment is.
    """

    field: Field
    landmarks: Landmarks
    start: mp.Points
    operation: Operation
    moments: tuple[Moment, ...]
    slices: tuple[Slices, ...]
    sides: tuple[Side, ...]
    middle: NDArray[np.int64]
    balanced: bool

    @property
    def full(self) -> Moment | None:
        """The moment before the pressure is let out; None without balloons."""
        before = self.moments[: -len(LET_DOWN)] or self.moments
        return before[-1] if before else None

    @property
    def void(self) -> Array:
        """Share of each voxel that is void (I, J, K) [1]."""
        return np.minimum(self.operation.shares.sum(axis=0), 1.0)


def operate(  # noqa: PLR0913 - what is operated, and how
    vertebra: Vertebra,
    ct: Volume,
    plan: LevelPlan,
    row: VertebraMeasures,
    assumptions: Assumptions,
    *,
    edge_mm: float = 1.0,
    method: Method | None = None,
    pictures: bool = True,
    told: Callable[[Moment, float], None] = lambda moment, share: None,
) -> Operated:
    """Rehearse the balloons of one level.

    Parameters
    ----------
    pictures : whether to cut slices after each increment.
    told : called after each increment with how much of the volume is in [1].

    Raises
    ------
    CaseError
        If the level cannot be cut out or computed.
    """
    bone = prepare(vertebra, ct, plan, assumptions.calibration, assumptions.surroundings, edge_mm)
    bone = weakened(bone, vertebra, row, assumptions.fracture)
    watch = landmarks(bone, vertebra)
    sides, tamps = _tamps(bone, plan)
    points = _bone_points(bone, plan, tamps)
    operation = Operation(
        points.copy(),
        bone.active,
        _held(bone),
        bone.edge_mm,
        tamps,
        law=assumptions.bone,
        markers=watch.places,
        method=method,
    )
    log = Log(bone, watch, operation, sides, _wall(bone, vertebra, points), told, pictures)
    if tamps:
        operation.inflate(log)
        for increment in operation.let_down():
            log(increment)
    return Operated(
        field=bone,
        landmarks=watch,
        start=points,
        operation=operation,
        moments=tuple(log.moments),
        slices=tuple(log.slices),
        sides=sides,
        middle=log.middle,
        balanced=log.balanced,
    )


def _tamps(bone: Field, plan: LevelPlan) -> tuple[tuple[Side, ...], tuple[Tamp, ...]]:
    """Fold each accepted balloon into its cannula's track."""
    sides, tamps = [], []
    for balloon in plan.inflations:
        if not balloon.accepted or balloon.volume_ml <= 0.0:
            continue
        ways = [way for way in plan.trajectories if way.side is balloon.side and way.accepted]
        if not ways:
            raise CaseError(f"{plan.level}: the {balloon.side} balloon has no accepted cannula")
        start, end = (bone.to_block(place) * bone.edge_mm for place in _core(balloon))
        skin = Skin.around(start, end, 0.5 * ways[0].outer_diameter_mm)
        straight = float(np.linalg.norm(end - start))
        sides.append(balloon.side)
        tamps.append(
            Tamp(
                skin=skin,
                volume_mm3=1000.0 * balloon.volume_ml,
                largest_mpa=balloon.largest_pressure_bar / BAR_PER_MPA,
                largest_mm=_largest_radius(straight, balloon.largest_volume_ml),
            )
        )
    return tuple(sides), tuple(tamps)


def _core(balloon: Inflation) -> tuple[Array, Array]:
    """Return the ends of the line that a balloon is folded around, the tip last [mm, LPS]."""
    half = 0.5 * max(balloon.length_mm - balloon.diameter_mm, 0.0) * balloon.axis
    return balloon.centre_mm - half, balloon.centre_mm + half


def _drawn_back(plan: LevelPlan) -> tuple[Trajectory, ...]:
    """Return the accepted cannulas, drawn back to where their balloons begin."""
    behind = {b.side: _core(b)[0] for b in plan.inflations if b.accepted and b.volume_ml > 0.0}
    return tuple(
        replace(way, target_mm=behind.get(way.side, way.target_mm))
        for way in plan.trajectories
        if way.accepted
    )


def _largest_radius(straight_mm: float, volume_ml: float) -> float:
    """Radius at which a capsule with this core holds the device's largest volume [mm]."""
    radii = np.linspace(0.5, 15.0, 200)
    volumes = [capsule_ml(straight_mm, 2.0 * radius) for radius in radii]
    return float(np.interp(volume_ml, volumes, radii))


def _bone_points(bone: Field, plan: LevelPlan, tamps: tuple[Tamp, ...]) -> mp.Points:
    points = mp.fill_with_points(
        bone.tissue > 0, bone.density, bone.soft_mpa, bone.poisson, bone.weak, bone.edge_mm,
        bone.tension,
    )  # fmt: skip
    column = np.isin(bone.tissue, (PLATE, SUPPORT))[tuple(points.place.astype(int).T)]
    points = replace(points, still=column)
    tools = bone.in_track(points.place, _drawn_back(plan))
    return placed_points(points, tuple(tamp.skin for tamp in tamps), tools, bone.edge_mm)


def _held(bone: Field) -> Array:
    """Hold the outer faces of the layers that stand for the rest of the column."""
    held = np.full((*(n + 1 for n in bone.tissue.shape), 3), np.nan)
    held[:, :, 0] = held[:, :, -1] = 0.0
    return held


def _wall(bone: Field, vertebra: Vertebra, points: mp.Points) -> NDArray[np.bool_]:
    """Tell which points lie in the posterior wall of the body."""
    assert vertebra.body is not None
    wall = bone.to_block(vertebra.body.posterior_wall_mm)
    order = np.argsort(wall[:, 2])
    behind = np.interp(points.place[:, 2], wall[order, 2], wall[order, 1])
    off = (behind - points.place[:, 1]) * bone.edge_mm
    half = 0.25 * vertebra.body.width_mm / bone.edge_mm
    near = np.abs(points.place[:, 0] - wall[:, 0].mean()) < half
    level = (points.place[:, 2] > wall[:, 2].min()) & (points.place[:, 2] < wall[:, 2].max())
    return np.asarray((off > -1.0) & (off < WALL_MM) & near & level & (points.mass_mg > 0.0))
