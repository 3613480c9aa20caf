"""Laws of the synthetic scan: voxels, labels and truth are of one piece."""

import numpy as np
import pytest

from kyphoplan.case import Level
from kyphoplan.geometry import Array
from kyphoplan.phantom import Collapse, Phantom, Scan, scan
from kyphoplan.phantom.stack import stack
from kyphoplan.phantom.tissue import bone, reach

SMALL = Phantom(levels=(Level.T12, Level.L1))
FRACTURE = Collapse(level=Level.L1, anterior_loss=0.35, middle_loss=0.2, retropulsion_mm=3.0)
BROKEN = Phantom(levels=(Level.T12, Level.L1, Level.L2), collapses=(FRACTURE,))


def height_in_labels(result: Scan, level: Level, station: int) -> float:
    """Length of the label along the body's axis through one station [mm]."""
    row = result.truth[level]
    low, high = row.inferior_points_mm[station], row.superior_points_mm[station]
    along = np.linspace(-0.4, 1.4, 2001)[:, None]
    volume = result.labels.volume
    index = np.rint(volume.to_indices(low + along * (high - low))).astype(int)
    hit = volume.voxels[tuple(index.T)] == result.labels.value_of(level)
    return float(hit.mean() * 1.8 * np.linalg.norm(high - low))


@pytest.mark.parametrize("tilt", [(0.0, 0.0, 0.0), (15.0, -10.0, 12.0)])
def test_heights_read_off_the_labels_agree_with_the_truth_within_a_voxel(
    tilt: tuple[float, float, float],
) -> None:
    result = scan(BROKEN, tilt_deg=tilt)
    for row in result.truth.levels:
        for station, height in enumerate(row.heights_mm):
            assert height_in_labels(result, row.level, station) == pytest.approx(height, abs=1.1)


def test_the_labels_fill_the_volume_of_the_bone() -> None:
    result = scan(SMALL)
    placed = stack(SMALL)
    for above, item in ((None, placed[0]), (placed[0], placed[1])):
        box = reach(item)
        axes = [
            np.arange(a, b, 0.7) for a, b in zip(box.min(axis=0), box.max(axis=0), strict=True)
        ]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
        solid = np.minimum(*bone(item, points, above)[:2]) < 0
        labelled = (result.labels.volume.voxels == result.labels.value_of(item.level)).sum()
        assert labelled == pytest.approx(solid.sum() * 0.7**3, rel=0.01)


def test_the_mass_of_the_bone_does_not_depend_on_the_voxel_size() -> None:
    def mass(spacing: tuple[float, float, float]) -> float:
        result = scan(SMALL, spacing_mm=spacing, noise_hu=0.0, margin_mm=2.0, blur_mm=0.0)
        excess = np.clip(result.ct.voxels.astype(float) - 100.0, 0, None)
        near = np.clip(result.ct.voxels, 80, None) > 80
        return float((excess * near).sum() * result.ct.voxel_mm3)

    fine = mass((0.6, 0.6, 0.6))
    assert mass((1.0, 1.0, 1.0)) == pytest.approx(fine, rel=0.03)
    assert mass((0.8, 0.8, 2.5)) == pytest.approx(fine, rel=0.08)


@pytest.mark.parametrize("orientation", ["RAS", "PIR", "SLP", "ASL", "ILA", "LAI"])
def test_the_storage_order_changes_no_voxel(orientation: str) -> None:
    plain = scan(SMALL, spacing_mm=(2.0, 2.0, 3.0))
    stored = scan(SMALL, spacing_mm=(2.0, 2.0, 3.0), orientation=orientation)
    back = stored.ct.reordered(np.eye(3))
    np.testing.assert_array_equal(back.voxels, plain.ct.voxels)
    np.testing.assert_allclose(back.affine, plain.ct.affine, atol=1e-6)
    np.testing.assert_array_equal(
        stored.labels.volume.reordered(np.eye(3)).voxels, plain.labels.volume.voxels
    )
    directions = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
    for axis, letter in enumerate(orientation):
        step = stored.ct.affine[:3, axis]
        assert np.argmax(np.abs(step)) == directions[letter]
        assert (step[directions[letter]] > 0) == (letter in "LPS")


@pytest.mark.parametrize("orientation", ["", "LP", "LLS", "XYZ", "LRS"])
def test_an_unknown_storage_order_is_refused(orientation: str) -> None:
    with pytest.raises(ValueError, match="orientation"):
        scan(SMALL, orientation=orientation)


def bead(result: Scan) -> Array:
    """Centre of mass of the marker [mm]."""
    bright = np.clip(result.ct.voxels.astype(float) - 1200.0, 0, None)
    index = np.argwhere(bright > 0)
    weight = bright[tuple(index.T)]
    return np.asarray(result.ct.to_patient((index * weight[:, None]).sum(axis=0) / weight.sum()))


def test_a_tilted_gantry_shears_the_grid_and_moves_no_bone() -> None:
    phantom = Phantom(levels=(Level.L1,), left_marker=True)
    straight, tilted = scan(phantom), scan(phantom, gantry_tilt_deg=18.0)
    rows, slices = tilted.ct.affine[:3, 1], tilted.ct.affine[:3, 2]
    assert np.degrees(np.arcsin(rows @ slices)) == pytest.approx(18.0)
    np.testing.assert_allclose(bead(tilted), bead(straight), atol=0.15)
    for station, height in enumerate(tilted.truth["L1"].heights_mm):
        assert height_in_labels(tilted, Level.L1, station) == pytest.approx(height, abs=1.1)


def test_the_marker_is_on_the_left_and_turns_with_the_patient() -> None:
    phantom = Phantom(levels=(Level.L1,), left_marker=True)
    still, turned = bead(scan(phantom)), bead(scan(phantom, tilt_deg=(0.0, 0.0, 90.0)))
    assert still[0] > 30.0
    np.testing.assert_allclose(turned, [-still[1], still[0], still[2]], atol=0.15)


def test_the_same_seed_gives_the_same_scan() -> None:
    first = scan(SMALL, spacing_mm=(3.0, 3.0, 3.0), rng=np.random.default_rng(7))
    again = scan(SMALL, spacing_mm=(3.0, 3.0, 3.0), rng=np.random.default_rng(7))
    other = scan(SMALL, spacing_mm=(3.0, 3.0, 3.0), rng=np.random.default_rng(8))
    np.testing.assert_array_equal(first.ct.voxels, again.ct.voxels)
    assert (first.ct.voxels != other.ct.voxels).any()
    np.testing.assert_array_equal(first.labels.volume.voxels, other.labels.volume.voxels)


def test_a_symmetric_phantom_gives_a_symmetric_scan() -> None:
    result = scan(SMALL, noise_hu=0.0)
    np.testing.assert_array_equal(result.labels.volume.voxels, result.labels.volume.voxels[::-1])
    difference = result.ct.voxels.astype(int) - result.ct.voxels[::-1]
    assert np.abs(difference).max() <= 1


def test_neighbours_do_not_touch_and_every_vertebra_is_one_piece() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    result = scan(BROKEN)
    labels = result.labels.volume.voxels
    for axis in range(3):
        lines = np.moveaxis(labels, axis, 0)
        meets = (lines[1:] != lines[:-1]) & (lines[1:] > 0) & (lines[:-1] > 0)
        assert not meets.any()
    for value in result.labels.levels:
        assert ndimage.label(labels == value, np.ones((3, 3, 3)))[1] == 1


def test_tissues_have_their_densities() -> None:
    cleft = Collapse(level=Level.L1, middle_loss=0.2, cleft_ml=1.5)
    phantom = Phantom(levels=(Level.T12, Level.L1), collapses=(cleft,), trabecular_hu=150.0)
    result = scan(phantom, rng=np.random.default_rng(1))
    ct, row = result.ct, result.truth[Level.T12]

    def around(place: Array) -> Array:
        i, j, k = np.rint(ct.to_indices(place)).astype(int)
        return np.asarray(ct.voxels[i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3], dtype=float)

    assert around(row.centre_mm).mean() == pytest.approx(150.0, abs=5.0)
    assert around(row.centre_mm).std() == pytest.approx(15.0, abs=3.0)
    assert around(row.canal_centre_mm).mean() == pytest.approx(30.0, abs=5.0)
    assert ct.voxels.min() < -950
    assert (ct.voxels[result.labels.volume.voxels == 20] < -700).sum() * ct.voxel_mm3 > 800.0


def test_bridging_osteophytes_belong_to_their_labels_and_to_no_height() -> None:
    lips = ((Level.T12, 9.0), (Level.L1, 9.0))
    spurred = scan(Phantom(levels=SMALL.levels, osteophytes=lips))
    plain = scan(SMALL)
    for row, bare in zip(spurred.truth.levels, plain.truth.levels, strict=True):
        assert row.osteophytes
        assert row.heights_mm == bare.heights_mm
        assert row.body_volume_ml == bare.body_volume_ml
        value = spurred.labels.value_of(row.level)
        assert (spurred.labels.volume.voxels == value).sum() > 1.02 * (
            plain.labels.volume.voxels == value
        ).sum()


def test_the_blur_is_that_of_the_scanner_however_thick_the_slices_are() -> None:
    """A thin endplate reaches the next thick slice; nothing is lost."""
    thick = scan(SMALL, spacing_mm=(1.0, 1.0, 2.0), noise_hu=0.0, blur_mm=0.8)
    sharp = scan(SMALL, spacing_mm=(1.0, 1.0, 2.0), noise_hu=0.0, blur_mm=0.0)
    item = stack(SMALL)[1]
    above = item.frame.to_patient(np.array([0.0, 0.0, 1.0]) * item.shape.sizes.anterior / 2)
    column = np.rint(thick.ct.to_indices(above)).astype(int)
    i, j = column[0], column[1]
    lines = [result.ct.voxels[i, j].astype(float) for result in (sharp, thick)]
    assert lines[1].sum() == pytest.approx(lines[0].sum(), rel=0.01)  # nothing is lost
    assert lines[1].max() < 0.9 * lines[0].max()


def test_the_texture_has_its_spread_and_leaves_the_mean() -> None:
    phantom = Phantom(levels=(Level.L1,), texture_hu=30.0, trabecular_hu=120.0)
    result = scan(phantom, noise_hu=0.0, blur_mm=0.0)
    plain = scan(Phantom(levels=(Level.L1,), trabecular_hu=120.0), noise_hu=0.0, blur_mm=0.0)
    spongy = plain.ct.voxels == 120
    values = result.ct.voxels[spongy].astype(float)
    assert values.mean() == pytest.approx(120.0, abs=6.0)  # 30 HU over some 150 parts
    assert values.std() == pytest.approx(30.0, rel=0.15)
    cortex = plain.ct.voxels > 900
    assert np.abs(result.ct.voxels[cortex] - plain.ct.voxels[cortex]).max() <= 15
