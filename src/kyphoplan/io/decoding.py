"""From an untrusted file to voxels with a place, as it runs in the child process."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.case import Notice, Severity
from kyphoplan.errors import CaseError, KyphoplanError
from kyphoplan.io import itk, nifti
from kyphoplan.io.casefile import to_json
from kyphoplan.io.decoded import Decoded, intensities, whole_numbers
from kyphoplan.io.dicom import read_dicom_series, storage_class
from kyphoplan.io.dicom_frames import MULTI_FRAME
from kyphoplan.io.dicom_header import plain

ACCEPTED = "a folder of DICOM CT slices, .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd"
CT = "CT"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"  # SOP class Segmentation Storage
LONGEST_WORD = 400  # [1] letters of what a library says that are kept


def answer(request: dict[str, Any], handle: int) -> dict[str, Any]:
    """Read what is asked for; write the voxels to a file handle and return the rest as data."""
    try:
        decoded = decode(
            Path(request["path"]),
            request["role"],
            series=request["series"],
            orientation=request["orientation"],
        )
    except KyphoplanError as error:
        return {"refused": _refused(error)}
    except OSError as error:
        text = f"cannot be read ({error.strerror or error}): check file and permission"
        return {"refused": _refused(CaseError(text, code="unreadable"))}
    except MemoryError:
        text = (
            f"needs more than {request['memory_bytes'] / 1e9:.1f} GB of memory to be read: crop "
            "the scan to the spine"
        )
        return {"refused": _refused(CaseError(text, code="too_large"))}
    return {"decoded": _sent(decoded, handle)}


def _refused(error: KyphoplanError) -> dict[str, Any]:
    kind = type(error).__name__
    return {"kind": kind, "text": str(error), "code": error.code, "found": error.found}


def _sent(decoded: Decoded, handle: int) -> dict[str, Any]:
    voxels = decoded.voxels
    order = "F" if voxels.flags.f_contiguous else "C"
    stored = voxels.T if order == "F" else np.ascontiguousarray(voxels)
    block = memoryview(stored.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
    while block:
        block = block[os.write(handle, block) :]
    return {
        "shape": voxels.shape,
        "dtype": voxels.dtype.str,
        "order": order,
        "affine": decoded.affine.tolist(),
        "names": {str(value): name for value, name in decoded.names.items()},
        "names_from": decoded.names_from,
        "notices": to_json(decoded.notices),
        "series": list(decoded.series),
    }


def decode(
    path: Path, role: str, *, series: str | None = None, orientation: str | None = None
) -> Decoded:
    """Read any accepted image, by the kind of its path; notices name its role.

    What a library says on the way becomes a notice.

    Raises
    ------
    CaseError
        If there is no such file, its kind is not known, or its reader refuses it.
    """
    with listening() as said:
        read = _decode(path, series, orientation)
        decoded = intensities(read) if role == CT else _labels(read)
    library = tuple(_library_notice(text) for text in dict.fromkeys(said))
    notices = tuple(replace(n, text=f"{role}: {n.text}") for n in decoded.notices + library)
    return replace(decoded, notices=notices)


def _labels(decoded: Decoded) -> Decoded:
    return replace(decoded, voxels=whole_numbers(decoded.voxels))


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what libraries warn of and log, in one list."""
    said: list[str] = []

    class _Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.name}: {record.getMessage()}")

    ear = _Ear(logging.WARNING)
    logging.getLogger().addHandler(ear)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield said
        finally:
            logging.getLogger().removeHandler(ear)
            said += [str(warning.message) for warning in caught]


def _decode(path: Path, series: str | None, orientation: str | None) -> Decoded:
    if not path.exists():
        raise CaseError("does not exist: check the path", code="not_there")
    if path.is_dir():
        return read_dicom_series(path, series=series)
    if not path.is_file():
        raise CaseError(f"is not a plain file: give {ACCEPTED}", code="not_a_file")
    if path.stat().st_size == 0:
        raise CaseError("the file is empty: copy it again from its source", code="empty_file")
    name = path.name.lower()
    if name.endswith(nifti.SUFFIXES):
        return nifti.read_nifti(path, orientation=orientation)
    if name.endswith(itk.SUFFIXES):
        return itk.read_itk(path, orientation=orientation)
    if is_dicom(path):
        return _one_dicom_file(path, series)
    if is_zip(path):
        text = "is a ZIP archive: unpack it, and give the folder with the slices"
        raise CaseError(text, code="archive")
    raise CaseError(f"is of no known kind: give {ACCEPTED}", code="unknown_kind")


def _one_dicom_file(path: Path, series: str | None) -> Decoded:
    """Read a multi-frame CT; say of any other single file what is to be given instead."""
    kind = storage_class(path)
    if kind in MULTI_FRAME:
        return read_dicom_series(path, series=series)
    if kind == SEGMENTATION:
        raise CaseError(
            "is a DICOM segmentation: convert it to NIfTI with its names, such as with dcmqi",
            code="segmentation_object",
        )
    raise CaseError(
        "is one DICOM file: give the folder with all slices of the series", code="one_slice"
    )


def is_dicom(path: Path) -> bool:
    """Say whether a file starts as DICOM files do (``DICM`` after 128 bytes)."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def is_zip(path: Path) -> bool:
    """Say whether a file starts as ZIP archives do."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\3\4"


def _library_notice(text: str) -> Notice:
    return Notice(
        code="reader_warning",
        severity=Severity.WARNING,
        level=None,
        text=plain(text, LONGEST_WORD),
        remedy="none needed if pictures and sizes look right",
    )
