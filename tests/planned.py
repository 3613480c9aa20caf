"""A phantom with a broken L1 and a plan for it, made by hand: what report and viewer are shown."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from kyphoplan.anatomy import locate
from kyphoplan.case import (
    Approach,
    Clearance,
    Fill,
    GertzbeinRobbins,
    Inflation,
    Level,
    LevelPlan,
    Measure,
    Measurements,
    Notice,
    Plan,
    Severity,
    Side,
    Spine,
    Trajectory,
    Vertebra,
    Volume,
)
from kyphoplan.geometry import Array, unit
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Collapse, Phantom, scan

HOSTILE = '<script>document.title="hacked"</script>'


@dataclass(frozen=True)
class Planned:
    """A case with its plan."""

    spine: Spine
    measurements: Measurements
    plan: Plan
    ct: Volume


@cache
def planned() -> Planned:
    """Return the phantom T12 to L2 with both cannulas, balloons and cement planned in L1."""
    wedge = Collapse(level=Level.L1, anterior_loss=0.35, middle_loss=0.2)
    levels = (Level.T12, Level.L1, Level.L2)
    made = scan(Phantom(levels=levels, collapses=(wedge,)))
    spine = locate(made.labels, made.ct)
    plan = Plan(levels=(level_plan(spine["L1"]), refused_plan(Level.T12)), notices=(notice(),))
    return Planned(spine=spine, measurements=measure(spine, made.ct), plan=plan, ct=made.ct)


def notice(severity: Severity = Severity.CRITICAL) -> Notice:
    return Notice(
        code="narrow", severity=severity, level=Level.T12,
        text=f"pedicle too narrow {HOSTILE}", remedy="choose a thinner cannula",
    )  # fmt: skip


def level_plan(vertebra: Vertebra) -> LevelPlan:
    trajectories = (trajectory(vertebra, Side.LEFT), trajectory(vertebra, Side.RIGHT))
    return LevelPlan(
        level=vertebra.level,
        approach=Approach.BIPEDICULAR,
        reason="",
        trajectories=trajectories,
        refused=(),
        inflations=tuple(inflation(t) for t in trajectories),
        fill=Fill(
            left=known(2.4, "ml"), right=known(2.5, "ml"), total=known(4.9, "ml"),
            fraction=known(19.0, "%"), basis=f"void plus interdigitation {HOSTILE}",
            accepted=True, reason="",
        ),
    )  # fmt: skip


def refused_plan(level: Level) -> LevelPlan:
    return LevelPlan(
        level=level, approach=Approach.NONE,
        reason="not safely reachable: both pedicles too narrow",
        trajectories=(), refused=("left: 1.2 mm through the medial wall",),
        inflations=(), fill=None,
    )  # fmt: skip


def trajectory(vertebra: Vertebra, side: Side) -> Trajectory:
    """Return a cannula down the middle of a pedicle."""
    pedicle = vertebra.left_pedicle if side is Side.LEFT else vertebra.right_pedicle
    assert pedicle is not None
    assert vertebra.frame is not None
    inward = -vertebra.frame.left if side is Side.LEFT else vertebra.frame.left
    along: Array = unit(pedicle.axis + 0.15 * inward)
    return Trajectory(
        side=side,
        approach=Approach.BIPEDICULAR,
        entry_mm=pedicle.isthmus_mm - 14.0 * along,
        target_mm=pedicle.isthmus_mm + 24.0 * along,
        outer_diameter_mm=4.2,
        clearance=Clearance(
            medial=known(1.6, "mm"), lateral=known(1.9, "mm"), superior=known(4.0, "mm"),
            inferior=known(4.4, "mm"), anterior=known(7.2, "mm"),
        ),
        axial_angle_deg=11.0,
        sagittal_angle_deg=-2.0,
        depth_mm=38.0,
        grade=GertzbeinRobbins.A,
        possible=(GertzbeinRobbins.A,),
        breach_probability=Measure.of(
            0.062, 0.004, "1", "20 000 aims with 1 mm and 2 deg", lowest=0.0, highest=1.0
        ),
        accepted=True,
        reason="all limits hold",
    )  # fmt: skip


def inflation(t: Trajectory) -> Inflation:
    along: Array = unit(np.asarray(t.target_mm - t.entry_mm))
    return Inflation(
        side=t.side, device="balloon 15 mm / 4 ml", centre_mm=t.target_mm - 4.0 * along,
        axis=along,
        length_mm=17.0, diameter_mm=12.0, volume_ml=1.3, largest_volume_ml=4.0,
        largest_pressure_bar=27.6, verified=True, margin_mm=known(2.6, "mm"),
        accepted=True, reason="fits",
    )  # fmt: skip


def known(value: float, unit_name: str) -> Measure:
    return Measure.of(value, 0.1 * abs(value), unit_name, "made up for the test")
