"""Every figure has a value in its interval, or none and a reason; sides and units are right."""

import pytest

from kyphoplan.case import Level, Measure, Measurements, Severity
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Phantom

from .conftest import Measured, Measuring, broken

pytestmark = pytest.mark.slow


def every_measure(figures: Measurements) -> list[tuple[str, Measure]]:
    """All figures with their names."""
    rows = [
        (f"{row.level} {name}", value)
        for row in figures.vertebrae
        for name in row.__slots__
        if isinstance(value := getattr(row, name), Measure)
    ]
    gaps = [(f"{r.level} {g.site}", g.area) for r in figures.vertebrae for g in r.cortical_gaps]
    return rows + gaps + [(f"{k.upper}-{k.lower}", k.cobb) for k in figures.kyphosis]


@pytest.mark.parametrize("with_ct", [True, False], ids=["CT", "labels"])
@pytest.mark.parametrize("step_mm", [1.2, 3.0])
def test_every_figure_lies_in_its_interval_and_has_its_reason(
    measuring: Measuring, step_mm: float, with_ct: bool
) -> None:
    phantom = broken(anterior_loss=0.5, middle_loss=0.4, retropulsion_mm=4.0)
    for name, figure in every_measure(
        measuring(phantom, step_mm=step_mm, with_ct=with_ct).figures
    ):
        assert figure.reason, name
        if figure.value is not None:
            assert figure.low is not None
            assert figure.high is not None
            assert figure.low <= figure.value <= figure.high, name
            assert figure.high > figure.low, f"{name} is not known exactly"


def test_coarser_voxels_never_make_heights_surer(measuring: Measuring) -> None:
    phantom = Phantom(levels=(Level.T12, Level.L1))
    widths = [
        measuring(phantom, step_mm=step).figures["L1"].anterior_height.sd
        for step in (1.0, 2.0, 3.0)
    ]
    assert widths == sorted(widths)


def test_the_ct_makes_heights_surer(measuring: Measuring, intact: Measured) -> None:
    from_labels = measuring(Phantom(levels=(Level.T12, Level.L1, Level.L2)), step_mm=1.0)
    for row in intact.figures.vertebrae:
        assert row.anterior_height.sd < from_labels.figures[row.level].anterior_height.sd


def test_measuring_twice_gives_the_same(intact: Measured) -> None:
    again = measure(intact.spine, intact.image.ct)
    for first, second in zip(every_measure(intact.figures), every_measure(again), strict=True):
        assert first == second


def test_what_is_missing_or_coarse_is_told_as_a_notice(measuring: Measuring) -> None:
    phantom = Phantom(levels=(Level.T12, Level.L1))
    coarse = {n.code: n for n in measuring(phantom, step_mm=3.0).figures.notices}
    assert coarse["no_ct"].severity is Severity.INFO
    assert coarse["coarse_voxels"].severity is Severity.WARNING
    fine = {n.code for n in measuring(phantom, step_mm=1.0).figures.notices}
    assert "coarse_voxels" not in fine
    assert all(n.text and n.remedy for n in coarse.values())


def test_a_grade_at_a_cut_is_warned_of(measuring: Measuring) -> None:
    figures = measuring(broken(anterior_loss=0.4, middle_loss=0.25)).figures
    row = figures["L1"]
    assert len(row.genant.possible) > 1
    assert [n.level for n in figures.notices if n.code == "grade_spans_cut"] == [Level.L1]
