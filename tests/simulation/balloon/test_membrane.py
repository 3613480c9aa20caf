"""The sheet of a balloon: blind to even growth and to shifts, against what stands out alone."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import yielding
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.membrane import HOLD_MPA_PER_MM, TAUT_MPA_PER_MM, Membrane

SIDE, RADIUS_MM = 14, 4.0
MIDDLE = np.full(3, SIDE / 2.0)


def pushed(skin: Skin) -> Array:
    """Nodal forces of a pressure of 1 MPa."""
    push = np.zeros((SIDE + 1,) * 3 + (3,))
    yielding.push(skin.share((2 * SIDE,) * 3, 0.5, 2), 1.0, push)
    return push


def ball() -> tuple[Skin, Array]:
    """Return a ball and the nodal forces of its pressure."""
    core = np.array([0.0, 0.0, 0.01])
    skin = Skin.around(MIDDLE - core, MIDDLE + core, RADIUS_MM)
    return skin, pushed(skin)


def lumpy(off_mm: float, lump_mm: float = 1.0, turns_per_mm: float = 1.3) -> Skin:
    """Return a lumpy ball around a core that lies off its middle."""
    core = MIDDLE - np.array([0.0, off_mm, 0.0])
    skin = Skin.around(core, core + np.array([0.0, 0.01, 0.0]), RADIUS_MM)
    feet, ways = skin.feet_and_directions()
    along = ((feet - MIDDLE) * ways).sum(axis=-1)
    apart = ((feet - MIDDLE) ** 2).sum(axis=-1)
    height = np.sqrt(along**2 - apart + RADIUS_MM**2) - along
    waves = np.sin(turns_per_mm * (feet + height[..., None] * ways) + [0.0, 0.4, 1.0])
    return replace(skin, height_mm=height + lump_mm * waves.prod(axis=-1))


def outward() -> Array:
    """Unit vectors away from the middle at each node."""
    axes = np.arange(SIDE + 1.0)
    places = np.stack(np.meshgrid(axes, axes, axes, indexing="ij"), axis=-1) - MIDDLE
    return np.asarray(places / np.maximum(np.linalg.norm(places, axis=-1, keepdims=True), 1e-9))


def pressure_of(sheet: Membrane, push: Array, u: Array) -> float:
    """Largest force on a node over that of 1 MPa in the balloon [MPa]."""
    force = np.zeros(u.shape)
    sheet.draw_back(u, force)
    return float(np.linalg.norm(force) / np.linalg.norm(push))


def bump(height_mm: float, width_mm: float) -> Array:
    """Return a bump at the top."""
    way = outward()
    angle = np.arccos(np.clip(way[..., 2], -1.0, 1.0))
    return np.asarray(height_mm * np.exp(-((angle * RADIUS_MM / width_mm) ** 2))[..., None] * way)


def test_even_growth_and_a_shift_feel_nothing_of_it() -> None:
    skin, push = ball()
    sheet = Membrane.of(skin, push, 1.0)
    assert pressure_of(sheet, push, 0.4 * outward()) < 0.02
    assert pressure_of(sheet, push, np.broadcast_to([0.1, 0.3, -0.2], push.shape)) < 0.02


def test_what_it_holds_does_not_depend_on_where_its_core_lies() -> None:
    held = [
        Membrane.of(skin, pushed(skin), 1.0).energy(np.zeros((SIDE + 1,) * 3 + (3,)))
        for skin in map(lumpy, (0.0, 0.75, 1.5))
    ]
    assert held[0] > 1.0
    assert held == pytest.approx(held[:1] * 3, rel=0.15)


def test_a_narrow_bump_is_drawn_back_more_than_a_wide_one() -> None:
    skin, push = ball()
    sheet = Membrane.of(skin, push, 1.0)
    narrow, wide = (sheet.energy(bump(0.5, width)) / width**2 for width in (1.5, 6.0))
    assert narrow > 2.0 * wide
    force, out = np.zeros(push.shape), bump(0.5, 1.5)
    sheet.draw_back(out, force)
    assert float((force * out).sum()) < 0.0


def test_its_forces_do_the_work_of_its_energy() -> None:
    skin, push = ball()
    sheet = Membrane.of(skin, push, 1.0)
    u, step = bump(0.5, 2.0), 1e-4 * np.random.default_rng(1).normal(size=push.shape)
    force = np.zeros(push.shape)
    sheet.draw_back(u, force)
    gained = sheet.energy(u + step) - sheet.energy(u - step)
    assert gained == pytest.approx(-2.0 * float((force * step).sum()), rel=1e-6)


def test_beyond_its_largest_radius_it_bears_the_pressure() -> None:
    skin, push = ball()
    sheet = Membrane.of(skin, push, 1.0, largest_mm=RADIUS_MM)
    beyond, within = (step * outward() for step in (0.2, -0.2))
    assert pressure_of(sheet, push, within) < 0.02
    assert pressure_of(sheet, push, beyond) == pytest.approx(0.2 * TAUT_MPA_PER_MM, rel=0.02)
    assert 20 < len(sheet.taut(beyond)) == len(sheet.nodes)


def test_a_slack_sheet_draws_nothing() -> None:
    skin, push = ball()
    sheet = Membrane.of(skin, push, 1.0, 0.0)
    assert sheet.energy(bump(0.5, 1.5)) == 0.0


def test_a_part_that_slides_in_the_sheet_is_held_by_the_sheet_around_it() -> None:
    skin, push = ball()
    sheet = Membrane.of(skin, push, 1.0)
    top = (SIDE // 2, SIDE // 2, SIDE // 2 + int(RADIUS_MM))
    u, force = np.zeros(push.shape), np.zeros(push.shape)
    u[(*top, 0)] = 1.0
    sheet.draw_back(u, force)
    area = float(np.linalg.norm(push[top]))
    assert area > 0.1
    assert -force[(*top, 0)] > 0.5 * HOLD_MPA_PER_MM * area
