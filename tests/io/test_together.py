"""A label map that is not of this CT, or mirrored, is refused."""

import numpy as np
import pytest

import kyphoplan.io as kio
from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.errors import CaseError

PAIRS = [
    ("verse012-ct-L1fx/sub-verse012_ct", "verse012-ct-L1fx/sub-verse012_seg-vert_msk"),
    ("totalseg-example/example_ct", "totalseg-example/totalseg"),
    ("tptbox-L3/sub-ct_label-22_ct", "tptbox-L3/sub-ct_seg-vert_label-22_msk"),
]


def pair(spacing=1.0, offset=8.0):
    """A bone block, asymmetric to the middle of its image, and its label."""
    shape = np.round(np.array([60, 60, 60]) / spacing).astype(int)
    ct = Volume(np.full(shape, -50, np.int16), np.diag([spacing, spacing, spacing, 1.0]))
    x, y, z = np.moveaxis(ct.to_patient(np.argwhere(np.ones(shape))).reshape(*shape, 3), -1, 0)
    bone = (abs(x - 30 - offset) < 10) & (abs(y - 30) < 10) & (abs(z - 30) < 10)
    voxels = np.where(bone, 250, ct.voxels).astype(np.int16)
    labels = Volume(bone.astype(np.uint8), ct.affine)
    return Volume(voxels, ct.affine), LabelMap(volume=labels, levels={1: Level.L1})


def test_a_pair_belongs_together_also_on_different_grids():
    ct, _ = pair()
    _, labels = pair(spacing=2.5)
    assert kio.check_together(ct, labels) == ()


@pytest.mark.parametrize("offset", [6.0, 12.0])
def test_a_mirrored_map_is_refused(offset):
    ct, labels = pair(offset=offset)
    mirrored = Volume(np.flip(labels.volume.voxels, 0), labels.volume.affine)
    with pytest.raises(CaseError, match=r"mirrored left-right.*left and right are swapped"):
        kio.check_together(ct, LabelMap(volume=mirrored, levels=labels.levels))


def test_a_map_of_another_place_is_refused():
    ct, labels = pair()
    for shift, problem in {
        70.0: "100 % of it lies outside the CT",
        -20.0: "does not lie on bone",
    }.items():
        affine = labels.volume.affine.copy()
        affine[2, 3] += shift
        moved = LabelMap(volume=Volume(labels.volume.voxels, affine), levels=labels.levels)
        with pytest.raises(CaseError, match=problem):
            kio.check_together(ct, moved)


def test_a_vertebra_partly_outside_and_faint_bone_are_reported():
    ct, labels = pair()
    notices = kio.check_together(ct.cropped((0, 0, 25), (60, 60, 60)), labels)
    assert [(n.code, n.level) for n in notices] == [("label_outside_ct", Level.L1)]
    faint = Volume(np.where(labels.volume.voxels, 0, -20).astype(np.int16), ct.affine)
    assert [n.code for n in kio.check_together(faint, labels)] == ["labels_not_on_bone"]


@pytest.mark.parametrize(("ct_name", "label_name"), PAIRS)
def test_real_pairs_belong_together_and_their_mirror_does_not(shared, ct_name, label_name):
    ct = kio.read_volume(shared / "data" / f"{ct_name}.nii.gz")
    labels = kio.read_labels(shared / "data" / f"{label_name}.nii.gz")
    assert kio.check_together(ct, labels) == ()
    across = int(np.argmax(np.abs(labels.volume.affine[0, :3])))
    in_place = Volume(np.flip(labels.volume.voxels, across), labels.volume.affine)
    in_space = Volume(labels.volume.voxels, np.diag([-1.0, 1, 1, 1]) @ labels.volume.affine)
    for mirrored in (in_place, in_space):
        with pytest.raises(CaseError, match=r"left and right|outside the CT"):
            kio.check_together(ct, LabelMap(volume=mirrored, levels=labels.levels))
