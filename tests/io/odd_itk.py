"""Malformed and odd NRRD and MetaImage files, each with the verdict it must get."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from .odd_inputs import NO, OK, Build, Odd, raw, voxels

DATA = voxels().tobytes("F")


def nrrd(sizes: str = "9 8 7", step: str = "1", origin: str = "0", data: bytes = DATA) -> bytes:
    encoding = "gzip" if data[:2] == b"\x1f\x8b" else "raw"
    header = (
        f"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {sizes}\n"
        f"space directions: (1,0,0) (0,1,0) (0,0,{step})\nspace origin: (0,0,{origin})\n"
        f"encoding: {encoding}\nendian: little\n\n"
    )
    return header.encode() + data


def mha(spacing: str = "1 1 1", size: str = "9 8 7", more: str = "", data: bytes = DATA) -> bytes:
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = {spacing}\n"
        f"DimSize = {size}\nElementType = MET_SHORT\n{more}ElementDataFile = LOCAL\n"
    )
    return header.encode() + data


def squeezed(data: bytes) -> bytes:
    return mha(more=f"CompressedData = True\nCompressedDataSize = {len(data)}\n", data=data)


def wrong_sum(data: bytes) -> bytes:
    return data[:-6] + bytes([data[-6] ^ 1]) + data[-5:]


def itk(name: str, change: Callable[[bytes], bytes]) -> Build:
    def build(folder: Path) -> Path:
        path = folder / name
        image = sitk.GetImageFromArray(voxels().T)
        sitk.WriteImage(image, str(path))
        path.write_bytes(change(path.read_bytes()))
        return path

    return build


def written(name: str, image: Callable[[], object]) -> Build:
    def build(folder: Path) -> Path:
        sitk.WriteImage(image(), str(folder / name))
        return folder / name

    return build


NHDR = b"""NRRD0004
type: short
dimension: 3
space: left-posterior-superior
sizes: 9 8 7
space directions: (1,0,0) (0,1,0) (0,0,1)
encoding: raw
data file: ../../../etc/passwd

"""
MHD = b"""ObjectType = Image
NDims = 3
DimSize = 9 8 7
TransformMatrix = 1 0 0 0 1 0 0 0 1
ElementType = MET_SHORT
ElementDataFile = LIST
/etc/passwd
"""
ZLIB, GZIP = zlib.compress(DATA), gzip.compress(DATA)
ITK = [
    Odd("A10", "a good NRRD", raw("a.nrrd", nrrd()), OK, ()),
    Odd("A2", "NRRD sizes beyond counting", raw("a.nrrd", nrrd("99999999999999999999 8 7")), NO,
        ("unreadable",)),
    Odd("A2", "a negative NRRD size", raw("a.nrrd", nrrd("-9 8 7")), NO, ("unreadable",)),
    Odd("A7", "an NRRD step not a number", raw("a.nrrd", nrrd(step="nan")), NO, ("unreadable",)),
    Odd("A7", "an NRRD 1e30 mm away", raw("a.nrrd", nrrd(origin="1e30")), NO, ("placement",)),
    Odd("A1", "NRRD data cut off", raw("a.nrrd", nrrd(data=DATA[:-100])), NO, ("unreadable",)),
    Odd("A1", "NRRD gzip of too few bytes", raw("a.nrrd", nrrd(data=gzip.compress(DATA[:-100]))),
        NO, ("unreadable",)),
    Odd("A1", "NRRD gzip with a wrong sum", raw("a.nrrd", nrrd(data=wrong_sum(GZIP))), NO,
        ("unreadable",)),
    Odd("A10", "a good MHA", raw("a.mha", mha()), OK, ()),
    Odd("A10", "a good compressed MHA", raw("a.mha", squeezed(ZLIB)), OK, ()),
    Odd("A1", "MHA data cut off", raw("a.mha", mha(data=DATA[:-100])), NO, ("cut_off",)),
    Odd("A1", "compressed MHA cut off", raw("a.mha", squeezed(ZLIB[:500])), NO,
        ("damaged_gzip",)),
    Odd("A1", "compressed MHA of too few bytes", raw("a.mha", squeezed(zlib.compress(DATA[:-2]))),
        NO, ("cut_off",)),
    Odd("A1", "compressed MHA with a wrong sum",
        raw("a.mha", squeezed(ZLIB[:-1] + bytes([ZLIB[-1] ^ 1]))), NO, ("damaged_gzip",)),
    Odd("A1", "compressed MHA of rubbish", raw("a.mha", squeezed(b"rubbish" * 50)), NO,
        ("damaged_gzip",)),
    Odd("A7", "a negative MHA spacing", raw("a.mha", mha("1 -1 1")), NO, ("voxel_size",)),
    Odd("A2", "MHA sizes of 99999 cubed", raw("a.mha", mha(size="99999 99999 99999")), NO,
        ("too_large",)),
    Odd("A11", "MHA of three channels",
        raw("a.mha", mha(size="3 8 7", more="ElementNumberOfChannels = 3\n")), NO,
        ("not_greyscale",)),
]  # fmt: skip
ITK += [
    Odd(
        "A4",
        "NRRD without space",
        itk("ct.nrrd", lambda d: d.replace(b"space: left-posterior-superior\n", b"")),
        NO,
        ("orientation_unknown", "unreadable"),
    ),
    Odd("A1", "NRRD cut off", itk("ct.nrrd", lambda d: d[:-200]), NO, ("unreadable",)),
    Odd(
        "A1",
        "NRRD header only",
        itk("ct.nrrd", lambda d: d[:60]),
        NO,
        ("unreadable", "orientation_unknown"),
    ),
    Odd(
        "A7",
        "NRRD directions not a number",
        itk("ct.nrrd", lambda d: d.replace(b"(1,0,0)", b"(nan,0,0)")),
        NO,
        ("placement", "unreadable", "voxel_size"),
    ),
    Odd(
        "A11",
        "NRRD in colour",
        written("ct.nrrd", lambda: sitk.Compose([sitk.GetImageFromArray(voxels().T)] * 3)),
        NO,
        ("not_greyscale",),
    ),
    Odd(
        "A2",
        "NRRD of four dimensions",
        written("ct.nrrd", lambda: sitk.JoinSeries([sitk.GetImageFromArray(voxels().T)] * 3)),
        NO,
        ("dimensions", "orientation_unknown"),
    ),
    Odd(
        "B10",
        "NHDR that names a file elsewhere",
        raw(
            "ct.nhdr",
            NHDR,
        ),
        NO,
        ("names_a_path",),
    ),
    Odd(
        "B10",
        "MHD that lists files elsewhere",
        raw(
            "ct.mhd",
            MHD,
        ),
        NO,
        ("names_a_path",),
    ),
    Odd(
        "A4",
        "MHA without directions",
        itk(
            "ct.mha",
            lambda d: b"\n".join(
                line
                for line in d.split(b"\n", 12)
                if not line.startswith((b"TransformMatrix", b"Orientation"))
            ),
        ),
        NO,
        ("orientation_unknown",),
    ),
    Odd("A1", "MHA cut off", itk("ct.mha", lambda d: d[:-300]), NO, ("cut_off",)),
]
