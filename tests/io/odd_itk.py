"""Malformed and odd NRRD and MetaImage files, each with the verdict it must get."""

import gzip
import zlib

from .odd_inputs import NO, OK, Odd, raw, voxels

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
