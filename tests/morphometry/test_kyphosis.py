"""Angles: signs, sums, and the phantom's bend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Level
from kyphoplan.geometry import rotation
from kyphoplan.morphometry.kyphosis import sagittal_angle
from kyphoplan.phantom import Phantom

from .conftest import Measured, Measuring, broken

LEFT, BACK = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
ANGLES = st.floats(-80.0, 80.0)


@given(ANGLES, ANGLES)
def test_the_angle_between_two_lines_is_the_difference_of_their_tilts(
    upper: float, lower: float
) -> None:
    lines = [rotation(LEFT, tilt) @ BACK for tilt in (upper, lower)]
    assert sagittal_angle(lines[0], lines[1], LEFT) == pytest.approx(upper - lower, abs=1e-9)


@given(ANGLES, ANGLES, ANGLES)
def test_angles_add_up(first: float, second: float, third: float) -> None:
    a, b, c = (rotation(LEFT, tilt / 3) @ BACK for tilt in (first, second, third))
    total = sagittal_angle(a, b, LEFT) + sagittal_angle(b, c, LEFT)
    assert sagittal_angle(a, c, LEFT) == pytest.approx(total, abs=1e-9)


@given(ANGLES, ANGLES)
def test_swapping_the_lines_or_the_view_swaps_the_sign(upper: float, lower: float) -> None:
    a, b = (rotation(LEFT, tilt) @ BACK for tilt in (upper, lower))
    angle = sagittal_angle(a, b, LEFT)
    assert sagittal_angle(b, a, LEFT) == pytest.approx(-angle, abs=1e-9)
    assert sagittal_angle(a, b, -LEFT) == pytest.approx(-angle, abs=1e-9)


@pytest.mark.slow
def test_two_segments_bend_by_their_sum_less_the_body_they_share(intact: Measured) -> None:
    cobb = {(k.upper, k.lower): k.cobb.value for k in intact.figures.kyphosis}
    both = cobb[Level.T12, Level.L1], cobb[Level.L1, Level.L2]
    shared = intact.figures["L1"].wedge_angle.value
    assert None not in both
    assert shared is not None
    assert cobb[Level.T12, Level.L2] == pytest.approx(sum(both) - shared, abs=0.3)  # type: ignore[arg-type]


@pytest.mark.slow
def test_every_mono_and_bisegmental_angle_is_there_once(intact: Measured) -> None:
    pairs = [(str(k.upper), str(k.lower)) for k in intact.figures.kyphosis]
    assert sorted(pairs) == [("L1", "L2"), ("T12", "L1"), ("T12", "L2")]


@pytest.mark.slow
def test_kyphosis_rises_with_the_bend_of_the_spine_and_with_the_wedge(
    measuring: Measuring,
) -> None:
    levels = (Level.T12, Level.L1, Level.L2)
    bent = [measuring(Phantom(levels=levels, kyphosis_deg=k)) for k in (0.0, 20.0)]
    wedged = [measuring(broken(anterior_loss=a, middle_loss=0.6 * a)) for a in (0.15, 0.45)]
    for few, much in (bent, wedged):
        less, more = (s.figures.kyphosis[-1].cobb for s in (few, much))
        true = [s.image.truth.cobb_deg(Level.T12, Level.L2) for s in (few, much)]
        assert less.value is not None
        assert more.value is not None
        spread = 2.0 * float(np.hypot(less.sd, more.sd))
        assert more.value - less.value == pytest.approx(true[1] - true[0], abs=spread)


@pytest.mark.slow
def test_a_wedge_angle_is_positive_if_the_front_is_low(measuring: Measuring) -> None:
    front = measuring(broken(anterior_loss=0.45, middle_loss=0.27)).figures["L1"].wedge_angle
    back = measuring(broken(posterior_loss=0.3, middle_loss=0.15)).figures["L1"].wedge_angle
    assert front.low is not None
    assert back.high is not None
    assert front.low > 0.0 > back.high
