"""Pixels of DICOM slices as Hounsfield units."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.errors import CaseError
from kyphoplan.io.dicom_frames import Frame, frame_pixels
from kyphoplan.io.dicom_header import Header, name_of, numbers_of, plain

LARGEST_SCALE = 1e6  # [1] no CT is scaled by more; own choice
HU_TYPES = {None, "", "HU", "US"}  # (0028,1054) Rescale Type; US = unspecified
AIR_HU = -1024  # [HU] taken for what lies outside the scan
WORD = 16  # [bit] of a CT's pixels
PLAIN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}  # implicit and explicit VR little endian
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
    for k, stored, scaled in _decoded(slices):
        header = slices[k]
        if stored.shape != (shape[1], shape[0]):
            text = f"{name_of(header)} has not the stated rows and columns: copy it again"
            raise CaseError(text, code="damaged_slice")
        slope, intercept = (1.0, 0.0) if scaled else scales[k]
        if stack.dtype == np.int16 and not _fits(stored, slope, intercept):
            stack = stack.astype(np.float32)
        _scale_into(stack[k], stored, slope, intercept)
        padded += _pad(stack[k], header, scales[k])
    return stack.T, padded / stack.size


def _decoded(slices: Sequence[Header]) -> Iterator[tuple[int, NDArray[Any], bool]]:
    """Decode slices one by one: place in the stack, pixels, and whether these are scaled."""
    files: dict[Path, list[Frame]] = {}
    place = {id(header): k for k, header in enumerate(slices)}
    for k, header in enumerate(slices):
        if isinstance(header, Frame):
            files.setdefault(header.filename, []).append(header)
        else:
            yield k, *_stored(header)
    for frames in files.values():
        with _damaged(frames[0]):
            _check_length(frames[0], frames[0].dataset.PixelData)
            for frame, pixels in frame_pixels(frames):
                yield place[id(frame)], _sign_extended(pixels, frame), False


@contextmanager
def _damaged(header: Header) -> Iterator[None]:
    """Say of which file the pixels cannot be decoded."""
    from kyphoplan.io.dicom import damage  # noqa: PLC0415 - it imports this module

    try:
        yield
    except RuntimeError as error:
        raise _no_codec(header) from error
    except damage() as error:
        text = f"{name_of(header)} has damaged pixels ({plain(error)}): copy it again"
        raise CaseError(text, code="damaged_slice") from error


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


def _fits(stored: NDArray[Any], slope: float, intercept: float) -> bool:
    if stored.dtype.kind not in "iu" or not (slope.is_integer() and intercept.is_integer()):
        return False
    ends = (int(stored.min()) * slope + intercept, int(stored.max()) * slope + intercept)
    return INT16.min <= min(ends) and max(ends) <= INT16.max


def _scale_into(plane: NDArray[Any], stored: NDArray[Any], slope: float, intercept: float) -> None:
    if plane.dtype != np.int16:
        np.add(stored * np.float32(slope), np.float32(intercept), out=plane)
    elif slope == 1.0 and stored.dtype == np.int16 and abs(intercept) <= INT16.max:
        np.add(stored, np.int16(intercept), out=plane)  # what fits at its ends fits between
    else:
        plane[...] = stored.astype(np.int32) * int(slope) + int(intercept)


def _pad(plane: NDArray[Any], header: Header, scale: tuple[float, float]) -> int:
    """Set pixels outside the scan (PixelPaddingValue) to air [HU]; return how many."""
    if header.get("PixelPaddingValue") is None:
        return 0
    value = numbers_of(header, "PixelPaddingValue", 1)[0]
    if header.get("PixelRepresentation") == 1 and value > INT16.max:
        value -= 1 << 16  # stated unsigned for signed pixels
    hounsfield = value * scale[0] + scale[1]
    if not INT16.min <= hounsfield < AIR_HU:
        return 0
    outside = plane == plane.dtype.type(hounsfield)
    plane[outside] = AIR_HU
    return int(outside.sum())


def _stored(header: Header) -> tuple[NDArray[Any], bool]:
    """Decode one slice; also whether it is scaled already (GDCM, where pydicom has no codec)."""
    import pydicom  # noqa: PLC0415

    with _damaged(header):
        if header.syntax in PLAIN and header.get("BitsAllocated") == WORD:
            return _sign_extended(_plain_pixels(header), header), False
        full = pydicom.dcmread(header.filename)
        _check_length(header, full.PixelData)
        try:
            return _sign_extended(np.asarray(full.pixel_array), header), False
        except (RuntimeError, NotImplementedError):
            return _by_gdcm(header), True


def _plain_pixels(header: Header) -> NDArray[Any]:
    """View uncompressed little-endian pixels as they lie in the file."""
    content = header.dataset.PixelData
    _check_length(header, content)
    rows, columns = int(header.get("Rows")), int(header.get("Columns"))
    kind = "<i2" if header.get("PixelRepresentation") == 1 else "<u2"
    return np.frombuffer(content, kind, rows * columns).reshape(rows, columns)


def _check_length(header: Header, content: bytes) -> None:
    """Refuse plain pixels of another length than stated: they may be shifted, not just cut."""
    if header.syntax.is_compressed:
        return
    rows, columns, bits = (int(header.get(t)) for t in ("Rows", "Columns", "BitsAllocated"))
    frames = int(header.dataset.get("NumberOfFrames") or 1)
    need = rows * columns * bits // 8 * frames
    if len(content) != need + need % 2:  # DICOM pads to an even length
        text = f"{name_of(header)} has {len(content)} bytes of pixels instead of {need}"
        raise CaseError(f"{text}: copy it again", code="damaged_slice")


def _sign_extended(pixels: NDArray[Any], header: Header) -> NDArray[Any]:
    """Keep the stored bits only, and carry their sign: what else the word holds is no pixel.

    References
    ----------
    DICOM PS3.5 8.1.1 (Pixel Data Encoding of Related Data Elements).
    """
    allocated, stored, high = (
        int(header.get(tag)) for tag in ("BitsAllocated", "BitsStored", "HighBit")
    )
    if stored == allocated or header.syntax.is_compressed:
        return pixels
    if not 0 <= stored - 1 <= high < allocated or pixels.dtype.itemsize * 8 != allocated:
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
        raise _no_codec(header) from error


def _no_codec(header: Header) -> CaseError:
    return CaseError(
        f"{name_of(header)} is compressed as {header.syntax.name} or damaged: decompress the "
        "series first",
        code="codec_missing",
    )
