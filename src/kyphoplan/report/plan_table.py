"""The figures of a planned level as a table: one column per side, one row per figure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kyphoplan.case import Fill, Inflation, LevelPlan, Measure, Side, Trajectory
from kyphoplan.geometry import Array
from kyphoplan.report.wording import decimal, unit_sign

WALLS = ("medial", "lateral", "superior", "inferior", "anterior")
PERCENT = 100.0  # [%] of a probability of 1
DASH = "–"  # noqa: RUF001


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure as it is shown: text, 95 % interval in small, and where that comes from."""

    text: str
    interval: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure of both sides: left, right."""

    title: str
    group: str
    left: Cell
    right: Cell


def rows_of(plan: LevelPlan) -> tuple[Row, ...]:
    """Return all rows of a level; a side without a cannula shows dashes."""
    rows = list(_cannula_rows(plan))
    if plan.inflations:
        rows += _balloon_rows(plan)
    if plan.fill is not None:
        cells = [cell(_cement(plan.fill, side), 1) for side in (Side.LEFT, Side.RIGHT)]
        rows.append(Row(title="Volume", group="Cement", left=cells[0], right=cells[1]))
    return tuple(rows)


def cell(measure: Measure, digits: int) -> Cell:
    """Return a measure as a cell; a probability (unit "1") as percent.

    Examples
    --------
    >>> cell(Measure.of(0.062, 0.004, "1", "aims"), 1)
    Cell(text='6.2 %', interval='5.4 to 7.0', reason='aims')
    """
    if measure.value is None or measure.low is None or measure.high is None:
        return Cell(text=DASH, reason=measure.reason)
    scale, sign = (PERCENT, " %") if measure.unit == "1" else (1.0, unit_sign(measure.unit))
    value, low, high = (
        decimal(scale * x, digits) for x in (measure.value, measure.low, measure.high)
    )
    return Cell(text=value + sign, interval=f"{low} to {high}", reason=measure.reason)


def shown(measure: Measure, digits: int) -> str:
    """Return a measure on one line.

    Examples
    --------
    >>> shown(Measure.of(31.2, 2.0, "%", "heights"), 0)
    '31 % (27 to 35)'
    """
    made = cell(measure, digits)
    return f"{made.text} ({made.interval})" if made.interval else made.text


def _cannula_rows(plan: LevelPlan) -> Iterator[Row]:
    figures: tuple[tuple[str, str, Callable[[Trajectory], Cell]], ...] = (
        ("Verdict", "Cannula", _verdict),
        ("Approach", "Cannula", lambda t: Cell(text=str(t.approach))),
        (
            "Outer diameter",
            "Cannula",
            lambda t: Cell(text=f"{decimal(t.outer_diameter_mm, 1)} mm"),
        ),
        ("Entry (L, P, S)", "Cannula", lambda t: Cell(text=_point(t.entry_mm))),
        ("Tip (L, P, S)", "Cannula", lambda t: Cell(text=_point(t.target_mm))),
        ("Depth in the bone", "Cannula", lambda t: Cell(text=f"{decimal(t.depth_mm, 1)} mm")),
        ("Axial angle", "Cannula", lambda t: Cell(text=_axial(t.axial_angle_deg))),
        ("Sagittal angle", "Cannula", lambda t: Cell(text=_sagittal(t.sagittal_angle_deg))),
        *((f"To the {wall} wall", "Clearance", _clearance(wall)) for wall in WALLS),
        ("Gertzbein-Robbins grade", "Safety", lambda t: Cell(text=str(t.grade))),
        ("Breach probability", "Safety", lambda t: cell(t.breach_probability, 1)),
    )
    by_side = {t.side: t for t in plan.trajectories}
    for title, group, make in figures:
        cells = [
            make(by_side[side]) if side in by_side else Cell(text=DASH)
            for side in (Side.LEFT, Side.RIGHT)
        ]
        yield Row(title=title, group=group, left=cells[0], right=cells[1])


def _balloon_rows(plan: LevelPlan) -> Iterator[Row]:
    figures: tuple[tuple[str, Callable[[Inflation], Cell]], ...] = (
        ("Device", lambda b: Cell(text=b.device, reason=b.reason)),
        ("Fits", lambda b: Cell(text="yes" if b.accepted else "no", reason=b.reason)),
        ("Length, diameter", _balloon_size),
        ("Volume", lambda b: Cell(text=f"{decimal(b.volume_ml, 1)} ml")),
        ("Rated limits", _rated),
        ("Smallest margin", lambda b: cell(b.margin_mm, 1)),
    )
    by_side = {b.side: b for b in plan.inflations}
    for title, make in figures:
        cells = [
            make(by_side[side]) if side in by_side else Cell(text=DASH)
            for side in (Side.LEFT, Side.RIGHT)
        ]
        yield Row(title=title, group="Balloon", left=cells[0], right=cells[1])


def _verdict(t: Trajectory) -> Cell:
    return Cell(text="accepted" if t.accepted else "REFUSED", reason=t.reason)


def _clearance(wall: str) -> Callable[[Trajectory], Cell]:
    return lambda t: cell(getattr(t.clearance, wall), 1)


def _point(at_mm: Array) -> str:
    return ", ".join(decimal(float(x), 1) for x in at_mm) + " mm"


def _axial(angle: float) -> str:
    side = "towards" if angle >= 0.0 else "away from"
    return f"{decimal(abs(angle), 0)}° {side} the mid-line"


def _sagittal(angle: float) -> str:
    return f"{decimal(abs(angle), 0)}° to the {'head' if angle >= 0.0 else 'feet'}"


def _balloon_size(b: Inflation) -> Cell:
    return Cell(text=f"{decimal(b.length_mm, 1)} mm, {decimal(b.diameter_mm, 1)} mm")


def _rated(b: Inflation) -> Cell:
    volume, pressure = decimal(b.largest_volume_ml, 1), decimal(b.largest_pressure_bar, 0)
    return Cell(text=f"{volume} ml, {pressure} bar")


def _cement(fill: Fill, side: Side) -> Measure:
    return fill.left if side is Side.LEFT else fill.right
