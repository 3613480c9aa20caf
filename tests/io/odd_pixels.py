"""Malformed and odd pixels, tags and files of DICOM slices, each with the verdict it must get."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    RLELossless,
)

from .odd_inputs import NO, OK, WARN, Build, Odd, raw
from .odd_series import ALL, ONE, Change, copied, edited, files, rewritten, series, tags, without

EVIL = "<script>alert(1)</script>\n\x1b[2J../../etc; rm -rf /\u202e=cmd|' /C calc'!A0"


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


PIXELS = [
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
    Odd(
        "B6",
        "a slope of 0 in one slice",
        edited((tags(RescaleSlope="0"), ONE)),
        NO,
        ("not_hounsfield",),
    ),
    Odd(
        "B6",
        "a sign misread in some slices",
        edited((tags(PixelRepresentation=0), slice(0, 3))),
        NO,
        ("not_hounsfield",),
    ),
    Odd(
        "B6",
        "no bits stored",
        edited((tags(BitsStored=0, HighBit=0), ALL)),
        NO,
        ("damaged_slice",),
    ),
    *(
        Odd(
            "B7",
            f"{bits} bits allocated",
            edited((tags(BitsAllocated=bits), ALL)),
            NO,
            ("damaged_slice",),
        )
        for bits in (0, 1, 12, 64)
    ),
    Odd(
        "B11",
        "two transfer syntaxes in one series",
        edited((lambda header: header.compress(RLELossless), slice(0, 3))),
        OK,
        (),
    ),
    Odd("B8", "a ZIP archive", raw("ct.zip", b"PK\3\4" + bytes(60)), NO, ("archive",)),
]
