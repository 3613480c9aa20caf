"""A level that cannot be measured says so, and its neighbours are as they were."""

import numpy as np
import pytest

import kyphoplan as kp
from kyphoplan.anatomy.unfit import unfit_levels
from kyphoplan.case import LabelMap, Measure, Volume
from kyphoplan.phantom import Scan

LEVELS = (kp.Level.L1, kp.Level.L2)
OWN = ("anterior_height", "posterior_height", "wedge_angle", "canal_area", "density_hu")


@pytest.fixture(scope="module")
def scan() -> Scan:
    spine = kp.Phantom(levels=LEVELS, collapses=())
    return kp.scan(spine, spacing_mm=(2.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def plain(scan: Scan) -> kp.Measurements:
    return figures(scan.labels, scan.ct)


def filled(scan: Scan, hu: float, size: int = 6) -> Volume:
    """The CT with a block of something inside L1."""
    voxels = np.array(scan.ct.voxels, np.float32)
    inside = np.argwhere(scan.labels.volume.voxels == scan.labels.value_of(kp.Level.L1))
    front = inside[inside[:, 1] < np.median(inside[:, 1])]
    middle = np.round(front.mean(axis=0)).astype(int)
    block = tuple(slice(m - size // 2, m + size // 2) for m in middle)
    voxels[block] = hu
    return Volume(voxels, scan.ct.affine)


def figures(labels: LabelMap, ct: Volume) -> kp.Measurements:
    return kp.measure(kp.locate(labels, ct), ct)


@pytest.mark.parametrize(
    ("hu", "code", "reason"),
    [
        (3071.0, "metal", "metal: 1.7 ml"),
        (np.nan, "missing_voxels_in_bone", "missing: 216 voxels"),
    ],
)
def test_a_level_full_of_metal_or_nothing_has_no_figure_and_its_neighbours_have_all(
    scan: Scan, plain: kp.Measurements, hu: float, code: str, reason: str
) -> None:
    broken = figures(scan.labels, filled(scan, hu))
    row = broken["L1"]
    for name in row.__dataclass_fields__:
        if isinstance(m := getattr(row, name), Measure) and not name.startswith("expected"):
            assert m.value is None, name
    assert row.anterior_height.reason.startswith(reason)
    assert code in {n.code for n in broken.notices if n.level is kp.Level.L1}
    for name in OWN:
        assert getattr(broken["L2"], name) == getattr(plain["L2"], name), name


def test_cement_is_named_but_its_level_is_measured(scan: Scan) -> None:
    found = figures(scan.labels, filled(scan, 1800.0))
    assert "dense_material" in {n.code for n in found.notices if n.level is kp.Level.L1}
    assert found["L1"].anterior_height.value is not None


def test_a_single_bright_voxel_is_no_metal(scan: Scan) -> None:
    assert unfit_levels(scan.labels, filled(scan, 3071.0, size=2)) == {}
    assert unfit_levels(scan.labels, None) == {}


def test_an_implausible_level_has_no_figure_and_its_neighbours_are_as_without_it() -> None:
    """L1 of a whole spine is a crumb far away: as if it had not been labelled, but named."""
    spine = kp.Phantom(levels=(kp.Level.T12, *LEVELS), collapses=())
    whole = kp.scan(spine, spacing_mm=(2.5, 2.5, 2.5))
    value = whole.labels.value_of(kp.Level.L1)
    without = np.where(whole.labels.volume.voxels == value, 0, whole.labels.volume.voxels)
    crumb = without.copy()
    crumb[1:3, 1:3, 1:3] = value
    affine, levels = whole.labels.volume.affine, whole.labels.levels
    maps = [LabelMap(volume=Volume(v, affine), levels=levels) for v in (crumb, without)]
    found, plain = (figures(labels, whole.ct) for labels in maps)
    row = found["L1"]
    for name in row.__dataclass_fields__:
        if isinstance(m := getattr(row, name), Measure) and not name.startswith("expected"):
            assert m.value is None, name
    assert row.anterior_height.reason.startswith("implausible: is 5 mm across")
    assert row.genant.grade is None
    codes = [n.code for n in found.notices if n.level is kp.Level.L1]
    assert codes == ["implausible_level"]
    for level in ("T12", "L2"):
        for name in OWN:
            assert getattr(found[level], name) == getattr(plain[level], name), (level, name)


def test_two_levels_under_one_label_have_no_figure_and_their_neighbours_are_as_without_them() -> (
    None
):
    spine = kp.Phantom(levels=(kp.Level.T12, *LEVELS, kp.Level.L3), collapses=())
    whole = kp.scan(spine, spacing_mm=(2.5, 2.5, 2.5))
    first, second = (whole.labels.value_of(level) for level in LEVELS)
    stored, affine = whole.labels.volume.voxels, whole.labels.volume.affine
    joined = np.where(stored == second, first, stored)
    without = np.where((stored == first) | (stored == second), 0, stored)
    levels = {v: n for v, n in whole.labels.levels.items() if v != second}
    maps = [LabelMap(volume=Volume(v, affine), levels=levels) for v in (joined, without)]
    found, plain = (figures(labels, whole.ct) for labels in maps)
    assert found["L1"].anterior_height.value is None
    assert found["L1"].anterior_height.reason.startswith("implausible: holds two bodies")
    for level in ("T12", "L3"):
        for name in OWN:
            assert getattr(found[level], name) == getattr(plain[level], name), (level, name)
