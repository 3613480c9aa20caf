"""Heights, lift and angles are read right off a known motion."""

from functools import cache

import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.landmarks import Landmarks, landmarks
from kyphoplan.simulation.operative_field import Surroundings, prepare
from kyphoplan.simulation.uncertainty import assumed_calibration

from ..planned import planned


@cache
def watched() -> Landmarks:
    case = planned()
    column = Surroundings(support_mpa_per_mm=0.3)
    plan = case.plan.levels[0]
    vertebra = case.spine["L1"]
    field = prepare(vertebra, case.ct, plan, assumed_calibration(), column, 2.0)
    return landmarks(field, vertebra)


def moved(up_mm: Array) -> Array:
    """The places, each raised by so much."""
    now = watched().places.copy()
    now[:, 2] += up_mm / watched().edge_mm
    return now


def test_what_does_not_move_gains_nothing() -> None:
    figures = watched().figures(watched().places)
    assert [getattr(figures, name) for name in figures.__slots__] == pytest.approx([0.0] * 7)


def test_a_body_that_is_shifted_gains_nothing() -> None:
    figures = watched().figures(moved(np.full(len(watched().places), 1.3)))
    assert [getattr(figures, name) for name in figures.__slots__] == pytest.approx([0.0] * 7)


def test_a_body_that_is_stretched_gains_in_proportion_to_its_heights() -> None:
    height_mm = watched().places[:, 2] * watched().edge_mm
    figures = watched().figures(moved(0.1 * height_mm))
    row = planned().measurements["L1"]
    for gained, known in (
        (figures.anterior_mm, row.anterior_height.value),
        (figures.middle_mm, row.middle_height.value),
        (figures.posterior_mm, row.posterior_height.value),
    ):
        assert known is not None
        assert gained == pytest.approx(0.1 * known, abs=0.15)
    assert 0.0 < figures.lift_mm <= figures.largest_lift_mm


def test_what_rises_in_front_of_the_upper_endplate_alone_lessens_the_wedge() -> None:
    places = watched().places
    upper = np.zeros(len(places), bool)
    upper[:3] = True
    front = upper & (places[:, 1] < places[:3, 1].mean())
    figures = watched().figures(moved(np.where(front, 2.0, 0.0)))
    assert figures.anterior_mm == pytest.approx(2.0)
    assert figures.posterior_mm == 0.0
    assert figures.wedge_deg < -2.0


def test_a_lift_beside_the_middle_is_told_though_no_height_in_the_middle_changes() -> None:
    places = watched().places
    start = 6 + sum(watched().plates)
    aside = np.zeros(len(places), bool)
    aside[start : start + watched().samples[0]] = True
    aside &= np.abs(places[:, 0] - places[1, 0]) * watched().edge_mm > 8.0
    figures = watched().figures(moved(np.where(aside, 1.0, 0.0)))
    assert (figures.anterior_mm, figures.middle_mm, figures.posterior_mm) == (0.0, 0.0, 0.0)
    assert figures.largest_lift_mm == pytest.approx(1.0)
    assert 0.2 < figures.lift_mm < 0.9
