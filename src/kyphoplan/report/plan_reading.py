"""Somebody's own plan to be judged: our plan JSON, or trajectories as 3D Slicer markups.

Only places, sides, sizes and volumes are taken, and whether a cannula is meant to pass beside
the pedicle. What a file says of its own safety counts for nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kyphoplan.case import (
    Approach,
    Clearance,
    GertzbeinRobbins,
    Level,
    LevelPlan,
    Measure,
    Plan,
    Side,
    Trajectory,
)
from kyphoplan.errors import CaseError
from kyphoplan.io.markups import SUFFIX, Line, level_and_side, place_of, read_json, read_lines
from kyphoplan.planning.levels import approach_of
from kyphoplan.report.balloon_reading import NOT_JUDGED, Extras, balloons_and_cement
from kyphoplan.report.plan_json import SCHEMA

SHORTEST_MM = 1.0  # [mm] a shorter line has no direction worth judging
THINNEST_MM, THICKEST_MM = 0.5, 8.0  # [mm] of an instrument for a pedicle

T = TypeVar("T")
Drawn = tuple[Level, Trajectory]


def read_plan(
    path: str | Path,
    *,
    outer_diameter_mm: float,
    level: Level | None = None,
    side: Side | None = None,
) -> Plan:
    """Read trajectories to be judged by `planning.check`.

    Parameters
    ----------
    outer_diameter_mm : of the cannula [mm], where the file does not tell.
    level, side : for a trajectory whose name tells neither.

    Raises
    ------
    CaseError
        If the file cannot be used, or level or side of a trajectory stay unknown.
    """
    path = Path(path)
    extras: dict[Level, Extras] = {}
    if path.name.lower().endswith(SUFFIX):
        lines = read_lines(path)
        drawn = [_from_line(path, line, outer_diameter_mm, level, side) for line in lines]
    else:
        data = read_json(path)
        drawn = list(_from_json(path, data, outer_diameter_mm))
        extras = {
            _named(path, row, "level", Level.parse): balloons_and_cement(path, row)
            for row in _rows(path, data, "levels")
        }
    if not drawn:
        raise CaseError(f"{path}: holds no trajectory: there is nothing to check")
    levels = (
        replace(row, inflations=extra[0], fill=extra[1])
        for row in _levels(path, drawn)
        for extra in (extras.get(row.level, ((), None)),)
    )
    return Plan(levels=tuple(levels), notices=())


def _from_line(
    path: Path, line: Line, diameter: float, level: Level | None, side: Side | None
) -> Drawn:
    named_level, named_side = level_and_side(line.name)
    level, side = named_level or level, named_side or side
    if level is None:
        raise CaseError(f"{path}: does not name its vertebra: name the line, or add --level")
    if side is None:
        raise CaseError(f"{path}: does not name its side: name the line, or add --side")
    diameter = diameter if line.outer_diameter_mm is None else line.outer_diameter_mm
    return level, _trajectory(path, side, (line.entry_mm, line.target_mm), diameter)


def _from_json(path: Path, data: Any, diameter: float) -> Iterable[Drawn]:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise CaseError(f"{path}: is no plan of schema {SCHEMA}: give a plan.json or {SUFFIX}")
    for row in _rows(path, data, "levels"):
        level = _named(path, row, "level", Level.parse)
        for drawn in _rows(path, row, "trajectories"):
            ends = tuple(
                place_of(path, drawn.get(f"{end}_lps_mm"), f"{level} {end}_lps_mm")
                for end in ("entry", "target")
            )
            own = drawn.get("outer_diameter_mm", diameter)
            way = _trajectory(path, _named(path, drawn, "side", Side), ends, own)
            beside = drawn.get("approach") == Approach.EXTRAPEDICULAR
            yield level, replace(way, approach=Approach.EXTRAPEDICULAR) if beside else way


def _rows(path: Path, data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = data.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CaseError(f"{path}: {name} is no list of objects: write the plan again")
    return rows


def _named(path: Path, row: dict[str, Any], name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(str(row.get(name, "")))
    except ValueError as error:
        raise CaseError(f"{path}: {name} {row.get(name)!r} is unknown: {error}") from None


def _trajectory(
    path: Path, side: Side, ends: tuple[Any, ...], outer_diameter_mm: Any
) -> Trajectory:
    entry, target = ends
    length = float(np.linalg.norm(target - entry))
    if length < SHORTEST_MM:
        raise CaseError(f"{path}: entry and target are {length:.1f} mm apart: draw a longer line")
    if (
        isinstance(outer_diameter_mm, bool)
        or not isinstance(outer_diameter_mm, int | float)
        or not THINNEST_MM <= outer_diameter_mm <= THICKEST_MM
    ):
        raise CaseError(
            f"{path}: outer_diameter_mm {outer_diameter_mm!r} is no cannula: "
            f"give {THINNEST_MM} to {THICKEST_MM} mm"
        )
    unknown = Measure.unknown("mm", NOT_JUDGED)
    return Trajectory(
        side=side,
        approach=Approach.UNIPEDICULAR,
        entry_mm=entry,
        target_mm=target,
        outer_diameter_mm=float(outer_diameter_mm),
        clearance=Clearance(
            medial=unknown, lateral=unknown, superior=unknown, inferior=unknown, anterior=unknown
        ),
        axial_angle_deg=0.0,
        sagittal_angle_deg=0.0,
        depth_mm=length,
        grade=GertzbeinRobbins.E,
        possible=tuple(GertzbeinRobbins),
        breach_probability=Measure.unknown("1", NOT_JUDGED),
        accepted=False,
        reason=NOT_JUDGED,
    )


def _levels(path: Path, drawn: list[Drawn]) -> Iterable[LevelPlan]:
    """Put the trajectories of each level together, left first; one on each side at most."""
    ordered = sorted(drawn, key=lambda d: (d[0], d[1].side))
    for level, group in groupby(ordered, key=lambda d: d[0]):
        trajectories = tuple(trajectory for _, trajectory in group)
        sides = [t.side for t in trajectories]
        if len(set(sides)) < len(sides):
            raise CaseError(f"{path}: {level} has two trajectories on one side: keep one")
        through = Approach.BIPEDICULAR if len(sides) > 1 else Approach.UNIPEDICULAR
        ways = tuple(
            t if t.approach is Approach.EXTRAPEDICULAR else replace(t, approach=through)
            for t in trajectories
        )
        yield LevelPlan(
            level=level,
            approach=approach_of(ways),
            reason=NOT_JUDGED,
            trajectories=ways,
            refused=(),
            inflations=(),
            fill=None,
        )
