"""Real label maps: no vertebra is taken for two, and two under one label are noticed."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.case.plausible import implausible_levels
from kyphoplan.io import read_labels

MAPS = {
    "verse012": "verse012-ct-L1fx/sub-verse012_seg-vert_msk.nii.gz",
    "verse004": "verse004-mask-L1fx/sub-verse004_seg-vert_msk.nii.gz",
    "totalseg": "totalseg-example/totalseg.nii.gz",
    "totalseg_refined": "totalseg-example/totalseg_vertebrae_pp_refined.nii.gz",
    "tptbox": "tptbox-L3/sub-ct_seg-vert_label-22_msk.nii.gz",
}
SLIVERS = {("totalseg", Level.T11), ("tptbox", Level.L2)}  # the border leaves no body of these


@pytest.fixture(params=MAPS)
def named(request: pytest.FixtureRequest, shared: Path) -> tuple[str, LabelMap]:
    return request.param, read_labels(shared / "data" / MAPS[request.param])


def joined(labels: LabelMap) -> Iterator[tuple[Level, Level, LabelMap]]:
    """Each two neighbours under the upper one's label."""
    stored, by_level = labels.volume.voxels, {n: v for v, n in labels.levels.items()}
    for upper, lower in pairwise(sorted(n for n in by_level if n is not Level.S1)):
        voxels = np.where(stored == by_level[lower], by_level[upper], stored)
        levels = {v: n for v, n in labels.levels.items() if n is not lower}
        yield upper, lower, LabelMap(volume=Volume(voxels, labels.volume.affine), levels=levels)


def test_no_real_vertebra_is_implausible(named: tuple[str, LabelMap]) -> None:
    assert implausible_levels(named[1]) == {}


def test_two_real_levels_under_one_label_are_noticed(named: tuple[str, LabelMap]) -> None:
    name, labels = named
    for upper, lower, both in joined(labels):
        if not {(name, upper), (name, lower)} & SLIVERS:
            assert set(implausible_levels(both)) == {upper}, (upper, lower)
