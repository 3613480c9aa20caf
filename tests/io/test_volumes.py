"""One door: every format gives the same voxels at the same place, or one clear line."""

import gzip
import itertools
import logging
import re
import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st

import kyphoplan.io as kio
from kyphoplan.case import LabelMap, Level, Volume
from kyphoplan.errors import CaseError, GeometryError, OutputError
from kyphoplan.geometry import rotation
from kyphoplan.io.placement import LPS_FROM_RAS

CODES = [
    "".join(letters)
    for axes in itertools.permutations(("LR", "AP", "IS"))
    for letters in itertools.product(*axes)
]
REAL = {  # path under shared/data -> shape, axis letters by its README
    "verse012-ct-L1fx/sub-verse012_ct.nii.gz": (35, 194, 252),
    "verse012-ct-L1fx/sub-verse012_seg-vert_msk.nii.gz": (35, 194, 252),
    "verse004-mask-L1fx/sub-verse004_seg-vert_msk.nii.gz": (161, 338, 61),
    "verse004-L2-fe/sub-verse004_0000_vertebra_21_im.nii.gz": (100, 89, 74),
    "totalseg-example/example_ct.nii.gz": (122, 101, 112),
    "tptbox-L3/sub-ct_label-22_ct.nii.gz": (73, 47, 73),
    "dcmqi-ct3slice/spine_seg.nrrd": (512, 512, 3),
}


def ct(shape=(5, 6, 7), affine=None, seed=0):
    """Random intensities at an oblique place."""
    if affine is None:
        affine = np.eye(4)
        affine[:3, :3] = rotation([1, 2, 3], 25.0) @ np.diag([0.7, 0.8, 2.0])
        affine[:3, 3] = [-31.25, 12.5, 400.0]
    voxels = np.random.default_rng(seed).integers(-1024, 3000, shape).astype(np.int16)
    return Volume(voxels, affine)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_volume_comes_back_as_it_was_written(tmp_path, suffix):
    volume = ct()
    back, notices = kio.read_volume_with_notices(kio.write_volume(volume, tmp_path / f"a{suffix}"))
    assert np.array_equal(back.voxels, volume.voxels)
    assert back.voxels.dtype == np.int16
    assert np.abs(back.affine - volume.affine).max() < 1e-4
    assert notices == ()


@given(
    angle=st.floats(-180, 180),
    spacing=st.tuples(*[st.floats(0.3, 5.0)] * 3),
    suffix=st.sampled_from([".nii", ".nrrd", ".mha"]),
)
def test_any_oblique_place_survives_every_format(tmp_path_factory, angle, spacing, suffix):
    affine = np.eye(4)
    affine[:3, :3] = rotation([0.3, -1, 2], angle) @ np.diag(spacing)
    affine[:3, 3] = [-12.0, 99.0, -340.0]
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    back = kio.read_volume(kio.write_volume(ct(affine=affine), path))
    corners = np.array(list(itertools.product((0, 4), (0, 5), (0, 6))))
    assert np.abs(back.to_patient(corners) - ct(affine=affine).to_patient(corners)).max() < 1e-3


@pytest.mark.parametrize("code", CODES)
def test_all_48_storage_orders_show_the_same_voxel_at_the_same_place(tmp_path, code):
    volume = ct()
    ras = nib.Nifti1Image(np.asarray(volume.voxels), LPS_FROM_RAS @ volume.affine)
    turned = ras.as_reoriented(
        nib.orientations.ornt_transform(
            nib.io_orientation(ras.affine), nib.orientations.axcodes2ornt(code)
        )
    )
    nib.save(turned, tmp_path / "a.nii")
    back = kio.read_volume(tmp_path / "a.nii")
    indices = np.argwhere(np.ones(volume.shape))
    there = np.round(back.to_indices(volume.to_patient(indices))).astype(int)
    assert np.array_equal(back.voxels[tuple(there.T)], volume.voxels[tuple(indices.T)])
    assert np.abs(back.to_patient(there) - volume.to_patient(indices)).max() < 1e-3


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_placed_as_nibabel_and_simpleitk_place_them(shared, name):
    path = shared / "data" / name
    volume = kio.read_volume(path)
    assert volume.shape == REAL[name]
    image = sitk.ReadImage(str(path))
    by_itk = np.eye(4)
    by_itk[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    by_itk[:3, 3] = image.GetOrigin()
    assert np.abs(volume.affine - by_itk).max() < 1e-4
    assert np.array_equal(
        volume.voxels[:, 0, 1], sitk.GetArrayFromImage(image)[1, 0, :].astype(volume.voxels.dtype)
    )
    if name.endswith(".nii.gz"):
        assert np.abs(LPS_FROM_RAS @ volume.affine - nib.load(path).affine).max() < 1e-4


def test_hounsfield_units_follow_slope_and_intercept(tmp_path):
    stored = np.arange(0, 2400, 100, dtype=np.int16).reshape(2, 3, 4)
    for slope, intercept, expected in [
        (np.nan, np.nan, stored),
        (0.0, 5.0, stored),
        (1.0, -1024.0, stored - 1024),
        (2.0, -1000.0, stored * 2 - 1000),
        (0.5, 0.0, stored * 0.5),
    ]:
        path = tmp_path / "a.nii"
        nib.save(nib.Nifti1Image(stored, np.eye(4)), path)
        data = bytearray(path.read_bytes())
        data[112:120] = struct.pack("<2f", slope, intercept)
        path.write_bytes(data)
        assert np.array_equal(kio.read_volume(path).voxels, expected)


def damaged(tmp_path, name, change):
    """A good NIfTI file with some header bytes changed."""
    path = tmp_path / name
    nib.save(nib.Nifti1Image(np.asarray(ct().voxels), np.diag([1.0, 1, 2, 1])), path)
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def put(offset, form, *values):
    def change(data):
        struct.pack_into(form, data, offset, *values)

    return change


def cut(to):
    def change(data):
        del data[to:]

    return change


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", "dicom"])
def test_bytes_changed_at_random_are_read_or_refused_in_one_line(tmp_path, suffix):
    rng = np.random.default_rng(7)
    if suffix == "dicom":
        path = kio.write_dicom_series(ct(affine=np.diag([1.0, 1, 2, 1])), tmp_path / "ct")
        file = path / "slice_0003.dcm"
    else:
        path = file = kio.write_volume(ct(), tmp_path / f"a{suffix}")
    good = file.read_bytes()
    for n in range(60):
        data = bytearray(good)
        for place in rng.integers(0, min(len(data), 2000), 3):
            data[place] = rng.integers(0, 256)
        file.write_bytes(data[: rng.integers(0, len(data))] if n % 4 == 0 else data)
        try:
            kio.read_volume(path)
        except CaseError as error:
            refusal = str(error)
            assert refusal.startswith(str(path)), refusal
            assert "\n" not in refusal


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (cut(0), "file is empty"),
        (cut(100), "not a NIfTI file|header unreadable"),
        (cut(352), "cut off: 0 of 420 bytes"),
        (cut(500), "cut off: 148 of 420 bytes"),
        (put(0, "<i", 123), "not a NIfTI file"),
        (put(344, "4s", b"ni1\0"), "not a single-file NIfTI"),
        (put(40, "<8h", 4, 5, 6, 7, 3, 1, 1, 1), "not a three-dimensional"),
        (put(40, "<8h", 2, 5, 6, 7, 1, 1, 1, 1), "not a three-dimensional"),
        (put(40, "<8h", 3, 5, 6, 1, 1, 1, 1, 1), "single slice"),
        (put(40, "<8h", 3, 5, -6, 7, 1, 1, 1, 1), "single slice or nothing"),
        (put(40, "<8h", 3, 32000, 32000, 32000, 1, 1, 1, 1), "GiB"),
        (put(40, "<8h", 9, 5, 6, 7, 1, 1, 1, 1), "not a three-dimensional"),
        (put(70, "<h", 32), "complex"),
        (put(108, "<f", np.inf), "vox_offset"),
        (put(112, "<2f", 1e30, 0), "scl_slope 1e\\+30"),
        (put(70, "<h", 128), "colour"),
        (put(70, "<h", 999), "voxel type unknown"),
        (put(76, "<4f", 1, 0, 1, 2), "voxel size"),
        (put(76, "<4f", 1, -1, 1, 2), "voxel size"),
        (put(252, "<2h", 0, 0), "orientation unknown"),
        (put(280, "<f", np.nan), "not a number"),
        (put(352, "<420s", bytes(420)), "same value"),
    ],
)
def test_a_wrong_nifti_file_gets_one_line_with_file_problem_and_remedy(tmp_path, change, problem):
    path = damaged(tmp_path, "wrong.nii", change)
    with pytest.raises(CaseError, match=problem) as refusal:
        kio.read_volume(path)
    line = str(refusal.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert line.count(": ") >= 2


def test_trailing_single_dimensions_are_no_matter(tmp_path):
    path = damaged(tmp_path, "a.nii", put(40, "<8h", 5, 5, 6, 7, 1, 1, 1, 1))
    assert kio.read_volume(path).shape == (5, 6, 7)


def test_a_damaged_gzip_file_is_refused_also_if_only_its_checksum_is_wrong(tmp_path):
    good = kio.write_volume(ct(), tmp_path / "a.nii.gz").read_bytes()
    for name, data in {
        "cut.nii.gz": good[:-200],
        "sum.nii.gz": good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
        "plain.nii.gz": gzip.decompress(good),
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CaseError, match=rf"{name}: (damaged|cut off)"):
            kio.read_volume(tmp_path / name)


def test_both_byte_orders_and_both_nifti_versions_read_alike(tmp_path):
    volume = ct(affine=np.diag([-1.0, -1, 2, 1]))
    ras = LPS_FROM_RAS @ volume.affine
    for number, kind in enumerate((nib.Nifti1Image, nib.Nifti2Image)):
        for order in "<>":
            image = kind(volume.voxels, ras)
            header = image.header.as_byteswapped(order)
            path = tmp_path / f"{number}{ord(order)}.nii"
            nib.save(kind(np.asarray(volume.voxels), ras, header=header), path)
            back = kio.read_volume(path)
            assert np.array_equal(back.voxels, volume.voxels)
            assert np.allclose(back.affine, volume.affine)


def test_what_is_not_there_or_no_image_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    for name, problem in {
        "none.nii": "does not exist: check the path",
        "a.txt": "of no known kind: give",
        "empty": "holds no DICOM files: give",
    }.items():
        with pytest.raises(CaseError, match=problem):
            kio.read_volume(tmp_path / name)


def test_missing_voxels_are_reported(tmp_path):
    voxels = np.asarray(ct().voxels, np.float32)
    voxels[0, 0, :2] = np.nan, np.inf
    _, notices = kio.read_volume_with_notices(
        kio.write_volume(Volume(voxels, np.diag([1.0, 1, 2, 1])), tmp_path / "a.nii")
    )
    assert [n.code for n in notices] == ["missing_voxels"]
    assert notices[0].text.startswith("CT: 2 voxels")


def test_a_tilted_volume_goes_into_nifti_only(tmp_path):
    affine = np.diag([1.0, 1, 2, 1])
    affine[1, 2] = 0.7
    volume = ct(affine=affine)
    back, notices = kio.read_volume_with_notices(kio.write_volume(volume, tmp_path / "a.nii.gz"))
    assert np.abs(back.affine - affine).max() < 1e-6
    assert [n.code for n in notices] == ["gantry_tilt"]
    with pytest.raises(GeometryError, match=r"write \.nii\.gz"):
        kio.write_volume(volume, tmp_path / "a.nrrd")


def test_a_label_map_is_written_with_verse_values_and_its_names(tmp_path):
    voxels = np.zeros((6, 6, 6), np.int32)
    voxels[:, :, 1:3], voxels[:, :, 3:5], voxels[0, 0, 0] = 31, 32, 52
    grid = np.diag([8.0, 8.0, 8.0, 1.0])
    labels = LabelMap(volume=Volume(voxels, grid), levels={31: Level.L1, 32: Level.T12})
    for name in ("a.nii.gz", "a.nrrd"):
        back = kio.read_labels(kio.write_volume(labels, tmp_path / name))
        assert dict(back.levels) == {19: Level.T12, 20: Level.L1}
        assert back.scheme == "verse"
        assert back.basis in ("header table", "segment names")
        assert set(np.unique(back.volume.voxels)) == {0, 19, 20}


def test_nothing_is_left_behind_when_writing_fails(tmp_path):
    with pytest.raises(OutputError, match="no kind that can be written"):
        kio.write_volume(ct(), tmp_path / "a.png")
    with pytest.raises(OutputError, match="cannot be written"):
        kio.write_volume(ct(), tmp_path / "absent" / "a.nii")
    assert list(tmp_path.iterdir()) == []


def test_nibabel_repairs_nothing_behind_our_back(tmp_path, caplog):
    path = damaged(tmp_path, "a.nii", put(76, "<4f", 1, -1, 1, 2))
    with caplog.at_level(logging.DEBUG), pytest.raises(GeometryError):
        kio.read_volume(path)
    assert caplog.records == []


def test_every_notice_and_reason_of_the_readers_is_in_the_reference_and_no_other(root):
    page = (root / "docs" / "reference" / "input.md").read_text(encoding="utf-8")
    sources = "".join(f.read_text() for f in (root / "src" / "kyphoplan" / "io").glob("*.py"))
    given_as = r'(?:code=|_notice\(\s*|_warning\(\s*)"([a-z_]+)"'
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", page, re.MULTILINE)
    assert set(re.findall(r"[a-z_]+", " ".join(rows))) == set(re.findall(given_as, sources))
