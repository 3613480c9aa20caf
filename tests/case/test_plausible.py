"""A level that no vertebra can be is named; where it cannot be told which of two, both are."""

import numpy as np
import pytest

from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.case.plausible import implausible_levels

NAMES = (Level.T12, Level.L1, Level.L2, Level.L3)
SIDE_MM, HIGH_MM = 30, 25


def stack(*tops_mm: float, low: float = 5.0) -> LabelMap:
    """Blocks under each other, the first at the head; heights of their tops below the top."""
    voxels = np.zeros((40, 40, 200), np.uint8)
    for value, top in enumerate(tops_mm, start=1):
        start = 200 - round((top + HIGH_MM + low) / 2)
        voxels[5 : 5 + SIDE_MM // 2, 5 : 5 + SIDE_MM // 2, start : start + HIGH_MM // 2] = value
    levels = dict(enumerate(NAMES[: len(tops_mm)], start=1))
    return LabelMap(volume=Volume(voxels, np.diag([2.0, 2.0, 2.0, 1.0])), levels=levels)


@pytest.mark.parametrize(
    ("tops_mm", "low", "named"),
    [
        ((0, 30, 60, 90), 5, set()),
        ((0, 30, 160, 250), 5, {Level.L2}),  # far from both neighbours
        ((0, 30, 60, 140), 5, {Level.L2, Level.L3}),  # it cannot be told which
        ((0, 80, 110, 140), -4, {Level.T12}),  # which is cut at the top
    ],
)
def test_the_level_at_a_wrong_distance_is_named(
    tops_mm: tuple[float, ...], low: float, named: set[Level]
) -> None:
    assert set(implausible_levels(stack(*tops_mm, low=low))) == named


def test_a_crumb_and_a_leak_are_named_and_their_distance_blames_no_neighbour() -> None:
    whole = stack(0, 30, 60, 90)
    crumb, leak = whole.volume.voxels.copy(), whole.volume.voxels.copy()
    crumb[(crumb == 2) & (np.arange(200) != 175)] = 0
    crumb[6:, :, :][crumb[6:, :, :] == 2] = 0
    crumb[:, 6:, :][crumb[:, 6:, :] == 2] = 0
    leak[30, 30, 10:190] = 2
    for voxels in (crumb, leak):
        labels = LabelMap(volume=Volume(voxels, whole.volume.affine), levels=whole.levels)
        assert set(implausible_levels(labels)) == {Level.L1}
