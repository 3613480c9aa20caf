"""Malformed and odd multi-frame CT, each with the verdict it must get."""

from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from .odd_inputs import NO, OK, WARN, Build, Odd
from .odd_series import series

ENHANCED = "1.2.840.10008.5.1.4.1.1.2.1"
OF_A_SLICE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")
SCALE = ("RescaleSlope", "RescaleIntercept", "RescaleType")

Change = Callable[[Dataset], None]


def group(**values: object) -> Sequence:
    """Return a functional group of one item."""
    item = Dataset()
    for tag, value in values.items():
        setattr(item, tag, value)
    return Sequence([item])


def enhanced(folder: Path, tilt: float = 0.0) -> Path:
    """Return a good series as one enhanced CT; its frames lie in the file from head to tail."""
    made = series(folder, tilt=tilt)
    slices = [pydicom.dcmread(file) for file in sorted(made.glob("*.dcm"))][::-1]
    header = slices[0]
    shared = Dataset()
    shared.PixelMeasuresSequence = group(PixelSpacing=header.PixelSpacing, SliceThickness="2.5")
    shared.PlaneOrientationSequence = group(ImageOrientationPatient=header.ImageOrientationPatient)
    shared.CTImageFrameTypeSequence = group(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    frames = []
    for number, one in enumerate(slices):
        frame = Dataset()
        frame.PlanePositionSequence = group(ImagePositionPatient=one.ImagePositionPatient)
        frame.PixelValueTransformationSequence = group(
            RescaleSlope=one.RescaleSlope, RescaleIntercept=one.RescaleIntercept, RescaleType="HU"
        )
        frame.FrameContentSequence = group(StackID="1", InStackPositionNumber=number + 1)
        frames.append(frame)
    pixels = b"".join(one.PixelData for one in slices)
    for tag in (*OF_A_SLICE, *SCALE, "ImageType"):
        if tag in header:
            delattr(header, tag)
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = ENHANCED
    header.NumberOfFrames = len(frames)
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    header.PerFrameFunctionalGroupsSequence = Sequence(frames)
    header.PixelData = pixels
    for file in made.glob("*.dcm"):
        file.unlink()
    header.save_as(made / "enhanced.dcm")
    return made


def changed(change: Change, tilt: float = 0.0, syntax: str = ExplicitVRLittleEndian) -> Build:
    def build(folder: Path) -> Path:
        made = enhanced(folder, tilt)
        header = pydicom.dcmread(made / "enhanced.dcm")
        with disable_value_validation():
            change(header)
            if syntax != ExplicitVRLittleEndian:
                header.compress(syntax)
            header.save_as(made / "enhanced.dcm")
        return made

    return build


def frame(header: Dataset, number: int) -> Dataset:
    return header.PerFrameFunctionalGroupsSequence[number]


def moved(number: int, z_mm: float) -> Change:
    def change(header: Dataset) -> None:
        frame(header, number).PlanePositionSequence[0].ImagePositionPatient = [0, 0, z_mm]

    return change


def second_stack(header: Dataset) -> None:
    for number in range(3):
        frame(header, number).FrameContentSequence[0].StackID = "2"


def more_phases(header: Dataset) -> None:
    """All frames twice, as two phases of a heart cycle are stored."""
    header.PerFrameFunctionalGroupsSequence = Sequence(
        2 * list(header.PerFrameFunctionalGroupsSequence)
    )
    header.NumberOfFrames = 2 * header.NumberOfFrames
    header.PixelData = 2 * header.PixelData


def scaled_apart(header: Dataset) -> None:
    frame(header, 2).PixelValueTransformationSequence[0].RescaleIntercept = "-10"


def cut(header: Dataset) -> None:
    header.PixelData = header.PixelData[:-100]


def with_agent(header: Dataset) -> None:
    header.ContrastBolusAgentSequence = group(CodeMeaning="Iodinated contrast agent")


def not_there(name: str) -> Change:
    def change(header: Dataset) -> None:
        for item in header.PerFrameFunctionalGroupsSequence:
            item.pop(name, None)
        header.SharedFunctionalGroupsSequence[0].pop(name, None)

    return change


def states(number: int) -> Change:
    def change(header: Dataset) -> None:
        header.NumberOfFrames = number

    return change


def localizer(header: Dataset) -> None:
    kind = header.SharedFunctionalGroupsSequence[0].CTImageFrameTypeSequence[0]
    kind.FrameType = ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]


FRAMES = [
    Odd("B12", "an enhanced CT", enhanced, OK, ()),
    Odd("B12", "an enhanced CT, the file", lambda f: enhanced(f) / "enhanced.dcm", OK, ()),
    Odd("B12", "compressed", changed(lambda _: None, syntax=RLELossless), OK, ()),
    Odd("B12", "tilted", lambda f: enhanced(f, 1.0), WARN, ("gantry_tilt", "tilt_tag")),
    Odd("B12", "a scale for each frame", changed(scaled_apart), OK, ()),
    Odd("B12", "a frame that is missing", changed(moved(0, 17.5)), NO, ("slices_missing",)),
    Odd("B12", "an uneven frame", changed(moved(0, 15.7)), NO, ("slices_uneven",)),
    Odd("B12", "two frames at one place", changed(moved(0, 12.5)), NO, ("slices_doubled",)),
    Odd("B12", "two phases", changed(more_phases), NO, ("slices_doubled",)),
    Odd("B12", "two stacks", changed(second_stack), NO, ("several_series",)),
    Odd("B12", "two stacks, one chosen", changed(second_stack), OK, (), series="1/1"),
    Odd("B12", "frames without places", changed(not_there("PlanePositionSequence")), NO,
        ("tag_missing",)),
    Odd("B12", "frames without directions", changed(not_there("PlaneOrientationSequence")), NO,
        ("tag_missing",)),
    Odd("B12", "frames without scale", changed(not_there("PixelValueTransformationSequence")), NO,
        ("tag_missing",)),
    Odd("B12", "999999 frames stated", changed(states(999_999)), NO, ("multi_frame",)),
    Odd("B12", "one frame stated", changed(states(1)), NO, ("multi_frame",)),
    Odd("B12", "frames cut off", changed(cut), NO, ("damaged_slice",)),
    Odd("B12", "a localizer of many frames", changed(localizer), NO, ("no_ct",)),
    Odd("D1", "contrast agent as a code", changed(with_agent), WARN, ("contrast",)),
]  # fmt: skip
