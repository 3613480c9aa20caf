"""The rehearsal as a part of the surgeon's page: figures, curve, stepper, leaks, credibility."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kyphoplan.case import Measure
from kyphoplan.case.rehearsal import LevelRehearsal, Rehearsal
from kyphoplan.report import credibility
from kyphoplan.report.page import Picture, environment
from kyphoplan.report.rehearsal import steps

Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPart:
    """One level as the page shows it."""

    row: LevelRehearsal
    figures: tuple[Row, ...]
    curves: tuple[Picture, ...]
    steps: tuple[Picture, ...]


def rehearsal_fragment(rehearsal: Rehearsal, pictures: Sequence[Picture]) -> str:
    """Return the part of the page; everything that came from a file is escaped."""
    template = environment().get_template("rehearsal.html")
    return template.render(
        levels=[_part(level, pictures) for level in rehearsal.levels], credibility=credibility
    )


def _part(level: LevelRehearsal, pictures: Sequence[Picture]) -> LevelPart:
    own = [picture for picture in pictures if picture.level == str(level.level)]
    moving = steps(own)
    return LevelPart(
        row=level,
        figures=tuple(_rows(level)),
        curves=tuple(picture for picture in own if picture not in moving),
        steps=moving,
    )


def _rows(level: LevelRehearsal) -> Iterator[Row]:
    for name, measure in level.figures.items():
        yield _row(name.replace("_", " "), measure)
    for name, measure in level.leaks.items():
        yield _row(f"chance of a leak: {name}", measure)


def _row(title: str, measure: Measure) -> Row:
    if measure.value is None or measure.low is None or measure.high is None:
        return title, "cannot tell", "", measure.reason
    unit = "" if measure.unit == "1" else f" {measure.unit}"
    return (
        title,
        f"{measure.value:.3g}{unit}",
        f"{measure.low:.3g} to {measure.high:.3g}",
        measure.reason,
    )
