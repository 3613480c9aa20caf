"""Laws of the body's implicit functions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Level
from kyphoplan.phantom import Collapse, Phantom
from kyphoplan.phantom.body import STATIONS, body, endplates, loss_curve, vertebra_shape

losses = st.tuples(*[st.floats(0.0, 0.8)] * 3)


@given(losses=losses)
def test_the_loss_curve_meets_its_stations_and_never_overshoots(
    losses: tuple[float, float, float],
) -> None:
    np.testing.assert_allclose(loss_curve(losses, STATIONS), losses, atol=1e-12)
    depth = np.linspace(*STATIONS[::2], 200)
    curve = loss_curve(losses, depth)
    assert curve.min() >= min(losses) - 1e-12
    assert curve.max() <= max(losses) + 1e-12


@given(losses=losses)
def test_a_collapse_moves_only_its_own_endplate_and_leaves_bone_between(
    losses: tuple[float, float, float],
) -> None:
    names = ("anterior_loss", "middle_loss", "posterior_loss")
    collapse = Collapse(level=Level.L1, **dict(zip(names, losses, strict=True)))
    whole = vertebra_shape(Phantom(levels=(Level.L1,)), Level.L1)
    pressed = vertebra_shape(Phantom(levels=(Level.L1,), collapses=(collapse,)), Level.L1)
    x, y = np.meshgrid(np.linspace(-20, 20, 21), np.linspace(-17, 17, 21))
    top, bottom = endplates(pressed, x, y)
    unbroken_top, unbroken_bottom = endplates(whole, x, y)
    np.testing.assert_array_equal(bottom, unbroken_bottom)
    assert (top <= unbroken_top).all()
    assert (top > bottom).all()


def test_the_distance_is_nearly_one_per_millimetre_at_the_surface() -> None:
    shape = vertebra_shape(Phantom(), Level.L1)
    axes = [np.arange(-25, 25, 0.5)] * 3
    x, y, z = np.meshgrid(*axes, indexing="ij")
    distance = body(shape, x, y, z)[0]
    slope = np.linalg.norm(np.stack(np.gradient(distance, 0.5)), axis=0)[np.abs(distance) < 0.5]
    assert 0.95 < np.median(slope) < 1.05
    assert np.percentile(slope, 20) > 0.85  # less only at the rounded rim
    assert np.percentile(slope, 98) < 1.15


def test_the_body_has_a_waist_concave_endplates_and_a_kidney_outline() -> None:
    shape = vertebra_shape(Phantom(), Level.L2)

    def half_width(z: float) -> float:
        x = np.arange(0, 30, 0.05)
        return float(x[body(shape, x, np.zeros_like(x), np.full_like(x, z))[0] < 0].max())

    assert half_width(0.0) < 0.96 * half_width(9.0)
    centre, rim = (endplates(shape, np.zeros(1), np.array([y]))[0][0] for y in (1.0, -16.0))
    assert 1.0 < rim - centre < 2.5
    y = np.arange(5, 25, 0.05)
    posterior = [y[body(shape, np.full_like(y, x), y, 0 * y)[0] < 0].max() for x in (0.0, 6.0)]
    assert posterior[1] > posterior[0] + 0.4
