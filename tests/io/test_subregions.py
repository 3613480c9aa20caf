"""SPINEPS subregion masks need the levels, and get them on the right bodies."""

import numpy as np
import pytest

import kyphoplan.io as kio
from kyphoplan.case import Level
from kyphoplan.errors import CaseError

MASK = "data/tptbox-L3/sub-ct_seg-subreg_label-22_msk.nii.gz"
VERTEBRAE = "data/tptbox-L3/sub-ct_seg-vert_label-22_msk.nii.gz"
IN_VIEW = [Level.L2, Level.L3, Level.L4]


def test_subregions_become_the_vertebrae_of_spineps_own_vertebra_mask(shared):
    labels = kio.read_labels(shared / MASK, scheme="spineps_subregions", levels=IN_VIEW)
    assert list(labels.levels.values()) == IN_VIEW
    assert (labels.scheme, labels.basis) == ("spineps_subregions", "levels stated by user")
    truth = kio.read_labels(shared / VERTEBRAE)
    for level in IN_VIEW:
        ours = labels.volume.voxels == labels.value_of(level)
        theirs = truth.volume.voxels == truth.value_of(level)
        body = np.isin(kio.read_volume(shared / MASK).voxels, (49, 50))
        assert dice(ours & body, theirs & body) > 0.99
        print(
            f"{level}: whole {dice(ours, theirs):.3f}, body {dice(ours & body, theirs & body):.4f}"
        )


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        (None, r"3 vertebral bodies are in view.*none was named.*give the 3 levels"),
        ([Level.L3], r"3 vertebral bodies are in view.*1 were named"),
        ([Level.L4, Level.L3, Level.L2], "not in order from head to tail"),
    ],
)
def test_levels_that_do_not_match_the_bodies_are_refused(shared, levels, problem):
    with pytest.raises(CaseError, match=problem):
        kio.read_labels(shared / MASK, scheme="spineps_subregions", levels=levels)


def test_another_map_is_no_subregion_mask(shared):
    with pytest.raises(CaseError, match="holds no vertebral body"):
        kio.read_labels(shared / VERTEBRAE, scheme="spineps_subregions", levels=IN_VIEW)
    with pytest.raises(CaseError, match="levels go only with"):
        kio.read_labels(shared / VERTEBRAE, scheme="verse", levels=IN_VIEW)
