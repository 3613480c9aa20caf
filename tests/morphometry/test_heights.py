"""Heights, what they should be, what is lost, and how that is graded."""

import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Confidence, Grade, Level, Measure, Shape, Spine, Vertebra
from kyphoplan.morphometry.heights import Expected, expected_heights, genant, grade_of, height_loss
from kyphoplan.phantom import Collapse, Phantom

from .conftest import Measured, Measuring, broken

T12, L1, L2 = Level.T12, Level.L1, Level.L2
LEVELS = (Level.T10, Level.T11, T12, L1, L2, Level.L3)


def mm(value: float, sd: float = 0.3) -> Measure:
    return Measure.of(value, sd, "mm", "given")


def three(value: float, sd: float = 0.3) -> tuple[Measure, Measure, Measure]:
    return mm(value, sd), mm(value, sd), mm(value, sd)


def bare_spine(levels: tuple[Level, ...]) -> Spine:
    """Names without anatomy: all that the expected heights look at."""
    nothing: dict[str, Any] = {field.name: None for field in fields(Vertebra)}
    rows = [
        Vertebra(**{**nothing, "level": level, "cropped": False, "reason": "given"})
        for level in levels
    ]
    return Spine(vertebrae=tuple(rows), scheme="verse", basis="given", spacing_mm=np.ones(3))


@given(st.floats(0.0, 100.0))
def test_grades_rise_with_the_loss_and_a_tie_takes_the_upper_one(loss: float) -> None:
    assert grade_of(loss) == sum(loss >= cut for cut in (20.0, 25.0, 40.0))
    for cut, grade in ((20.0, 1), (25.0, 2), (40.0, 3)):
        assert grade_of(cut) == grade
        assert grade_of(math.nextafter(cut, 0.0)) == grade - 1


@given(st.floats(0.0, 60.0), st.floats(0.1, 8.0))
def test_every_grade_that_the_interval_reaches_is_named(loss: float, sd: float) -> None:
    measured = Measure.of(loss, sd, "%", "given", lowest=0.0, highest=100.0)
    height = three(25.0 * (1 - loss / 100))
    result = genant(height, Expected(heights=three(25.0), basis="given"), measured)
    assert measured.low is not None
    assert measured.high is not None
    span = range(int(grade_of(measured.low)), int(grade_of(measured.high)) + 1)
    assert [int(grade) for grade in result.possible] == list(span)
    assert result.grade in result.possible
    assert (result.shape is Shape.NONE) == (result.grade is Grade.NORMAL)


def test_no_height_gives_no_grade_and_its_reason() -> None:
    unknown = Measure.unknown("mm", "cropped: cut by the field of view")
    loss = height_loss((unknown,) * 3, Expected(heights=three(25.0), basis="given"))
    result = genant((unknown,) * 3, Expected(heights=three(25.0), basis="given"), loss)
    assert loss.value is None
    assert (result.grade, result.shape, result.possible) == (None, Shape.UNKNOWN, ())
    assert "cropped" in result.reason


@given(st.lists(st.floats(5.0, 25.0), min_size=3, max_size=3), st.floats(0.5, 1.0))
def test_a_lower_body_never_loses_less(heights: list[float], share: float) -> None:
    expected = Expected(heights=three(25.0), basis="given")
    tall = height_loss([mm(h) for h in heights], expected)
    low = height_loss([mm(h * share) for h in heights], expected)
    assert tall.value is not None
    assert low.value is not None
    assert low.value >= tall.value - 1e-9


@given(st.floats(18.0, 32.0), st.floats(0.2, 1.2))
def test_what_is_expected_continues_the_intact_neighbours(base: float, trend: float) -> None:
    heights = {level: three(base + trend * n) for n, level in enumerate(LEVELS)}
    expected = expected_heights(bare_spine(LEVELS), heights)
    for n, level in enumerate(LEVELS):
        found = expected[level].heights[1]
        assert found.low is not None
        assert found.high is not None
        assert found.low <= base + trend * n <= found.high
        assert found.value == pytest.approx(base + trend * n, rel=0.04)
        assert str(level) not in expected[level].basis.replace(",", " ").split()


@given(st.integers(0, 5), st.floats(0.25, 0.7))
def test_a_fracture_is_no_reference_for_others(which: int, loss: float) -> None:
    heights = {level: three(23.0 + 0.8 * n) for n, level in enumerate(LEVELS)}
    whole = expected_heights(bare_spine(LEVELS), heights)
    hurt = LEVELS[which]
    heights[hurt] = tuple(mm((m.value or 0.0) * (1 - loss)) for m in heights[hurt])  # type: ignore[assignment]
    broken_one = expected_heights(bare_spine(LEVELS), heights)
    assert broken_one[hurt].heights == whole[hurt].heights
    for level in LEVELS:
        assert str(hurt) not in broken_one[level].basis.replace(",", " ").split()


def test_without_an_intact_neighbour_within_two_levels_the_norm_stands_in_and_says_so() -> None:
    heights = {level: three(23.0 + 0.8 * n) for n, level in enumerate(LEVELS)}
    usual = expected_heights(bare_spine(LEVELS), heights)[L1].heights[0]
    alone = expected_heights(bare_spine((L1,)), {L1: three(14.0)})[L1]
    assert alone.basis.startswith("level norm")
    assert "no intact neighbour within 2 levels" in alone.basis
    assert alone.heights[0].confidence is Confidence.LOW
    assert alone.heights[0].sd > 2.0 * usual.sd


def test_without_neighbour_or_norm_nothing_is_expected_and_the_reason_says_so() -> None:
    alone = expected_heights(bare_spine((Level.T13,)), {Level.T13: three(14.0)})[Level.T13]
    assert [m.value for m in alone.heights] == [None] * 3
    assert "no reference" in alone.heights[0].reason


def test_a_level_missing_in_between_is_no_neighbour() -> None:
    heights = {Level.T11: three(23.0), L1: three(24.0)}
    found = expected_heights(bare_spine((Level.T11, L1)), heights)[L1]
    assert found.basis.startswith("level norm")


@pytest.mark.slow
def test_three_adjacent_fractures_are_compared_with_the_intact_ones_around() -> None:
    levels = (Level.T9, *LEVELS, Level.L4)
    heights = {level: three(22.0 + 0.8 * n) for n, level in enumerate(levels)}
    for level in (T12, L1, L2):
        heights[level] = tuple(mm((m.value or 0.0) * 0.6) for m in heights[level])  # type: ignore[assignment]
    expected = expected_heights(bare_spine(levels), heights)
    for n, level in enumerate(levels):
        assert expected[level].heights[0].value == pytest.approx(22.0 + 0.8 * n, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["anterior", "middle"])
def test_the_loss_rises_by_what_the_body_is_compressed_by(
    measuring: Measuring, place: str
) -> None:
    found, true = [], []
    for loss in (0.15, 0.35, 0.6):
        front, middle = (loss, 0.6 * loss) if place == "anterior" else (0.6 * loss, loss)
        result = measuring(broken(anterior_loss=front, middle_loss=middle))
        found.append(result.figures["L1"].height_loss)
        true.append(result.image.truth["L1"].height_loss_pct)
    for (a, b), (c, d) in zip(pairwise(found), pairwise(true), strict=True):
        assert a.value is not None
        assert b.value is not None
        assert b.value > a.value
        assert b.value - a.value == pytest.approx(d - c, abs=2.0 * float(np.hypot(a.sd, b.sd)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        ((0.45, 0.25, 0.0), Shape.WEDGE),
        ((0.15, 0.45, 0.1), Shape.BICONCAVE),
        ((0.45, 0.45, 0.45), Shape.CRUSH),
    ],
    ids=["wedge", "biconcave", "crush"],
)
def test_the_shape_is_named_after_the_place_of_the_loss(
    measuring: Measuring, losses: tuple[float, float, float], shape: Shape
) -> None:
    names = ("anterior_loss", "middle_loss", "posterior_loss")
    result = measuring(broken(**dict(zip(names, losses, strict=True))))
    assert result.figures["L1"].genant.shape is shape
    assert [row.level for row in result.figures.fractures] == [L1]


@pytest.mark.slow
def test_three_broken_neighbours_in_a_row_are_measured_with_a_wide_interval(
    measuring: Measuring,
) -> None:
    levels = (T12, L1, L2)
    collapses = tuple(
        Collapse(level=level, anterior_loss=0.45, middle_loss=0.3) for level in levels
    )
    row = measuring(Phantom(levels=levels, collapses=collapses)).figures["L1"]
    alone = measuring(broken(anterior_loss=0.45, middle_loss=0.3)).figures["L1"]
    assert row.height_loss.sd > alone.height_loss.sd
    assert row.height_loss.low is not None
    assert row.height_loss.high is not None
    assert row.height_loss.low <= 45.0 <= row.height_loss.high
    assert max(row.genant.possible) == Grade.SEVERE


@pytest.mark.slow
def test_a_focal_dish_deepens_the_endplate_it_is_in(measuring: Measuring) -> None:
    found = []
    for depth in (0.0, 3.0, 6.0):
        row = measuring(broken(depression_mm=depth)).figures["L1"]
        found.append((row.superior_depression.value, row.inferior_depression.value))
    superior = [pair[0] for pair in found]
    assert superior == sorted(superior)
    assert superior[-1] - superior[0] == pytest.approx(6.0, abs=2.5)
    assert found[-1][1] == pytest.approx(found[0][1], abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("middle", [0.55, 0.6, 0.7])
def test_a_body_that_is_hardly_there_in_the_middle_is_a_severe_fracture(
    measuring: Measuring, middle: float
) -> None:
    phantom = broken(anterior_loss=0.6 * middle, middle_loss=middle, posterior_loss=0.2 * middle)
    result = measuring(phantom, step_mm=1.0, with_ct=True)
    row, truth = result.figures["L1"], result.image.truth["L1"]
    assert row.middle_height.value == pytest.approx(truth.middle_height_mm, abs=0.5)
    assert row.genant.grade is Grade.SEVERE


@pytest.mark.slow
def test_no_body_of_an_intact_spine_is_called_fractured(intact: Measured) -> None:
    assert intact.figures.fractures == ()
    for row in intact.figures.vertebrae:
        assert row.genant.shape is Shape.NONE
