"""Somebody's own balloon gets the verdict that ours would get, and no better."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kyphoplan.case import Inflation, Measure, Side
from kyphoplan.planning.balloon import capsule_diameter_mm, capsule_ml, place_balloons
from kyphoplan.planning.devices import UNVERIFIED_ML
from kyphoplan.planning.inflations import judge_inflations

from .plans import VOXEL_MM, both, case

LEVEL = "L2"


def placed() -> tuple[Inflation, ...]:
    return place_balloons(case().spine[LEVEL], both(LEVEL), VOXEL_MM)


def judged(*inflations: Inflation, **changes: Any) -> tuple[Inflation, ...]:
    ways = tuple(replace(way, **changes) for way in both(LEVEL))
    return judge_inflations(case().spine[LEVEL], inflations, ways, VOXEL_MM)


def sized(balloon: Inflation, volume_ml: float) -> Inflation:
    """The same balloon with another volume, and the diameter that belongs to it."""
    straight = balloon.length_mm - balloon.diameter_mm
    diameter = capsule_diameter_mm(straight, volume_ml)
    return replace(
        balloon, volume_ml=volume_ml, diameter_mm=diameter, length_mm=straight + diameter
    )


def moved(balloon: Inflation, step_mm: Any) -> Inflation:
    return replace(balloon, centre_mm=balloon.centre_mm + np.asarray(step_mm))


def test_our_own_balloons_are_accepted_with_the_margin_that_was_planned() -> None:
    for ours, again in zip(placed(), judged(*placed()), strict=True):
        assert again.accepted, again.reason
        assert again.margin_mm.value == pytest.approx(ours.margin_mm.value, abs=0.05)
        assert again.largest_volume_ml == ours.largest_volume_ml


def test_its_own_word_counts_nothing() -> None:
    left, right = placed()
    boasting = replace(
        moved(left, [0.0, 0.0, 12.0]),
        accepted=True,
        largest_volume_ml=99.0,
        margin_mm=Measure.of(9.0, 0.1, "mm", "says the file"),
    )
    refused = judged(boasting, right)[0]
    assert not refused.accepted
    assert refused.largest_volume_ml < 10.0


def test_a_balloon_too_near_to_an_endplate_is_refused() -> None:
    ways = both(LEVEL)
    left, right = placed()
    frame = case().spine[LEVEL].frame
    assert frame is not None
    step = 6.0 * frame.superior
    up = tuple(replace(w, entry_mm=w.entry_mm + step, target_mm=w.target_mm + step) for w in ways)
    vertebra = case().spine[LEVEL]
    for balloon in judge_inflations(
        vertebra, (moved(left, step), moved(right, step)), up, VOXEL_MM
    ):
        assert not balloon.accepted
        assert "margin" in balloon.reason


def test_a_balloon_beside_its_cannula_is_refused() -> None:
    left, right = placed()
    frame = case().spine[LEVEL].frame
    assert frame is not None
    refused = judged(moved(left, 2.0 * frame.superior), right)[0]
    assert "beside the axis" in refused.reason


def test_more_than_the_device_may_hold_is_refused() -> None:
    left, right = placed()
    refused = judged(sized(left, UNVERIFIED_ML + 0.2), right)[0]
    assert not refused.accepted
    assert f"more than {UNVERIFIED_ML:.1f} ml" in refused.reason
    assert "unverified" in refused.reason


def test_a_volume_that_is_not_that_of_the_shape_is_refused() -> None:
    left, right = placed()
    shrunk = replace(left, volume_ml=0.8 * left.volume_ml)
    assert "does not belong" in judged(shrunk, right)[0].reason
    assert capsule_ml(left.length_mm - left.diameter_mm, left.diameter_mm) == pytest.approx(
        left.volume_ml
    )


def test_a_balloon_that_makes_no_void_is_refused() -> None:
    left, right = placed()
    assert "makes no void" in judged(sized(left, 0.3), right)[0].reason


def test_an_unknown_device_and_one_too_long_are_refused() -> None:
    left, right = placed()
    assert "not in the table" in judged(replace(left, device="another"), right)[0].reason
    long = replace(left, length_mm=left.length_mm + 30.0)
    assert "longer than" in judged(long, right)[0].reason
    assert "less than its diameter" in judged(replace(left, length_mm=1.0), right)[0].reason


def test_two_balloons_that_overlap_are_both_refused() -> None:
    left = placed()[0]
    other = replace(left, side=Side.RIGHT)
    ways = (both(LEVEL)[0], replace(both(LEVEL)[0], side=Side.RIGHT))
    for balloon in judge_inflations(case().spine[LEVEL], (left, other), ways, VOXEL_MM):
        assert not balloon.accepted
        assert "overlaps" in balloon.reason


def test_a_balloon_needs_an_accepted_cannula_that_it_passes() -> None:
    left, right = placed()
    assert "is refused: canal" in judged(left, right, accepted=False, reason="canal")[0].reason
    assert "does not pass" in judged(left, right, outer_diameter_mm=2.413)[0].reason
    only = both(LEVEL)[1:]
    alone = judge_inflations(case().spine[LEVEL], (left, right), only, VOXEL_MM)
    assert "no cannula on this side" in alone[0].reason
    assert alone[1].accepted


def test_a_side_without_balloon_stays_as_it_is() -> None:
    thin = place_balloons(case().spine[LEVEL], both(LEVEL, outer_diameter_mm=2.413), VOXEL_MM)
    assert judged(*thin) == thin


def test_a_body_that_was_not_found_refuses_all() -> None:
    absent = replace(case().spine[LEVEL], parts=None, surface=None, reason="cropped: cut off")
    for balloon in judge_inflations(absent, placed(), both(LEVEL), VOXEL_MM):
        assert "cropped" in balloon.reason
