"""A plan as strict JSON: the contract ``kyphoplan.plan/1``."""

from kyphoplan import __version__
from kyphoplan.case import Fill, Inflation, LevelPlan, Plan, Trajectory
from kyphoplan.geometry import Array
from kyphoplan.report.tables import Json, measure_to_json, notice_to_json
from kyphoplan.report.wording import INTENDED_USE

SCHEMA = "kyphoplan.plan/1"
WALLS = ("medial", "lateral", "superior", "inferior", "anterior")


def plan_to_json(plan: Plan) -> Json:
    """Return a plan as a tree of plain values that JSON holds without loss.

    Positions are LPS millimetres. Each clearance and the breach probability stand once as a plain
    number, for programs, and once with interval and reason, under ``measures``.
    """
    return {
        "schema": SCHEMA,
        "intended_use": INTENDED_USE,
        "made_by": f"kyphoplan {__version__}",
        "space": "LPS",
        "unit": "mm",
        "warnings": [notice_to_json(notice) for notice in plan.notices],
        "levels": [_level(level) for level in plan.levels],
    }


def _level(level: LevelPlan) -> Json:
    return {
        "level": str(level.level),
        "approach": str(level.approach),
        "reason": level.reason,
        "trajectories": [_trajectory(trajectory) for trajectory in level.trajectories],
        "refused": list(level.refused),
        "balloons": [_balloon(inflation) for inflation in level.inflations],
        "cement": None if level.fill is None else _cement(level.fill),
    }


def _trajectory(trajectory: Trajectory) -> Json:
    clearance = {wall: getattr(trajectory.clearance, wall) for wall in WALLS}
    return {
        "side": str(trajectory.side),
        "approach": str(trajectory.approach),
        "entry_lps_mm": _place(trajectory.entry_mm),
        "target_lps_mm": _place(trajectory.target_mm),
        "outer_diameter_mm": trajectory.outer_diameter_mm,
        "clearance_mm": {wall: measure.value for wall, measure in clearance.items()},
        "axial_angle_deg": trajectory.axial_angle_deg,
        "sagittal_angle_deg": trajectory.sagittal_angle_deg,
        "depth_mm": trajectory.depth_mm,
        "gertzbein_robbins": str(trajectory.grade),
        "gertzbein_robbins_possible": [str(grade) for grade in trajectory.possible],
        "breach_probability": trajectory.breach_probability.value,
        "accepted": trajectory.accepted,
        "reason": trajectory.reason,
        "measures": {
            "clearance_mm": {wall: measure_to_json(m) for wall, m in clearance.items()},
            "breach_probability": measure_to_json(trajectory.breach_probability),
        },
    }


def _balloon(inflation: Inflation) -> Json:
    return {
        "side": str(inflation.side),
        "device": inflation.device,
        "centre_lps_mm": _place(inflation.centre_mm),
        "axis_lps": _place(inflation.axis),
        "length_mm": inflation.length_mm,
        "diameter_mm": inflation.diameter_mm,
        "volume_ml": inflation.volume_ml,
        "largest_volume_ml": inflation.largest_volume_ml,
        "largest_pressure_bar": inflation.largest_pressure_bar,
        "limits": "printed" if inflation.verified else "unverified",
        "margin_mm": measure_to_json(inflation.margin_mm),
        "accepted": inflation.accepted,
        "reason": inflation.reason,
    }


def _cement(fill: Fill) -> Json:
    return {
        "volume_ml": measure_to_json(fill.total),
        "left_ml": measure_to_json(fill.left),
        "right_ml": measure_to_json(fill.right),
        "fraction_pct": measure_to_json(fill.fraction),
        "basis": fill.basis,
        "accepted": fill.accepted,
        "reason": fill.reason,
    }


def _place(place: Array) -> list[float]:
    return [float(x) for x in place]
