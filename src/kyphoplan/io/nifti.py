"""NIfTI files: bytes to voxels, and back. Placement is decided in `placement`."""

import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kyphoplan import __version__
from kyphoplan.case import Notice, Severity
from kyphoplan.errors import CaseError
from kyphoplan.io.decoded import Decoded, check_shape
from kyphoplan.io.placement import LPS_FROM_RAS, NiftiPlacement, is_sheared, nifti_affine

SUFFIXES = (".nii", ".nii.gz")
HEADER_BYTES = {348: "NIfTI-1", 540: "NIfTI-2"}  # [byte] sizeof_hdr
MAGIC = (b"n+1", b"n+2")
TO_MM = {1: 1000.0, 2: 1.0, 3: 0.001}  # [mm] xyzt_units: metre, millimetre, micrometre
LARGEST_SCALE = 1e6  # [1] no CT is scaled by more; own choice
CHUNK = 1 << 20  # [byte]
LONGEST_TAIL = 1 << 26  # [byte] that may follow the voxels; own choice
LARGEST_OFFSET = float(1 << 31)  # [byte] more is damage
SMALLEST_OFFSET = 352  # [byte] voxels follow header and extension flag
CARET = 30  # NIfTI extension code of the Caret tools (nifti1_io.h, NIFTI_ECODE_CARET)
_LABEL = re.compile(
    r"<Label\s[^>]*?Key=\"(-?\d+)\"[^>]*>\s*(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))", re.DOTALL
)


def read_nifti(path: Path, *, orientation: str | None = None) -> Decoded:
    """Read a NIfTI-1 or -2 image, single file, plain or gzipped.

    Parameters
    ----------
    orientation : where the voxel axes lead, as the user states it for a file that does not say.

    Raises
    ------
    CaseError
        If the file is no NIfTI image, damaged, cut off, too large or not three-dimensional.
    GeometryError
        If its orientation is unknown or contradictory.
    """
    opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opener(path, "rb") as stream:
            header = _header(stream)
            shape = check_shape(_dimensions(header), header.get_data_dtype().itemsize)
            affine, notices = nifti_affine(_placement(header, shape), orientation)
            stored = _voxels(stream, header, shape)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        text = f"damaged gzip file ({error}): copy it again from its source"
        raise CaseError(text, code="damaged_gzip") from error
    names = _label_table(header)
    return Decoded(
        voxels=_scaled(stored, float(header["scl_slope"]), float(header["scl_inter"])),
        affine=affine,
        names=names,
        names_from="header table" if names else "",
        notices=_unit_notices(header) + notices,
    )


def _header(stream: BinaryIO) -> Any:
    """Read the header without nibabel's repairs: what is wrong must stay visible."""
    from nibabel import Nifti1Header, Nifti2Header  # noqa: PLC0415
    from nibabel.spatialimages import HeaderDataError  # noqa: PLC0415
    from nibabel.wrapstruct import WrapStructError  # noqa: PLC0415

    start = stream.read(4)
    sizes = {int.from_bytes(start, "little"), int.from_bytes(start, "big")}
    stream.seek(0)
    kind = Nifti1Header if 348 in sizes else Nifti2Header if 540 in sizes else None  # noqa: PLR2004
    if kind is None:
        text = "not a NIfTI file (or cut off): copy it again from its source"
        raise CaseError(text, code="not_nifti")
    try:
        header = kind.from_fileobj(stream, check=False)
        magic = header["magic"].item()
    except (HeaderDataError, WrapStructError, ValueError, OverflowError) as error:
        text = f"header unreadable ({error}): copy it again from its source"
        raise CaseError(text, code="header_unreadable") from error
    if magic[:3] not in MAGIC:
        raise CaseError("not a single-file NIfTI image: convert it to .nii.gz", code="two_files")
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        text = f"voxel type unknown ({error}): convert it again from DICOM"
        raise CaseError(text, code="voxel_type") from error
    if dtype.kind not in "iuf":
        text = f"voxels are {dtype} (colour or complex): give a greyscale image"
        raise CaseError(text, code="not_greyscale")
    return header


def _dimensions(header: Any) -> tuple[int, ...]:
    count = int(header["dim"][0])
    return tuple(int(n) for n in header["dim"][1 : 1 + min(max(count, 0), 7)])


def _placement(header: Any, shape: tuple[int, int, int]) -> NiftiPlacement:
    return NiftiPlacement(
        shape=shape,
        pixdim=[float(p) for p in header["pixdim"][:4]],
        quaternion=[float(header[f"quatern_{axis}"]) for axis in "bcd"],
        offset=[float(header[f"qoffset_{axis}"]) for axis in "xyz"],
        sform=np.array([header[f"srow_{axis}"] for axis in "xyz"], float),
        qform_code=int(header["qform_code"]),
        sform_code=int(header["sform_code"]),
        to_mm=TO_MM.get(int(header["xyzt_units"]) & 7, 1.0),
    )


def _voxels(stream: BinaryIO, header: Any, shape: tuple[int, int, int]) -> NDArray[Any]:
    """Read exactly the stated number of bytes, then to the end, so that gzip checks its sum."""
    dtype = header.get_data_dtype()
    need = int(np.prod(shape)) * dtype.itemsize
    start = float(header["vox_offset"])
    if not abs(start) < LARGEST_OFFSET:
        text = "vox_offset is no place in a file: convert it again from DICOM"
        raise CaseError(text, code="header_unreadable")
    stream.seek(max(int(start), SMALLEST_OFFSET))
    data = bytearray()
    while len(data) < need and (chunk := stream.read(min(CHUNK, need - len(data)))):
        data += chunk
    if len(data) < need:
        raise CaseError(
            f"cut off: {len(data)} of {need} bytes of voxels: copy it again from its source",
            code="cut_off",
        )
    _read_to_the_end(stream)
    voxels = np.frombuffer(data, dtype).reshape(shape, order="F")
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def _read_to_the_end(stream: BinaryIO) -> None:
    """Read what follows the voxels, so that gzip checks its sum; but not without end."""
    more = 0
    while block := stream.read(CHUNK):
        more += len(block)
        if more > LONGEST_TAIL:
            text = f"{LONGEST_TAIL >> 20} MiB and more follow its voxels: export it again"
            raise CaseError(text, code="too_large")


def _scaled(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Apply ``scl_slope`` and ``scl_inter``; a slope of 0 or NaN means "not scaled"."""
    if np.isnan(slope) or slope == 0.0:
        return stored
    if not (abs(slope) < LARGEST_SCALE and abs(intercept) < LARGEST_SCALE):
        raise CaseError(
            f"scl_slope {slope:g} and scl_inter {intercept:g} are impossible: convert it again",
            code="impossible_scale",
        )
    if (slope, intercept) == (1.0, 0.0):
        return stored
    if stored.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer():
        return np.asarray(stored.astype(np.int64) * int(slope) + int(intercept))
    return np.asarray(stored * slope + intercept)


def _unit_notices(header: Any) -> tuple[Notice, ...]:
    code = int(header["xyzt_units"]) & 7
    if TO_MM.get(code) == 1.0:
        return ()
    unit = {1: "metres", 3: "micrometres"}.get(code)
    text = f"sizes were converted from {unit}" if unit else "no unit stated; millimetres assumed"
    return (
        Notice(
            code="unit_not_mm",
            severity=Severity.WARNING,
            level=None,
            text=text,
            remedy="check that the vertebral heights are plausible",
        ),
    )


def _label_table(header: Any) -> dict[int, str]:
    """Names from the Caret LabelTable of a header extension (as TotalSegmentator writes it)."""
    for extension in header.extensions:
        raw = extension.content  # the bytes: get_content would parse, or fail on unknown codes
        if b"<LabelTable" in raw:
            found = _LABEL.findall(raw.decode("utf-8", errors="replace"))
            return {int(key): (cdata or text).strip() for key, cdata, text in found}
    return {}


def write_nifti(
    path: Path, voxels: NDArray[Any], affine: NDArray[Any], names: Mapping[int, str] | None = None
) -> None:
    """Write voxels and their placement [mm, LPS] as NIfTI-1 (RAS), with a table of label names.

    Sform and qform are both set; a sheared placement cannot be a qform, so its sform stands alone.
    """
    import nibabel as nib  # noqa: PLC0415

    ras = LPS_FROM_RAS @ np.asarray(affine, float)
    image = nib.Nifti1Image(np.asarray(voxels), ras)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = f"kyphoplan {__version__} research only, not for diagnosis".encode()
    image.set_sform(ras, code=1)
    if is_sheared(ras):
        image.header["qform_code"] = 0
    else:
        image.set_qform(ras, code=1)
    if names:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(CARET, _caret_table(names)))
    nib.save(image, path)


def _caret_table(names: Mapping[int, str]) -> bytes:
    rows = "".join(
        f'<Label Key="{value}" Red="1" Green="1" Blue="1" Alpha="1"><![CDATA[{name}]]></Label>\n'
        for value, name in names.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0">'
        f"<LabelTable>\n{rows}</LabelTable><VolumeType><![CDATA[Label]]></VolumeType>"
        "</VolumeInformation></CaretExtension>"
    ).encode()
