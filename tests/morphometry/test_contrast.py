"""Contrast agent in the aorta is suspected from the picture, and from nothing else in it."""

import numpy as np
import pytest

import kyphoplan as kp
from kyphoplan.case import Spine, Volume
from kyphoplan.morphometry.contrast import contrast_notices

from .conftest import Measured


def with_tube(
    spine: Spine, ct: Volume, hu: float, radius_mm: float = 10.0, left_mm: float = 8.0
) -> Volume:
    """A CT with a tube of something along the front of its spine."""
    voxels = np.array(ct.voxels, np.float32)
    places = ct.to_patient(np.argwhere(np.ones(ct.shape, bool)))
    for vertebra in spine.vertebrae:
        if vertebra.body is None or vertebra.frame is None:
            continue
        wall = vertebra.body.anterior_wall_mm
        local = (places - wall[len(wall) // 2]) @ vertebra.frame.axes.T
        away = np.hypot(local[:, 0] - left_mm, local[:, 1] + radius_mm + 4.0)
        inside = (away < radius_mm) & (np.abs(local[:, 2]) < 20.0)
        voxels[inside.reshape(ct.shape)] = hu
    return Volume(voxels, ct.affine)


@pytest.mark.parametrize(
    ("hu", "radius_mm", "seen"),
    [(45, 10, False), (115, 12, False), (170, 8, True), (350, 13, True), (300, 4, False)],
)
def test_a_bright_tube_in_front_is_contrast_and_dim_or_thin_ones_are_not(
    intact: Measured, hu: float, radius_mm: float, seen: bool
) -> None:
    ct = with_tube(intact.spine, intact.image.ct, hu, radius_mm)
    assert [n.code for n in contrast_notices(intact.spine, ct)] == ["contrast_suspected"] * seen


def test_nothing_is_suspected_in_the_phantom_itself_or_without_a_ct(intact: Measured) -> None:
    assert contrast_notices(intact.spine, intact.image.ct) == ()
    assert contrast_notices(intact.spine, None) == ()
    assert "contrast_suspected" not in {n.code for n in intact.figures.notices}
    dense = with_tube(intact.spine, intact.image.ct, 2000.0)  # metal
    assert contrast_notices(intact.spine, dense) == ()


def test_one_level_alone_is_no_vessel(intact: Measured) -> None:
    alone = kp.Spine(
        vertebrae=intact.spine.vertebrae[1:2], scheme="", basis="", spacing_mm=np.ones(3)
    )
    assert contrast_notices(alone, with_tube(intact.spine, intact.image.ct, 300.0)) == ()
