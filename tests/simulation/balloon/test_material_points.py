"""Points carry mineral and stress through a grid that stays."""

import numpy as np
import pytest

from kyphoplan.simulation.balloon import material_points as mp

SHAPE = (6, 7, 8)


def block(density: float = 120.0) -> mp.Points:
    full = np.ones(SHAPE)
    solid = np.zeros(SHAPE, bool)
    solid[1:-1, 1:-1, 1:-1] = True
    return mp.fill_with_points(solid, density * full, 0 * full, 0.3 * full, full, 1.0)


def test_at_the_start_the_voxels_are_what_they_were() -> None:
    cells = mp.gather(block(), SHAPE)
    inner = cells[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(inner[..., mp.MASS], 0.12, rtol=1e-12)
    np.testing.assert_allclose(inner[..., mp.VOLUME], 1.0, rtol=1e-12)
    assert cells[0].max() == 0.0


@pytest.mark.parametrize("path", [0.1, 0.37, 0.9])
def test_no_mineral_is_lost_on_the_way(path: float) -> None:
    points = block()
    u = np.zeros((*(n + 1 for n in SHAPE), 3))
    u[...] = path
    mp.move(points, points.copy(), u, 1.0, np.zeros((*SHAPE, 8)))
    cells = mp.gather(points, SHAPE)
    assert cells[..., mp.MASS].sum() == pytest.approx(points.mass_mg.sum(), rel=1e-12)
    np.testing.assert_allclose(cells[3, 3, 3, mp.MASS], 0.12, rtol=1e-9)


def test_squeezed_bone_is_denser_by_as_much() -> None:
    points = block()
    change = np.zeros((*SHAPE, 8))
    change[..., 0] = np.log(0.8)
    still = np.zeros((*(n + 1 for n in SHAPE), 3))
    mp.move(points, points.copy(), still, 1.0, change)
    assert (points.mass_mg / points.volume).max() == pytest.approx(0.12 / 0.8)
