"""A balloon stays in the body with its margins, off its neighbour, under its rated volume."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.anatomy import locate
from kyphoplan.case import Inflation, LabelMap, Level, Part, Side, Vertebra
from kyphoplan.geometry import Array
from kyphoplan.morphometry import measure
from kyphoplan.planning import balloon as module
from kyphoplan.planning import plan
from kyphoplan.planning.balloon import capsule_diameter_mm, capsule_ml, place_balloons
from kyphoplan.planning.devices import BALLOONS, UNVERIFIED_ML

from .plans import VOXEL_MM, both, case
from .truths import Exact, drawn

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
    placed = place_balloons(vertebra, both(level), VOXEL_MM)
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


def capsule_points(inflation: Inflation, radius_mm: float) -> Array:
    """Points on a capsule around a balloon's core."""
    start, end = core(inflation)
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(1500, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    around = ball - (ball @ inflation.axis)[:, None] * inflation.axis
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    ends = np.where((ball @ inflation.axis)[:, None] < 0.0, start, end)
    along = start + rng.random((1500, 1)) * (end - start)
    return np.concatenate([ends + radius_mm * ball, along + radius_mm * around])


def true_margin(inflation: Inflation, exact: Exact) -> float:
    """By how much a balloon can grow before it leaves the body's exact shape: bisection."""
    low, high = 0.0, inflation.diameter_mm / 2.0 + 8.0
    for _ in range(12):
        middle = (low + high) / 2.0
        inside = (exact.body(capsule_points(inflation, middle)) < 0.0).all()
        low, high = (middle, high) if inside else (low, middle)
    return low - inflation.diameter_mm / 2.0


def mask_margin(inflation: Inflation, labels: LabelMap, level: Level) -> float:
    """Distance of a balloon's skin to the nearest voxel, as a box, that is not of its bone."""
    volume = labels.volume
    off = np.argwhere(volume.voxels != labels.value_of(level))
    start, end = (volume.to_indices(point) for point in core(inflation))
    near = (np.abs(off - (start + end) / 2.0) * volume.spacing_mm).max(axis=1) < 25.0
    nearest = min(
        np.linalg.norm(
            np.maximum(np.abs(off[near] - point) - 0.5, 0.0) * volume.spacing_mm, axis=1
        ).min()
        for point in np.linspace(start, end, 40)
    )
    return float(nearest) - inflation.diameter_mm / 2.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "spacing_mm"), [(0, None), (2, None), (5, None), (14, None), (5, (3.0, 1.0, 1.0))]
)
def test_the_stated_margin_holds_on_the_exact_shape_and_on_the_mask(
    seed: int, spacing_mm: tuple[float, float, float] | None
) -> None:
    case = drawn(seed)
    if spacing_mm is not None:
        case = replace(case, spacing_mm=spacing_mm)
    image = case.image
    spine = locate(image.labels)
    level = plan(spine, measure(spine), levels=(case.level,)).levels[0]
    exact = Exact.of(case)
    half_voxel = float(max(case.spacing_mm)) / 2.0
    for inflation in level.inflations:
        if not inflation.accepted:
            continue
        margin = inflation.margin_mm
        assert margin.low is not None
        assert true_margin(inflation, exact) >= margin.low
        # The mask's stairs stand into the body by up to half a voxel.
        assert mask_margin(inflation, image.labels, case.level) >= module.MARGIN_MM - half_voxel


def test_a_balloon_lies_on_its_cannulas_axis() -> None:
    for trajectory, inflation in zip(
        both(), place_balloons(case().spine["L1"], both(), VOXEL_MM), strict=True
    ):
        off = np.cross(inflation.centre_mm - trajectory.entry_mm, inflation.axis)
        assert np.linalg.norm(off) == pytest.approx(0.0, abs=1e-9)


def test_balloons_of_crossing_cannulas_do_not_overlap() -> None:
    vertebra, (left, right) = case().spine["L2"], both("L2")
    assert vertebra.frame is not None
    middle = vertebra.frame.to_patient([0.0, -2.0, 0.0])
    crossing = (replace(left, target_mm=middle), replace(right, target_mm=middle))
    first, second = place_balloons(vertebra, crossing, VOXEL_MM)
    held = [i for i in (first, second) if i.accepted]
    if len(held) == 2:
        samples = np.linspace(*core(first), 200)
        apart = to_segment(samples, *core(second)).min()
        assert apart >= (first.diameter_mm + second.diameter_mm) / 2.0 + module.BETWEEN_MM - 1e-6
    alone = place_balloons(vertebra, crossing[:1], VOXEL_MM)[0]
    assert alone.volume_ml >= first.volume_ml


def test_a_broken_body_holds_less_than_its_neighbour() -> None:
    volume = {
        level: sum(i.volume_ml for i in place_balloons(case().spine[level], both(level), VOXEL_MM))
        for level in ("L1", "L2")
    }
    assert volume["L1"] < volume["L2"]


def test_a_cannula_too_thin_for_any_balloon_is_said() -> None:
    for inflation in place_balloons(case().spine["L1"], both(outer_diameter_mm=2.413), VOXEL_MM):
        assert not inflation.accepted
        assert inflation.volume_ml == 0.0
        assert "no balloon passes a cannula of 2.4 mm" in inflation.reason


def test_no_room_is_said() -> None:
    vertebra, trajectories = case().spine["L1"], both()
    assert vertebra.frame is not None
    along_the_wall = replace(
        trajectories[0], target_mm=trajectories[0].entry_mm + 40.0 * -vertebra.frame.posterior
    )
    (inflation,) = place_balloons(vertebra, (along_the_wall,), VOXEL_MM)
    assert not inflation.accepted
    assert "no room" in inflation.reason


def test_a_refused_cannula_gets_no_balloon() -> None:
    refused = replace(both()[0], accepted=False, reason="through the canal")
    (inflation,) = place_balloons(case().spine["L1"], (refused,), VOXEL_MM)
    assert not inflation.accepted
    assert "through the canal" in inflation.reason


def test_a_vertebra_that_was_not_found_gets_no_balloon() -> None:
    absent = replace(case().spine["L1"], parts=None, surface=None, reason="cropped: cut off")
    assert "cropped" in place_balloons(absent, both(), VOXEL_MM)[0].reason


def test_the_same_body_moved_gets_the_same_balloons() -> None:
    """The volume depends on the body alone, not on the order of the trajectories."""
    vertebra = case().spine["L1"]
    left, right = place_balloons(vertebra, both(), VOXEL_MM)
    again_right, again_left = place_balloons(vertebra, both()[::-1], VOXEL_MM)
    assert (left.volume_ml, right.volume_ml) == (again_left.volume_ml, again_right.volume_ml)


@given(st.floats(2.0, 15.0), st.floats(0.3, 7.0))
def test_volume_and_diameter_of_a_capsule_belong_together(core_mm: float, volume: float) -> None:
    assert capsule_ml(core_mm, capsule_diameter_mm(core_mm, volume)) == pytest.approx(volume)


def test_every_device_tells_its_source_and_what_is_from_memory() -> None:
    assert len({device.name for device in BALLOONS}) == len(BALLOONS)
    for device in BALLOONS:
        assert device.source
        assert device.verified is ("from memory" not in device.source)
        assert 0.0 < device.largest_pressure_bar <= 27.6
        assert device.largest_volume_ml <= 6.0
        assert device.verified or device.planned_ml <= UNVERIFIED_ML


@pytest.mark.parametrize("level", ["T12", "L1"])
def test_both_sides_of_a_symmetric_body_get_the_same_balloon(level: str) -> None:
    left, right = place_balloons(case().spine[level], both(level), VOXEL_MM)
    assert left.device == right.device
    assert left.volume_ml == pytest.approx(right.volume_ml, rel=0.05)
