"""NRRD and MetaImage: the frame they state is kept, one they do not state is refused."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

import kyphoplan.io as kio
from kyphoplan.case import Level
from kyphoplan.errors import CaseError, GeometryError

VOXELS = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def nrrd(path, *lines, voxels=VOXELS):
    head = ["NRRD0004", "type: int16", "dimension: 3", "sizes: 2 3 4", "endian: little", *lines]
    path.write_bytes("\n".join([*head, "encoding: raw", "", ""]).encode() + voxels.tobytes("F"))
    return path


DIRECTIONS = "space directions: (2,0,0) (0,3,0) (0,0,4)"
ORIGIN = "space origin: (10,20,30)"


@pytest.mark.parametrize(
    ("space", "flip"),
    [
        ("left-posterior-superior", [1, 1, 1]),
        ("right-anterior-superior", [-1, -1, 1]),
        ("RAS", [-1, -1, 1]),
    ],
)
def test_the_stated_space_of_an_nrrd_file_is_turned_to_lps(tmp_path, space, flip):
    volume = kio.read_volume(nrrd(tmp_path / "a.nrrd", f"space: {space}", DIRECTIONS, ORIGIN))
    assert np.array_equal(volume.voxels, VOXELS)
    assert np.allclose(volume.to_patient([1, 1, 1]), np.array([12, 23, 34]) * flip)


def test_an_nrrd_file_without_space_is_refused(tmp_path):
    with pytest.raises(GeometryError, match=r"a\.nrrd: orientation unknown.*export it again"):
        kio.read_volume(nrrd(tmp_path / "a.nrrd", "spacings: 1 1 1"))


def test_a_metaimage_without_directions_is_refused(tmp_path):
    (tmp_path / "a.mha").write_bytes(
        b"ObjectType = Image\nNDims = 3\nDimSize = 2 3 4\nElementSpacing = 1 1 1\n"
        b"ElementType = MET_SHORT\nElementDataFile = LOCAL\n" + VOXELS.tobytes("F")
    )
    with pytest.raises(GeometryError, match="orientation unknown"):
        kio.read_volume(tmp_path / "a.mha")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_cut_file_is_refused(tmp_path, suffix):
    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 9, (20, 20, 20)))
    path = tmp_path / f"a{suffix}"
    for compressed in (True, False):
        sitk.WriteImage(image, str(path), useCompression=compressed)
        path.write_bytes(path.read_bytes()[:-3000])
        words = rf"a{suffix}: .*(unreadable|cut off|ends early).*again"
        with pytest.raises(CaseError, match=words):
            kio.read_volume(path)


def test_colour_and_layers_are_refused(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((4, 4, 4, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    with pytest.raises(CaseError, match="several values per voxel"):
        kio.read_volume(tmp_path / "a.nrrd")


def test_segment_names_of_a_seg_nrrd_prove_the_levels(tmp_path):
    voxels = np.zeros((30, 5, 5), np.uint8)
    voxels[20:25], voxels[10:15] = 1, 2
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((4.0, 4.0, 4.0))
    for n, name in enumerate(["T12 vertebra", "L1 vertebra"]):
        image.SetMetaData(f"Segment{n}_Name", name)
        image.SetMetaData(f"Segment{n}_LabelValue", str(n + 1))
    sitk.WriteImage(image, str(tmp_path / "a.seg.nrrd"))
    labels = kio.read_labels(tmp_path / "a.seg.nrrd")
    assert dict(labels.levels) == {1: Level.T12, 2: Level.L1}
    assert labels.basis == "segment names"
