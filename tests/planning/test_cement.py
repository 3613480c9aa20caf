"""Cement: what the voids hold, within the evidence, and never without its range."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Fill, Inflation, Measure, Side
from kyphoplan.planning import cement
from kyphoplan.planning.balloon import place_balloons
from kyphoplan.planning.cement import judge_fill, propose_fill

from .plans import VOXEL_MM, both, case


@cache
def placed() -> tuple[Inflation, ...]:
    return place_balloons(case().spine["L1"], both(), VOXEL_MM)


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


@given(st.floats(0.5, 2.4), st.floats(10.0, 40.0))
def test_a_balloon_on_one_side_draws_no_more_than_its_void(void: float, body_ml: float) -> None:
    vertebra, trajectories = case().spine["L1"], both()
    assert vertebra.body is not None
    body = replace(vertebra.body, volume=Measure.of(body_ml, 0.02 * body_ml, "ml", "made up"))
    inflations = tuple(
        replace(i, accepted=i.side is Side.LEFT, volume_ml=void if i.side is Side.LEFT else 0.0)
        for i in placed()
    )
    whole = propose_fill(replace(vertebra, body=body), trajectories, inflations)
    left, right, total = whole.left.value, whole.right.value, whole.total.value
    assert left is not None
    assert right is not None
    assert total is not None
    assert left + right == pytest.approx(total)
    assert left == pytest.approx(max(min(void, total), total / 2.0))


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


# -- somebody's own cement


def drawn(total: float, left: float | None = None, right: float | None = None) -> Fill:
    """Judge volumes in a body of 25 ml."""
    vertebra = case().spine["L1"]
    assert vertebra.body is not None
    body = replace(vertebra.body, volume=Measure.of(25.0, 0.0, "ml", "made up"))

    def given(volume: float | None) -> Measure:
        unknown = Measure.unknown("ml", "none")
        return unknown if volume is None else Measure.of(volume, 0.0, "ml", "drawn")

    own = replace(fill(4.0, 25.0), total=given(total), left=given(left), right=given(right))
    return judge_fill(replace(vertebra, body=body), own, both())


@given(st.floats(0.0, 12.0), st.floats(8.0, 60.0))
def test_our_own_proposal_is_accepted_again(void: float, body_ml: float) -> None:
    proposed = fill(void, body_ml)
    vertebra = case().spine["L1"]
    assert vertebra.body is not None
    body = replace(vertebra.body, volume=Measure.of(body_ml, 0.02 * body_ml, "ml", "made up"))
    again = judge_fill(replace(vertebra, body=body), proposed, both())
    assert again.accepted, again.reason
    for name in ("total", "left", "right", "fraction"):
        assert getattr(again, name).value == pytest.approx(getattr(proposed, name).value)


@pytest.mark.parametrize(
    ("total", "left", "right", "word"),
    [
        (3.0, 1.5, 1.5, "less than 3.8 ml"),
        (7.2, 3.6, 3.6, "more than 7.0 ml"),
        (5.0, 2.0, 2.0, "the sides hold 4.0 ml"),
        (5.0, -1.0, 6.0, "is no volume"),
    ],
)
def test_cement_outside_the_evidence_is_refused(
    total: float, left: float, right: float, word: str
) -> None:
    judged = drawn(total, left, right)
    assert not judged.accepted
    assert word in judged.reason
    assert judged.total.value == total


def test_cement_within_the_evidence_is_accepted_with_the_cited_range() -> None:
    judged = drawn(5.0)
    assert judged.accepted, judged.reason
    assert (judged.total.low, judged.total.high) == pytest.approx((3.75, 7.0))


def test_cement_needs_an_accepted_cannula_on_its_side() -> None:
    vertebra, proposed = case().spine["L1"], fill(5.0, 25.0)
    ways = both()
    only = judge_fill(vertebra, proposed, (replace(ways[0], accepted=False), ways[1]))
    assert "left: no accepted cannula" in only.reason
    none = judge_fill(vertebra, proposed, tuple(replace(w, accepted=False) for w in ways))
    assert not none.accepted
