"""Malformed and odd inputs, each made here, each with the verdict it must get.

One line a case: hazard (docs/reliability.md), name, how it is made, verdict, codes.
"""

import gzip
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

OK, WARN, NO = "ok", "ok_with_warnings", "refused"
SHAPE = (9, 8, 7)
Build = Callable[[Path], Path]


@dataclass(frozen=True)
class Odd:
    hazard: str
    name: str
    build: Build
    verdict: str
    codes: tuple[str, ...]
    labels: bool = False
    series: str | None = None
    scheme: str | None = None
    orientation: str | None = None

    def __str__(self) -> str:
        return f"{self.hazard}-{self.name}"


# -- NIfTI


def voxels(dtype: object = np.int16, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1000, 2000, SHAPE).astype(dtype)


def good_nifti(path: Path, data: np.ndarray | None = None, kind: type = nib.Nifti1Image) -> Path:
    data = voxels() if data is None else data
    image = kind(data, np.diag([-1.0, -1.0, 2.5, 1.0]), dtype=data.dtype)
    image.header.set_xyzt_units("mm")
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine, 1)
    nib.save(image, path)
    return path


def patched(*changes: tuple[int, str, tuple[object, ...]], cut: int | None = None) -> Build:
    def build(folder: Path) -> Path:
        path = good_nifti(folder / "ct.nii")
        data = bytearray(path.read_bytes())
        for place, form, values in changes:
            struct.pack_into(form, data, place, *values)
        path.write_bytes(data if cut is None else data[:cut])
        return path

    return build


def put(place: int, form: str, *values: object) -> tuple[int, str, tuple[object, ...]]:
    return place, form, values


def dims(*numbers: int) -> tuple[int, str, tuple[object, ...]]:
    return put(40, "<8h", *numbers, *[1] * (8 - len(numbers)))


def zipped(change: Callable[[bytes], bytes]) -> Build:
    def build(folder: Path) -> Path:
        path = good_nifti(folder / "ct.nii.gz")
        path.write_bytes(change(path.read_bytes()))
        return path

    return build


def of_type(dtype: object, low: int = -1000) -> Build:
    data = np.random.default_rng(2).integers(
        low, 2000 if np.dtype(dtype).itemsize > 1 else 100, SHAPE
    )
    return lambda folder: good_nifti(folder / "ct.nii", data.astype(dtype))


def values(change: Callable[[np.ndarray], np.ndarray]) -> Build:
    return lambda folder: good_nifti(folder / "ct.nii", change(voxels(np.float32)))


def bomb(folder: Path) -> Path:
    """4.3 GB of zeros behind a small image, in 4 MB: one gzip member after another."""
    path = good_nifti(folder / "ct.nii.gz")
    member = gzip.compress(bytes(100_000_000), 9)
    path.write_bytes(path.read_bytes() + member * 43)
    return path


def second_version(change: Callable[[bytearray], None] = lambda _: None) -> Build:
    def build(folder: Path) -> Path:
        path = good_nifti(folder / "ct.nii", kind=nib.Nifti2Image)
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)
        return path

    return build


def big_endian(folder: Path) -> Path:
    path = folder / "ct.nii"
    image = nib.Nifti1Image(voxels(), np.diag([-1.0, -1.0, 2.5, 1.0]))
    header = image.header.as_byteswapped(">")
    header.set_xyzt_units("mm")
    nib.save(nib.Nifti1Image(voxels(), image.affine, header=header), path)
    return path


def raw(name: str, content: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return build


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "ct.nii")
    return folder / "ct.nii"


def loop(folder: Path) -> Path:
    (folder / "ct.nii").symlink_to(folder / "ct.nii")
    return folder / "ct.nii"


def misnamed(folder: Path) -> Path:
    path = folder / "ct\n\x1b[2J<b>\udcff.nii"
    path.touch()
    return path


SFORM, QFORM, CODES = 280, 256, 252
NIFTI = [
    Odd("A1", "empty file", raw("ct.nii", b""), NO, ("empty_file",)),
    Odd("A1", "empty gzip file", raw("ct.nii.gz", b""), NO, ("empty_file",)),
    Odd("A1", "gzip of nothing", raw("ct.nii.gz", gzip.compress(b"")), NO, ("not_nifti",)),
    Odd("A1", "text", raw("ct.nii", b"hello world" * 100), NO, ("not_nifti",)),
    Odd("A1", "three bytes", patched(cut=3), NO, ("not_nifti", "header_unreadable")),
    Odd("A1", "half a header", patched(cut=100), NO, ("header_unreadable",)),
    Odd("A1", "header only", patched(cut=348), NO, ("cut_off",)),
    Odd("A1", "header and flag only", patched(cut=352), NO, ("cut_off",)),
    *(
        Odd("A1", f"cut at {cut} bytes", patched(cut=cut), NO, ("cut_off",))
        for cut in (353, 400, 700, 1000, 1359)
    ),
    *(
        Odd(
            "A1",
            f"gzip cut to {part} %",
            zipped(lambda d, p=part: d[: len(d) * p // 100]),
            NO,
            ("damaged_gzip",),
        )
        for part in (5, 30, 60, 90, 99)
    ),
    Odd(
        "A1",
        "gzip with a wrong sum",
        zipped(lambda d: d[:-8] + bytes([d[-8] ^ 1]) + d[-7:]),
        NO,
        ("damaged_gzip",),
    ),
    Odd(
        "A1",
        "gzip with a wrong length",
        zipped(lambda d: d[:-1] + bytes([d[-1] ^ 1])),
        NO,
        ("damaged_gzip",),
    ),
    Odd(
        "A1",
        "gzip with a tail of rubbish",
        zipped(lambda d: d + b"rubbish" * 9),
        NO,
        ("damaged_gzip",),
    ),
    Odd("A1", "plain file named gzip", zipped(gzip.decompress), NO, ("damaged_gzip",)),
    Odd(
        "A1",
        "gzip file named plain",
        lambda f: good_nifti(f / "a.nii.gz").rename(f / "ct.nii"),
        NO,
        ("not_nifti",),
    ),
    Odd("A1", "not there", lambda f: f / "ct.nii", NO, ("not_there",)),
    Odd("A1", "a pipe", fifo, NO, ("not_a_file",)),
    Odd("A1", "a link to itself", loop, NO, ("not_there", "unreadable")),
    Odd("A1", "a kind that is unknown", raw("ct.xyz", b"abc"), NO, ("unknown_kind",)),
    Odd("A1", "an Analyze header", raw("ct.hdr", bytes(348)), NO, ("unknown_kind",)),
    *(
        Odd(
            "A7",
            f"{far:g} mm away",
            patched(put(SFORM + 12, "<f", far), put(CODES, "<2h", 0, 1)),
            NO,
            ("placement",),
        )
        for far in (1e30, 1e7)
    ),
    Odd("A1", "a name that is no line", misnamed, NO, ("empty_file",)),
    Odd("A2", "32767 cubed", patched(dims(3, 32767, 32767, 32767)), NO, ("too_large",)),
    Odd("A2", "just above 2 GiB", patched(dims(3, 1025, 1025, 1025)), NO, ("too_large",)),
    Odd("A2", "below 2 GiB but not there", patched(dims(3, 1000, 1000, 1000)), NO, ("cut_off",)),
    Odd("A2", "negative", patched(dims(3, 9, -8, 7)), NO, ("single_slice",)),
    Odd("A2", "zero", patched(dims(3, 9, 0, 7)), NO, ("single_slice",)),
    Odd("A2", "one slice", patched(dims(3, 9, 8, 1)), NO, ("single_slice",)),
    Odd("A2", "no dimension", patched(dims(0, 9, 8, 7)), NO, ("dimensions",)),
    Odd("A2", "nine dimensions", patched(dims(9, 9, 8, 7)), NO, ("dimensions",)),
    Odd("A2", "minus one dimension", patched(dims(-1, 9, 8, 7)), NO, ("dimensions",)),
    Odd("A2", "two dimensions", patched(dims(2, 9, 8, 7)), NO, ("dimensions",)),
    Odd("A2", "four dimensions", patched(dims(4, 9, 8, 1, 7)), NO, ("dimensions",)),
    Odd("A2", "seven dimensions of one", patched(dims(7, 9, 8, 7)), OK, ()),
    Odd(
        "A2",
        "a trillion slices",
        second_version(lambda d: struct.pack_into("<q", d, 40, 1 << 40)),
        NO,
        ("too_large", "dimensions", "single_slice", "header_unreadable"),
    ),
    Odd("A3", "a bomb of 4.3 GB", bomb, NO, ("too_large",)),
    Odd("A4", "both codes 0", patched(put(CODES, "<2h", 0, 0)), NO, ("orientation_unknown",)),
    Odd(
        "A4",
        "both codes 0, stated",
        patched(put(CODES, "<2h", 0, 0)),
        WARN,
        ("orientation_stated",),
        orientation="LPS",
    ),
    Odd(
        "A4",
        "both codes negative",
        patched(put(CODES, "<2h", -1, -1)),
        NO,
        ("orientation_unknown",),
    ),
    Odd(
        "A4", "stated against the file", patched(), NO, ("orientation_denied",), orientation="RAS"
    ),
    Odd("A4", "stated as the file says", patched(), OK, (), orientation="LPS"),
    Odd("A4", "qform alone", patched(put(CODES, "<2h", 1, 0)), OK, ()),
    Odd("A4", "sform alone", patched(put(CODES, "<2h", 0, 1)), OK, ()),
    Odd(
        "A5", "sform mirrored", patched(put(SFORM, "<f", 1.0)), NO, ("orientation_contradictory",)
    ),
    Odd(
        "A5",
        "sform mirrored, stated",
        patched(put(SFORM, "<f", 1.0)),
        WARN,
        ("orientation_stated",),
        orientation="LPS",
    ),
    Odd(
        "A5",
        "sform upside down",
        patched(put(SFORM + 40, "<f", -2.5)),
        NO,
        ("orientation_contradictory",),
    ),
    Odd(
        "A5",
        "qfac flipped",
        patched(put(76, "<f", 1.0), put(SFORM + 40, "<f", -2.5)),
        NO,
        ("orientation_contradictory",),
    ),
    Odd(
        "A6",
        "sform 5 mm away",
        patched(put(SFORM + 12, "<f", 5.0)),
        WARN,
        ("sform_qform_disagree",),
    ),
    Odd("A6", "sform 0.05 mm away", patched(put(SFORM + 12, "<f", 0.05)), OK, ()),
    Odd(
        "A6",
        "sform turned by 5 degrees",
        patched(put(SFORM, "<8f", -0.99619, 0.08716, 0, 0, -0.08716, -0.99619, 0, 0)),
        WARN,
        ("sform_qform_disagree",),
    ),
    *(
        Odd(
            "A7",
            f"sform with {value} at {n}",
            patched(put(SFORM + 4 * n, "<f", value)),
            NO,
            ("placement",),
        )
        for n, value in ((0, np.nan), (3, np.nan), (5, np.inf), (11, -np.inf))
    ),
    Odd(
        "A7",
        "sform of zeros",
        patched(put(SFORM, "<12f", *[0.0] * 12), put(CODES, "<2h", 0, 1)),
        NO,
        ("placement", "voxel_size"),
    ),
    Odd(
        "A7",
        "sform singular",
        patched(
            put(SFORM, "<12f", -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 2.5, 0), put(CODES, "<2h", 0, 1)
        ),
        NO,
        ("placement",),
    ),
    Odd("A7", "quaternion not a number", patched(put(QFORM, "<f", np.nan)), NO, ("placement",)),
    Odd(
        "A7",
        "quaternion too long",
        patched(put(QFORM, "<3f", 1.0, 1.0, 1.0), put(CODES, "<2h", 1, 0)),
        NO,
        ("placement",),
    ),
    Odd(
        "A7",
        "qoffset infinite",
        patched(put(268, "<f", np.inf), put(CODES, "<2h", 1, 0)),
        NO,
        ("placement",),
    ),
    *(
        Odd("A7", f"pixdim {value}", patched(put(80, "<f", value)), NO, ("voxel_size",))
        for value in (0.0, -1.0, np.nan, np.inf)
    ),
    Odd(
        "A7",
        "pixdim unlike the columns",
        patched(put(80, "<f", 1.5), put(CODES, "<2h", 0, 1)),
        NO,
        ("placement",),
    ),
    Odd("A8", "metres", patched(put(123, "B", 1)), NO, ("voxel_size",)),
    Odd("A8", "micrometres", patched(put(123, "B", 3)), NO, ("voxel_size",)),
    Odd("A8", "no unit", patched(put(123, "B", 0)), WARN, ("unit_not_mm",)),
    Odd("A8", "an unknown unit", patched(put(123, "B", 7)), WARN, ("unit_not_mm",)),
    Odd(
        "A8",
        "metres that are right",
        patched(
            put(123, "B", 1),
            put(80, "<3f", 0.001, 0.001, 0.0025),
            put(SFORM, "<12f", -0.001, 0, 0, 0, 0, -0.001, 0, 0, 0, 0, 0.0025, 0),
        ),
        WARN,
        ("unit_not_mm",),
    ),
    Odd(
        "A8",
        "voxels of 30 mm",
        patched(put(80, "<3f", 30, 30, 30), put(CODES, "<2h", 1, 0)),
        NO,
        ("voxel_size",),
    ),
    Odd(
        "A8",
        "voxels of 5 micrometres",
        patched(put(80, "<3f", 0.005, 0.005, 0.005), put(CODES, "<2h", 1, 0)),
        NO,
        ("voxel_size",),
    ),
    Odd(
        "A9",
        "sheared by 22 degrees",
        patched(put(SFORM + 24, "<f", -1.0), put(88, "<f", 2.69258), put(CODES, "<2h", 0, 1)),
        WARN,
        ("gantry_tilt",),
    ),
    Odd("A10", "big endian", big_endian, OK, ()),
    Odd("A10", "NIfTI-2", second_version(), OK, ()),
    *(
        Odd("A10", f"{dtype}", of_type(dtype, -100 if dtype == "int8" else -1000), OK, ())
        for dtype in ("int8", "int16", "int32", "int64", "float32", "float64")
    ),
    *(
        Odd("A10", f"{dtype}", of_type(dtype, 0), WARN, ("hounsfield_doubtful",))
        for dtype in ("uint8", "uint16", "uint32", "uint64")
    ),
    Odd("A11", "complex numbers", patched(put(70, "<h", 32)), NO, ("not_greyscale",)),
    Odd("A11", "colours", patched(put(70, "<h", 128)), NO, ("not_greyscale",)),
    Odd("A11", "colours with alpha", patched(put(70, "<h", 2304)), NO, ("not_greyscale",)),
    Odd("A11", "no type", patched(put(70, "<h", 0)), NO, ("voxel_type", "not_greyscale")),
    Odd("A11", "type 999", patched(put(70, "<h", 999)), NO, ("voxel_type",)),
    Odd(
        "A11",
        "a voxel that is no number",
        values(lambda v: np.where(v == v.max(), np.nan, v)),
        WARN,
        ("missing_voxels",),
    ),
    Odd(
        "A11",
        "infinite voxels",
        values(lambda v: np.where(v > 1900, np.inf, v)),
        WARN,
        ("missing_voxels",),
    ),
    Odd("A11", "no voxel a number", values(lambda v: v * np.nan), NO, ("constant",)),
    Odd("A11", "all the same", values(lambda v: v * 0 + 5), NO, ("constant",)),
    Odd("A11", "slope not a number", patched(put(112, "<f", np.nan)), OK, ()),
    Odd("A11", "slope infinite", patched(put(112, "<f", np.inf)), NO, ("impossible_scale",)),
    Odd("A11", "slope of 1e30", patched(put(112, "<2f", 1e30, 0)), NO, ("impossible_scale",)),
    Odd(
        "A11",
        "intercept not a number",
        patched(put(112, "<2f", 1, np.nan)),
        NO,
        ("impossible_scale",),
    ),
    Odd("A11", "offset infinite", patched(put(108, "<f", np.inf)), NO, ("header_unreadable",)),
    Odd("A11", "offset beyond the end", patched(put(108, "<f", 1e6)), NO, ("cut_off",)),
    Odd("A11", "offset into the header", patched(put(108, "<f", 100)), OK, ()),
    Odd("A11", "two-file magic", patched(put(344, "4s", b"ni1\0")), NO, ("two_files",)),
    Odd("A11", "no magic", patched(put(344, "4s", b"abcd")), NO, ("two_files",)),
    Odd("A11", "header size 123", patched(put(0, "<i", 123)), NO, ("not_nifti",)),
    Odd(
        "B6",
        "1024 never subtracted",
        values(lambda v: np.where(v < 0, 1000 + v / 20, 1000 + v / 8)),
        NO,
        ("not_hounsfield",),
    ),
    Odd("B6", "1024 subtracted twice", values(lambda v: v - 1500), NO, ("not_hounsfield",)),
    Odd("B6", "air alone", values(lambda v: v / 100 - 1000), NO, ("not_hounsfield",)),
    Odd(
        "B6", "padding of -3024", values(lambda v: np.where(v < -500, -3024, v)), OK, ("padding",)
    ),
    Odd(
        "B6",
        "a window from 0 to 255",
        values(lambda v: np.clip(v / 8 + 100, 0, 255)),
        WARN,
        ("hounsfield_doubtful",),
    ),
]
