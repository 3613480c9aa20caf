"""Malformed and odd DICOM series, each with the verdict it must get."""

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
)

import kyphoplan.io as kio
from kyphoplan.case import Volume

from .odd_inputs import NO, OK, WARN, Build, Odd, voxels

Change = Callable[[Dataset], None]
ALL, ONE = slice(None), slice(3, 4)
EVIL = "<script>alert(1)</script>\n\x1b[2J../../etc; rm -rf /\u202e=cmd|' /C calc'!A0"
UTF_8 = {"SpecificCharacterSet": "ISO_IR 192"}
EVIL_NAMES = {"PatientName": EVIL, "StudyDescription": EVIL, **UTF_8}


def series(folder: Path, tilt: float = 0.0, turn: np.ndarray | None = None) -> Path:
    affine = np.diag([0.7, 0.8, 2.5, 1.0])
    affine[1, 2] = tilt
    if turn is not None:
        affine[:3, :3] = turn @ affine[:3, :3]
    return kio.write_dicom_series(Volume(voxels(), affine), folder / "ct")


def edited(*changes: tuple[Change, slice]) -> Build:
    def build(folder: Path) -> Path:
        made = series(folder)
        for change, which in changes:
            for file in sorted(made.glob("*.dcm"))[which]:
                header = pydicom.dcmread(file)
                with disable_value_validation():
                    change(header)
                    header.save_as(file)
        return made

    return build


def tags(**values: object) -> Change:
    def change(header: Dataset) -> None:
        for tag, value in values.items():
            setattr(header, tag, value)

    return change


def without(*names: str) -> Change:
    def change(header: Dataset) -> None:
        for name in names:
            delattr(header, name)

    return change


def files(change: Callable[[list[Path]], object], **settings: object) -> Build:
    def build(folder: Path) -> Path:
        made = series(folder, **settings)  # type: ignore[arg-type]
        change(sorted(made.glob("*.dcm")))
        return made

    return build


def copied(change: Change, keep: slice = ALL) -> Build:
    """Return a good series with a changed copy of it in a folder below."""

    def build(folder: Path) -> Path:
        made = series(folder)
        (made / "more").mkdir()
        for file in sorted(made.glob("*.dcm"))[keep]:
            header = pydicom.dcmread(file)
            header.SOPInstanceUID = f"1.2.{header.InstanceNumber}"
            with disable_value_validation():
                change(header)
                header.save_as(made / "more" / file.name)
        return made

    return build


def rewritten(change: Callable[[bytes], bytes], which: int = 3) -> Build:
    def act(found: list[Path]) -> None:
        found[which].write_bytes(change(found[which].read_bytes()))

    return files(act)


def in_syntax(syntax: str) -> Build:
    """Return a series stored in another transfer syntax."""

    def act(found: list[Path]) -> None:
        for file in found:
            header = pydicom.dcmread(file)
            pixels = header.pixel_array
            header.file_meta.TransferSyntaxUID = syntax
            little = syntax != ExplicitVRBigEndian
            header.PixelData = pixels.astype("<i2" if little else ">i2").tobytes()
            implicit = syntax == ImplicitVRLittleEndian
            pydicom.dcmwrite(
                file, header, implicit_vr=implicit, little_endian=little, force_encoding=True
            )

    return files(act)


def compressed_as(syntax: str) -> Change:
    def change(header: Dataset) -> None:
        header.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
        header["PixelData"].VR = "OB"
        header.file_meta.TransferSyntaxUID = syntax

    return change


def deflate_bomb(folder: Path) -> Path:
    """One slice that inflates to 2 GB."""
    made = series(folder)
    file = sorted(made.glob("*.dcm"))[3]
    header = pydicom.dcmread(file)
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    header.save_as(file)
    data = file.read_bytes()
    (length,) = struct.unpack_from("<I", data, 140)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = squeeze.compress(bytes(20_000_000)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    file.write_bytes(data[: 144 + length] + block * 100 + squeeze.flush())
    return made


def nested(content: bytes) -> bytes:
    """Put 500 sequences into one another before the pixels."""
    start = b"\x40\0\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return content.replace(b"\xe0\x7f\x10\0OW", start * 500 + end * 500 + b"\xe0\x7f\x10\0OW", 1)


def stored_bits(bits: int, signed: int) -> Change:
    """Store 12 bits in 16, with rubbish above them, as an overlay would be."""

    def change(header: Dataset) -> None:
        values = np.clip(header.pixel_array, -1000, 1000).astype(int)
        shift = 0 if signed else 1024
        words = ((values + shift) & 0x0FFF) | 0xA000
        header.PixelData = words.astype("<u2").tobytes()
        header.BitsStored, header.HighBit, header.PixelRepresentation = bits, bits - 1, signed
        header.RescaleIntercept = str(-shift)

    return change


def padded(header: Dataset) -> None:
    pixels = header.pixel_array.copy()
    pixels[:2] = -2000
    header.PixelData = pixels.tobytes()
    header.PixelPaddingValue = -2000
    header["PixelPaddingValue"].VR = "SS"


def secondary(header: Dataset) -> None:
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    header.SeriesInstanceUID, header.SeriesNumber = "1.2.9", 99
    del header.ImagePositionPatient, header.ImageOrientationPatient


OTHER = {"SeriesInstanceUID": "1.2.3.4", "SeriesNumber": 2, "SeriesDescription": "soft"}
SCOUT = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesInstanceUID": "1.2.3.5"}
CORONAL = [1, 0, 0, 0, 0, -1]

SERIES = [
    Odd("B1", "a good series", series, OK, ()),
    Odd("B1", "one slice missing", files(lambda f: f[3].unlink()), NO, ("slices_missing",)),
    Odd(
        "B1",
        "two slices missing",
        files(lambda f: [f[3].unlink(), f[4].unlink()]),
        NO,
        ("slices_missing",),
    ),
    Odd("B1", "the end missing", files(lambda f: f[6].unlink()), OK, ()),
    Odd(
        "B1",
        "all but one missing",
        files(lambda f: [x.unlink() for x in f[1:]]),
        NO,
        ("single_slice",),
    ),
    Odd(
        "B1",
        "a slice twice",
        files(lambda f: shutil.copy(f[3], f[3].with_name("again.dcm"))),
        NO,
        ("slices_doubled",),
    ),
    Odd(
        "B1",
        "all at one place",
        edited((tags(ImagePositionPatient=[0, 0, 0]), ALL)),
        NO,
        ("slices_doubled",),
    ),
    Odd(
        "B1",
        "a step of 3 instead of 2.5 mm",
        edited((tags(ImagePositionPatient=[0, 0, 15.5]), slice(6, 7))),
        NO,
        ("slices_uneven",),
    ),
    Odd(
        "B1",
        "a step off by 0.04 mm",
        edited((tags(ImagePositionPatient=[0, 0, 15.04]), slice(6, 7))),
        OK,
        (),
    ),
    Odd(
        "B1",
        "a slice beside the line",
        edited((tags(ImagePositionPatient=[3, 0, 7.5]), ONE)),
        NO,
        ("slices_off_line",),
    ),
    Odd("B1", "another thickness in a tag", edited((tags(SliceThickness="9"), ALL)), OK, ()),
    Odd("B1", "a lying distance in a tag", edited((tags(SpacingBetweenSlices="9"), ALL)), OK, ()),
    Odd(
        "B1",
        "place not a number",
        edited((tags(ImagePositionPatient=None), ONE)),
        NO,
        ("tag_missing", "tag_damaged"),
    ),
    Odd("B2", "tilt, tag right", lambda f: series(f, tilt=1.0), WARN, ("gantry_tilt",)),
    Odd(
        "B2",
        "tilt in the tag only",
        edited((tags(GantryDetectorTilt="18.5"), ALL)),
        WARN,
        ("tilt_tag",),
    ),
    Odd(
        "B2",
        "tilt in the places only",
        lambda f: _untagged(series(f, tilt=1.0)),
        WARN,
        ("gantry_tilt", "tilt_tag"),
    ),
    Odd(
        "B3",
        "files reversed",
        files(lambda f: [x.rename(x.with_name(f"r{99 - n}.dcm")) for n, x in enumerate(f)]),
        OK,
        (),
    ),
    Odd("B3", "instance numbers all 1", edited((tags(InstanceNumber=1), ALL)), OK, ()),
    Odd("B3", "no instance numbers", edited((without("InstanceNumber"), ALL)), OK, ()),
    Odd(
        "B3",
        "rubbish beside the slices",
        files(
            lambda f: [
                (f[0].parent / n).write_bytes(b"x" * 300) for n in ("a.txt", "DICOMDIR", "b")
            ]
        ),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B3",
        "slices in folders below",
        files(lambda f: [_move(x, n % 3) for n, x in enumerate(f)]),
        OK,
        (),
    ),
    Odd(
        "B3",
        "no ending in the names",
        files(lambda f: [x.rename(x.with_suffix("")) for x in f]),
        OK,
        (),
    ),
    Odd(
        "B4",
        "two patients",
        edited((tags(PatientID="other"), slice(0, 3))),
        NO,
        ("several_patients",),
    ),
    Odd(
        "B4",
        "two patients in two series",
        copied(tags(PatientName="B", **OTHER)),
        NO,
        ("several_patients",),
    ),
    Odd(
        "B4",
        "two patients, one series asked for",
        copied(tags(PatientID="B", **OTHER)),
        NO,
        ("several_patients",),
        series="1",
    ),
    Odd(
        "B4",
        "one name in two spellings",
        edited((tags(PatientName="PHANTOM^SYNTHETIC "), slice(0, 3))),
        OK,
        (),
    ),
    Odd("B4", "two series", copied(tags(**OTHER)), NO, ("several_series",)),
    Odd("B4", "two series, one chosen", copied(tags(**OTHER)), OK, (), series="2"),
    Odd(
        "B4",
        "two series, none of that name",
        copied(tags(**OTHER)),
        NO,
        ("no_such_series",),
        series="7",
    ),
    Odd(
        "B4",
        "two frames of reference in one series",
        copied(tags(FrameOfReferenceUID="1.2.7")),
        NO,
        ("several_series",),
    ),
    Odd(
        "B4",
        "two orientations in one series",
        copied(tags(ImageOrientationPatient=CORONAL)),
        NO,
        ("several_series",),
    ),
    Odd(
        "B4",
        "two orientations, one chosen",
        copied(tags(ImageOrientationPatient=CORONAL)),
        NO,
        ("slices_doubled", "slices_off_line"),
        series="1/1",
    ),
    Odd(
        "B4",
        "a scout",
        copied(tags(ImageOrientationPatient=CORONAL, **SCOUT), slice(0, 1)),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B4",
        "a scout that does not say so",
        copied(tags(ImageOrientationPatient=CORONAL), slice(0, 1)),
        WARN,
        ("slices_left_out",),
    ),
    Odd("B4", "a dose page", copied(secondary, slice(0, 1)), OK, ("files_left_out",)),
    Odd(
        "B4",
        "a screenshot as CT",
        copied(
            tags(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"], SeriesInstanceUID="1.2.8"),
            slice(0, 2),
        ),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B4",
        "burned-in text",
        copied(tags(BurnedInAnnotation="YES", SeriesInstanceUID="1.2.8"), slice(0, 2)),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B4",
        "one slice of another kind",
        edited((tags(ImageOrientationPatient=CORONAL), ONE)),
        NO,
        ("slices_missing",),
    ),
    Odd("B4", "scouts alone", edited((tags(**SCOUT), ALL)), NO, ("no_ct",)),
    Odd("B4", "a rescale for each slice", edited((tags(RescaleIntercept="-10"), ONE)), OK, ()),
    Odd("B4", "rows that differ", edited((tags(Rows=4), ONE)), NO, ("slices_differ",)),
    Odd(
        "B4",
        "pixel sizes that differ",
        edited((tags(PixelSpacing=[1, 1]), ONE)),
        NO,
        ("slices_differ",),
    ),
    *(
        Odd("B5", f"patient {position}", edited((tags(PatientPosition=position), ALL)), OK, ())
        for position in ("HFS", "HFP", "HFDL", "HFDR", "FFS", "FFP", "FFDL", "FFDR")
    ),
    Odd(
        "B5",
        "directions not at right angles",
        edited((tags(ImageOrientationPatient=[1, 0, 0, 0.5, 1, 0]), ALL)),
        NO,
        ("orientation_damaged",),
    ),
    Odd(
        "B5",
        "directions of zeros",
        edited((tags(ImageOrientationPatient=[0] * 6), ALL)),
        NO,
        ("orientation_damaged",),
    ),
    Odd(
        "B5",
        "no directions",
        edited((without("ImageOrientationPatient"), ALL)),
        NO,
        ("tag_missing",),
    ),
    Odd(
        "B5",
        "five numbers as directions",
        edited((tags(ImageOrientationPatient=[1, 0, 0, 0, 1]), ALL)),
        NO,
        ("tag_damaged",),
    ),
    Odd("B5", "no place", edited((without("ImagePositionPatient"), ONE)), NO, ("tag_missing",)),
    Odd("B5", "no pixel size", edited((without("PixelSpacing"), ALL)), NO, ("tag_missing",)),
    Odd(
        "B5", "a pixel size of zero", edited((tags(PixelSpacing=[0, 0]), ALL)), NO, ("voxel_size",)
    ),
    Odd(
        "B5", "pixels of 700 mm", edited((tags(PixelSpacing=[700, 700]), ALL)), NO, ("voxel_size",)
    ),
    Odd("B6", "no slope", edited((without("RescaleSlope"), ALL)), NO, ("tag_missing",)),
    Odd("B6", "no intercept", edited((without("RescaleIntercept"), ONE)), NO, ("tag_missing",)),
    Odd("B6", "slope 0", edited((tags(RescaleSlope="0"), ALL)), NO, ("not_hounsfield",)),
    Odd("B6", "slope 1e9", edited((tags(RescaleSlope="1e9"), ALL)), NO, ("not_hounsfield",)),
    Odd("B6", "another unit", edited((tags(RescaleType="MGML"), ALL)), NO, ("not_hounsfield",)),
    Odd("B6", "slope of 0.5", edited((tags(RescaleSlope="0.5"), ALL)), OK, ()),
    Odd("B6", "12 signed bits with rubbish above", edited((stored_bits(12, 1), ALL)), OK, ()),
    Odd("B6", "12 unsigned bits with rubbish above", edited((stored_bits(12, 0), ALL)), OK, ()),
    Odd(
        "B6",
        "an impossible high bit",
        edited((tags(BitsStored=12, HighBit=3), ALL)),
        NO,
        ("damaged_slice",),
    ),
    Odd(
        "B6",
        "MR",
        edited((tags(SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR"), ALL)),
        NO,
        ("no_ct",),
    ),
    Odd(
        "B6", "PET that says it is a CT image", edited((tags(Modality="PT"), ALL)), NO, ("no_ct",)
    ),
    Odd("B6", "padding", edited((padded, ALL)), OK, ("padding",)),
    Odd(
        "B6",
        "inverted grey",
        edited((tags(PhotometricInterpretation="MONOCHROME1"), ALL)),
        NO,
        ("not_greyscale",),
    ),
    Odd(
        "B6",
        "colour",
        edited((tags(SamplesPerPixel=3, PhotometricInterpretation="RGB"), ALL)),
        NO,
        ("not_greyscale",),
    ),
    Odd("D1", "contrast", edited((tags(ContrastBolusAgent="iodine"), ALL)), WARN, ("contrast",)),
    Odd("B7", "a slice cut off", rewritten(lambda d: d[:-20]), NO, ("damaged_slice",)),
    Odd(
        "B7",
        "a slice cut in its header",
        rewritten(lambda d: d[:600]),
        NO,
        ("damaged_slice", "tag_missing"),
    ),
    Odd("B7", "an empty slice", rewritten(lambda _: b""), NO, ("slices_missing",)),
    Odd("B7", "rows that lie", edited((tags(Rows=400), ALL)), NO, ("damaged_slice",)),
    Odd(
        "B7",
        "65535 rows and columns",
        edited((tags(Rows=65535, Columns=65535), ALL)),
        NO,
        ("too_large",),
    ),
    Odd("B7", "no rows", edited((without("Rows"), ALL)), NO, ("tag_missing",)),
    Odd("B7", "999999 frames", edited((tags(NumberOfFrames=999999), ALL)), NO, ("multi_frame",)),
    Odd("B7", "no pixels", edited((without("PixelData"), ONE)), NO, ("damaged_slice",)),
    Odd("B7", "sequences 500 deep", rewritten(nested), NO, ("damaged_slice", "undecodable")),
    Odd("B7", "a tag of 1 MB", edited((tags(TextValue="x" * 1_000_000), ONE)), OK, ()),
    Odd(
        "B7",
        "a length beyond the end",
        rewritten(lambda d: d.replace(b"OW\0\0", b"OW\0\0\xff\xff\xff\x7e", 1)),
        NO,
        ("damaged_slice", "too_large"),
    ),
    Odd("B8", "a deflate bomb of 2 GB", deflate_bomb, NO, ("too_large",)),
    Odd(
        "B9", "a program in the preamble", rewritten(lambda d: b"MZ" + d[2:]), WARN, ("preamble",)
    ),
    Odd(
        "B9",
        "an ELF program in the preamble",
        rewritten(lambda d: b"\x7fELF" + d[4:]),
        WARN,
        ("preamble",),
    ),
    Odd(
        "B10",
        "evil names",
        edited(
            (
                tags(
                    SeriesDescription=EVIL[:60],
                    PatientName=EVIL,
                    StudyDescription=EVIL,
                    SpecificCharacterSet="ISO_IR 192",
                ),
                ALL,
            )
        ),
        WARN,
        ("reader_warning", "reader_warning"),
    ),
    Odd(
        "B10",
        "evil names, two series",
        copied(
            tags(
                SeriesInstanceUID="1.2.3",
                SeriesNumber=2,
                SpecificCharacterSet="ISO_IR 192",
                SeriesDescription=EVIL,
            )
        ),
        NO,
        ("several_series",),
    ),
    Odd(
        "B10",
        "a UID that is a path",
        edited((tags(SeriesInstanceUID="../../../tmp/x"), ALL)),
        WARN,
        ("reader_warning", "reader_warning"),
    ),
    Odd("B11", "implicit VR", in_syntax(ImplicitVRLittleEndian), OK, ()),
    Odd("B11", "big endian", in_syntax(ExplicitVRBigEndian), OK, ()),
    Odd("B11", "deflated", in_syntax(DeflatedExplicitVRLittleEndian), OK, ()),
    Odd(
        "B11",
        "a codec that is missing",
        edited((compressed_as(HTJ2KLossless), ALL)),
        NO,
        ("codec_missing",),
    ),
    Odd(
        "B11",
        "compressed with loss",
        edited((tags(LossyImageCompression="01"), ALL)),
        WARN,
        ("lossy_compression",),
    ),
    Odd(
        "B12",
        "enhanced CT",
        edited((tags(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1"), ALL)),
        NO,
        ("multi_frame",),
    ),
    Odd(
        "B12",
        "legacy converted CT",
        edited((tags(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.2"), ALL)),
        NO,
        ("multi_frame",),
    ),
    Odd(
        "B12",
        "one slice instead of the folder",
        lambda f: sorted(series(f).glob("*.dcm"))[0],
        NO,
        ("one_slice",),
    ),
    Odd("B3", "an empty folder", lambda f: _made(f / "ct"), NO, ("no_dicom",)),
]


def _move(file: Path, number: int) -> None:
    folder = file.parent / f"part {number}"
    folder.mkdir(exist_ok=True)
    file.rename(folder / file.name)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _untagged(made: Path) -> Path:
    for file in made.glob("*.dcm"):
        header = pydicom.dcmread(file)
        del header.GantryDetectorTilt
        header.save_as(file)
    return made
