"""Pedicles: both sides, at their narrowest place, along their own axis."""

import numpy as np
import pytest

from kyphoplan.case import Level, Pedicle, Side, Spine
from kyphoplan.geometry import angle_deg

from .conftest import Located

pytestmark = pytest.mark.slow
BOTH_SIDES = [
    pytest.param(level, side, id=f"{level}-{side}")
    for level in (Level.T12, Level.L1, Level.L2)
    for side in Side
]


def pedicle_of(spine: Spine, level: Level, side: Side) -> Pedicle:
    vertebra = spine[level]
    pedicle = vertebra.left_pedicle if side is Side.LEFT else vertebra.right_pedicle
    assert pedicle is not None
    assert pedicle.side is side
    return pedicle


@pytest.mark.parametrize(("level", "side"), BOTH_SIDES)
def test_its_isthmus_is_where_the_phantom_is_narrowest(
    burst: Located, level: Level, side: Side
) -> None:
    pedicle, truth = pedicle_of(burst.from_labels, level, side), burst.image.truth[level]
    true_place = getattr(truth, f"{side}_isthmus_mm")
    across = np.linalg.norm(
        np.cross(pedicle.isthmus_mm - true_place, getattr(truth, f"{side}_pedicle_axis"))
    )
    along = (pedicle.isthmus_mm - true_place) @ getattr(truth, f"{side}_pedicle_axis")
    assert across < 1.5
    assert abs(along) < 4.0


@pytest.mark.parametrize(("level", "side"), BOTH_SIDES)
def test_its_axis_is_the_phantoms_and_points_into_the_body(
    burst: Located, level: Level, side: Side
) -> None:
    pedicle, truth = pedicle_of(burst.from_labels, level, side), burst.image.truth[level]
    assert angle_deg(pedicle.axis, getattr(truth, f"{side}_pedicle_axis")) < 10.0
    assert pedicle.axis @ truth.posterior < 0.0


@pytest.mark.parametrize(("level", "side"), BOTH_SIDES)
def test_its_width_and_height_are_the_phantoms(burst: Located, level: Level, side: Side) -> None:
    pedicle, truth = pedicle_of(burst.from_labels, level, side), burst.image.truth[level]
    assert pedicle.width.value == pytest.approx(
        getattr(truth, f"{side}_pedicle_width_mm"), abs=0.6
    )
    assert pedicle.height.value == pytest.approx(
        getattr(truth, f"{side}_pedicle_height_mm"), abs=1.5
    )


@pytest.mark.parametrize(("level", "side"), BOTH_SIDES)
def test_its_outline_is_closed_around_the_isthmus_and_as_wide_as_said(
    burst: Located, level: Level, side: Side
) -> None:
    pedicle = pedicle_of(burst.from_labels, level, side)
    np.testing.assert_allclose(pedicle.outline_mm[0], pedicle.outline_mm[-1])
    spokes = pedicle.outline_mm - pedicle.isthmus_mm
    assert np.abs(spokes @ pedicle.axis).max() < 0.5
    assert np.linalg.norm(pedicle.outline_mm.mean(axis=0) - pedicle.isthmus_mm) < 1.0
    frame = burst.from_labels[level].frame
    assert frame is not None
    assert pedicle.width.value == pytest.approx(np.ptp(spokes @ frame.left), rel=0.35)


@pytest.mark.parametrize("level", [Level.T12, Level.L1, Level.L2], ids=str)
def test_the_narrower_side_is_the_patients_left(burst: Located, level: Level) -> None:
    left, right = (pedicle_of(burst.from_labels, level, side).width.value for side in Side)
    assert left is not None
    assert right is not None
    assert left < 0.92 * right
