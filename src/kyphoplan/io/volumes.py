"""The one door for images: a file or folder in, a `Volume` in the patient's space out."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan.case import LabelMap, Notice, Volume
from kyphoplan.errors import CaseError, OutputError
from kyphoplan.io import itk, nifti
from kyphoplan.io.apart import Request, read_apart
from kyphoplan.io.files import files_below
from kyphoplan.io.label_schemes import VERSE
from kyphoplan.io.output import replacing

CT = "CT"


def read_volume(
    path: str | Path, *, series: str | None = None, assume_orientation: str | None = None
) -> Volume:
    """Read a CT from a NIfTI, NRRD or MetaImage file or a folder of DICOM slices.

    The file is decoded in a process of its own, with limits of memory and time: a file that
    brings its reader down is refused, and nothing else happens.

    Parameters
    ----------
    series : number or UID of the series, where a DICOM folder holds several.
    assume_orientation : where the voxel axes lead, such as "LPS", for a file that does not say.

    Returns
    -------
    Volume
        Intensities [HU], placed in the patient [mm, LPS].

    Raises
    ------
    CaseError
        If the input cannot be used, with the file, the problem and the remedy in one line.
    """
    return read_volume_with_notices(path, series=series, assume_orientation=assume_orientation)[0]


def read_volume_with_notices(
    path: str | Path, *, series: str | None = None, assume_orientation: str | None = None
) -> tuple[Volume, tuple[Notice, ...]]:
    """Read a CT as `read_volume` does, with everything the reader has to report."""
    return read_ct(path, series=series, assume_orientation=assume_orientation)[:2]


def read_ct(
    path: str | Path, *, series: str | None = None, assume_orientation: str | None = None
) -> tuple[Volume, tuple[Notice, ...], tuple[Mapping[str, Any], ...]]:
    """Read a CT as `read_volume` does, with notices and the series that were found."""
    with naming(path), unchanged(Path(path)):
        request = Request(path=Path(path), role=CT, series=series, orientation=assume_orientation)
        decoded = read_apart(request)
        return decoded.as_volume(), decoded.notices, decoded.series


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Put the file's name before whatever is refused about it, and turn OS errors into ours."""
    try:
        yield
    except CaseError as error:
        raise error.about(shown(path)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"{shown(path)}: cannot be read ({reason}): check file and permission"
        raise CaseError(text, code="unreadable") from error


def shown(path: str | Path) -> str:
    r"""Return a path as one line that no terminal can mistake, however its folders are named.

    Examples
    --------
    >>> shown("a\x1b[2J.nii")
    'a?[2J.nii'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in str(path))


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Refuse an input that somebody changes while it is read."""
    before = _state(path)
    yield
    if _state(path) != before:
        raise CaseError("changed while it was read: wait until it is complete", code="changing")


def _state(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return name, size and times of a file, or of a folder's files."""
    found = []
    for file in files_below(path):
        about = file.stat()
        found.append((file.name, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    return tuple(found)


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
