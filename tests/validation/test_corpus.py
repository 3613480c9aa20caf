"""The odd real files of public test suites: read exactly, or refused by name."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

import kyphoplan.io as kio
from kyphoplan.io.gate import Examined, examine

EXACT_MM = 0.01
LOSSLESS = (
    "CT1_UNC.explicit_big_endian.dcm",
    "CT1_UNC.explicit_little_endian.dcm",
    "CT1_UNC.implicit_little_endian.dcm",
    *(
        f"encapsulated/single-frame/CT1_UNC.{kind}_jpeg_ls.80.dcm"
        for kind in (
            "fragmented_bot",
            "fragmented_no_bot",
            "not_fragmented_bot",
            "not_fragmented_no_bot",
        )
    ),
)
FAILING = {
    "gantrytilting/001": "not_hounsfield",  # its pixels are blank
    "notavolume/001": "slices_doubled",
    "slicecount/001": "no_ct",
    "sliceincrement/001": "slices_missing",
    "sliceincrement/002": "slices_missing",
    "sliceorientation/001": "no_ct",
}
NIFTI = {
    "5D_small.nii": "dimensions",
    "5D_zeros.nii.gz": "dimensions",
    "air.hdr.gz": "unknown_kind",
    "air.img.gz": "unknown_kind",
    "not-nifti.nii": "not_nifti",
    "avg152T1_LR_nifti.nii": None,
    "avg152T1_LR_nifti2.nii.gz": None,
    "big.nii.gz": None,
    "little.nii.gz": None,
    "with_extension.nii.gz": None,
}


@pytest.fixture(scope="module")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the unpacked folder of a suite."""
    place = tmp_path_factory.mktemp("corpus")

    def unpacked(name: str) -> Path:
        if not (place / name).exists():
            packed = shared / "corpus" / name / f"{name}.tar.xz"
            if not packed.exists():
                pytest.skip(f"{name} is not there")
            with tarfile.open(packed) as archive:
                archive.extractall(place, filter="data")
        return place / name

    return unpacked


def codes(found: Examined) -> set[str]:
    return {notice.code for notice in found.notices}


def check_corners(folder: Path) -> None:
    """Every corner of every slice lies where its own header says."""
    volume = kio.read_volume(folder)
    for file in folder.rglob("*.dcm"):
        header = pydicom.dcmread(file, stop_before_pixels=True)
        row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        down, across = (float(s) for s in header.PixelSpacing)
        place = np.array(header.ImagePositionPatient, float)
        k = int(np.round(volume.to_indices(place)[2]))
        for i in (0, header.Columns - 1):
            for j in (0, header.Rows - 1):
                own = place + row * across * i + column * down * j
                assert np.abs(volume.to_patient([i, j, k]) - own).max() < EXACT_MM


def test_a_variable_step_is_refused_with_its_place_and_width(
    corpus: Callable[[str], Path],
) -> None:
    found = examine(corpus("dcm_qa_ct_ge") / "In")
    assert found.reason is not None
    assert found.reason["code"] == "slices_uneven"
    assert "1.08 mm instead of 4.00 mm between 18.36 and 19.44 mm" in found.reason["text"]


def test_a_tag_that_contradicts_the_slices_is_warned_of(corpus: Callable[[str], Path]) -> None:
    folder = corpus("dcm_qa_ct_ge_tiltbug") / "In"
    found = examine(folder)
    assert "tilt_tag" in codes(found)
    assert any("18.5 deg" in n.text and "0.0 deg" in n.text for n in found.notices)
    check_corners(folder)


def test_real_slices_that_are_tilted_are_kept_exactly(
    corpus: Callable[[str], Path], tmp_path: Path
) -> None:
    """The even part of the GE series: 4 mm slices, tilted by 18.5 degrees."""
    sources = sorted(
        (corpus("dcm_qa_ct_ge") / "In").rglob("*.dcm"),
        key=lambda f: float(pydicom.dcmread(f, stop_before_pixels=True).ImagePositionPatient[2]),
    )
    for file in sources[5:14]:
        shutil.copy(file, tmp_path)
    found = examine(tmp_path)
    assert found.reason is None, found.reason
    assert "gantry_tilt" in codes(found)
    assert found.geometry["tilt_deg"] == pytest.approx(18.5, abs=0.1)
    check_corners(tmp_path)


@pytest.mark.parametrize("name", FAILING)
def test_series_that_are_no_volume_are_refused(corpus: Callable[[str], Path], name: str) -> None:
    found = examine(corpus("dicom2nifti_failing") / "tests" / "data" / "failing" / name)
    assert found.reason is not None
    assert found.reason["code"] == FAILING[name]


@pytest.mark.parametrize("name", LOSSLESS)
def test_every_lossless_encoding_gives_the_same_hounsfield_units(
    corpus: Callable[[str], Path], name: str, tmp_path: Path
) -> None:
    images = corpus("dicomparser_ct1") / "testImages"
    plain = pydicom.dcmread(images / LOSSLESS[1])
    expected = plain.pixel_array * float(plain.RescaleSlope) + float(plain.RescaleIntercept)
    plain.ImagePositionPatient[2] = float(plain.ImagePositionPatient[2]) + 2.5
    plain.SOPInstanceUID = "1.2.3"
    plain.save_as(tmp_path / "second.dcm")
    shutil.copy(images / name, tmp_path / "first.dcm")
    volume = kio.read_volume(tmp_path)
    outside = expected < -1024  # padding, set to air
    assert np.array_equal(volume.voxels[:, :, 0].T, np.where(outside, -1024, expected))


@pytest.mark.parametrize("name", ["23x38x3", "24x38x3"])
def test_a_multi_frame_ct_is_the_same_as_the_slices_it_was_made_from(
    corpus: Callable[[str], Path], name: str
) -> None:
    folder = corpus("dcmqi_seg") / "data" / "segmentations" / name
    frames, slices = (kio.read_volume(folder / kind) for kind in ("multiframe", "image"))
    assert np.array_equal(frames.voxels, slices.voxels)
    assert np.array_equal(frames.affine, slices.affine)
    alone = kio.read_volume(folder / "multiframe" / "mf.dcm")
    assert np.array_equal(alone.voxels, slices.voxels)


def test_a_real_enhanced_ct_is_read_where_its_frames_say(corpus: Callable[[str], Path]) -> None:
    frames = corpus("dicomparser_ct1") / "testImages" / "encapsulated" / "multi-frame"
    plain = kio.read_volume(frames / "CT0012.explicit_little_endian.dcm")
    for name in ("not_fragmented_bot_rle", "not_fragmented_no_bot_rle"):
        assert np.array_equal(
            kio.read_volume(frames / f"CT0012.{name}.dcm").voxels, plain.voxels
        ), name
    header = pydicom.dcmread(frames / "CT0012.explicit_little_endian.dcm")
    for number, group in enumerate(header.PerFrameFunctionalGroupsSequence):
        own = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        i, j, k = np.round(plain.to_indices(own)).astype(int)
        assert np.abs(plain.to_patient([i, j, k]) - own).max() < EXACT_MM
        hu = group.get("PixelValueTransformationSequence") or (
            header.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
        )
        stored = header.pixel_array[number].astype(int)
        expected = stored * int(hu[0].RescaleSlope) + int(hu[0].RescaleIntercept)
        inside = expected > -1024
        assert np.array_equal(plain.voxels[:, :, k].T[inside], expected[inside])
    lossy = examine(frames / "CT0012.fragmented_no_bot_jpeg_ls.81.dcm")
    assert lossy.reason is not None
    assert (lossy.reason["code"], "JPEG-LS" in lossy.reason["text"]) == ("codec_missing", True)


def test_segmentation_objects_are_refused_by_name(corpus: Callable[[str], Path]) -> None:
    folder = corpus("dcmqi_seg") / "data" / "segmentations" / "24x38x3" / "seg"
    for path, code in ((folder, "no_ct"), (folder / "label.seg", "segmentation_object")):
        found = examine(path)
        assert found.reason is not None
        assert found.reason["code"] == code


def test_three_real_slices_are_read(corpus: Callable[[str], Path]) -> None:
    found = examine(corpus("dcmqi_seg") / "data" / "segmentations" / "ct-3slice")
    assert (found.verdict, codes(found)) == ("ok", {"padding"})


def test_mr_is_refused_by_name(corpus: Callable[[str], Path]) -> None:
    found = examine(corpus("dcm_qa_12bit") / "In")
    assert found.reason is not None
    assert (found.reason["code"], "only MR" in found.reason["text"]) == ("no_ct", True)


@pytest.mark.parametrize("name", NIFTI)
def test_odd_nifti_files_are_read_or_refused(corpus: Callable[[str], Path], name: str) -> None:
    found = examine(corpus("nifti_reader_js") / "data" / name)
    assert (found.reason or {}).get("code") == NIFTI[name]


def test_both_byte_orders_give_the_same_voxels(corpus: Callable[[str], Path]) -> None:
    data = corpus("nifti_reader_js") / "data"
    big, little = (kio.read_volume(data / f"{order}.nii.gz") for order in ("big", "little"))
    assert np.array_equal(big.voxels, little.voxels)
    assert np.array_equal(big.affine, little.affine)


SHIPPED = sorted(
    file
    for file in (Path(pydicom.__file__).parent / "data" / "test_files").rglob("*.dcm")
    if file.stat().st_size
)


@pytest.mark.slow
def test_the_files_that_pydicom_ships_are_refused_or_read_and_never_crash(tmp_path: Path) -> None:
    assert len(SHIPPED) > 20
    for number, file in enumerate(SHIPPED):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(file, folder)
        found = examine(folder)
        assert found.reason is not None, file.name  # one slice is no volume
        assert found.reason["code"] not in {"reader_died", "too_slow"}, (file.name, found.reason)
        assert found.reason["text"].isprintable()
