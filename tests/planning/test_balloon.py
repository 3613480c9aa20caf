"""A balloon stays in the body with its margins, off its neighbour, under its rated volume."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Inflation, Part, Side, Vertebra
from kyphoplan.geometry import Array
from kyphoplan.planning import balloon as module
from kyphoplan.planning.balloon import capsule_diameter_mm, capsule_ml, place_balloons
from kyphoplan.planning.devices import BALLOONS

from .plans import both, case

HALF_DIAGONAL = np.sqrt(3.0) / 2.0  # [voxel]


def core(inflation: Inflation) -> tuple[Array, Array]:
    half = (inflation.length_mm - inflation.diameter_mm) / 2.0 * inflation.axis
    return inflation.centre_mm - half, inflation.centre_mm + half


def to_segment(points: Array, start: Array, end: Array) -> Array:
    along = np.clip((points - start) @ (end - start) / np.sum((end - start) ** 2), 0.0, 1.0)
    return np.linalg.norm(points - start - along[:, None] * (end - start), axis=1)


def outside_of_body(vertebra: Vertebra) -> tuple[Array, float]:
    """Brute force: the centres of all voxels that are no body, and the half diagonal of one."""
    grid = vertebra.parts
    assert grid is not None
    off = np.argwhere(np.asarray(grid.voxels) != Part.BODY)
    return grid.to_patient(off), float(grid.spacing_mm.max()) * HALF_DIAGONAL


@pytest.mark.parametrize("level", ["T12", "L1", "L2"])
def test_every_point_of_a_balloon_keeps_its_margin(level: str) -> None:
    vertebra = case().spine[level]
    placed = place_balloons(vertebra, both(level))
    assert [i.side for i in placed] == [Side.LEFT, Side.RIGHT]
    away, blur = outside_of_body(vertebra)
    for inflation in placed:
        assert inflation.accepted
        free = to_segment(away, *core(inflation)).min() - inflation.diameter_mm / 2.0
        assert free >= module.MARGIN_MM - blur
        margin = inflation.margin_mm
        assert margin.value is not None
        assert margin.value >= module.MARGIN_MM - 1e-6
        assert inflation.volume_ml <= inflation.largest_volume_ml + 1e-9


def test_a_balloon_lies_on_its_cannulas_axis() -> None:
    for trajectory, inflation in zip(
        both(), place_balloons(case().spine["L1"], both()), strict=True
    ):
        off = np.cross(inflation.centre_mm - trajectory.entry_mm, inflation.axis)
        assert np.linalg.norm(off) == pytest.approx(0.0, abs=1e-9)


def test_balloons_of_crossing_cannulas_do_not_overlap() -> None:
    vertebra, (left, right) = case().spine["L2"], both("L2")
    assert vertebra.frame is not None
    middle = vertebra.frame.to_patient([0.0, -2.0, 0.0])
    crossing = (replace(left, target_mm=middle), replace(right, target_mm=middle))
    first, second = place_balloons(vertebra, crossing)
    held = [i for i in (first, second) if i.accepted]
    if len(held) == 2:
        samples = np.linspace(*core(first), 200)
        apart = to_segment(samples, *core(second)).min()
        assert apart >= (first.diameter_mm + second.diameter_mm) / 2.0 + module.BETWEEN_MM - 1e-6
    alone = place_balloons(vertebra, crossing[:1])[0]
    assert alone.volume_ml >= first.volume_ml


def test_a_broken_body_holds_less_than_its_neighbour() -> None:
    volume = {
        level: sum(i.volume_ml for i in place_balloons(case().spine[level], both(level)))
        for level in ("L1", "L2")
    }
    assert volume["L1"] < volume["L2"]


def test_a_cannula_too_thin_for_any_balloon_is_said() -> None:
    for inflation in place_balloons(case().spine["L1"], both(outer_diameter_mm=2.413)):
        assert not inflation.accepted
        assert inflation.volume_ml == 0.0
        assert "no balloon passes a cannula of 2.4 mm" in inflation.reason


def test_no_room_is_said() -> None:
    vertebra, trajectories = case().spine["L1"], both()
    assert vertebra.frame is not None
    along_the_wall = replace(
        trajectories[0], target_mm=trajectories[0].entry_mm + 40.0 * -vertebra.frame.posterior
    )
    (inflation,) = place_balloons(vertebra, (along_the_wall,))
    assert not inflation.accepted
    assert "no room" in inflation.reason


def test_a_refused_cannula_gets_no_balloon() -> None:
    refused = replace(both()[0], accepted=False, reason="through the canal")
    (inflation,) = place_balloons(case().spine["L1"], (refused,))
    assert not inflation.accepted
    assert "through the canal" in inflation.reason


def test_a_vertebra_that_was_not_found_gets_no_balloon() -> None:
    absent = replace(case().spine["L1"], parts=None, surface=None, reason="cropped: cut off")
    assert "cropped" in place_balloons(absent, both())[0].reason


def test_the_same_body_moved_gets_the_same_balloons() -> None:
    """The volume depends on the body alone, not on the order of the trajectories."""
    vertebra = case().spine["L1"]
    left, right = place_balloons(vertebra, both())
    again_right, again_left = place_balloons(vertebra, both()[::-1])
    assert (left.volume_ml, right.volume_ml) == (again_left.volume_ml, again_right.volume_ml)


@given(st.floats(2.0, 15.0), st.floats(0.3, 7.0))
def test_volume_and_diameter_of_a_capsule_belong_together(core_mm: float, volume: float) -> None:
    assert capsule_ml(core_mm, capsule_diameter_mm(core_mm, volume)) == pytest.approx(volume)


def test_every_device_tells_its_source_and_what_is_from_memory() -> None:
    assert len({device.name for device in BALLOONS}) == len(BALLOONS)
    for device in BALLOONS:
        assert device.source
        assert device.rated is ("from memory" not in device.source)
        assert 0.0 < device.largest_pressure_bar < 50.0
        assert device.largest_volume_ml <= 6.0


@pytest.mark.parametrize("level", ["T12", "L1"])
def test_both_sides_of_a_symmetric_body_get_the_same_balloon(level: str) -> None:
    left, right = place_balloons(case().spine[level], both(level))
    assert left.device == right.device
    assert left.volume_ml == pytest.approx(right.volume_ml, rel=0.05)
