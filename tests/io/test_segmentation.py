"""A label map leaves as a ``.seg.nrrd`` with names that SimpleITK and 3D Slicer read."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.io import write_volume

VOXELS = np.zeros((5, 6, 7), np.uint8)
VOXELS[1:3, 1:5, 2:4], VOXELS[3:5, 1:5, 4:6] = 2, 9
AFFINE = np.array([[0.8, 0, 0, 10.0], [0, -0.9, 0, 20.0], [0, 0, 1.5, -30.0], [0, 0, 0, 1]])
LABELS = LabelMap(volume=Volume(VOXELS, AFFINE), levels={2: Level.L1, 9: Level.T12})


def test_an_independent_reader_finds_every_segment_in_its_place(tmp_path: Path) -> None:
    image = sitk.ReadImage(str(write_volume(LABELS, tmp_path / "s.seg.nrrd")))
    read = sitk.GetArrayFromImage(image).T
    found = {}
    for number in range(2):
        name = image.GetMetaData(f"Segment{number}_Name")
        found[name] = read == int(image.GetMetaData(f"Segment{number}_LabelValue"))
    assert np.array_equal(found["L1"], VOXELS == 2)
    assert np.array_equal(found["T12"], VOXELS == 9)
    for index in ((0, 0, 0), (4, 5, 6)):
        place = image.TransformIndexToPhysicalPoint(index)
        assert np.allclose(place, LABELS.volume.to_patient(index), atol=0.01)


def test_every_field_that_3d_slicer_asks_for_is_there(tmp_path: Path) -> None:
    """Fields as in 3D Slicer's developer guide, Segmentations; read as text."""
    raw = write_volume(LABELS, tmp_path / "s.seg.nrrd").read_bytes()
    header = raw.split(b"\n\n")[0].decode()
    assert "space: left-posterior-superior" in header
    for field in ("ID", "Name", "LabelValue", "Layer", "Extent", "Color"):
        assert f"Segment1_{field}:=" in header
    assert "Segment0_Extent:=0 4 0 5 0 6" in header
    assert "Segmentation_SourceRepresentation:=Binary labelmap" in header
