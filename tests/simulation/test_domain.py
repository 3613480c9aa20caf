"""What lies outside the domain is not rehearsed, and the reason is told."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Level, Part, Plan, Volume
from kyphoplan.case.rehearsal import Rehearsed
from kyphoplan.simulation import simulate
from kyphoplan.simulation.domain import LARGEST_ML, outside

from ..planned import planned


def thick() -> Volume:
    """The scan, every fifth slice of it."""
    ct = planned().ct
    affine = ct.affine.copy()
    affine[:3, 2] *= 5.0
    return Volume(voxels=ct.voxels[:, :, ::5], affine=affine)


def cemented() -> Volume:
    """The scan with a ball of cement in L1."""
    case = planned()
    parts = case.spine["L1"].parts
    assert parts is not None
    centre = parts.to_patient(np.argwhere(parts.voxels == Part.BODY).mean(axis=0))
    at = np.moveaxis(np.indices(case.ct.voxels.shape), 0, -1)
    away = np.linalg.norm(case.ct.to_patient(at) - centre, axis=-1)
    return Volume(voxels=np.where(away < 6.0, 2500.0, case.ct.voxels), affine=case.ct.affine)


def test_what_it_was_made_for_is_inside() -> None:
    case = planned()
    assert outside(case.spine["L1"], case.ct, case.plan.levels[0]) == ""


@pytest.mark.parametrize(
    ("what", "told"),
    [("level", "T5 to L5"), ("slices", "slices of"), ("cement", "cement"), ("volume", "balloon")],
)
def test_what_it_was_not_made_for_is_outside(what: str, told: str) -> None:
    case = planned()
    vertebra, ct, plan = case.spine["L1"], case.ct, case.plan.levels[0]
    if what == "level":
        vertebra = replace(vertebra, level=Level.T4)
    elif what == "slices":
        ct = thick()
    elif what == "cement":
        ct = cemented()
    else:
        huge = tuple(replace(b, volume_ml=LARGEST_ML + 0.5) for b in plan.inflations)
        plan = replace(plan, inflations=huge)
    assert told in outside(vertebra, ct, plan)


def test_it_abstains_with_the_reason() -> None:
    case = planned()
    plan = Plan(levels=case.plan.levels[:1], notices=())
    (level,) = simulate(plan, case.spine, cemented(), case.measurements).levels
    assert level.outcome is Rehearsed.ABSTAINED
    assert "earlier cement" in level.reason
    assert level.figures == {}
