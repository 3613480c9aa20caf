"""Closed forms of a balloon in endless bone."""

import numpy as np
import pytest

from kyphoplan.simulation.cavity import crushing_pressure, growing_pressure, pushing_pressure


@pytest.mark.parametrize("factor", [0.2, 1.0, 2.25, 4.5])
def test_no_stress_on_the_surface_has_a_larger_radial_part(factor: float) -> None:
    turn = np.linspace(0.0, 2.0 * np.pi, 20001)
    size = np.sqrt(1.0 + factor / 9.0)
    mean, shear = size * np.cos(turn) / np.sqrt(factor), size * np.sin(turn)
    assert crushing_pressure(1.0, factor) == pytest.approx((mean + 2 / 3 * shear).max(), rel=1e-6)


def test_bone_without_pores_is_pushed_aside_and_spongy_bone_is_crushed() -> None:
    assert growing_pressure(200.0, 0.3, 2.0, 0.0) == pushing_pressure(200.0, 0.3, 2.0)
    assert growing_pressure(200.0, 0.3, 2.0, 2.0) == crushing_pressure(2.0, 2.0)
