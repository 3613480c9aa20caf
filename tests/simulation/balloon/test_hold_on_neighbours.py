"""Points that carry the bone; the column's hold on a neighbour stays where it is."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.operation import _bone_points
from kyphoplan.simulation.operative_field import PLATE, SUPPORT, Surroundings, prepare
from kyphoplan.simulation.uncertainty import assumed_calibration

from ...planned import planned

SOFT, STIFF = 0.6, 2000.0  # [MPa] of the layer that holds a neighbour, and of the neighbour


def softness_of_the_hold(*, still: bool) -> Array:
    """Push a plate 0.1 voxel into the layer that holds it; the stiffness of that layer [MPa]."""
    full, soft = np.ones((2, 2, 3)), np.full((2, 2, 3), STIFF)
    soft[:, :, 0] = SOFT
    points = mp.fill_with_points(full > 0.0, 0 * full, soft, 0 * full, full, 1.0)
    points = replace(points, still=np.full(len(points.place), still))
    u = np.zeros((3, 3, 4, 3))
    u[:, :, 1:, 2] = -0.1
    change = np.zeros((4, 4, 6, 8))
    change[:, :, :2, 0], change[:, :, :2, 3] = np.log(0.9), -0.1 * SOFT
    mp.move(points, points.copy(), u, 1.0, change)
    below = points.place[:, 2] < 1.0
    assert points.stress_mpa[below, 2].min() == pytest.approx(-0.1 * SOFT)
    return np.asarray(mp.gather(points, (2, 2, 3), 2)[:, :, :2, mp.SOFT])


def test_a_neighbour_that_gives_way_does_not_stiffen_what_holds_it() -> None:
    np.testing.assert_allclose(softness_of_the_hold(still=True), SOFT)
    assert softness_of_the_hold(still=False).max() > 100.0 * SOFT  # a part of it is plate now


def test_neighbours_and_their_hold_stay_and_the_vertebra_moves() -> None:
    case = planned()
    plan = replace(case.plan.levels[0], inflations=(), trajectories=())
    column = Surroundings(support_mpa_per_mm=0.3)
    field = prepare(case.spine["L1"], case.ct, plan, assumed_calibration(), column, 3.0)
    points = _bone_points(field, plan, ())
    tissue = field.tissue[tuple(points.place.astype(int).T)]
    np.testing.assert_array_equal(points.still, np.isin(tissue, (PLATE, SUPPORT)))
    assert 0.0 < points.still.mean() < 0.5
