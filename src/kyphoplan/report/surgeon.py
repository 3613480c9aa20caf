"""The page for the surgeon: warnings, each level with its pictures, the viewer, the basis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from kyphoplan import __version__, viewer
from kyphoplan.case import (
    Assessment,
    LevelPlan,
    Measure,
    Measurements,
    Notice,
    Plan,
    Rehearsal,
    Severity,
    Spine,
    Volume,
)
from kyphoplan.case.mesh import Mesh
from kyphoplan.io import write_json
from kyphoplan.report.assessment_json import assessment_to_json
from kyphoplan.report.assessment_page import assessment_section
from kyphoplan.report.cannulas import draw_cannula, draw_plan
from kyphoplan.report.page import Picture, environment
from kyphoplan.report.plan_table import Column, Row, columns_of, rows_of, shown
from kyphoplan.report.rehearsal import write_rehearsal
from kyphoplan.report.rehearsal_page import rehearsal_fragment
from kyphoplan.report.result import png_of
from kyphoplan.report.wording import CANNOT_KNOW, INTENDED_USE

SEVERITY_ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
METHOD = (
    (
        "Cannula",
        "A straight capsule from its entry into the bone to its tip, with the cannula's outer "
        "radius. Entry and tip are given in the scan's patient frame (LPS: left, posterior and "
        "superior are positive) in millimetres.",
    ),
    (
        "Clearance",
        "Shortest signed distance from the cannula's surface to a wall of the bone; negative is "
        "outside it. Anterior is from the tip to the anterior wall of the body.",
    ),
    (
        "Angles",
        "In the vertebra's own axial and sagittal planes: towards the mid-line, and towards head "
        "or feet.",
    ),
    (
        "Grade",
        "Gertzbein and Robbins (Spine 1990;15:11): A inside the pedicle, B less than 2 mm "
        "outside, C less than 4 mm, D less than 6 mm, E more. Where the interval of the smallest "
        "clearance reaches more than one grade, all of them are named.",
    ),
    (
        "Breach probability",
        "Chance that a cannula aimed at this plan with the stated error of entry and direction "
        "leaves the bone.",
    ),
    (
        "Balloon",
        "A capsule on the cannula's axis at its largest planned size, in the body as it is broken "
        "now. Its margin is the smallest distance to walls and endplates.",
    ),
    ("Cement", "A range to aim into; filling stops at the first sign of a leak."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """One level as the page shows it."""

    plan: LevelPlan
    fracture: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    pictures: tuple[Picture, ...]

    @property
    def groups(self) -> list[tuple[str, tuple[Row, ...]]]:
        """The rows under their headings, in order."""
        return [(name, tuple(rows)) for name, rows in groupby(self.rows, lambda row: row.group)]


def write_surgeon(
    folder: Path,
    plan: Plan,
    spine: Spine,
    measurements: Measurements,
    ct: Volume | None = None,
    *,
    assessment: Assessment | None = None,
    rehearsal: Rehearsal | None = None,
) -> None:
    """Write ``surgeon.html`` and the plan's ``figures/*.png`` into an existing folder.

    With an assessment ``assessment.json`` is written too, with a rehearsal its files.
    """
    pictures = draw_plans(plan, spine, ct)
    part = ""
    if rehearsal is not None:
        part = rehearsal_fragment(rehearsal, write_rehearsal(folder, rehearsal))
    page = surgeon_page(
        plan,
        spine,
        measurements,
        ct,
        pictures=pictures,
        assessment=assessment,
        rehearsal=part,
        more=_solids(rehearsal),
    )
    (folder / "surgeon.html").write_text(page, encoding="utf-8")
    if assessment is not None:
        write_json(folder / "assessment.json", assessment_to_json(assessment))
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for picture in pictures:
        (figures / f"{picture.name}.png").write_bytes(picture.png)


def surgeon_page(  # noqa: PLR0913 - parts of a page
    plan: Plan,
    spine: Spine,
    measurements: Measurements,
    ct: Volume | None = None,
    *,
    pictures: Sequence[Picture] = (),
    rehearsal: str = "",
    more: Sequence[Mesh] = (),
    assessment: Assessment | None = None,
) -> str:
    """Return the page of a plan: one file that holds its pictures and viewer, asking no network.

    Everything that came from a file is escaped: it can name no markup.
    """
    template = environment().get_template("surgeon.html")
    return template.render(
        plan=plan,
        levels=[_view(level, measurements, pictures) for level in plan.levels],
        warnings=sorted(
            warnings(plan, measurements), key=lambda n: SEVERITY_ORDER.index(n.severity)
        ),
        measurements=measurements,
        viewer=_viewer(plan, spine, ct, more),
        rehearsal=rehearsal,
        assessment="" if assessment is None else assessment_section(assessment),
        policy=viewer.CONTENT_POLICY,
        method=METHOD,
        shown=shown,
        cannot_know=CANNOT_KNOW,
        intended_use=INTENDED_USE,
        made_by=f"kyphoplan {__version__}",
    )


def warnings(plan: Plan, measurements: Measurements) -> Iterator[Notice]:
    """Yield all there is to be warned of: what the plan refuses, its notices, the scan's."""
    for level in plan.levels:
        if not level.trajectories:
            yield _refusal(level, "no cannula is planned", level.reason)
        for t in level.trajectories:
            if not t.accepted:
                yield _refusal(level, f"the {t.side} cannula is refused", t.reason)
        for b in level.inflations:
            if not b.accepted:
                yield _refusal(level, f"no balloon on the {b.side}", b.reason)
        fill = level.fill
        if fill is not None and fill.total.value is not None and not fill.accepted:
            yield _refusal(level, "the cement is refused", fill.reason)
    yield from plan.notices
    yield from (n for n in measurements.notices if n not in plan.notices)


def draw_plans(plan: Plan, spine: Spine, ct: Volume | None = None) -> tuple[Picture, ...]:
    """Draw each planned level: all cannulas in their axial plane, then each along and across."""
    return tuple(
        picture
        for level in plan.levels
        if level.trajectories and spine[level.level].frame is not None
        for picture in _pictures(level, spine, ct)
    )


def _pictures(level: LevelPlan, spine: Spine, ct: Volume | None) -> Iterator[Picture]:
    name = str(level.level)
    yield Picture(
        name=f"{name}-plan-axial",
        level=name,
        caption="Cannulas and balloons in the axial plane along the cannulas, seen from the feet: "
        "the patient's right is on the picture's left",
        png=png_of(draw_plan(spine, level, ct)),
    )
    for column in columns_of(level):
        t = column.trajectory
        if t is None:
            continue
        yield Picture(
            name=f"{name}-plan-{column.name}",
            level=name,
            caption=f"The {t.side} cannula: sagittal along it, and across it seen from the front",
            png=png_of(draw_cannula(spine, level, t, ct)),
        )


def _refusal(level: LevelPlan, what: str, why: str) -> Notice:
    return Notice(
        code="not_planned",
        severity=Severity.CRITICAL,
        level=level.level,
        text=f"{what}: {why}",
        remedy="judge the anatomy on the images, and check a way of your own",
    )


def _view(plan: LevelPlan, measurements: Measurements, pictures: Sequence[Picture]) -> LevelView:
    found = [row for row in measurements.vertebrae if row.level is plan.level]
    loss: Measure | None = found[0].height_loss if found else None
    words = "" if loss is None else f"height loss {shown(loss, 0)}"
    if found and found[0].genant.grade is not None:
        grades = " or ".join(str(int(grade)) for grade in found[0].genant.possible)
        words = f"Genant grade {grades}, {words}"
    return LevelView(
        plan=plan,
        fracture=words,
        columns=columns_of(plan),
        rows=rows_of(plan),
        pictures=tuple(p for p in pictures if p.level == str(plan.level)),
    )


def _solids(rehearsal: Rehearsal | None) -> tuple[Mesh, ...]:
    """Collect the voids and the cement."""
    levels = () if rehearsal is None else rehearsal.levels
    return tuple(mesh for level in levels for mesh in (*level.void, *level.cloud))


def _viewer(plan: Plan, spine: Spine, ct: Volume | None, more: Sequence[Mesh] = ()) -> str:
    """Return the viewer's section; empty if no level of the plan was located."""
    if all(spine[level.level].parts is None for level in plan.levels):
        return ""
    return viewer.page_fragment(viewer.scene(spine, ct, plan, more))
