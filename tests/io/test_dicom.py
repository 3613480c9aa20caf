"""DICOM series: one affine from the slices' own positions; what is no even CT stack is refused."""

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.uid import HTJ2KLossless

import kyphoplan.io as kio
from kyphoplan.case import Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import rotation

SHAPE = (9, 8, 7)


def scan(tilt_deg=0.0, turn_deg=0.0, step=2.5):
    """A small CT, turned in space and tilted against its stack."""
    tilt = np.eye(4)
    tilt[1, 2] = np.tan(np.deg2rad(tilt_deg))
    affine = tilt @ np.diag([0.7, 0.8, step, 1.0])
    affine[:3, :3] = rotation([1, 2, 3], turn_deg) @ affine[:3, :3]
    affine[:3, 3] = [-120.5, 33.25, 801.0]
    voxels = np.random.default_rng(1).integers(-1000, 2000, SHAPE).astype(np.int16)
    return Volume(voxels, affine)


@pytest.fixture
def series(tmp_path):
    """A good series of seven slices."""
    return kio.write_dicom_series(scan(), tmp_path / "ct")


def edit(folder, change, only=slice(None)):
    for file in sorted(folder.glob("*.dcm"))[only]:
        header = pydicom.dcmread(file)
        change(header)
        header.save_as(file)


def test_geometry_is_that_of_simpleitk_where_there_is_no_tilt(tmp_path):
    folder = kio.write_dicom_series(scan(turn_deg=20.0), tmp_path / "ct")
    volume = kio.read_volume(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    for index in [(0, 0, 0), (8, 0, 0), (0, 7, 0), (8, 7, 6)]:
        there = image.TransformIndexToPhysicalPoint(index)
        assert np.abs(volume.to_patient(index) - there).max() < 1e-4
    assert np.array_equal(volume.voxels, sitk.GetArrayFromImage(image).T)


@pytest.mark.parametrize("tilt", [-18.5, 7.0, 25.0])
def test_every_corner_of_a_tilted_slice_lies_where_its_own_header_says(tmp_path, tilt):
    folder = kio.write_dicom_series(scan(tilt, turn_deg=5.0), tmp_path / "ct")
    volume, notices = kio.read_volume_with_notices(folder)
    assert [n.code for n in notices] == ["gantry_tilt"]
    assert f"{abs(tilt):.1f} deg" in notices[0].text
    for k, file in enumerate(sorted(folder.glob("*.dcm"))):
        header = pydicom.dcmread(file)
        row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        down, across = (float(s) for s in header.PixelSpacing)
        for i, j in [(0, 0), (8, 0), (0, 7), (8, 7)]:
            own = (
                np.array(header.ImagePositionPatient, float) + row * across * i + column * down * j
            )
            assert np.abs(volume.to_patient([i, j, k]) - own).max() < 0.01


def test_order_of_files_and_instance_numbers_does_not_matter(series, tmp_path):
    expected = kio.read_volume(series)
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    for n, file in enumerate(sorted(series.glob("*.dcm"), reverse=True)):
        header = pydicom.dcmread(file)
        header.InstanceNumber = (n * 3) % 7
        header.save_as(other / ("deep" if n % 2 else "") / f"{n}")
    (other / "notes.txt").write_text("no DICOM")
    volume, notices = kio.read_volume_with_notices(other)
    assert np.array_equal(volume.voxels, expected.voxels)
    assert np.array_equal(volume.affine, expected.affine)
    assert [n.code for n in notices] == ["files_left_out"]


def test_slope_and_intercept_of_each_slice_give_hounsfield_units(series):
    def shift(header):
        header.RescaleIntercept = "-1024"

    edit(series, shift, slice(0, 2))
    values = kio.read_volume(series).voxels - scan().voxels.astype(int)
    assert np.unique(values[:, :, :2]) == [-1024]
    assert not values[:, :, 2:].any()


def test_several_series_are_listed_and_one_can_be_chosen(series):
    def second(header):
        header.SeriesInstanceUID = "1.2.3.4"
        header.SeriesNumber = 2
        header.SeriesDescription = "soft"

    shutil.copytree(series, series / "again")
    edit(series / "again", second)
    with pytest.raises(
        CaseError, match=r"2 CT series: choose one by its number.*2 \(soft, 7 slices\)"
    ):
        kio.read_volume(series)
    assert kio.read_volume(series, series="2").shape == SHAPE
    uid = pydicom.dcmread(next(series.glob("*.dcm"))).SeriesInstanceUID
    assert kio.read_volume(series, series=uid).shape == SHAPE
    with pytest.raises(CaseError, match="no series 9: choose from 1, 2"):
        kio.read_volume(series, series="9")


def assign(**tags):
    def change(header):
        for tag, value in tags.items():
            setattr(header, tag, value)

    return change


def remove(tag):
    def change(header):
        delattr(header, tag)

    return change


@pytest.mark.parametrize(
    ("change", "only", "problem"),
    [
        (assign(PatientID="other"), slice(0, 1), "2 patients"),
        (assign(SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR"), slice(None), "only MR"),
        (assign(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1"), slice(None), "enhanced"),
        (assign(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), slice(None), "no CT slices"),
        (remove("RescaleSlope"), slice(None), "no RescaleSlope"),
        (assign(RescaleSlope="0"), slice(None), "no Hounsfield"),
        (assign(RescaleType="MGML"), slice(None), "no Hounsfield"),
        (remove("ImagePositionPatient"), slice(3, 4), "slice_0004.dcm has no ImagePosition"),
        (remove("ImageOrientationPatient"), slice(None), "no ImageOrientation"),
        (
            assign(ImageOrientationPatient=[0, 1, 0, 1, 0, 0]),
            slice(3, 4),
            "1 missing.*set aside as no part of the stack: 1/2",
        ),
        (assign(FrameOfReferenceUID="1.2.3"), slice(3, 4), "1 missing.*set aside"),
        (assign(PixelSpacing=[1, 1]), slice(3, 4), "differ in PixelSpacing"),
        (assign(PhotometricInterpretation="MONOCHROME1"), slice(None), "inverted"),
        (
            assign(PixelData=b"\0\0"),
            slice(3, 4),
            "slice_0004.dcm has 2 bytes of pixels instead of 144",
        ),
    ],
)
def test_what_is_no_plain_ct_stack_is_refused_in_one_line(series, change, only, problem):
    edit(series, change, only)
    with pytest.raises(CaseError, match=problem) as refusal:
        kio.read_volume(series)
    assert str(refusal.value).startswith(f"{series}: ")
    assert "\n" not in str(refusal.value)


def test_missing_doubled_and_single_slices_are_refused(series):
    files = sorted(series.glob("*.dcm"))
    kept = files[3].read_bytes()
    files[3].unlink()
    with pytest.raises(CaseError, match=r"5\.00 mm instead of 2\.50 mm .*1 missing"):
        kio.read_volume(series)
    for name in ("a.dcm", "b.dcm"):
        (series / name).write_bytes(kept)
    with pytest.raises(CaseError, match="2 slices share one position"):
        kio.read_volume(series)
    for file in [*files[:3], *files[4:], series / "a.dcm"]:
        file.unlink()
    with pytest.raises(CaseError, match="single slice"):
        kio.read_volume(series)
    with pytest.raises(CaseError, match="one DICOM file: give the folder"):
        kio.read_volume(series / "b.dcm")


@pytest.mark.parametrize("codec", ["JPEG", "JPEG2000"])
def test_losslessly_compressed_slices_give_the_same_voxels(series, tmp_path, codec):
    def compress(header):
        writer = sitk.ImageFileWriter()
        writer.SetFileName(str(tmp_path / "one.dcm"))
        writer.UseCompressionOn()
        writer.SetCompressor(codec)
        writer.Execute(sitk.GetImageFromArray(header.pixel_array[np.newaxis]))
        packed = pydicom.dcmread(tmp_path / "one.dcm")
        header["PixelData"] = packed["PixelData"]
        header.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID

    edit(series, assign(RescaleIntercept="-24"))
    expected = kio.read_volume(series)
    edit(series, compress)
    assert "JPEG" in pydicom.dcmread(series / "slice_0001.dcm").file_meta.TransferSyntaxUID.name
    assert np.array_equal(kio.read_volume(series).voxels, expected.voxels)


def test_a_compression_that_cannot_be_read_is_named(series):
    def compress(header):
        header.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
        header["PixelData"].VR = "OB"
        header.file_meta.TransferSyntaxUID = HTJ2KLossless

    edit(series, compress)
    with pytest.raises(CaseError, match=r"High-Throughput JPEG 2000.*decompress"):
        kio.read_volume(series)


def test_a_slice_cut_off_within_its_pixels_is_refused(series):
    file = sorted(series.glob("*.dcm"))[2]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(CaseError, match="slice_0003"):
        kio.read_volume(series)


def test_contrast_loss_and_a_tilt_only_in_the_header_are_reported(series):
    edit(
        series,
        assign(ContrastBolusAgent="iodine", LossyImageCompression="01", GantryDetectorTilt="12"),
    )
    _, notices = kio.read_volume_with_notices(series)
    assert [n.code for n in notices] == ["lossy_compression", "contrast", "tilt_tag"]


def test_the_real_three_slices_are_read_as_simpleitk_reads_them(shared):
    folder = shared / "data" / "dcmqi-ct3slice"
    volume = kio.read_volume(folder)
    assert volume.shape == (512, 512, 3)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    theirs = sitk.GetArrayFromImage(image).T
    assert np.array_equal(volume.voxels, np.where(theirs == -3024, -1024, theirs))  # padding
    assert (
        np.abs(
            volume.to_patient([511, 511, 2]) - image.TransformIndexToPhysicalPoint((511, 511, 2))
        ).max()
        < 1e-4
    )
