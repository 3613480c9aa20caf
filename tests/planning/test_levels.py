"""What a plan warns of: above all, of bone that was not seen."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Notice, Severity, Spine
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Phantom, scan
from kyphoplan.planning import check, plan
from kyphoplan.planning.levels import unseen_neighbours

from .plans import case

L1 = Level.L1


def without(spine: Spine, level: str) -> Spine:
    """The spine with one vertebra that is labelled but could not be located."""
    vertebrae = tuple(
        replace(v, surface=None, frame=None, reason="canal not found")
        if str(v.level) == level
        else v
        for v in spine.vertebrae
    )
    return replace(spine, vertebrae=vertebrae)


def unseen(spine: Spine) -> list[Notice]:
    found = plan(spine, measure(case().spine), levels=(L1,))
    assert found.levels[0].trajectories
    again = check(found, spine)
    for notices in (found.notices, again.notices):
        assert [n for n in notices if n.code == "neighbour_unseen"] == [
            n for n in found.notices if n.code == "neighbour_unseen"
        ]
    return [n for n in found.notices if n.code == "neighbour_unseen"]


def test_neighbours_that_are_seen_are_not_warned_of() -> None:
    assert unseen(case().spine) == []


@pytest.mark.parametrize("level", ["T12", "L2"])
def test_a_neighbour_that_was_not_located_is_warned_of(level: str) -> None:
    (notice,) = unseen(without(case().spine, level))
    assert notice.severity is Severity.WARNING
    assert notice.level is L1
    assert notice.text == f"{level} was not checked as an obstacle: canal not found"
    assert level in notice.remedy


def test_a_neighbour_without_label_is_warned_of_but_not_the_sacrum() -> None:
    spine = case().spine
    alone = replace(spine, vertebrae=spine.vertebrae[1:2])
    found = list(unseen_neighbours(alone, L1))
    assert [what for what, _ in found] == ["the vertebra above L1", "the vertebra below L1"]
    gap = replace(spine, vertebrae=(spine["T12"], spine["L2"]))
    assert [what for what, _ in unseen_neighbours(gap, Level.L2)] == [
        "the vertebra above L2",
        "the vertebra below L2",
    ]
    lowest = replace(spine["L1"], level=Level.L5)
    above = replace(spine["T12"], level=Level.L4)
    assert list(unseen_neighbours(replace(spine, vertebrae=(above, lowest)), Level.L5)) == []


def test_a_neighbour_cut_by_the_field_of_view_is_warned_of() -> None:
    labels = scan(Phantom(levels=(L1, Level.L2)), spacing_mm=(1.5, 1.5, 1.5)).labels
    inside = np.argwhere(labels.volume.voxels == labels.value_of(L1))[:, 2]
    cut = labels.volume.cropped((0, 0, 0), (*labels.volume.shape[:2], int(inside.max()) - 12))
    spine = locate(replace(labels, volume=cut))
    assert spine["L1"].cropped
    found = dict(unseen_neighbours(spine, Level.L2))
    assert "L1" in found
    assert "field of view" in found["L1"]


def test_balloons_with_unverified_limits_are_noted() -> None:
    found = plan(case().spine, measure(case().spine), levels=(Level.L2,))
    assert any(b.accepted and not b.verified for b in found.levels[0].inflations)
    (notice,) = {n.text: n for n in found.notices if n.code == "limits_unverified"}.values()
    assert notice.severity is Severity.INFO
    assert "unverified" in notice.text
