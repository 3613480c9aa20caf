"""Pixels of DICOM slices as Hounsfield units."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.errors import CaseError
from kyphoplan.io.dicom_header import Header, name_of, numbers_of, plain

LARGEST_SCALE = 1e6  # [1] no CT is scaled by more; own choice
HU_TYPES = {None, "", "HU", "US"}  # (0028,1054) Rescale Type; US = unspecified
AIR_HU = -1024  # [HU] taken for what lies outside the scan
INT16 = np.iinfo(np.int16)


def hounsfield_stack(
    slices: Sequence[Header], shape: tuple[int, int, int]
) -> tuple[NDArray[Any], float]:
    """Decode slices to Hounsfield units: int16 where exact, else float32; and the padded part.

    Raises
    ------
    CaseError
        If a slice cannot be decoded, or its numbers are no Hounsfield units.
    """
    scales = [_scale(header) for header in slices]
    whole = all(number.is_integer() for pair in scales for number in pair)
    stack = np.empty(shape[::-1], np.int16 if whole else np.float32)
    padded = 0
    for k, header in enumerate(slices):
        stored, scaled = _stored(header)
        if stored.shape != (shape[1], shape[0]):
            text = f"{name_of(header)} has not the stated rows and columns: copy it again"
            raise CaseError(text, code="damaged_slice")
        values = stored if scaled else _scaled(stored, *scales[k])
        if stack.dtype == np.int16 and not _fits(values):
            stack = stack.astype(np.float32)
        stack[k] = values
        padded += _pad(stack[k], header, stored, scales[k])
    return stack.T, padded / stack.size


def _scale(header: Header) -> tuple[float, float]:
    slope, intercept = (
        float(numbers_of(header, tag, 1)[0]) for tag in ("RescaleSlope", "RescaleIntercept")
    )
    if slope == 0.0 or max(abs(slope), abs(intercept)) > LARGEST_SCALE:
        raise CaseError(
            "RescaleSlope or RescaleIntercept is impossible, so there are no Hounsfield units: "
            "give the original CT slices",
            code="not_hounsfield",
        )
    if header.get("RescaleType") not in HU_TYPES:
        text = "intensities are no Hounsfield units (RescaleType): give the plain CT series"
        raise CaseError(text, code="not_hounsfield")
    return slope, intercept


def _scaled(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    if not (slope.is_integer() and intercept.is_integer()):
        return np.asarray(stored * np.float32(slope) + np.float32(intercept))
    return np.asarray(stored.astype(np.int32) * int(slope) + int(intercept))


def _fits(values: NDArray[Any]) -> bool:
    whole = values.dtype.kind in "iu"
    return whole and INT16.min <= int(values.min()) and int(values.max()) <= INT16.max


def _pad(
    plane: NDArray[Any], header: Header, stored: NDArray[Any], scale: tuple[float, float]
) -> int:
    """Set pixels outside the scan (PixelPaddingValue) to air; return how many."""
    if header.get("PixelPaddingValue") is None:
        return 0
    value = numbers_of(header, "PixelPaddingValue", 1)[0]
    if header.get("PixelRepresentation") == 1 and value > INT16.max:
        value -= 1 << 16  # stated unsigned for signed pixels
    if value * scale[0] + scale[1] >= AIR_HU:
        return 0
    outside = stored == value
    plane[outside] = AIR_HU
    return int(outside.sum())


def _stored(header: Header) -> tuple[NDArray[Any], bool]:
    """Decode one slice; also whether it is scaled already (GDCM, where pydicom has no codec)."""
    import pydicom  # noqa: PLC0415

    from kyphoplan.io.dicom import damage  # noqa: PLC0415 - it imports this module

    try:
        full = pydicom.dcmread(header.filename)
        _check_length(full)
        pixels = np.asarray(full.pixel_array)
        return _sign_extended(pixels, full), False
    except (RuntimeError, NotImplementedError):
        return _by_gdcm(header), True
    except damage() as error:
        text = f"{name_of(header)} has damaged pixels ({plain(error)}): copy it again"
        raise CaseError(text, code="damaged_slice") from error


def _check_length(header: Header) -> None:
    """Refuse plain pixels of another length than stated: they may be shifted, not just cut."""
    if header.file_meta.TransferSyntaxUID.is_compressed:
        return
    need = int(header.Rows) * int(header.Columns) * int(header.BitsAllocated) // 8
    if len(header.PixelData) != need + need % 2:  # DICOM pads to an even length
        text = f"{name_of(header)} has {len(header.PixelData)} bytes of pixels instead of {need}"
        raise CaseError(f"{text}: copy it again", code="damaged_slice")


def _sign_extended(pixels: NDArray[Any], header: Header) -> NDArray[Any]:
    """Keep the stored bits only, and carry their sign: what else the word holds is no pixel.

    References
    ----------
    DICOM PS3.5 8.1.1 (Pixel Data Encoding of Related Data Elements).
    """
    allocated, stored, high = (
        int(header[tag].value) for tag in ("BitsAllocated", "BitsStored", "HighBit")
    )
    if stored == allocated or header.file_meta.TransferSyntaxUID.is_compressed:
        return pixels
    if not stored - 1 <= high < allocated or pixels.dtype.itemsize * 8 != allocated:
        text = f"{name_of(header)} has impossible bits per pixel: copy it again"
        raise CaseError(text, code="damaged_slice")
    raised = np.left_shift(pixels, allocated - 1 - high)
    return np.right_shift(raised, allocated - stored)


def _by_gdcm(header: Header) -> NDArray[Any]:
    import SimpleITK as sitk  # noqa: PLC0415, N813

    try:
        image = sitk.GetArrayFromImage(sitk.ReadImage(str(header.filename)))
        return np.asarray(image[0])
    except RuntimeError as error:
        syntax = header.file_meta.TransferSyntaxUID.name
        raise CaseError(
            f"{name_of(header)} is compressed as {syntax} or damaged: decompress the series first",
            code="codec_missing",
        ) from error
