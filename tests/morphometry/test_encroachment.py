"""Bone in the canal: retropulsion and lost area rise with what the phantom pushes back."""

import pytest

from kyphoplan.case import Level, Measurements
from kyphoplan.phantom import Phantom

from .conftest import Measured, Measuring, broken

pytestmark = pytest.mark.slow
PUSHED_MM = (0.0, 3.0, 6.0)


@pytest.fixture(scope="module")
def series(measuring: Measuring) -> list[Measured]:
    """The same wedge with more and more bone pushed into the canal."""
    return [
        measuring(broken(anterior_loss=0.3, middle_loss=0.2, retropulsion_mm=mm), step_mm=1.0)
        for mm in PUSHED_MM
    ]


def test_retropulsion_rises_with_the_fragment(series: list[Measured]) -> None:
    found = [s.figures["L1"].retropulsion for s in series]
    values = [figure.value for figure in found]
    assert values == sorted(values)  # type: ignore[type-var]
    for figure, true in zip(found, PUSHED_MM, strict=True):
        assert figure.value == pytest.approx(true, abs=3.0 * figure.sd)


def test_canal_compromise_rises_with_the_fragment(series: list[Measured]) -> None:
    found = [s.figures["L1"].canal_compromise.value for s in series]
    true = [s.image.truth["L1"].canal_compromise_pct for s in series]
    assert found == sorted(found)  # type: ignore[type-var]
    for value, known in zip(found, true, strict=True):
        assert value == pytest.approx(known, abs=3.0)


def test_the_canals_area_falls_by_what_is_lost(series: list[Measured]) -> None:
    areas = [s.figures["L1"].canal_area.value for s in series]
    assert areas == sorted(areas, reverse=True)  # type: ignore[type-var]


def test_neighbours_of_a_burst_lose_no_canal(series: list[Measured]) -> None:
    for name in ("T12", "L2"):
        areas = [s.figures[name].canal_area.value for s in series]
        assert max(areas) - min(areas) < 0.03 * min(areas)  # type: ignore[type-var,operator]


def test_without_an_intact_vertebra_above_and_below_nothing_is_said(
    series: list[Measured],
) -> None:
    figures: Measurements = series[0].figures
    for name in ("T12", "L2"):
        for figure in (figures[name].retropulsion, figures[name].canal_compromise):
            assert figure.value is None
            assert "above and below" in figure.reason


def test_a_healthy_spine_has_neither(measuring: Measuring) -> None:
    levels = (Level.T11, Level.T12, Level.L1, Level.L2)
    figures = measuring(Phantom(levels=levels, kyphosis_deg=8.0)).figures
    for name in ("T12", "L1"):
        assert figures[name].retropulsion.low == 0.0
        assert figures[name].canal_compromise.low == 0.0
