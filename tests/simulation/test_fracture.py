"""A broken vertebra: weak where it broke, no stronger where it was crushed, whole once healed."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from kyphoplan.case import Measure
from kyphoplan.geometry import Array
from kyphoplan.materials import STRENGTH, default
from kyphoplan.simulation.cement.cementing import Mixture
from kyphoplan.simulation.fracture import (
    BAND_MM,
    MOST_CRUSHED_MM,
    FractureModel,
    crushed_mm,
    weakened,
)
from kyphoplan.simulation.operative_field import Field, Surroundings, prepare
from kyphoplan.simulation.rehearsing import opened
from kyphoplan.simulation.uncertainty import assumed_calibration

from ..planned import planned

FRESH = FractureModel(kept=0.02, spongy_kept=0.8, spongy_stiffness=0.2, tension=0.05)


@cache
def field() -> Field:
    case = planned()
    column = Surroundings(support_mpa_per_mm=0.3)
    plan = case.plan.levels[0]
    return prepare(case.spine["L1"], case.ct, plan, assumed_calibration(), column, 2.0)


def broken(model: FractureModel, of: Field | None = None) -> Field:
    case = planned()
    return weakened(of or field(), case.spine["L1"], case.measurements["L1"], model)


def crushed(of: Field) -> NDArray[np.bool_]:
    return np.asarray(of.slack < 1.0)


def test_a_healed_break_is_whole() -> None:
    assert broken(replace(FRESH, kept=1.0)) is field()


def test_an_unbroken_body_stays_whole() -> None:
    case = planned()
    found = weakened(field(), case.spine["T12"], case.measurements["T12"], FRESH)
    assert found is field()


def test_bone_is_crushed_under_the_endplate_that_went_down_and_not_behind() -> None:
    case, found = planned(), broken(FRESH)
    places = found.to_patient(np.argwhere(crushed(found)) + 0.5)
    body = case.spine["L1"].body
    assert body is not None
    under = (body.superior.middle_mm - places) @ body.superior.normal
    assert under.min() > 0.0
    assert under.max() < crushed_mm(case.measurements["L1"]) + 6.0  # the endplate is no plane
    assert places[:, 1].max() < body.posterior_wall_mm[:, 1].max()
    assert crushed(found).sum() * 0.008 > 1.0  # [ml]


def test_crushed_bone_keeps_its_share_of_strength_and_less_of_stiffness() -> None:
    found = broken(FRESH)
    here = crushed(found) & (found.weak > FRESH.kept)
    assert found.weak[here] == pytest.approx(0.02 + 0.98 * 0.8, rel=0.15)
    assert (found.weak * found.slack)[here] == pytest.approx(0.02 + 0.98 * 0.2, rel=0.15)


def test_what_is_broken_hardly_bears_tension_until_it_heals() -> None:
    for kept in (0.02, 0.5):
        found = broken(replace(FRESH, kept=kept))
        torn = (found.weak < 1.0) | crushed(found)
        assert found.tension[torn] == pytest.approx(kept + (1.0 - kept) * FRESH.tension)
        assert (found.tension[~torn] == 1.0).all()
        assert (found.weak[torn & ~crushed(found)] == kept).any()  # of the shell


@pytest.mark.parametrize("denser", [1.5, 2.0])
def test_impacted_bone_is_no_stronger_than_before(denser: float) -> None:
    fresh = replace(FRESH, kept=1e-3)
    first = broken(fresh)
    here = crushed(first)
    packed = np.where(here, denser * field().density, field().density)
    found = broken(fresh, replace(field(), density=packed))

    def strength(of: Field) -> Array:
        return np.asarray(default(STRENGTH)(of.density) * of.weak)[here]

    assert np.median(strength(found)) == pytest.approx(np.median(strength(first)), rel=0.05)


def test_as_far_as_the_shell_is_healed_the_crushed_bone_is() -> None:
    shares = []
    for kept in (0.02, 0.3, 0.9):
        found = broken(replace(FRESH, kept=kept))
        shares.append(float(np.median(found.weak[crushed(found)])))
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_more_is_crushed_where_more_was_lost_within_bounds() -> None:
    row = planned().measurements["L1"]
    lost = [
        crushed_mm(replace(row, height_loss=Measure.of(loss, 1.0, "%", "made up")))
        for loss in (12.0, 30.0, 45.0, 75.0)
    ]
    assert lost == sorted(lost)
    assert (lost[0], lost[-1]) == (BAND_MM[1], MOST_CRUSHED_MM)


@pytest.mark.parametrize(("kept", "lift", "wider"), [(0.0, 0.3, 0.3), (1.0, 0.3, 0.0)])
def test_a_crack_opens_by_what_the_endplate_is_lifted(
    kept: float, lift: float, wider: float
) -> None:
    mixture = Mixture.of()
    operated = SimpleNamespace(moments=[SimpleNamespace(figures=SimpleNamespace(lift_mm=lift))])
    ways = opened(mixture, operated, kept).ways  # type: ignore[arg-type]
    assert ways.lift_mm - mixture.ways.lift_mm == pytest.approx(wider)
