"""Real scans: what is known of them must come out (skipped where they are absent).

References
----------
Sekuboyina 2021 doi:10.1016/j.media.2021.102166, Loeffler 2020, Liebl 2021 (VerSe).
Wasserthal 2023 doi:10.1148/ryai.230024 (TotalSegmentator).
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.anatomy import locate
from kyphoplan.case import (
    Grade,
    LabelMap,
    Level,
    Measurements,
    Part,
    Spine,
    Vertebra,
    VertebraMeasures,
    Volume,
)
from kyphoplan.errors import CaseError
from kyphoplan.io import read_labels, read_labels_with_notices, read_volume
from kyphoplan.morphometry import measure

pytestmark = pytest.mark.slow

BODY_MASKS = (49, 50)  # SPINEPS: corpus border and corpus
TOTALSEG_MM = 3.5  # [mm] its heights are counted in steps of 1.5 mm along the scanner's axes


@dataclass(frozen=True, kw_only=True, eq=False)
class Real:
    """A real case, read, located and measured."""

    ct: Volume | None
    labels: LabelMap
    spine: Spine
    figures: Measurements


def real(labels: Path, ct: Path | None = None) -> Real:
    image, mask = None if ct is None else read_volume(ct), read_labels(labels)
    spine = locate(mask, image)
    return Real(ct=image, labels=mask, spine=spine, figures=measure(spine, image))


@pytest.fixture(scope="module")
def verse012(shared: Path) -> Real:
    """Severe L1 fracture, osteophytes that bridge T9 to T12, 3 mm sagittal slices."""
    folder = shared / "data" / "verse012-ct-L1fx"
    return real(folder / "sub-verse012_seg-vert_msk.nii.gz", ct=folder / "sub-verse012_ct.nii.gz")


@pytest.fixture(scope="module")
def verse004(shared: Path) -> Real:
    """Labels alone, T9 to L5, on an oblique affine; L1 is crushed."""
    folder = shared / "data" / "verse004-mask-L1fx"
    return real(folder / "sub-verse004_seg-vert_msk.nii.gz")


@pytest.fixture(scope="module")
def tptbox(shared: Path) -> Real:
    """L3 whole between two cut neighbours, 1.5 mm."""
    folder = shared / "data" / "tptbox-L3"
    return real(
        folder / "sub-ct_seg-vert_label-22_msk.nii.gz",
        ct=folder / "sub-ct_label-22_ct.nii.gz",
    )


@pytest.fixture(scope="module")
def subregions(shared: Path) -> Volume:
    """The subregions of SPINEPS of the same crop."""
    return read_volume(shared / "data" / "tptbox-L3" / "sub-ct_seg-subreg_label-22_msk.nii.gz")


@pytest.fixture(scope="module")
def totalseg(shared: Path) -> Real:
    """The lumbar spine at 3 mm, with the labels of TotalSegmentator."""
    folder = shared / "data" / "totalseg-example"
    return real(folder / "totalseg.nii.gz", ct=folder / "example_ct.nii.gz")


def heights(row: VertebraMeasures) -> list[float]:
    three = (row.anterior_height, row.middle_height, row.posterior_height)
    assert all(m.value is not None for m in three), three[0].reason
    return [m.value for m in three if m.value is not None]


def test_the_fracture_of_verse012_is_found_and_both_grades_are_named_at_the_cut(
    verse012: Real,
) -> None:
    assert [row.level for row in verse012.figures.fractures] == [Level.L1]
    row = verse012.figures["L1"]
    assert row.genant.grade in (Grade.MODERATE, Grade.SEVERE)
    assert row.height_loss.low is not None
    assert row.height_loss.high is not None
    if row.height_loss.low < 40.0 <= row.height_loss.high:
        assert {Grade.MODERATE, Grade.SEVERE} <= set(row.genant.possible)


def test_verse012_without_its_ct_tells_the_same_fracture(shared: Path, verse012: Real) -> None:
    figures = measure(locate(verse012.labels))
    assert [row.level for row in figures.fractures] == [Level.L1]
    for row in figures.vertebrae:
        for a, b in zip(heights(row), heights(verse012.figures[row.level]), strict=True):
            assert a == pytest.approx(b, abs=3.0)


def test_bridging_osteophytes_make_no_fracture_of_the_levels_they_join(verse012: Real) -> None:
    for level in ("T10", "T11", "T12", "L2"):
        row = verse012.figures[level]
        assert row.genant.grade is Grade.NORMAL, level
        assert row.body_volume.value == pytest.approx(30.0, abs=14.0)  # a body, no chain of them


def test_ct_and_labels_with_different_header_forms_lie_on_each_other(verse012: Real) -> None:
    assert verse012.ct is not None
    for level in verse012.spine.levels:
        plates = verse012.spine[level].body
        assert plates is not None
        assert plates.superior.refined_fraction > 0.5
        assert verse012.figures[level].density_hu.value == pytest.approx(150.0, abs=60.0)


def test_verse004_is_measured_without_a_ct_on_its_oblique_affine(verse004: Real) -> None:
    found = {str(row.level): row.genant.grade for row in verse004.figures.fractures}
    assert found == {"L1": Grade.SEVERE}
    assert len(verse004.figures.vertebrae) == 9
    for row in verse004.figures.vertebrae:
        assert len(heights(row)) == 3
        assert row.density_hu.value is None
        assert "CT" in row.density_hu.reason


def test_bodies_grow_from_head_to_foot_in_the_unbroken_spine(verse004: Real) -> None:
    volumes = [
        row.body_volume.value for row in verse004.figures.vertebrae if row.level is not Level.L1
    ]
    upper = volumes[:6]
    assert upper == sorted(upper)  # type: ignore[type-var]


def test_the_frames_of_a_real_spine_turn_smoothly(verse004: Real, verse012: Real) -> None:
    for case in (verse004, verse012):
        frames = [v.frame for v in case.spine.vertebrae]
        for upper, lower in pairwise(frames):
            assert upper is not None
            assert lower is not None
            assert upper.left @ lower.left > np.cos(np.deg2rad(20.0))
            assert upper.superior @ lower.superior > np.cos(np.deg2rad(45.0))


def onto(vertebra: Vertebra, part: Part, mask: Volume) -> NDArray[np.bool_]:
    """Resample one part of a vertebra onto the grid of a mask (nearest voxel)."""
    parts = vertebra.parts
    assert parts is not None
    place = np.stack(np.meshgrid(*map(np.arange, mask.shape), indexing="ij"), axis=-1)
    index = np.moveaxis(parts.to_indices(mask.to_patient(place)), -1, 0)
    here = (parts.voxels == part).astype(np.uint8)
    return ndimage.map_coordinates(here, index, order=0, mode="constant", cval=0) > 0


def dice(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(2.0 * (a & b).sum() / (a.sum() + b.sum()))


def only_l3(case: Real, volume: Volume, values: tuple[int, ...]) -> NDArray[np.bool_]:
    """Voxels of some subregions that belong to L3."""
    own = case.labels.volume.reordered(volume.affine[:3, :3].T)
    np.testing.assert_allclose(own.affine, volume.affine, atol=1e-3)
    return np.isin(volume.voxels, values) & (own.voxels == case.labels.value_of(Level.L3))


def test_our_body_of_l3_is_that_of_spineps(tptbox: Real, subregions: Volume) -> None:
    theirs = only_l3(tptbox, subregions, BODY_MASKS)
    ours = onto(tptbox.spine["L3"], Part.BODY, subregions)
    assert dice(ours, theirs) >= 0.93
    volume = theirs.sum() * subregions.voxel_mm3 / 1000.0
    assert tptbox.figures["L3"].body_volume.value == pytest.approx(volume, rel=0.08)


def test_our_heights_of_l3_are_those_of_the_columns_of_spineps_body(
    tptbox: Real, subregions: Volume
) -> None:
    theirs, body, frame = (
        only_l3(tptbox, subregions, BODY_MASKS),
        tptbox.spine["L3"].body,
        tptbox.spine["L3"].frame,
    )
    assert body is not None
    assert frame is not None
    along = np.arange(-30.0, 30.0, 0.1)[:, None] * frame.superior
    for station, height in zip(
        ("anterior", "middle", "posterior"), heights(tptbox.figures["L3"]), strict=True
    ):
        top, bottom = (getattr(p, f"{station}_mm") for p in (body.superior, body.inferior))
        index = np.rint(subregions.to_indices(0.5 * (top + bottom) + along)).astype(int)
        inside = ((index >= 0) & (index < subregions.shape)).all(axis=1)
        length = 0.1 * theirs[tuple(index[inside].T)].sum()
        assert height == pytest.approx(length, abs=2.0), station


def test_our_canal_runs_in_the_ring_that_spineps_leaves(tptbox: Real, subregions: Volume) -> None:
    canal = tptbox.spine["L3"].canal
    assert canal is not None
    upright = subregions.reordered(np.eye(3))
    voxels = np.asarray(upright.voxels > 0)
    mask = tptbox.labels.volume.reordered(np.eye(3))
    voxels &= mask.voxels == tptbox.labels.value_of(Level.L3)
    filled = [ndimage.binary_fill_holes(voxels[..., k]) for k in range(upright.shape[2])]
    holes = _largest(np.stack(filled, axis=-1) & ~voxels)  # not those between the processes
    areas = holes.sum(axis=(0, 1)) * upright.spacing_mm[0] * upright.spacing_mm[1]
    closed = areas > 0.5 * areas.max()
    assert closed.sum() >= 4
    index = np.rint(upright.to_indices(canal.line_mm)).astype(int)
    within = [holes[tuple(place)] for place in index if closed[place[2]]]
    assert len(within) > 0
    assert all(within)
    tilt = abs(canal.axis[2])  # an axial cut is larger than one across the canal
    assert canal.area.value == pytest.approx(tilt * areas[closed].min(), rel=0.15)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=2)[1:]
    return labels == 1 + int(np.argmax(sizes)) if count else mask


def test_l3_between_two_cut_neighbours_is_measured_and_they_are_not(tptbox: Real) -> None:
    assert [v.cropped for v in tptbox.spine.vertebrae] == [True, False, True]
    row = tptbox.figures["L3"]
    assert row.genant.grade is Grade.NORMAL
    assert "no intact neighbour" in row.reference_basis
    for level in ("L2", "L4"):
        assert tptbox.figures[level].anterior_height.value is None
        assert "cropped" in tptbox.figures[level].anterior_height.reason


def test_the_scheme_of_totalsegmentator_is_proven_without_a_flag(shared: Path) -> None:
    path = shared / "data" / "totalseg-example" / "totalseg.nii.gz"
    labels, _ = read_labels_with_notices(path)
    assert labels.scheme == "totalseg"
    assert labels.basis != "stated by user"


def test_no_lumbar_body_of_the_totalseg_example_is_called_fractured(totalseg: Real) -> None:
    for level in ("L1", "L2", "L3", "L4", "L5"):
        row = totalseg.figures[level]
        assert row.genant.grade is Grade.NORMAL, level
    for level in ("T11", "T12"):
        assert totalseg.spine[level].cropped


def test_our_heights_are_near_those_of_totalsegmentators_own_report(
    shared: Path, totalseg: Real
) -> None:
    path = shared / "data" / "totalseg-example" / "spine_report.json"
    report = json.loads(path.read_text())["results"]
    for level in ("L1", "L2", "L3", "L4", "L5"):
        places = ("anterior", "middle", "posterior")
        theirs = [report[f"vertebrae_{level}_height_{place}_mm"] for place in places]
        for a, b in zip(heights(totalseg.figures[level]), theirs, strict=True):
            assert a == pytest.approx(b, abs=TOTALSEG_MM), level


def test_our_bodies_are_those_of_totalsegmentator(shared: Path, totalseg: Real) -> None:
    theirs = read_volume(shared / "data" / "totalseg-example" / "totalseg_vertebrae_body.nii.gz")
    ours = np.zeros(theirs.shape, bool)
    named = np.zeros(theirs.shape, bool)
    mask = totalseg.labels.volume.reordered(theirs.affine[:3, :3].T)
    for level in (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5):
        ours |= onto(totalseg.spine[level], Part.BODY, theirs)
        named |= mask.voxels == totalseg.labels.value_of(level)
    assert dice(ours, named & (theirs.voxels == 1)) > 0.88  # 3 mm voxels: half are at the edge


def test_three_slices_are_read_but_not_measured(shared: Path) -> None:
    folder = shared / "data" / "dcmqi-ct3slice"
    ct = read_volume(folder)
    assert ct.shape == (512, 512, 3)
    mask = read_volume(folder / "spine_seg.nrrd")
    value = int(np.unique(mask.voxels)[-1])
    labels = LabelMap(
        volume=Volume(mask.voxels.astype(np.int16), mask.affine), levels={value: Level.L1}
    )
    with pytest.raises(CaseError, match="too few slices"):
        locate(labels, ct)
