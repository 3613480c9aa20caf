"""How stiff flowing cement is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.materials import CEMENTS
from kyphoplan.simulation.cement.rheology import LEAST_SHEAR, Curing, PowerLaw

BONE = (np.array(0.04), np.array(0.9))  # permeability [mm2], porosity [1]


@given(speed=st.floats(0.0, 100.0), consistency=st.floats(1e-6, 1e-2))
def test_newtonian_cement_does_not_know_its_speed(speed: float, consistency: float) -> None:
    law = PowerLaw(consistency=consistency, index=1.0)
    assert float(law(np.array(speed), *BONE)) == pytest.approx(consistency)


def test_faster_cement_is_thinner_and_cement_at_rest_is_finite() -> None:
    law = PowerLaw(consistency=1e-4, index=0.6)
    viscosity = law(np.array([0.0, 0.01, 0.1, 1.0, 10.0]), *BONE)
    assert (np.diff(viscosity) < 0.0).all()
    assert viscosity[0] == pytest.approx(1e-4 * (2.8 / 2.4) ** 0.6 * LEAST_SHEAR**-0.4)


def test_flow_through_one_tube_is_that_of_the_closed_form() -> None:
    """Power law in a round tube: flow = pi n / (3 n + 1) (gradient / 2 K)^(1/n) r^(3 + 1/n)."""
    consistency, n, radius, speed = 1e-4, 0.55, 0.8, 3.0
    law = PowerLaw(consistency=consistency, index=n)
    permeability = np.array(radius**2 / 8.0)
    viscosity = float(law(np.array(speed), permeability, np.array(1.0)))
    gradient = viscosity * speed / float(permeability)
    flow = np.pi * n / (3 * n + 1) * (gradient / (2 * consistency)) ** (1 / n)
    assert flow * radius ** (3 + 1 / n) == pytest.approx(np.pi * radius**2 * speed)


@pytest.mark.parametrize("name", CEMENTS)
def test_cement_gets_stiffer_by_the_minute(name: str) -> None:
    curing = Curing.of(CEMENTS[name])
    assert curing.at(curing.reference_s).consistency == pytest.approx(curing.consistency)
    later = curing.at(curing.reference_s + curing.doubling_s)
    assert later.consistency == pytest.approx(2.0 * curing.consistency)


def test_a_draw_is_reproducible_and_lies_in_the_ranges() -> None:
    cement = CEMENTS["high viscosity"]
    one, two = (Curing.of(cement, np.random.default_rng(5)) for _ in range(2))
    assert one == two
    assert cement.consistency.low <= one.consistency <= cement.consistency.high
    assert cement.index.low <= one.index <= cement.index.high
