"""Crushing keeps to its yield surface and its flow rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.simulation.plasticity import return_factor, shape_factor

stress = st.floats(0.0, 1e4)
ratio = st.floats(0.0, 0.5)


@given(stress, st.floats(-1e4, 1e4), ratio, st.floats(1e-2, 1e3))
def test_a_returned_stress_is_on_the_surface_or_was_inside(
    q: float, p: float, plastic_poisson: float, limit: float
) -> None:
    bulk, shear, factor = 800.0, 400.0, shape_factor(plastic_poisson)
    t = return_factor(q, p, bulk, shear, limit, factor)
    one, other = 1.0 + 3.0 * shear * t, 1.0 + bulk * factor * t
    size = ((q / one) ** 2 + factor * (p / other) ** 2) / (1.0 + factor / 9.0)
    before = (q**2 + factor * p**2) / (1.0 + factor / 9.0)
    assert t >= 0.0
    if before <= limit**2:
        assert t == 0.0
    else:
        assert np.sqrt(size) == pytest.approx(limit, rel=1e-6)


@given(ratio, st.floats(0.1, 100.0))
def test_uniaxial_stress_yields_at_the_uniaxial_limit(poisson: float, limit: float) -> None:
    factor = shape_factor(poisson)
    under, over = 0.999 * limit, 1.001 * limit
    assert return_factor(under, -under / 3.0, 800.0, 400.0, limit, factor) == 0.0
    assert return_factor(over, -over / 3.0, 800.0, 400.0, limit, factor) > 0.0


@pytest.mark.parametrize("plastic_poisson", [-0.1, 0.6])
def test_an_impossible_ratio_is_refused(plastic_poisson: float) -> None:
    with pytest.raises(ValueError, match="plastic_poisson"):
        shape_factor(plastic_poisson)
