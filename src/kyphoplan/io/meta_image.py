"""What ITK does not check in a MetaImage: the length of its data, and the sign of its spacing."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kyphoplan.errors import CaseError, GeometryError

SUFFIXES = (".mha", ".mhd")
TYPES = {  # [byte] of one value
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_LONG", "MET_ULONG", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}
BLOCK = 1 << 20  # [byte]
HEADER_LIMIT = 1 << 20  # [byte]
LAST = b"ElementDataFile"


def check_stored_bytes(path: Path, fields: Mapping[str, str], shape: tuple[int, ...]) -> None:
    """Refuse data that are shorter than stated, or whose compression ends early.

    Parameters
    ----------
    fields : of the header, by name in lower case. Other formats than MetaImage are not looked at.

    Raises
    ------
    CaseError
        If bytes are missing or damaged.
    GeometryError
        If a voxel size is not above zero.
    """
    if path.suffix.lower() not in SUFFIXES:
        return
    _check_spacing(fields.get("elementspacing", "") or fields.get("elementsize", ""))
    size = TYPES.get(fields.get("elementtype", "").upper())
    if size is None:
        raise CaseError("voxel type unknown: export it again", code="voxel_type")
    need = int(np.prod(shape)) * size
    name = fields.get("elementdatafile", "LOCAL")
    own = name.upper() == "LOCAL"
    data = path if own else path.parent / name
    if not data.is_file():
        raise CaseError(f"its data file {name} is missing: copy it too", code="cut_off")
    start = _data_start(path) if own else 0
    if fields.get("compresseddata", "").lower() == "true":
        have = _inflated(data, start, need)
    else:
        have = data.stat().st_size - max(start, int(fields.get("headersize", "0") or 0))
    if have < need:
        text = f"cut off: {have} of {need} bytes of voxels: copy it again from its source"
        raise CaseError(text, code="cut_off")


def _check_spacing(text: str) -> None:
    try:
        wrong = any(not float(word) > 0.0 for word in text.split())
    except ValueError:
        wrong = True
    if wrong:
        raise GeometryError(f"voxel size {text} is impossible: export it again", code="voxel_size")


def _data_start(path: Path) -> int:
    """Return where the data begin in a file that holds its header too [byte]."""
    with path.open("rb") as stream:
        head = stream.read(HEADER_LIMIT)
    return head.index(b"\n", head.index(LAST)) + 1


def _inflated(data: Path, start: int, need: int) -> int:
    """Return how many bytes come out of a zlib stream, which is read to its sum."""
    inflate, have = zlib.decompressobj(zlib.MAX_WBITS | 32), 0
    try:
        with data.open("rb") as stream:
            stream.seek(start)
            block = stream.read(BLOCK)
            while block and not inflate.eof and have <= need:
                have += len(inflate.decompress(block, BLOCK))
                block = inflate.unconsumed_tail or stream.read(BLOCK)
    except zlib.error as error:
        text = f"damaged compression ({error}): copy it again from its source"
        raise CaseError(text, code="damaged_gzip") from error
    if not inflate.eof and have <= need:
        text = "its compression ends early: copy it again from its source"
        raise CaseError(text, code="damaged_gzip")
    return have
