"""Cement: what the voids hold, within the evidence, and never without its range."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Fill, Inflation, Measure, Side
from kyphoplan.planning import cement
from kyphoplan.planning.balloon import place_balloons
from kyphoplan.planning.cement import propose_fill

from .plans import both, case


@cache
def placed() -> tuple[Inflation, ...]:
    return place_balloons(case().spine["L1"], both())


def fill(void_ml: float, body_ml: float, sides: int = 2) -> Fill:
    vertebra, trajectories = case().spine["L1"], both()[:sides]
    assert vertebra.body is not None
    body = replace(vertebra.body, volume=Measure.of(body_ml, 0.02 * body_ml, "ml", "made up"))
    inflations = tuple(
        replace(i, accepted=True, volume_ml=void_ml / sides) for i in placed()[:sides]
    )
    return propose_fill(replace(vertebra, body=body), trajectories, inflations)


@given(st.floats(0.0, 12.0), st.floats(8.0, 60.0))
def test_the_total_stays_within_the_evidence(void: float, body: float) -> None:
    total = fill(void, body).total
    assert total.value is not None
    assert total.low is not None
    assert total.high is not None
    assert total.low <= total.value <= total.high
    assert total.value <= min(cement.MOST_FRACTION * body, cement.MOST_ML) + 1e-9
    assert total.value >= min(cement.LEAST_FRACTION * body, cement.MOST_ML) - 1e-9


@given(st.floats(0.5, 8.0), st.floats(10.0, 40.0))
def test_the_sides_add_up_to_the_total(void: float, body: float) -> None:
    whole = fill(void, body)
    assert whole.left.value is not None
    assert whole.right.value is not None
    assert whole.left.value + whole.right.value == pytest.approx(whole.total.value)


def test_a_void_within_the_evidence_is_filled_as_it_is() -> None:
    assert fill(4.8, 25.0).total.value == pytest.approx(4.8)


def test_one_cannula_fills_from_its_side_alone() -> None:
    one = fill(2.0, 25.0, sides=1)
    assert one.left.value == one.total.value
    assert one.right.value is None
    assert one.right.reason


def test_without_balloons_the_sides_share_equally() -> None:
    vertebra, trajectories = case().spine["L1"], both()
    whole = propose_fill(vertebra, trajectories, ())
    assert whole.left.value == whole.right.value
    assert "no balloon" in whole.basis


def test_without_an_accepted_cannula_nothing_is_proposed() -> None:
    refused = tuple(replace(t, accepted=False) for t in both())
    assert propose_fill(case().spine["L1"], refused, ()).total.value is None


def test_a_body_of_unknown_volume_gets_no_proposal() -> None:
    vertebra = case().spine["L1"]
    assert vertebra.body is not None
    body = replace(vertebra.body, volume=Measure.unknown("ml", "cropped"))
    nothing = propose_fill(replace(vertebra, body=body), both(), ())
    assert nothing.total.value is None
    assert "cropped" in nothing.total.reason


def test_the_sides_are_the_patients_own() -> None:
    assert fill(2.0, 25.0, sides=1).left.value is not None
    assert both()[0].side is Side.LEFT
