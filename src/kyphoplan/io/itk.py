"""NRRD and MetaImage files, through SimpleITK, whose frame is ours (LPS)."""

import colorsys
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Notice
from kyphoplan.errors import CaseError, GeometryError, UnknownSidesError
from kyphoplan.geometry import Array
from kyphoplan.io.decoded import Decoded, check_shape
from kyphoplan.io.meta_image import check_stored_bytes
from kyphoplan.io.placement import check_place, check_voxel_size, is_sheared, tilt_notices
from kyphoplan.io.stated import OR_STATE, check_statement, stated_affine

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
PLACED_BY = {  # header fields, one of which must be there for the sides to be known
    ".nrrd": ("space",),
    ".nhdr": ("space",),
    ".mha": ("transformmatrix", "orientation", "rotation"),
    ".mhd": ("transformmatrix", "orientation", "rotation"),
}
UNPLACED = (
    "orientation unknown (no patient directions in the header), so left and right cannot be told: "
    f"export it again with its orientation{OR_STATE}"
)
HEADER_LIMIT = 1 << 20  # [byte] longest header that is searched for its fields
GOLDEN_TURN = 0.618  # [turn] between the hues of two segments: neighbours look unlike
_NAME = re.compile(r"Segment(\d+)_Name$")


def read_itk(path: Path, *, orientation: str | None = None) -> Decoded:
    """Read an NRRD or MetaImage volume.

    Parameters
    ----------
    orientation : where the voxel axes lead, as the user states it for a file that does not say.

    Raises
    ------
    CaseError
        If the file is damaged, too large, coloured, layered or not three-dimensional.
    GeometryError
        If it does not say how it lies in the patient.
    """
    import SimpleITK as sitk  # noqa: PLC0415, N813

    fields = header_fields(path)
    _check_data_file(fields)
    placed = any(field in fields for field in PLACED_BY[path.suffix.lower()])
    if not placed and orientation is None:
        raise UnknownSidesError(UNPLACED)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        if reader.GetNumberOfComponents() != 1:
            raise CaseError(
                "several values per voxel (colour, or overlapping segments in layers): export a "
                "single label map or greyscale image",
                code="not_greyscale",
            )
        shape = check_shape(tuple(reader.GetSize()), 8)
        check_stored_bytes(path, fields, shape)
        image = reader.Execute()
    except RuntimeError as error:
        text = f"unreadable ({_last_line(error)}): export it again"
        raise CaseError(text, code="unreadable") from error
    voxels = sitk.GetArrayFromImage(image).T.reshape(shape)
    if placed:
        affine, notices = _placement(image)
        check_statement(affine, orientation)
    else:
        assert orientation is not None
        sizes = np.array(image.GetSpacing()[:3])
        affine, notices = stated_affine(orientation, sizes, shape, UNPLACED)
    names = _segment_names(image)
    return Decoded(
        voxels=voxels,
        affine=affine,
        names=names,
        names_from="segment names" if names else "",
        notices=notices,
    )


def _check_data_file(fields: dict[str, str]) -> None:
    """Refuse a header that names a file elsewhere: nothing in a file names a path."""
    name = fields.get("data file") or fields.get("datafile") or fields.get("elementdatafile", "")
    if name.upper() in {"", "LOCAL"}:
        return
    if re.search(r"[/\\%\s]", name) or name.upper().startswith("LIST") or name.startswith("."):
        text = "names its data by a path or a list: give a file with its data inside"
        raise CaseError(text, code="names_a_path")


def header_fields(path: Path) -> dict[str, str]:
    """Read the text header: field (lower case) -> value."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        for raw in stream.read(HEADER_LIMIT).split(b"\n"):
            line = raw.strip().decode("latin-1")
            key, sign, value = re.match(r"([^:=]*)(:=|:|=|)(.*)", line).groups()  # type: ignore[union-attr]
            fields.setdefault(key.strip().lower(), value.strip() if sign else "")
            if not line or key.strip().lower() == "elementdatafile":
                break
    return fields


def _placement(image: Any) -> tuple[Array, tuple[Notice, ...]]:
    affine = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(image.GetDimension(), -1)[:3, :3]
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    if not np.isfinite(affine).all():
        text = "placement is not a number (NaN or infinite): export it again"
        raise GeometryError(text, code="placement")
    check_voxel_size(affine)
    check_place(affine)
    return affine, tilt_notices(affine)


def _segment_names(image: Any) -> dict[int, str]:
    """Names of the segments of a 3D Slicer ``.seg.nrrd``: label value -> name."""
    names = {}
    for key in image.GetMetaDataKeys():
        if match := _NAME.match(key):
            value = f"Segment{match[1]}_LabelValue"
            if image.HasMetaDataKey(value):
                names[int(image.GetMetaData(value))] = str(image.GetMetaData(key)).strip()
    return names


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()


def write_itk(
    path: Path, voxels: NDArray[Any], affine: Array, names: Mapping[int, str] | None = None
) -> None:
    """Write voxels and their placement [mm, LPS], with 3D Slicer's segment names.

    Raises
    ------
    GeometryError
        If the placement is sheared: these formats cannot hold it.
    """
    import SimpleITK as sitk  # noqa: PLC0415, N813

    if is_sheared(affine):
        raise GeometryError(f"{path}: a tilted stack does not fit this format: write .nii.gz")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(np.asarray(voxels).T))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    for key, text in _segment_fields(voxels.shape, names or {}).items():
        image.SetMetaData(key, text)
    sitk.WriteImage(image, str(path), useCompression=True)


def _segment_fields(shape: tuple[int, ...], names: Mapping[int, str]) -> dict[str, str]:
    """Name and colour the segments as 3D Slicer's ``.seg.nrrd`` does."""
    if not names:
        return {}
    extent = " ".join(f"0 {size - 1}" for size in shape)
    fields = {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",  # Slicer before 5.2
        "Segmentation_SourceRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    for number, (value, name) in enumerate(names.items()):
        colour = colorsys.hsv_to_rgb(number * GOLDEN_TURN % 1.0, 0.5, 0.9)
        about = {
            "ID": f"Segment_{value}",
            "Name": name,
            "NameAutoGenerated": "0",
            "LabelValue": str(value),
            "Layer": "0",
            "Extent": extent,
            "Color": " ".join(f"{part:.4f}" for part in colour),
            "ColorAutoGenerated": "1",
        }
        fields |= {f"Segment{number}_{key}": text for key, text in about.items()}
    return fields
