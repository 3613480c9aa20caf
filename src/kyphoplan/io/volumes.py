"""The one door for images: a file or folder in, a `Volume` in the patient's space out."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from kyphoplan.case import LabelMap, Notice, Severity, Volume
from kyphoplan.errors import CaseError, OutputError
from kyphoplan.io import itk, nifti
from kyphoplan.io.decoded import Decoded, intensities
from kyphoplan.io.dicom import read_dicom_series
from kyphoplan.io.label_schemes import VERSE
from kyphoplan.io.output import replacing

ACCEPTED = "a folder of DICOM CT slices, .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd"


def read_volume(path: str | Path, *, series: str | None = None) -> Volume:
    """Read a CT from a NIfTI, NRRD or MetaImage file or a folder of DICOM slices.

    Parameters
    ----------
    series : SeriesInstanceUID or series number, where a DICOM folder holds several.

    Returns
    -------
    Volume
        Intensities [HU], placed in the patient [mm, LPS].

    Raises
    ------
    CaseError
        If the input cannot be used, with the file, the problem and the remedy in one line.
    """
    return read_volume_with_notices(path, series=series)[0]


def read_volume_with_notices(
    path: str | Path, *, series: str | None = None
) -> tuple[Volume, tuple[Notice, ...]]:
    """Read a CT as `read_volume` does, with everything the reader has to report."""
    with naming(path):
        decoded = decode(Path(path), "CT", series=series)
        image = intensities(decoded)
        return image.as_volume(), image.notices


def decode(path: Path, role: str, *, series: str | None = None) -> Decoded:
    """Read any accepted image, by the kind of its path; notices name its role.

    Raises
    ------
    CaseError
        If there is no such file, or its kind is not known.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decoded = _decode(path, series)
    said = sorted({str(warning.message) for warning in caught})
    notices = decoded.notices + tuple(_library_notice(text) for text in said)
    return replace(decoded, notices=tuple(replace(n, text=f"{role}: {n.text}") for n in notices))


def _decode(path: Path, series: str | None) -> Decoded:
    if not path.exists():
        raise CaseError("does not exist: check the path")
    if path.is_dir():
        return read_dicom_series(path, series=series)
    if not path.is_file():
        raise CaseError(f"is not a plain file: give {ACCEPTED}")
    if path.stat().st_size == 0:
        raise CaseError("the file is empty: copy it again from its source")
    name = path.name.lower()
    if name.endswith(nifti.SUFFIXES):
        return nifti.read_nifti(path)
    if name.endswith(itk.SUFFIXES):
        return itk.read_itk(path)
    if is_dicom(path):
        raise CaseError("is one DICOM file: give the folder with all slices of the series")
    raise CaseError(f"is of no known kind: give {ACCEPTED}")


def is_dicom(path: Path) -> bool:
    """Say whether a file starts as DICOM files do (``DICM`` after 128 bytes)."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Put the file's name before whatever is refused about it, and turn OS errors into ours."""
    try:
        yield
    except CaseError as error:
        raise type(error)(f"{path}: {error}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise CaseError(f"{path}: cannot be read ({reason}): check file and permission") from error


def _library_notice(text: str) -> Notice:
    return Notice(
        code="reader_warning",
        severity=Severity.INFO,
        level=None,
        text=" ".join(text.split()),
        remedy="none needed if pictures and sizes look right",
    )


def write_volume(image: Volume | LabelMap, path: str | Path) -> Path:
    """Write a CT or a label map as ``.nii``, ``.nii.gz``, ``.nrrd``, ``.mha``; never half a file.

    A label map is written with VerSe's values and a table of its level names.

    Raises
    ------
    OutputError
        If the file cannot be written, or its kind is not known.
    GeometryError
        If a tilted stack is to go into a format that cannot hold it (all but NIfTI).
    """
    path = Path(path)
    write = _writer(path)
    if isinstance(image, LabelMap):
        volume, names = _as_verse(image)
    else:
        volume, names = image, {}
    with replacing(path) as temporary:
        write(temporary, volume.voxels, volume.affine, names)
    return path


def _writer(path: Path) -> Callable[..., None]:
    name = path.name.lower()
    if name.endswith(nifti.SUFFIXES):
        return nifti.write_nifti
    if name.endswith((".nrrd", ".mha")):
        return itk.write_itk
    raise OutputError(f"{path}: is of no kind that can be written: use .nii.gz, .nrrd or .mha")


def _as_verse(labels: LabelMap) -> tuple[Volume, dict[int, str]]:
    """Renumber to VerSe's values; what is no named vertebra becomes background."""
    stored = labels.volume.voxels
    voxels = np.zeros(stored.shape, np.uint8)
    names = {}
    for value, level in labels.levels.items():
        voxels[stored == value] = VERSE.value_of(level)
        names[VERSE.value_of(level)] = str(level)
    return Volume(voxels, labels.volume.affine), names
