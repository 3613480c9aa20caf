"""DICOM CT series: a folder of slices to one placed image."""

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kyphoplan.case import Notice, Severity
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.io.decoded import Decoded, check_shape
from kyphoplan.io.dicom_frames import Frame, frames_of, is_multi_frame
from kyphoplan.io.dicom_header import BIG, Header, name_of, numbers_of, plain
from kyphoplan.io.dicom_pixels import hounsfield_stack
from kyphoplan.io.dicom_series import Candidate, candidates, choose
from kyphoplan.io.files import files_below
from kyphoplan.io.placement import tilt_deg, tilt_notices
from kyphoplan.io.slice_stack import dicom_affine

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"  # SOP class CT Image Storage
DEFLATED = "1.2.840.10008.1.2.1.99"  # Deflated Explicit VR Little Endian
LARGEST_INFLATED = 1 << 28  # [byte] of one slice's file, inflated; own choice: 512 such slices
LOSSY = {  # transfer syntaxes that lose (PS3.5 annex A): JPEG, JPEG-LS near, JPEG 2000 lossy
    *("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"),
    *("1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.4.203"),
}
PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"PK")  # beginnings of files that can be run or unpacked
# Words of ImageType (PS3.3 C.7.6.1.1.2, C.8.16.1): pictures of text; and what was computed from
# many slices or shows a surface, so that its numbers are not those of one place.
SCREENS = {"SCREEN SAVE", "DOSE_INFO", "SCREENSHOT"}
COMPUTED = re.compile(
    r"\b(LOCALIZER|MIP|MAX_IP|MAXIMUM|MINIP|MIN_IP|MINIMUM|PROJECTION IMAGE|VRT|VOLREN|"
    r"VOLUME_RENDER|SURFACE_RENDER|CURVED_MPR|SUBTRACTION|DIVISION|MULTIPLICATION|STD_DEVIATION)\b"
)
ALIKE = ("SliceThickness", "ConvolutionKernel", "KVP", "PatientPosition")  # within one stack
TILT_AGREEMENT_DEG = 1.0  # [deg] tag and geometry may differ by this; own choice
TAGS_USED = (
    *("SOPClassUID", "Modality", "ImageType", "PatientID", "PatientName", "PatientBirthDate"),
    *("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "FrameOfReferenceUID"),
    *("Rows", "Columns", "PixelSpacing", "SamplesPerPixel", "NumberOfFrames"),
    *("ImagePositionPatient", "ImageOrientationPatient", "BurnedInAnnotation"),
    *("PhotometricInterpretation", "RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("LossyImageCompression", "ContrastBolusAgent", "GantryDetectorTilt", "PixelPaddingValue"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("StackID", "ContrastBolusAgentSequence", *ALIKE),
)


def read_dicom_series(folder: Path, *, series: str | None = None) -> Decoded:
    """Read the CT series in a folder and its subfolders, or in one multi-frame file.

    Parameters
    ----------
    folder : may be a multi-frame file.
    series : SeriesInstanceUID or series number, where there are several.

    Raises
    ------
    CaseError
        If there is no CT, several patients or series, or slices that cannot be decoded.
    GeometryError
        If the slices do not form one even stack.
    """
    found, strangers = _scan(folder)
    slices = _ct_slices(found)
    groups = candidates(slices)
    chosen, aside = choose(groups, series)
    listed = tuple(group.data for group in groups)
    with _listing(listed, aside):
        decoded = _read(chosen.slices)
    outside = strangers + len(found) - len(slices)
    notices = decoded.notices + _left_out(outside, aside)
    return Decoded(voxels=decoded.voxels, affine=decoded.affine, notices=notices, series=listed)


@contextmanager
def _listing(series: Sequence[dict[str, Any]], aside: Sequence[Candidate]) -> Iterator[None]:
    """Have a refusal say which series were found, and what was set aside before."""
    try:
        yield
    except CaseError as error:
        told = "".join(f"; set aside as no part of the stack: {group.words}" for group in aside)
        text, found = f"{error}{told}", {"series": list(series)} | error.found
        raise type(error)(text, code=error.code, **found) from error


def _read(slices: Sequence[Header]) -> Decoded:
    _check_alike(slices)
    columns, rows = (int(numbers_of(slices[0], tag, 1)[0]) for tag in ("Columns", "Rows"))
    shape = check_shape((columns, rows, len(slices)), 2)
    affine, order = dicom_affine(
        [numbers_of(h, "ImagePositionPatient", 3) for h in slices],
        numbers_of(slices[0], "ImageOrientationPatient", 6),
        numbers_of(slices[0], "PixelSpacing", 2),
    )
    ordered = [slices[n] for n in order]
    voxels, padded = hounsfield_stack(ordered, shape)
    notices = tilt_notices(affine) + _notices(ordered, affine) + _padding_notice(padded)
    return Decoded(voxels=voxels, affine=affine, notices=notices)


def _scan(folder: Path) -> tuple[list[Header], int]:
    """Read the headers of all DICOM files below a folder; count the files that are none."""
    import pydicom  # noqa: PLC0415

    headers, strangers = [], 0
    for file in _visible_files(folder):
        try:
            later = None if _is_deflated(file) else BIG
            header = Header(pydicom.dcmread(file, defer_size=later))
            slices = frames_of(header) if is_multi_frame(header) else [header]
            for each in slices:
                for tag in TAGS_USED:
                    each.get(tag)  # decoded here, so that damage is found here
            headers += slices
        except pydicom.errors.InvalidDicomError:
            strangers += 1
        except damage() as error:
            text = f"{plain(file.name)} is damaged ({plain(error)}): copy it again"
            raise CaseError(text, code="damaged_slice") from error
    if not headers:
        text = "holds no DICOM files: give the folder with the slices of the CT series"
        raise CaseError(text, code="no_dicom")
    return headers, strangers


def storage_class(file: Path) -> str:
    """Return the SOP class of a DICOM file; empty if it does not say or cannot be read."""
    import pydicom  # noqa: PLC0415

    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"])
        return str(header.get("SOPClassUID", ""))
    except (pydicom.errors.InvalidDicomError, *damage()):
        return ""


def damage() -> tuple[type[Exception], ...]:
    """Return what pydicom raises on damaged files (found by changing bytes at random)."""
    from pydicom.errors import BytesLengthException  # noqa: PLC0415

    wrong = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, EOFError)
    more = (OverflowError, struct.error, RecursionError, zlib.error, IndexError)
    return (*wrong, *more, BytesLengthException)


def _visible_files(folder: Path) -> list[Path]:
    return [file for file in files_below(folder) if not file.name.startswith(".")]


def _is_deflated(file: Path) -> bool:
    """Say so, and refuse a file that would fill the memory, without filling it."""
    with file.open("rb") as stream:
        start = stream.read(1024)
        if start[128:132] != b"DICM" or DEFLATED.encode() not in start:
            return False
        (length,) = struct.unpack_from("<I", start, 140)
        stream.seek(144 + length)
        inflate, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
        block = stream.read(1 << 16)
        while block and not inflate.eof:
            size += len(inflate.decompress(block, 1 << 22))
            block = inflate.unconsumed_tail or stream.read(1 << 16)
            if size > LARGEST_INFLATED:
                text = f"{plain(file.name)} unpacks to more than {LARGEST_INFLATED >> 20} MiB"
                raise CaseError(f"{text}: give the original slices", code="too_large")
    return True


def _ct_slices(headers: list[Header]) -> list[Header]:
    """Keep the CT slices: no scout, no page of dose or text, no other modality."""
    patients = {
        tuple(plain(h.get(tag, "")).strip(" ^").lower() for tag in ("PatientID", "PatientName"))
        for h in headers
        if h.get("PatientID") or h.get("PatientName")
    }
    if len(patients) > 1:
        text = f"holds files of {len(patients)} patients: give one patient's folder"
        raise CaseError(text, code="several_patients")
    slices = [h for h in headers if _is_ct_slice(h)]
    if slices:
        return slices
    seen = ", ".join(sorted({_kind(h) for h in headers}))
    raise CaseError(f"holds no CT slices (only {seen}): give a CT series", code="no_ct")


def _kind(header: Header) -> str:
    """Return what a file is: its modality, and what was computed of it."""
    computed = COMPUTED.search(_image_type(header))
    return plain(header.get("Modality", "unknown")) + (f" {computed[0]}" if computed else "")


def _image_type(header: Header) -> str:
    words = header.get("ImageType") or ()
    return "\n".join([words] if isinstance(words, str) else map(str, words)).upper()


def _is_ct_slice(header: Header) -> bool:
    words = _image_type(header)
    return (
        (str(header.get("SOPClassUID", "")) == CT_IMAGE or isinstance(header, Frame))
        and str(header.get("Modality", "CT")) == "CT"
        and not COMPUTED.search(words)
        and not SCREENS & set(words.split("\n"))
        and str(header.get("BurnedInAnnotation", "NO")).upper() != "YES"
    )


def _check_alike(slices: Sequence[Header]) -> None:
    """Refuse slices that cannot belong to one stack."""
    first = slices[0]
    for tag in ("Rows", "Columns", "PixelSpacing", "BitsAllocated"):
        if any(h.get(tag) != first.get(tag) for h in slices):
            text = f"slices of one series differ in {tag}: export the series again"
            raise CaseError(text, code="slices_differ")
    kinds = {str(h.get("PhotometricInterpretation", "MONOCHROME2")) for h in slices}
    if any(h.get("SamplesPerPixel", 1) != 1 for h in slices) or kinds != {"MONOCHROME2"}:
        text = "slices are coloured or inverted: give the original CT slices"
        raise CaseError(text, code="not_greyscale")
    if any(str(h.get("NumberOfFrames") or 1) != "1" for h in slices):
        text = "slices have several frames: convert them to single slices or NIfTI"
        raise CaseError(text, code="multi_frame")


def _notices(slices: Sequence[Header], affine: Array) -> tuple[Notice, ...]:
    """Report what the headers say about how far intensities and tilt can be trusted."""
    found = []
    if any(_is_lossy(h) for h in slices):
        text = "the slices were compressed with loss"
        found.append(_warning("lossy_compression", text, "use originals"))
    if any(h.get("ContrastBolusAgent") or h.get("ContrastBolusAgentSequence") for h in slices):
        text = "contrast agent was given, so that bone density reads too high"
        found.append(_warning("contrast", text, "use a plain CT for density"))
    unlike = [tag for tag in ALIKE if len({str(h.get(tag) or "") for h in slices}) > 1]
    if unlike:
        text = f"the slices are not alike in {', '.join(unlike)}"
        found.append(_warning("slices_unlike", text, "give one reconstruction of one scan"))
    programs = [h for h in slices if h.preamble.startswith(PROGRAMS)]
    if programs:
        text = f"{name_of(programs[0])} begins like a program or an archive"
        found.append(_warning("preamble", text, "ask where the file comes from; do not run it"))
    return (*found, *_tilt_tag(slices, affine))


def _is_lossy(header: Header) -> bool:
    return str(header.get("LossyImageCompression", "00")) == "01" or header.syntax in LOSSY


def _tilt_tag(slices: Sequence[Header], affine: Array) -> Iterator[Notice]:
    header = slices[0]
    stated = header.get("GantryDetectorTilt") not in (None, "")
    tag = abs(float(numbers_of(header, "GantryDetectorTilt", 1)[0])) if stated else 0.0
    real = tilt_deg(affine)
    if abs(tag - real) > TILT_AGREEMENT_DEG:
        text = (
            f"the header states {tag:.1f} deg of gantry tilt, the slice positions {real:.1f} deg"
        )
        remedy = "the positions were used: check the pictures for slanted vertebrae"
        yield _warning("tilt_tag", text, remedy)


def _warning(code: str, text: str, remedy: str, severity: Severity = Severity.WARNING) -> Notice:
    return Notice(code=code, severity=severity, level=None, text=text, remedy=remedy)


def _padding_notice(padded: float) -> tuple[Notice, ...]:
    if not padded:
        return ()
    text = f"{100 * padded:.2g} % of the voxels are padding outside the scan, taken for air"
    return (_warning("padding", text, "none needed", Severity.INFO),)


def _left_out(strangers: int, aside: Sequence[Candidate]) -> tuple[Notice, ...]:
    found = []
    if strangers:
        text = f"{strangers} files are no CT slices and were left out"
        remedy = "none needed if the slices are complete"
        found.append(_warning("files_left_out", text, remedy, Severity.INFO))
    if aside:
        told = "; ".join(group.words for group in aside)
        text = f"slices that belong to no stack were left out: {told}"
        found.append(_warning("slices_left_out", text, "check that the series is complete"))
    return tuple(found)
