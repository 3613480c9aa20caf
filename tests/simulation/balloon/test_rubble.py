"""One octant of bone and of rubble: what it bears, how it flows, what it loses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import yielding
from kyphoplan.simulation.plasticity import pulled, shape_factor

SHEAR, BULK, LIMIT = 280.0 / 2.6, 280.0 / 1.2, 1.5  # [MPa] E = 280, nu = 0.3
tensions = st.floats(0.01, 1.0)
ratios = st.floats(0.05, 0.35)


def voxel(tension: float, ratio: float) -> Array:
    """The law of a voxel's octants; its strength does not rise."""
    factor, centre = pulled(np.array(shape_factor(ratio)), np.array(tension))
    law = np.zeros((2, 2, 2, yielding.LAWS))
    law[..., yielding.SHEAR], law[..., yielding.BULK] = SHEAR, BULK
    law[..., yielding.LIMIT] = LIMIT
    law[..., yielding.FACTOR], law[..., yielding.CENTRE] = factor, centre
    return law


def strained(law: Array, stress: Array, strain: Array) -> tuple[Array, float, float]:
    """Return the stress after an even strain of 1 mm3 (xx, yy, zz), and energy stored and lost."""
    places = np.moveaxis(np.indices((2, 2, 2)), 0, -1)
    change, whole = np.zeros((2, 2, 2, 8)), np.ones((1, 1, 1), bool)
    stored, lost = yielding.happened(strain * places, 1.0, law, stress, whole, 0.0, change)
    return stress + change[..., 1:7], stored, lost


def pressed(law: Array, strain: float, steps: int = 40) -> tuple[float, float]:
    """Return the stress in one direction, the sides free, and how much it widens at last [1]."""
    stress, wide, last = np.zeros((2, 2, 2, 6)), 0.0, 0.0
    for _ in range(steps):
        low, high = -abs(strain), abs(strain)
        for _ in range(50):
            wide = 0.5 * (low + high)
            new = strained(law, stress, np.array([wide, wide, strain]))[0]
            low, high = (low, wide) if new[0, 0, 0, 0] > 0.0 else (wide, high)
        stress, last = new, wide
    return float(stress[0, 0, 0, 2]), -last / strain


@given(tensions, ratios)
@settings(max_examples=15)
def test_pressed_it_bears_its_strength_and_widens_and_pulled_it_bears_its_share(
    tension: float, ratio: float
) -> None:
    law = voxel(tension, ratio)
    borne, widening = pressed(law, -1e-3)
    assert borne == pytest.approx(-LIMIT, rel=1e-6)
    assert widening == pytest.approx(ratio, abs=1e-4)
    assert pressed(law, 1e-3)[0] == pytest.approx(tension * LIMIT, rel=1e-6)


@pytest.mark.parametrize(("tension", "high", "low"), [(1.0, 0.745, 0.745), (0.01, 0.003, 0.557)])
def test_from_all_sides(tension: float, high: float, low: float) -> None:
    """(1 + a^2 / 9)^0.5 / a of whole bone; rubble opens at nearly nothing."""
    for strain, share in ((0.1, high), (-0.1, -low)):
        stress = strained(voxel(tension, 0.2), np.zeros((2, 2, 2, 6)), np.full(3, strain))[0]
        np.testing.assert_allclose(stress[..., :3], share * LIMIT, atol=1e-3)


@given(tensions, ratios, st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_path_gives_energy_back_that_was_not_stored(
    tension: float, ratio: float, seed: int
) -> None:
    """Plastic work is never negative, and work is stored or lost (the stress steps are small)."""
    law, rng = voxel(tension, ratio), np.random.default_rng(seed)
    stress, work, total, before = np.zeros((2, 2, 2, 6)), 0.0, 0.0, 0.0
    for strain in rng.normal(0.0, 1.0, (8, 3)):
        for _ in range(20):
            new, stored, lost = strained(law, stress, 5e-4 * strain)
            assert lost >= -1e-12
            middle = 0.5 * (stress + new)[0, 0, 0, :3]
            work, total = work + float(middle @ (5e-4 * strain)), total + lost
            stress, before = new, stored
    assert work == pytest.approx(before + total, rel=0.05, abs=1e-4)
