"""The figures of a planned level as a table: one column per cannula, one row per figure."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from kyphoplan.case import Fill, Inflation, LevelPlan, Measure, Side, Trajectory
from kyphoplan.geometry import Array
from kyphoplan.report.wording import decimal, unit_sign

T = TypeVar("T")

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
    """A figure of all columns."""

    title: str
    group: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One cannula with its balloon; ``number`` counts those of one side from 1."""

    side: Side
    number: int
    trajectory: Trajectory | None
    inflation: Inflation | None

    @property
    def name(self) -> str:
        """The side, with its number from the second on: ``left``, ``left-2``."""
        return str(self.side) if self.number == 1 else f"{self.side}-{self.number}"


def columns_of(plan: LevelPlan) -> tuple[Column, ...]:
    """Return the columns, left first; both sides are always there, every cannula has its own."""
    made = []
    for side in (Side.LEFT, Side.RIGHT):
        cannulas = [t for t in plan.trajectories if t.side is side]
        balloons = [b for b in plan.inflations if b.side is side]
        pairs = list(zip_longest(cannulas, balloons)) or [(None, None)]
        for number, (t, b) in enumerate(pairs, start=1):
            made.append(Column(side=side, number=number, trajectory=t, inflation=b))
    return tuple(made)


def rows_of(plan: LevelPlan) -> tuple[Row, ...]:
    """Return all rows of a level, with a cell for each of `columns_of`; dashes where none is."""
    columns = columns_of(plan)
    rows = [
        Row(title=title, group=group, cells=tuple(_of(make, c.trajectory) for c in columns))
        for title, group, make in _CANNULA
    ]
    if plan.inflations:
        rows += [
            Row(title=title, group="Balloon", cells=tuple(_of(make, c.inflation) for c in columns))
            for title, make in _BALLOON
        ]
    if plan.fill is not None:
        fill = plan.fill
        cells = tuple(_cement(fill, column) for column in columns)
        rows.append(Row(title="Volume", group="Cement", cells=cells))
        if fill.total.value is not None and not fill.accepted:
            no = Cell(text="NO", reason=fill.reason)
            rows.append(
                Row(title="Within the evidence", group="Cement", cells=(no,) * len(columns))
            )
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


def _of(make: Callable[[T], Cell], noun: T | None) -> Cell:
    return Cell(text=DASH) if noun is None else make(noun)


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


def _size(b: Inflation) -> Cell:
    return Cell(text=f"{decimal(b.length_mm, 1)} mm, {decimal(b.diameter_mm, 1)} mm")


def _rated(b: Inflation) -> Cell:
    volume, pressure = decimal(b.largest_volume_ml, 1), decimal(b.largest_pressure_bar, 0)
    status = "" if b.verified else ", unverified"
    why = "" if b.verified else "not seen in print: read the limits on the pack"
    return Cell(text=f"{volume} ml, {pressure} bar{status}", reason=why)


def _if_placed(make: Callable[[Inflation], Cell]) -> Callable[[Inflation], Cell]:
    return lambda b: make(b) if b.diameter_mm > 0.0 else Cell(text=DASH)


def _cement(fill: Fill, column: Column) -> Cell:
    """Return the cement of a side, in its first column only."""
    if column.number > 1:
        return Cell(text=DASH)
    return cell(fill.left if column.side is Side.LEFT else fill.right, 1)


_CANNULA: tuple[tuple[str, str, Callable[[Trajectory], Cell]], ...] = (
    ("Verdict", "Cannula", _verdict),
    ("Approach", "Cannula", lambda t: Cell(text=str(t.approach))),
    ("Outer diameter", "Cannula", lambda t: Cell(text=f"{decimal(t.outer_diameter_mm, 1)} mm")),
    ("Entry (L, P, S)", "Cannula", lambda t: Cell(text=_point(t.entry_mm))),
    ("Tip (L, P, S)", "Cannula", lambda t: Cell(text=_point(t.target_mm))),
    ("Depth in the bone", "Cannula", lambda t: Cell(text=f"{decimal(t.depth_mm, 1)} mm")),
    ("Axial angle", "Cannula", lambda t: Cell(text=_axial(t.axial_angle_deg))),
    ("Sagittal angle", "Cannula", lambda t: Cell(text=_sagittal(t.sagittal_angle_deg))),
    *((f"To the {wall} wall", "Clearance", _clearance(wall)) for wall in WALLS),
    ("Gertzbein-Robbins grade", "Safety", lambda t: Cell(text=t.grades)),
    ("Breach probability", "Safety", lambda t: cell(t.breach_probability, 1)),
)
_BALLOON: tuple[tuple[str, Callable[[Inflation], Cell]], ...] = (
    ("Fits", lambda b: Cell(text="yes" if b.accepted else "NO", reason=b.reason)),
    ("Device", lambda b: Cell(text=b.device)),
    ("Length, diameter", _if_placed(_size)),
    ("Volume", _if_placed(lambda b: Cell(text=f"{decimal(b.volume_ml, 1)} ml"))),
    ("Limits of the device", _if_placed(_rated)),
    ("Smallest margin", lambda b: cell(b.margin_mm, 1)),
)
