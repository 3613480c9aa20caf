"""Multi-frame CT: one file that holds many slices, each with its own place.

References
----------
DICOM PS3.3 A.38 (Enhanced CT Image), A.70 (Legacy Converted Enhanced CT Image), C.7.6.16
(Multi-frame Functional Groups).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.errors import CaseError
from kyphoplan.io.dicom_header import Header, name_of

MULTI_FRAME = {  # SOP classes of CT with many frames in one file
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT Image Storage
}
GROUPS: Mapping[str, tuple[str, str]] = {  # tag of a slice -> group of a frame, tag within it
    "ImagePositionPatient": ("PlanePositionSequence", "ImagePositionPatient"),
    "ImageOrientationPatient": ("PlaneOrientationSequence", "ImageOrientationPatient"),
    "PixelSpacing": ("PixelMeasuresSequence", "PixelSpacing"),
    "SliceThickness": ("PixelMeasuresSequence", "SliceThickness"),
    "RescaleSlope": ("PixelValueTransformationSequence", "RescaleSlope"),
    "RescaleIntercept": ("PixelValueTransformationSequence", "RescaleIntercept"),
    "RescaleType": ("PixelValueTransformationSequence", "RescaleType"),
    "ImageType": ("CTImageFrameTypeSequence", "FrameType"),
    "StackID": ("FrameContentSequence", "StackID"),
    "GantryDetectorTilt": ("CTAcquisitionDetailsSequence", "GantryDetectorTilt"),
    "KVP": ("CTXRayDetailsSequence", "KVP"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
}


def is_multi_frame(header: Header) -> bool:
    """Say whether a file is a CT of many frames."""
    return str(header.get("SOPClassUID", "")) in MULTI_FRAME


def frames_of(header: Header) -> list[Header]:
    """Return the frames of a multi-frame CT as headers of single slices.

    Raises
    ------
    CaseError
        If the stated number of frames is not described one by one.
    """
    shared = header.get("SharedFunctionalGroupsSequence") or ()
    own = header.get("PerFrameFunctionalGroupsSequence") or ()
    stated = header.get("NumberOfFrames")
    if not own or str(stated) != str(len(own)):
        raise CaseError(
            f"{name_of(header)} is an enhanced CT that states {stated or 'no'} frames but "
            f"describes {len(own)}: convert it to single slices or NIfTI",
            code="multi_frame",
        )
    return [Frame(header, number, (groups, *shared)) for number, groups in enumerate(own)]


class Frame(Header):
    """One frame of a multi-frame file, asked like the header of a slice.

    Attributes
    ----------
    number : of the frame in its file, from 0.
    """

    def __init__(self, header: Header, number: int, groups: tuple[Any, ...]) -> None:
        super().__init__(header.dataset)
        self.number = number
        self._groups = groups

    def get(self, name: str, default: Any = None) -> Any:
        """Return a tag's value from the frame's groups, else from those of all frames."""
        if name not in GROUPS:
            return default if name == "NumberOfFrames" else super().get(name, default)
        group, tag = GROUPS[name]
        for groups in self._groups:
            for item in groups.get(group) or ():
                if tag in item:
                    return item[tag].value
        return default


def frame_pixels(frames: Sequence[Frame]) -> Iterator[tuple[Frame, NDArray[Any]]]:
    """Decode frames of one file, in the order in which they lie in it."""
    from pydicom.pixels import iter_pixels  # noqa: PLC0415

    wanted = {frame.number: frame for frame in frames}
    for number, pixels in enumerate(iter_pixels(frames[0].dataset, raw=True)):
        if number in wanted:
            yield wanted[number], np.asarray(pixels)
