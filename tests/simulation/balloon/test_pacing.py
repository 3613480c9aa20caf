"""The next increment: within what is left, small at first, wary after a cut."""

import numpy as np
import pytest

from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.pacing import FIRST, Pace

SKIN = Skin.around(np.zeros(3), np.array([0.0, 0.0, 8.0]), 3.0)
FREE = np.array([np.inf])


def test_it_comes_to_the_volume_that_is_left_in_equal_parts() -> None:
    left = np.array([100.0])
    stride = Pace(1.0, 1).stride(len(FIRST), left, (SKIN,), FREE)
    assert left[0] / stride[0] == pytest.approx(round(left[0] / stride[0]))
    assert Pace(1.0, 1).stride(len(FIRST), 0.01 * left, (SKIN,), FREE) == 0.01 * left


def test_the_first_increments_are_small_and_grow() -> None:
    pace, left = Pace(1.0, 1), np.array([1e4])
    strides = [float(pace.stride(n, left, (SKIN,), FREE)[0]) for n in range(len(FIRST) + 1)]
    assert strides == sorted(strides)
    assert strides[0] < 0.05 * strides[-1]


def test_an_increment_that_was_cut_is_followed_by_small_ones() -> None:
    pace, left = Pace(1.0, 1), np.array([1e4])
    pace.gained, pace.risen = np.array([1.0]), np.array([0.01])
    before = pace.stride(len(FIRST), left, (SKIN,), FREE)
    pace.slowed(cut=True, solves=60)
    assert pace.stride(len(FIRST), left, (SKIN,), FREE)[0] == pytest.approx(1.0, rel=0.01)
    assert before[0] > 2.0


def test_pressures_ease_less_in_a_smaller_increment() -> None:
    pace = Pace(1.0, 1)
    assert pace.foreseen(np.array([1.0]))[0] == 1.0
    pace.gained, pace.eased = np.array([10.0]), np.array([0.9])
    assert pace.foreseen(np.array([5.0]))[0] == pytest.approx(0.95)
    assert pace.foreseen(np.array([50.0]))[0] == pytest.approx(0.9)
