"""Balloons in a block of bone: volume, balance, recoil, orderings, mirror."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation import inflation
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balancing import BALANCE, Asked, Balanced, balance
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.membrane import TAUT_MPA_PER_MM
from kyphoplan.simulation.balloon.placing import placed_points
from kyphoplan.simulation.balloon.tamps import Increment, Tamp
from kyphoplan.simulation.bone_law import BoneLaw
from kyphoplan.simulation.inflation import Operation

from .radial import DENSITY, expand, law, radius_of, recoiled, shelled

SIDE, FIRST_MM, LAST_MM = 14, 2.0, 2.6
RUBBLE = 0.03  # [1] of its strength that broken bone bears in tension


def operation(
    bone: BoneLaw,
    *,
    volume: float | None = None,
    largest: float = np.inf,
    aside: float = 0.0,
    tension: float = 1.0,
) -> Operation:
    shape = (SIDE,) * 3
    middle = np.full(3, SIDE / 2.0) + np.array([aside, 0.0, 0.0])
    core = np.array([0.0, 0.0, 0.005])
    skin = Skin.around(middle - core, middle + core, FIRST_MM)
    grown = Skin.around(middle - core, middle + core, LAST_MM).volume_mm3
    full = np.ones(shape)
    points = mp.fill_with_points(
        full > 0, DENSITY * full, 0 * full, 0.3 * full, full, 1.0, tension * full
    )
    points = placed_points(points, (skin,), np.zeros(len(points.place), bool), 1.0)
    held = np.full((*(n + 1 for n in shape), 3), np.nan)
    for axis in range(3):
        for end in (0, -1):
            np.moveaxis(held, axis, 0)[end] = 0.0
    tamp = Tamp(skin=skin, volume_mm3=grown if volume is None else volume, largest_mpa=largest)
    return Operation(points, full > 0, held, 1.0, (tamp,), law=bone)


@cache
def inflated(
    tension: float = 1.0,
) -> tuple[Operation, tuple[Increment, ...], tuple[Increment, ...]]:
    op = operation(law(), tension=tension)
    up = op.inflate()
    return op, tuple(up), tuple(op.let_down())


def test_every_increment_is_in_balance_and_says_so() -> None:
    _, up, down = inflated()
    assert all(step.balanced and step.unbalanced <= 1e-2 for step in up + down)


def test_the_volume_is_the_one_asked_for() -> None:
    op, up, _ = inflated()
    assert up[-1].volume_mm3[0] == pytest.approx(op.tamps[0].volume_mm3, rel=5e-3)


def test_the_void_is_the_balloon_less_its_recoil() -> None:
    op, up, down = inflated()
    full, left = up[-1].volume_mm3[0], down[-1].volume_mm3[0]
    assert op.pressures[0] == 0.0
    radius, shells = radius_of(up[-1]), shelled(FIRST_MM, SIDE)
    recoil = 1.0 - (recoiled(radius, *shells, held=True) / radius) ** 3
    assert 1.0 - left / full == pytest.approx(recoil, rel=0.1)


def test_the_bone_keeps_its_mineral_and_leaves_the_balloon() -> None:
    op, _, _ = inflated()
    start = operation(law()).points
    assert op.points.mass_mg.sum() == pytest.approx(start.mass_mg.sum(), rel=1e-12)
    assert op.skins[0].above(op.points.place).min() > -0.3


def exact_pressure(step: Increment, tension: float = 1.0) -> float:
    """Return the pressure in a ball of the same bone, in one dimension [MPa]."""
    shells = shelled(FIRST_MM, SIDE, tension)
    return float(expand(np.array([radius_of(step)]), *shells, held=True)[0])


def test_the_pressure_keeps_to_its_target() -> None:
    """At 2.6 voxels of radius, smaller than any balloon: the page of trust has larger ones."""
    _, up, _ = inflated()
    assert up[-1].pressure_mpa[0] == pytest.approx(exact_pressure(up[-1]), rel=0.03)


def test_rubble_gives_way_as_a_ball_of_shells_of_rubble() -> None:
    _, up, down = inflated(RUBBLE)
    assert all(step.balanced for step in up + down)
    last, other = up[-1], inflated()[1][-1]
    exact, whole = exact_pressure(last, RUBBLE), exact_pressure(other)
    assert last.pressure_mpa[0] == pytest.approx(exact, rel=0.03)
    ours, theirs = last.pressure_mpa[0] / other.pressure_mpa[0], exact / whole
    assert ours == pytest.approx(theirs, abs=0.03)
    assert theirs < 0.95


@pytest.mark.parametrize("tension", [1.0, RUBBLE])
def test_work_in_is_stored_or_lost(tension: float) -> None:
    _, up, _ = inflated(tension)
    last = up[-1]
    assert last.work_mj == pytest.approx(
        last.stored_mj + last.dissipated_mj + last.grid_mj, rel=1e-9
    )
    assert abs(last.grid_mj) <= 0.02 * last.work_mj


def test_a_balloon_at_its_pressure_is_closed() -> None:
    op = operation(law(), largest=1.4)
    up = op.inflate()
    assert 0.97 * 1.4 < up[-1].pressure_mpa[0] <= 1.01 * 1.4
    assert op.skins[0].volume_mm3 < op.tamps[0].volume_mm3


def test_a_given_pressure_gains_the_volume_that_needs_it() -> None:
    op = operation(law())
    rest, none = np.zeros(op.displacement_mm.shape), np.zeros(1)

    def answered(volume: float, pressure: float) -> Balanced:
        asked = Asked(now=op.now, volumes=np.array([volume]), least_pressures=none)
        return balance(op.block, asked, rest, np.array([pressure]))

    grown = answered(2.0, 0.0)
    pressed = answered(np.nan, float(grown.pressures[0]))
    assert grown.unbalanced <= BALANCE
    assert pressed.unbalanced <= BALANCE
    assert pressed.pressures[0] == grown.pressures[0]
    assert pressed.gained_mm3[0] == pytest.approx(2.0, rel=0.05)


def test_bone_that_gives_way_ends_the_inflation(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Balanced] = []

    def balanced_twice(*given: Any) -> Balanced:
        found.append(balance(*given) if len(found) < 2 else replace(found[-1], unbalanced=0.5))
        return found[-1]

    monkeypatch.setattr(inflation, "balance", balanced_twice)
    op = operation(law())
    up = op.inflate()
    assert op.gave_way
    assert len(up) == 2
    assert all(step.balanced for step in up)


def test_no_volume_changes_nothing() -> None:
    op = operation(law(), volume=0.0)
    before = op.points.place.copy()
    assert op.inflate() == []
    np.testing.assert_array_equal(op.points.place, before)


def test_stiffer_bone_leaves_a_smaller_void_at_the_same_pressure() -> None:
    limit = 1.3
    soft, hard = operation(law(1.0), largest=limit), operation(law(4.0, 600.0), largest=limit)
    for op in (soft, hard):
        op.inflate()
        op.let_down()
    assert hard.skins[0].volume_mm3 < soft.skins[0].volume_mm3


def pocketed() -> Operation:
    """Return the same bone with pockets of marrow without mineral at the balloon's wall."""
    op = operation(law())
    middle, points = np.full(3, SIDE / 2.0), op.points
    for place in ([FIRST_MM + 0.5, 0.5, 0.5], [0.5, -FIRST_MM - 0.5, -0.5], [-1.5, 1.5, 1.0]):
        pocket = (np.abs(points.place - middle - place) < 0.6).all(axis=1)
        points.mass_mg[pocket] = points.born[pocket] = 0.0
    op.now = op.mapped(points, op.skins)
    return op


def test_a_balloon_does_not_run_away_into_pockets_without_mineral() -> None:
    op = pocketed()
    up = op.inflate()
    heights = op.skins[0].height_mm
    assert all(step.balanced for step in up)
    assert np.abs(op.displacement_mm).max() < 1.5
    assert heights.max() - heights.min() < 1.0
    assert abs(up[-1].grid_mj) < 0.08 * up[-1].work_mj


def one_sided(largest_mm: float) -> Operation:
    """Return a balloon between bone as it was and bone a tenth as strong."""
    op = operation(law(), volume=130.0)
    op.points.weak[op.points.place[:, 0] > SIDE / 2.0] = 0.1
    op.tamps = tuple(replace(tamp, largest_mm=largest_mm) for tamp in op.tamps)
    op.now = op.mapped(op.points, op.skins)
    return op


def test_a_taut_balloon_grows_where_it_is_not_and_needs_more_pressure() -> None:
    largest = 3.4
    free, taut = one_sided(np.inf), one_sided(largest)
    before = free.inflate()[-1]
    up, down = taut.inflate(), taut.let_down()
    assert all(step.balanced for step in up + down)
    assert free.skins[0].height_mm.max() > largest + 1.0
    assert taut.skins[0].height_mm.max() < largest + 2.0 * up[-1].pressure_mpa[0] / TAUT_MPA_PER_MM
    assert up[-1].pressure_mpa[0] > 2.0 * before.pressure_mpa[0]
    assert 0.95 * up[-1].volume_mm3[0] < down[-1].volume_mm3[0] < up[-1].volume_mm3[0]


def mirrored(values: Array) -> Array:
    return values[::-1]


def test_mirrored_bone_gives_the_mirrored_void() -> None:
    first, second = operation(law(), aside=1.0), operation(law(), aside=-1.0)
    for op in (first, second):
        op.tamps = tuple(replace(tamp, volume_mm3=1.3 * tamp.skin.volume_mm3) for tamp in op.tamps)
        op.inflate()
    np.testing.assert_allclose(first.shares[0], mirrored(second.shares[0]), atol=0.02)
