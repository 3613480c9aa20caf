"""DICOM CT series: a folder of slices to one placed image."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Notice, Severity
from kyphoplan.errors import CaseError, GeometryError
from kyphoplan.io.decoded import Decoded, check_shape
from kyphoplan.io.placement import tilt_deg, tilt_notices
from kyphoplan.io.slice_stack import dicom_affine

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"  # SOP class CT Image Storage
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"  # SOP class Enhanced CT Image Storage
LARGEST_SCALE = 1e6  # [1] no CT is scaled by more; own choice
HU_TYPES = {None, "", "HU", "US"}  # (0028,1054) Rescale Type; US = unspecified
TILT_AGREEMENT_DEG = 1.0  # [deg] tag and geometry may differ by this; own choice
TAGS_USED = (
    *("SOPClassUID", "Modality", "ImageType", "PatientID", "PatientName", "SeriesInstanceUID"),
    *("SeriesNumber", "SeriesDescription", "Rows", "Columns", "PixelSpacing", "SamplesPerPixel"),
    *("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient"),
    *("PhotometricInterpretation", "RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("LossyImageCompression", "ContrastBolusAgent", "GantryDetectorTilt"),
)
_Header = Any


def read_dicom_series(folder: Path, *, series: str | None = None) -> Decoded:
    """Read the CT series in a folder and its subfolders.

    Parameters
    ----------
    series : SeriesInstanceUID or series number, where there are several.

    Raises
    ------
    CaseError
        If there is no CT, several patients or series, or slices that cannot be decoded.
    GeometryError
        If the slices do not form one even stack.
    """
    found, strangers = _scan(folder)
    slices, left_out = _ct_slices(found)
    chosen = _choose(slices, series)
    _check_alike(chosen)
    columns, rows = (int(_numbers(chosen[0], tag, 1)[0]) for tag in ("Columns", "Rows"))
    shape = check_shape((columns, rows, len(chosen)), 4)
    positions = [_numbers(h, "ImagePositionPatient", 3) for h in chosen]
    affine, order = dicom_affine(
        positions,
        _numbers(chosen[0], "ImageOrientationPatient", 6),
        _numbers(chosen[0], "PixelSpacing", 2),
    )
    ordered = [chosen[n] for n in order]
    voxels = _stack(ordered, shape)
    notices = tilt_notices(affine) + _notices(ordered[0], affine)
    return Decoded(
        voxels=voxels, affine=affine, notices=notices + _left_out_notice(strangers + left_out)
    )


def _scan(folder: Path) -> tuple[list[_Header], int]:
    """Read the headers of all DICOM files below a folder; count the files that are none."""
    import pydicom  # noqa: PLC0415

    headers, strangers = [], 0
    for file in sorted(_visible_files(folder)):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True)
            for tag in TAGS_USED:
                header.get(tag)  # decoded here, so that damage is found here
            headers.append(header)
        except pydicom.errors.InvalidDicomError:
            strangers += 1
        except _damage() as error:
            raise CaseError(f"{file.name} is damaged ({error}): copy it again") from error
    if not headers:
        raise CaseError("holds no DICOM files: give the folder with the slices of the CT series")
    return headers, strangers


def _damage() -> tuple[type[Exception], ...]:
    """Return what pydicom raises on damaged files (found by changing bytes at random)."""
    from pydicom.errors import BytesLengthException  # noqa: PLC0415

    wrong = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, EOFError)
    return (*wrong, OverflowError, struct.error, BytesLengthException)


def _visible_files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file() and not f.name.startswith(".")]


def _ct_slices(headers: list[_Header]) -> tuple[list[_Header], int]:
    """Keep the CT slices: no scout, no dose page, no other modality."""
    kinds = [str(h.get("SOPClassUID", "")) for h in headers]
    if ENHANCED_CT in kinds and CT_IMAGE not in kinds:
        raise CaseError("holds an enhanced (multi-frame) CT: convert it to single slices or NIfTI")
    slices = [
        h
        for h, kind in zip(headers, kinds, strict=True)
        if kind == CT_IMAGE and "LOCALIZER" not in (h.get("ImageType") or ())
    ]
    if not slices:
        seen = ", ".join(sorted({str(h.get("Modality", "unknown")) for h in headers}))
        raise CaseError(f"holds no CT slices (only {seen}): give a CT series")
    patients = {(str(h.get("PatientID", "")), str(h.get("PatientName", ""))) for h in slices}
    if len(patients) > 1:
        raise CaseError(f"holds CT slices of {len(patients)} patients: give one patient's folder")
    return slices, len(headers) - len(slices)


def _choose(slices: list[_Header], series: str | None) -> list[_Header]:
    """Return the slices of one series: the only one, or the one asked for."""
    groups: dict[str, list[_Header]] = {}
    for header in slices:
        groups.setdefault(str(header.get("SeriesInstanceUID", "")), []).append(header)
    if series is not None:
        groups = {
            uid: members
            for uid, members in groups.items()
            if series in (uid, str(members[0].get("SeriesNumber", "")))
        }
    if len(groups) == 1:
        return next(iter(groups.values()))
    listed = "; ".join(_describe(uid, members) for uid, members in groups.items())
    if not groups:
        everything = {str(h.get("SeriesNumber") or h.get("SeriesInstanceUID")) for h in slices}
        known = ", ".join(sorted(everything))
        raise CaseError(f"holds no series {series}: choose from {known}")
    raise CaseError(f"holds {len(groups)} CT series: choose one by its number: {listed}")


def _describe(uid: str, members: list[_Header]) -> str:
    number = members[0].get("SeriesNumber")
    name = str(members[0].get("SeriesDescription", "")) or "no description"
    return f"{number if number is not None else uid} ({name}, {len(members)} slices)"


def _check_alike(slices: Sequence[_Header]) -> None:
    """Refuse slices that cannot belong to one stack."""
    first = slices[0]
    for tag in ("Rows", "Columns", "PixelSpacing", "FrameOfReferenceUID"):
        if any(h.get(tag) != first.get(tag) for h in slices):
            raise CaseError(f"slices of one series differ in {tag}: export the series again")
    directions = np.array([_numbers(h, "ImageOrientationPatient", 6) for h in slices])
    if np.abs(directions - directions[0]).max() > 1e-4:  # noqa: PLR2004 - rounding of DICOM text
        raise GeometryError("slices of one series have several orientations: give one stack")
    if first.get("SamplesPerPixel", 1) != 1 or first.get("PhotometricInterpretation") not in (
        "MONOCHROME2",
        None,
    ):
        raise CaseError("slices are coloured or inverted: give the original CT slices")


def _numbers(header: _Header, tag: str, count: int) -> NDArray[np.float64]:
    """Return the numbers of a tag that a CT slice must have."""
    name = Path(str(header.filename)).name
    stored = header.get(tag)
    if stored is None or stored == "":
        raise CaseError(f"{name} has no {tag}: give the original CT slices")
    try:
        values = np.atleast_1d(np.asarray(stored, float))
    except (TypeError, ValueError) as error:
        raise CaseError(f"{name} has a damaged {tag}: copy it again") from error
    if values.shape != (count,) or not np.isfinite(values).all():
        raise CaseError(f"{name} has a damaged {tag}: copy it again")
    return values


def _stack(slices: Sequence[_Header], shape: tuple[int, int, int]) -> NDArray[Any]:
    """Decode the slices to Hounsfield units: int16 where exact, else float32."""
    slopes = [float(_numbers(h, "RescaleSlope", 1)[0]) for h in slices]
    intercepts = [float(_numbers(h, "RescaleIntercept", 1)[0]) for h in slices]
    largest = max(map(abs, slopes + intercepts))
    if 0.0 in slopes or largest > LARGEST_SCALE:
        raise CaseError(
            "RescaleSlope or RescaleIntercept is impossible, so there are no Hounsfield units: "
            "give the original CT slices"
        )
    if any(h.get("RescaleType") not in HU_TYPES for h in slices):
        raise CaseError(
            "intensities are no Hounsfield units (RescaleType): give the plain CT series"
        )
    whole = all(number.is_integer() for number in slopes + intercepts)
    voxels = np.empty(shape, np.int32 if whole else np.float32)
    for k, header in enumerate(slices):
        values = _hounsfield(header, slopes[k], intercepts[k])
        if values.shape != (shape[1], shape[0]):
            raise CaseError(f"{Path(header.filename).name} has not the stated rows and columns")
        voxels[:, :, k] = values.T
    return voxels


def _hounsfield(header: _Header, slope: float, intercept: float) -> NDArray[Any]:
    """Decode one slice [HU], by GDCM (in SimpleITK) where pydicom lacks the codec."""
    import pydicom  # noqa: PLC0415

    name = Path(str(header.filename)).name
    try:
        return np.asarray(pydicom.dcmread(header.filename).pixel_array * slope + intercept)
    except (RuntimeError, NotImplementedError):
        return _hounsfield_by_gdcm(header)
    except _damage() as error:
        raise CaseError(f"{name} has damaged pixels ({error}): copy it again") from error


def _hounsfield_by_gdcm(header: _Header) -> NDArray[Any]:
    import SimpleITK as sitk  # noqa: PLC0415, N813

    try:
        return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(header.filename)))[0])
    except RuntimeError as error:
        name, syntax = Path(str(header.filename)).name, header.file_meta.TransferSyntaxUID.name
        raise CaseError(
            f"{name} is compressed as {syntax} or damaged: decompress the series first"
        ) from error


def _notices(header: _Header, affine: NDArray[np.float64]) -> tuple[Notice, ...]:
    """Report what the header says about how far intensities and tilt can be trusted."""
    found = []
    if str(header.get("LossyImageCompression", "00")) == "01":
        found.append(
            _warning("lossy_compression", "the slices were compressed with loss", "use originals")
        )
    if header.get("ContrastBolusAgent"):
        text = "contrast agent was given, so that bone density reads too high"
        found.append(_warning("contrast", text, "use a plain CT for density"))
    stated = header.get("GantryDetectorTilt") not in (None, "")
    tag = abs(float(_numbers(header, "GantryDetectorTilt", 1)[0])) if stated else 0.0
    real = tilt_deg(affine)
    if abs(tag - real) > TILT_AGREEMENT_DEG:
        text = (
            f"the header states {tag:.1f} deg of gantry tilt, the slice positions {real:.1f} deg"
        )
        remedy = "the positions were used: check the pictures for slanted vertebrae"
        found.append(_warning("tilt_tag", text, remedy))
    return tuple(found)


def _warning(code: str, text: str, remedy: str) -> Notice:
    return Notice(code=code, severity=Severity.WARNING, level=None, text=text, remedy=remedy)


def _left_out_notice(count: int) -> tuple[Notice, ...]:
    if not count:
        return ()
    return (
        Notice(
            code="files_left_out",
            severity=Severity.INFO,
            level=None,
            text=f"{count} files are no CT slices and were left out",
            remedy="none needed if the slices are complete",
        ),
    )
