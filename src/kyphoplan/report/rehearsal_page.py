"""The rehearsal as a part of the surgeon's page: figures, curve, stepper, leaks, credibility."""

from collections.abc import Sequence
from dataclasses import dataclass

from kyphoplan.case.rehearsal import LevelRehearsal, Rehearsal
from kyphoplan.report import credibility
from kyphoplan.report.page import Picture, environment
from kyphoplan.report.rehearsal import steps
from kyphoplan.report.rehearsal_words import Line, line, lines


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPart:
    """One level as the page shows it; ``estimated`` says whether enough was drawn."""

    row: LevelRehearsal
    estimated: bool
    groups: tuple[tuple[str, list[Line]], ...]
    leaks: tuple[Line, ...]
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
    estimated = any(measure.value is not None for measure in level.leaks.values())
    return LevelPart(
        row=level,
        estimated=estimated,
        groups=tuple(lines(level.figures, level.as_planned)),
        leaks=tuple(
            line(name, measure, share=True) for name, measure in level.leaks.items() if estimated
        ),
        curves=tuple(picture for picture in own if picture not in moving),
        steps=moving,
    )
