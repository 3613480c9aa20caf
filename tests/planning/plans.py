"""A phantom with a broken L1, and trajectories drawn by hand through its pedicles."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from kyphoplan.anatomy import locate
from kyphoplan.case import (
    Approach,
    Clearance,
    GertzbeinRobbins,
    LabelMap,
    Level,
    LevelPlan,
    Measure,
    Pedicle,
    Plan,
    Side,
    Spine,
    Trajectory,
    Vertebra,
)
from kyphoplan.geometry import unit
from kyphoplan.phantom import Collapse, Phantom, scan
from kyphoplan.planning.balloon import place_balloons
from kyphoplan.planning.cement import propose_fill

VOXEL_MM = 1.0  # [mm] of the phantom below
KNOWN = Measure.of(2.0, 0.3, "mm", "made up for the test")


@dataclass(frozen=True)
class Case:
    labels: LabelMap
    spine: Spine


@cache
def case() -> Case:
    wedge = Collapse(level=Level.L1, anterior_loss=0.35, middle_loss=0.2)
    made = scan(Phantom(levels=(Level.T12, Level.L1, Level.L2), collapses=(wedge,)))
    return Case(labels=made.labels, spine=locate(made.labels, made.ct))


def through(
    vertebra: Vertebra, pedicle: Pedicle, *, outer_diameter_mm: float = 4.191
) -> Trajectory:
    """A cannula through the isthmus, converging to the anterior third of its own half."""
    assert vertebra.frame is not None
    aside = 6.0 if pedicle.side is Side.LEFT else -6.0
    target = vertebra.frame.to_patient([aside, -9.0, 0.0])
    along = unit(target - pedicle.isthmus_mm)
    entry = pedicle.isthmus_mm - 14.0 * along
    return Trajectory(
        side=pedicle.side,
        approach=Approach.BIPEDICULAR,
        entry_mm=entry,
        target_mm=target,
        outer_diameter_mm=outer_diameter_mm,
        clearance=Clearance(
            medial=KNOWN, lateral=KNOWN, superior=KNOWN, inferior=KNOWN, anterior=KNOWN
        ),
        axial_angle_deg=14.5,
        sagittal_angle_deg=-3.25,
        depth_mm=float(np.linalg.norm(target - entry)),
        grade=GertzbeinRobbins.A,
        possible=(GertzbeinRobbins.A,),
        breach_probability=Measure.of(0.05, 0.004, "1", "made up", lowest=0.0, highest=1.0),
        accepted=True,
        reason="all limits hold",
    )


def both(level: str = "L1", **options: float) -> tuple[Trajectory, ...]:
    vertebra = case().spine[level]
    return tuple(through(vertebra, pedicle, **options) for pedicle in vertebra.pedicles)


def drawn_plan() -> Plan:
    vertebra, trajectories = case().spine["L1"], both()
    inflations = place_balloons(vertebra, trajectories, VOXEL_MM)
    return Plan(
        levels=(
            LevelPlan(
                level=Level.L1,
                approach=Approach.BIPEDICULAR,
                reason="both pedicles hold the cannula",
                trajectories=trajectories,
                refused=(),
                inflations=inflations,
                fill=propose_fill(vertebra, trajectories, inflations),
            ),
        ),
        notices=(),
    )
