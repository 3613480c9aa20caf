"""Two vertebrae under one label are noticed, and one vertebra never is taken for two."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

import kyphoplan as kp
from kyphoplan.case import LabelMap, Volume
from kyphoplan.case.plausible import implausible_levels
from kyphoplan.geometry import rotation

L = kp.Level
LEVELS = (L.T11, L.T12, L.L1, L.L2)
HALF = np.array([21.0, 16.0, 13.0])  # [mm] half sizes of a body


@cache
def spine(*collapses: kp.Collapse, step_mm: float = 2.0) -> LabelMap:
    phantom = kp.Phantom(levels=LEVELS, collapses=collapses)
    return kp.scan(phantom, spacing_mm=(step_mm, step_mm, step_mm)).labels


def joined(labels: LabelMap, upper: kp.Level, lower: kp.Level, disc: bool = False) -> LabelMap:
    """Give the lower level's voxels to the upper one; with the disc between the bodies too."""
    voxels = labels.volume.voxels.copy()
    kept, gone = labels.value_of(upper), labels.value_of(lower)
    voxels[voxels == gone] = kept
    if disc:
        ball = ndimage.generate_binary_structure(3, 1)
        whole = ndimage.binary_closing(np.pad(voxels == kept, 8), ball, iterations=4)
        voxels[whole[8:-8, 8:-8, 8:-8] & (voxels == 0)] = kept
    levels = {value: level for value, level in labels.levels.items() if value != gone}
    return LabelMap(volume=Volume(voxels, labels.volume.affine), levels=levels)


WEDGE = kp.Collapse(level=L.L1, anterior_loss=0.5, middle_loss=0.4, posterior_loss=0.1)
FLAT = kp.Collapse(level=L.L1, anterior_loss=0.7, middle_loss=0.7, posterior_loss=0.6)


@pytest.mark.parametrize("collapses", [(), (WEDGE,), (FLAT,)])
def test_single_vertebrae_broken_or_not_are_plausible(collapses: tuple[kp.Collapse, ...]) -> None:
    assert implausible_levels(spine(*collapses)) == {}


@pytest.mark.parametrize("collapses", [(), (WEDGE,)])
@pytest.mark.parametrize(("upper", "lower"), [(L.T11, L.T12), (L.T12, L.L1), (L.L1, L.L2)])
def test_two_levels_under_one_label_are_noticed_and_no_other_is(
    collapses: tuple[kp.Collapse, ...], upper: kp.Level, lower: kp.Level
) -> None:
    found = implausible_levels(joined(spine(*collapses), upper, lower))
    assert set(found) == {upper}
    assert found[upper].startswith("holds two bodies")


def test_two_levels_with_their_disc_are_noticed() -> None:
    found = implausible_levels(joined(spine(), L.T12, L.L1, disc=True))
    assert set(found) == {L.T12}
    assert "times as high as wide" in found[L.T12]


def test_a_merged_label_that_is_alone_is_noticed_too() -> None:
    labels = joined(spine(), L.T12, L.L1)
    alone = LabelMap(volume=labels.volume, levels={labels.value_of(L.T12): L.T12})
    assert set(implausible_levels(alone)) == {L.T12}


@pytest.mark.parametrize(
    ("axis", "angle_deg"), [((1, 0, 0), 90.0), ((0, 1, 0), 90.0), ((1, 2, 3), 65.0)]
)
def test_how_the_patient_lies_makes_no_difference(axis: tuple[int, ...], angle_deg: float) -> None:
    turn = np.eye(4)
    turn[:3, :3] = rotation(list(axis), angle_deg)
    for labels, wrong in ((spine(), set()), (joined(spine(), L.T12, L.L1), {L.T12})):
        lying = Volume(labels.volume.voxels, turn @ labels.volume.affine)
        assert set(implausible_levels(LabelMap(volume=lying, levels=labels.levels))) == wrong


def test_the_halves_of_a_body_with_a_cleft_are_no_two_bodies() -> None:
    """A gap across the middle of the body, as an intravertebral cleft that was not labelled."""
    labels = spine(step_mm=1.5)
    value = labels.value_of(L.L1)
    places = labels.volume.to_patient(np.argwhere(labels.volume.voxels == value))
    middle = kp.locate(labels)["L1"].frame
    assert middle is not None
    height = (places - middle.origin_mm) @ middle.superior
    ahead = -(places - middle.origin_mm) @ middle.posterior
    cleft = np.argwhere(labels.volume.voxels == value)[(np.abs(height) < 3.0) & (ahead > -18.0)]
    voxels = labels.volume.voxels.copy()
    voxels[tuple(cleft.T)] = 0
    assert len(cleft) > 1000
    split = LabelMap(volume=Volume(voxels, labels.volume.affine), levels=labels.levels)
    assert implausible_levels(split) == {}
