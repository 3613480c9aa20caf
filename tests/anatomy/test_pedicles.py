"""Pedicles: both sides, at their narrowest place, along their own axis."""

import numpy as np
import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Pedicle, Side, Spine
from kyphoplan.geometry import angle_deg
from kyphoplan.phantom import Collapse, Phantom, scan

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


def test_thin_pedicles_of_a_crushed_t6_are_measured_before_its_long_spinous_process() -> None:
    """The arch holds more bone than what is left of the body."""
    crushed = Collapse(
        level=Level.T6,
        anterior_loss=0.58,
        middle_loss=0.4,
        posterior_loss=0.15,
        endplate="inferior",
    )
    phantom = Phantom(
        levels=(Level.T5, Level.T6), collapses=(crushed,), left_pedicle_scale=0.7, size=0.95
    )
    image = scan(phantom, tilt_deg=(9.0, -7.0, 4.0), noise_hu=0.0)
    vertebra, truth = locate(image.labels)["T6"], image.truth["T6"]
    assert vertebra.frame is not None
    assert vertebra.frame.posterior @ truth.posterior > 0.95
    assert vertebra.canal is not None
    assert vertebra.canal.area.value == pytest.approx(truth.canal_area_mm2, rel=0.04)
    for pedicle in vertebra.pedicles:
        assert pedicle.width.value == pytest.approx(
            getattr(truth, f"{pedicle.side}_pedicle_width_mm"), abs=0.6
        )
        assert pedicle.height.value == pytest.approx(
            getattr(truth, f"{pedicle.side}_pedicle_height_mm"), abs=1.5
        )
