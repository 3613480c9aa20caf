"""The surgeon's page: warnings first, every figure of the plan, nothing of a file is markup."""

from dataclasses import replace
from pathlib import Path

import pytest

from kyphoplan.case import GertzbeinRobbins, Measure, Plan
from kyphoplan.report import draw_plans, surgeon_page, write_surgeon
from kyphoplan.report.plan_table import WALLS, columns_of, rows_of
from kyphoplan.report.surgeon import warnings

from ..planned import HOSTILE, planned


@pytest.fixture(scope="module")
def page() -> str:
    c = planned()
    return surgeon_page(c.plan, c.spine, c.measurements, c.ct)


def test_warnings_stand_before_the_plan_and_the_worst_comes_first(page: str) -> None:
    assert page.index('class="warning critical"') < page.index('aria-label="Plan of L1"')
    assert "no cannula is planned: not safely reachable" in page


def test_text_from_outside_is_never_markup(page: str) -> None:
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 2


def test_every_figure_of_a_cannula_is_in_the_table_with_its_interval() -> None:
    rows = {row.title: row for row in rows_of(planned().plan.levels[0])}
    assert all(rows[f"To the {wall} wall"].cells[0].interval for wall in WALLS)
    assert rows["To the medial wall"].cells[0].text == "1.6 mm"
    assert rows["Breach probability"].cells[1].text == "6.2 %"
    assert rows["Breach probability"].cells[1].interval == "5.4 to 7.0"
    assert rows["Gertzbein-Robbins grade"].cells[0].text == "A"
    assert rows["Axial angle"].cells[0].text == "11° towards the mid-line"
    assert rows["Sagittal angle"].cells[0].text == "2° to the feet"
    assert rows["Outer diameter"].cells[0].text == "4.2 mm"


def test_a_side_without_cannula_shows_dashes_and_a_gap_its_reason() -> None:
    level = planned().plan.levels[0]
    unknown = Measure.unknown("mm", "wall not found")
    t = level.trajectories[0]
    t = replace(t, clearance=replace(t.clearance, medial=unknown), grade=GertzbeinRobbins.B)
    rows = {row.title: row for row in rows_of(replace(level, trajectories=(t,)))}
    assert (
        rows["To the medial wall"].cells[0].text
        == rows["Outer diameter"].cells[1].text
        == "\u2013"
    )
    assert rows["To the medial wall"].cells[0].reason == "wall not found"


def test_every_cannula_has_its_own_column_and_picture_even_on_one_side() -> None:
    c = planned()
    level = c.plan.levels[0]
    twice = replace(level, trajectories=(*level.trajectories, level.trajectories[0]))
    assert [column.name for column in columns_of(twice)] == ["left", "left-2", "right"]
    assert all(len(row.cells) == 3 for row in rows_of(twice))
    names = [p.name for p in draw_plans(Plan(levels=(twice,), notices=()), c.spine)]
    assert len(set(names)) == len(names) == 4


def test_a_balloon_that_does_not_fit_has_no_size() -> None:
    level = planned().plan.levels[0]
    none = replace(level.inflations[0], accepted=False, diameter_mm=0.0, reason="no room")
    rows = {
        r.title: r for r in rows_of(replace(level, inflations=(none,))) if r.group == "Balloon"
    }
    assert [rows[t].cells[0].text for t in ("Fits", "Volume")] == ["NO", "\u2013"]


def test_limits_that_were_not_seen_in_print_say_so() -> None:
    level = planned().plan.levels[0]
    unsure = replace(level, inflations=(replace(level.inflations[0], verified=False),))
    for plan, said in ((level, False), (unsure, True)):
        row = next(r for r in rows_of(plan) if r.title == "Limits of the device")
        assert row.cells[0].text.endswith(", unverified") is said


def test_cement_outside_the_evidence_is_warned_of_and_stands_in_the_table() -> None:
    c = planned()
    level = c.plan.levels[0]
    assert level.fill is not None
    bad = replace(level, fill=replace(level.fill, accepted=False, reason="9.0 ml: too much"))
    texts = [n.text for n in warnings(Plan(levels=(bad,), notices=()), c.measurements)]
    assert "the cement is refused: 9.0 ml: too much" in texts
    assert rows_of(bad)[-1].cells[0].text == "NO"


def test_a_refused_cannula_is_warned_of() -> None:
    c = planned()
    level = c.plan.levels[0]
    bad = replace(level.trajectories[1], accepted=False, reason="crosses the canal")
    plan = Plan(levels=(replace(level, trajectories=(bad,)),), notices=())
    texts = [n.text for n in warnings(plan, c.measurements)]
    assert "the right cannula is refused: crosses the canal" in texts


def test_a_plan_of_no_level_still_makes_a_page() -> None:
    c = planned()
    page = surgeon_page(Plan(levels=(), notices=()), c.spine, c.measurements)
    assert "no level planned" in page
    assert 'class="viewer"' not in page


def test_the_folder_gets_the_page_and_its_pictures(tmp_path: Path) -> None:
    c = planned()
    write_surgeon(tmp_path, c.plan, c.spine, c.measurements, c.ct)
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*"))
    figures = [f"figures/L1-plan-{n}.png" for n in ("axial", "left", "right")]
    assert names == [*figures, "surgeon.html"]
    assert (tmp_path / "surgeon.html").stat().st_size < 20e6
