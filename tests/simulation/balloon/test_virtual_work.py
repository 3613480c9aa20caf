"""Pressure at the end of an increment: less for balloons that grow, kept by one that is closed."""

import numpy as np

from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.placing import placed_points
from kyphoplan.simulation.balloon.tamps import Tamp
from kyphoplan.simulation.inflation import Operation

SHAPE, APART_MM = (20, 12, 12), 5.0


def two_balloons(left_mm3: float, right_mm3: float) -> Operation:
    """Return even bone with two balls that are to take so much more."""
    middle, core, full = 0.5 * np.array(SHAPE), np.array([0.0, 0.0, 0.005]), np.ones(SHAPE)
    aside = [np.array([sign * APART_MM, 0.0, 0.0]) for sign in (-1.0, 1.0)]
    skins = tuple(Skin.around(middle + a - core, middle + a + core, 2.0) for a in aside)
    points = mp.fill_with_points(full > 0, 104.0 * full, 0 * full, 0.3 * full, full, 1.0)
    points = placed_points(points, skins, np.zeros(len(points.place), bool), 1.0)
    held = np.full((*(n + 1 for n in SHAPE), 3), np.nan)
    for axis in range(3):
        for end in (0, -1):
            np.moveaxis(held, axis, 0)[end] = 0.0
    tamps = tuple(
        Tamp(skin=skin, volume_mm3=skin.volume_mm3 + more)
        for skin, more in zip(skins, (left_mm3, right_mm3), strict=True)
    )
    return Operation(points, full > 0, held, 1.0, tamps)


def test_a_closed_balloon_keeps_its_pressure_and_one_that_grows_eases() -> None:
    op = two_balloons(20.0, 0.0)
    op.inflate()
    assert op.pace.eased[1] == 1.0
    assert 0.8 < op.pace.eased[0] < 1.0


def test_mirrored_balloons_come_to_the_same_pressure() -> None:
    op = two_balloons(10.0, 10.0)
    last = op.inflate()[-1]
    np.testing.assert_allclose(last.pressure_mpa[0], last.pressure_mpa[1], rtol=0.01)
    assert (op.pace.eased < 1.0).all()
