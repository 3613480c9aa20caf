"""Trajectories as a table (CSV) for navigation systems and spreadsheets."""

import csv
from pathlib import Path

from kyphoplan.case import LevelPlan, Plan, Trajectory
from kyphoplan.geometry import Array
from kyphoplan.io.output import replacing

COLUMNS = (
    "level",
    "side",
    "approach",
    *(
        f"{point}_{axis}_{space}_mm"
        for space in ("lps", "ras")
        for point in ("entry", "target")
        for axis in "xyz"
    ),
    "outer_diameter_mm",
    "depth_mm",
    "axial_angle_deg",
    "sagittal_angle_deg",
    "gertzbein_robbins",
    "accepted",
    "reason",
)
DIGITS = 4  # [1] decimals: 0.1 micrometre


def write_navigation(path: str | Path, plan: Plan) -> Path:
    """Write one row per trajectory: level, side, entry, target, angles and depth.

    Entry and target stand in LPS and in RAS, since navigation systems use either. No cell can be
    taken for a formula by a spreadsheet: numbers are numbers, and a text that begins like a
    formula gets an apostrophe before it.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for level in plan.levels:
            writer.writerows(_row(level, trajectory) for trajectory in level.trajectories)
    return path


def _row(level: LevelPlan, trajectory: Trajectory) -> list[str]:
    lps = (trajectory.entry_mm, trajectory.target_mm)
    ras = tuple(place * [-1.0, -1.0, 1.0] for place in lps)
    return [
        _text(str(level.level)),
        _text(trajectory.side),
        _text(trajectory.approach),
        *(number for place in (*lps, *ras) for number in _numbers(place)),
        _number(trajectory.outer_diameter_mm),
        _number(trajectory.depth_mm),
        _number(trajectory.axial_angle_deg),
        _number(trajectory.sagittal_angle_deg),
        _text(trajectory.grades),
        "yes" if trajectory.accepted else "no",
        _text(trajectory.reason),
    ]


def _numbers(place: Array) -> list[str]:
    return [_number(float(x)) for x in place]


def _number(value: float) -> str:
    return f"{round(value, DIGITS) + 0.0:.{DIGITS}f}"


def _text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    Examples
    --------
    >>> _text("=HYPERLINK(1)"), _text("L1")
    ("'=HYPERLINK(1)", 'L1')
    """
    clean = " ".join(str(text).split())
    return f"'{clean}" if clean[:1] in {"=", "+", "-", "@"} else clean
