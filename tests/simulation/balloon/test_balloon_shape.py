"""The skin of a balloon: its volume, its place in the voxels, how it is carried."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.simulation.balloon.balloon_shape import Skin

SHAPE = (32, 26, 24)


def skin(radius: float = 4.0) -> Skin:
    return Skin.around(np.array([10.0, 12.0, 11.0]), np.array([19.0, 13.0, 12.5]), radius)


@given(st.floats(1.5, 6.0))
def test_a_capsule_holds_what_a_capsule_holds(radius: float) -> None:
    whole = skin(radius)
    exact = np.pi * radius**2 * whole.length_mm + 4.0 / 3.0 * np.pi * radius**3
    assert whole.volume_mm3 == pytest.approx(exact, rel=1e-9)


def test_the_voxels_hold_as_much_as_the_skin() -> None:
    assert skin().share(SHAPE, 1.0).sum() == pytest.approx(skin().volume_mm3, rel=0.005)


def test_its_corners_lie_on_it() -> None:
    assert np.abs(skin().above(skin().corners_mm)).max() < 1e-9


@given(st.floats(200.0, 2000.0))
def test_it_holds_the_volume_it_is_told(volume: float) -> None:
    assert skin().holding(volume).volume_mm3 == pytest.approx(volume, rel=1e-6)


def test_moved_as_a_whole_it_keeps_its_volume() -> None:
    u = np.zeros((33, 27, 25, 3))
    u[..., 0] = 0.2
    moved = skin().carried(u, 1.0)
    assert moved.volume_mm3 == pytest.approx(skin().volume_mm3, rel=0.01)
    assert moved.above(skin().corners_mm + np.array([0.2, 0.0, 0.0])).max() < 0.1
