"""The DICOM series we write: synthetic by its own word, the same bytes each time."""

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kyphoplan.io as kio
from kyphoplan.case import Volume
from kyphoplan.errors import GeometryError, OutputError
from kyphoplan.geometry import rotation


def small(affine=None):
    voxels = np.random.default_rng(2).integers(-1024, 3071, (5, 4, 3)).astype(np.int16)
    return Volume(voxels, np.diag([0.5, 0.6, 3.0, 1]) if affine is None else affine)


@given(
    angle=st.floats(-180, 180),
    tilt=st.floats(-0.4, 0.4),
    spacing=st.tuples(*[st.floats(0.3, 5.0)] * 3),
    handed=st.sampled_from([1.0, -1.0]),
)
def test_any_stack_comes_back_at_its_place(tmp_path_factory, angle, tilt, spacing, handed):
    affine = np.diag([*spacing, 1.0])
    affine[:2, 2] = tilt * spacing[2], 0.5 * tilt * spacing[2]
    affine[:3, 2] *= handed
    affine[:3, :3] = rotation([3, -1, 0.5], angle) @ affine[:3, :3]
    affine[:3, 3] = [-123.456, 200.0, -0.001]
    volume = small(affine)
    folder = kio.write_dicom_series(volume, tmp_path_factory.mktemp("any") / "ct")
    back = kio.read_volume(folder)
    indices = np.argwhere(np.ones(volume.shape))
    there = back.to_indices(volume.to_patient(indices))
    assert np.abs(there - np.round(there)).max() < 1e-4
    at = tuple(np.round(there).astype(int).T)
    assert np.array_equal(back.voxels[at], volume.voxels[tuple(indices.T)])


def test_the_same_volume_gives_the_same_bytes(tmp_path):
    first = kio.write_dicom_series(small(), tmp_path / "a")
    second = kio.write_dicom_series(small(), tmp_path / "b")
    for file in first.glob("*.dcm"):
        assert file.read_bytes() == (second / file.name).read_bytes()


def test_each_object_says_that_it_is_synthetic_and_starts_with_zeros(tmp_path):
    folder = kio.write_dicom_series(small(), tmp_path / "a")
    uids = set()
    for file in folder.glob("*.dcm"):
        assert file.read_bytes()[:132] == bytes(128) + b"DICM"
        header = pydicom.dcmread(file)
        assert "SYNTHETIC" in header.ImageComments
        assert "not for diagnosis" in header.PatientComments
        assert header.QualityControlImage == "YES"
        uids.add(header.SOPInstanceUID)
    assert len(uids) == 3


def test_an_existing_series_is_not_overwritten_unasked(tmp_path):
    folder = kio.write_dicom_series(small(), tmp_path / "a")
    with pytest.raises(OutputError, match="holds a result"):
        kio.write_dicom_series(small(), folder)
    kio.write_dicom_series(small(), folder, overwrite=True)


def test_skewed_rows_cannot_be_written(tmp_path):
    affine = np.eye(4)
    affine[0, 1] = 0.5
    with pytest.raises(GeometryError, match="right angles"):
        kio.write_dicom_series(small(affine), tmp_path / "a")
