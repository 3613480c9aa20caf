"""Malformed and odd stacks of DICOM slices, each with the verdict it must get."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

import kyphoplan.io as kio
from kyphoplan.case import Volume

from .odd_inputs import NO, OK, WARN, Build, Odd, voxels

Change = Callable[[Dataset], None]
ALL, ONE = slice(None), slice(3, 4)


def series(folder: Path, tilt: float = 0.0, turn: np.ndarray | None = None) -> Path:
    affine = np.diag([0.7, 0.8, 2.5, 1.0])
    affine[1, 2] = tilt
    if turn is not None:
        affine[:3, :3] = turn @ affine[:3, :3]
    return kio.write_dicom_series(Volume(voxels(), affine), folder / "ct")


def edited(*changes: tuple[Change, slice]) -> Build:
    def build(folder: Path) -> Path:
        made = series(folder)
        for change, which in changes:
            for file in sorted(made.glob("*.dcm"))[which]:
                header = pydicom.dcmread(file)
                with disable_value_validation():
                    change(header)
                    header.save_as(file)
        return made

    return build


def tags(**values: object) -> Change:
    def change(header: Dataset) -> None:
        for tag, value in values.items():
            setattr(header, tag, value)

    return change


def without(*names: str) -> Change:
    def change(header: Dataset) -> None:
        for name in names:
            delattr(header, name)

    return change


def files(change: Callable[[list[Path]], object], **settings: object) -> Build:
    def build(folder: Path) -> Path:
        made = series(folder, **settings)  # type: ignore[arg-type]
        change(sorted(made.glob("*.dcm")))
        return made

    return build


def copied(change: Change, keep: slice = ALL) -> Build:
    """Return a good series with a changed copy of it in a folder below."""

    def build(folder: Path) -> Path:
        made = series(folder)
        (made / "more").mkdir()
        for file in sorted(made.glob("*.dcm"))[keep]:
            header = pydicom.dcmread(file)
            header.SOPInstanceUID = f"1.2.{header.InstanceNumber}"
            with disable_value_validation():
                change(header)
                header.save_as(made / "more" / file.name)
        return made

    return build


def secondary(header: Dataset) -> None:
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    header.SeriesInstanceUID, header.SeriesNumber = "1.2.9", 99
    del header.ImagePositionPatient, header.ImageOrientationPatient


OTHER = {"SeriesInstanceUID": "1.2.3.4", "SeriesNumber": 2, "SeriesDescription": "soft"}
SCOUT = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesInstanceUID": "1.2.3.5"}
CORONAL = [1, 0, 0, 0, 0, -1]


def rewritten(change: Callable[[bytes], bytes], which: int = 3) -> Build:
    def act(found: list[Path]) -> None:
        found[which].write_bytes(change(found[which].read_bytes()))

    return files(act)


def piped(folder: Path) -> Path:
    made = series(folder)
    os.mkfifo(made / "pipe.dcm")
    return made


def looped(folder: Path) -> Path:
    made = series(folder)
    (made / "again").symlink_to(made)
    (made / "itself.dcm").symlink_to(made / "itself.dcm")
    return made


def with_directory(folder: Path) -> Path:
    made = series(folder)
    shipped = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests" / "DICOMDIR"
    shutil.copy(shipped, made)
    return made


def displaced(folder: Path) -> Path:
    affine = np.diag([0.7, 0.8, 2.5, 1.0])
    affine[0, 3] = 1e7
    return kio.write_dicom_series(Volume(voxels(), affine), folder / "ct")


SERIES = [
    Odd("B1", "a good series", series, OK, ()),
    Odd("B1", "one slice missing", files(lambda f: f[3].unlink()), NO, ("slices_missing",)),
    Odd(
        "B1",
        "two slices missing",
        files(lambda f: [f[3].unlink(), f[4].unlink()]),
        NO,
        ("slices_missing",),
    ),
    Odd("B1", "the end missing", files(lambda f: f[6].unlink()), OK, ()),
    Odd(
        "B1",
        "all but one missing",
        files(lambda f: [x.unlink() for x in f[1:]]),
        NO,
        ("single_slice",),
    ),
    Odd(
        "B1",
        "a slice twice",
        files(lambda f: shutil.copy(f[3], f[3].with_name("again.dcm"))),
        NO,
        ("slices_doubled",),
    ),
    Odd(
        "B1",
        "all at one place",
        edited((tags(ImagePositionPatient=[0, 0, 0]), ALL)),
        NO,
        ("slices_doubled",),
    ),
    Odd(
        "B1",
        "a step of 3 instead of 2.5 mm",
        edited((tags(ImagePositionPatient=[0, 0, 15.5]), slice(6, 7))),
        NO,
        ("slices_uneven",),
    ),
    Odd(
        "B1",
        "a step off by 0.04 mm",
        edited((tags(ImagePositionPatient=[0, 0, 15.04]), slice(6, 7))),
        OK,
        (),
    ),
    Odd(
        "B1",
        "a slice beside the line",
        edited((tags(ImagePositionPatient=[3, 0, 7.5]), ONE)),
        NO,
        ("slices_off_line",),
    ),
    Odd("B1", "another thickness in a tag", edited((tags(SliceThickness="9"), ALL)), OK, ()),
    Odd("B1", "a lying distance in a tag", edited((tags(SpacingBetweenSlices="9"), ALL)), OK, ()),
    Odd(
        "B1",
        "place not a number",
        edited((tags(ImagePositionPatient=None), ONE)),
        NO,
        ("tag_missing", "tag_damaged"),
    ),
    Odd("B2", "tilt, tag right", lambda f: series(f, tilt=1.0), WARN, ("gantry_tilt",)),
    Odd(
        "B2",
        "tilt in the tag only",
        edited((tags(GantryDetectorTilt="18.5"), ALL)),
        WARN,
        ("tilt_tag",),
    ),
    Odd(
        "B2",
        "tilt in the places only",
        lambda f: _untagged(series(f, tilt=1.0)),
        WARN,
        ("gantry_tilt", "tilt_tag"),
    ),
    Odd(
        "B3",
        "files reversed",
        files(lambda f: [x.rename(x.with_name(f"r{99 - n}.dcm")) for n, x in enumerate(f)]),
        OK,
        (),
    ),
    Odd("B3", "instance numbers all 1", edited((tags(InstanceNumber=1), ALL)), OK, ()),
    Odd("B3", "no instance numbers", edited((without("InstanceNumber"), ALL)), OK, ()),
    Odd(
        "B3",
        "rubbish beside the slices",
        files(
            lambda f: [
                (f[0].parent / n).write_bytes(b"x" * 300) for n in ("a.txt", "DICOMDIR", "b")
            ]
        ),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B3",
        "slices in folders below",
        files(lambda f: [_move(x, n % 3) for n, x in enumerate(f)]),
        OK,
        (),
    ),
    Odd(
        "B3",
        "no ending in the names",
        files(lambda f: [x.rename(x.with_suffix("")) for x in f]),
        OK,
        (),
    ),
    Odd(
        "B4",
        "two patients",
        edited((tags(PatientID="other"), slice(0, 3))),
        NO,
        ("several_patients",),
    ),
    Odd(
        "B4",
        "two patients in two series",
        copied(tags(PatientName="B", **OTHER)),
        NO,
        ("several_patients",),
    ),
    Odd(
        "B4",
        "two patients, one series asked for",
        copied(tags(PatientID="B", **OTHER)),
        NO,
        ("several_patients",),
        series="1",
    ),
    Odd(
        "B4",
        "one name in two spellings",
        edited((tags(PatientName="PHANTOM^SYNTHETIC "), slice(0, 3))),
        OK,
        (),
    ),
    Odd("B4", "two series", copied(tags(**OTHER)), NO, ("several_series",)),
    Odd("B4", "two series, one chosen", copied(tags(**OTHER)), OK, (), series="2"),
    Odd(
        "B4",
        "two series, none of that name",
        copied(tags(**OTHER)),
        NO,
        ("no_such_series",),
        series="7",
    ),
    Odd(
        "B4",
        "two frames of reference in one series",
        copied(tags(FrameOfReferenceUID="1.2.7")),
        NO,
        ("several_series",),
    ),
    Odd(
        "B4",
        "two orientations in one series",
        copied(tags(ImageOrientationPatient=CORONAL)),
        NO,
        ("several_series",),
    ),
    Odd(
        "B4",
        "two orientations, one chosen",
        copied(tags(ImageOrientationPatient=CORONAL)),
        NO,
        ("slices_doubled", "slices_off_line"),
        series="1/1",
    ),
    Odd(
        "B4",
        "a scout",
        copied(tags(ImageOrientationPatient=CORONAL, **SCOUT), slice(0, 1)),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B4",
        "a scout that does not say so",
        copied(tags(ImageOrientationPatient=CORONAL), slice(0, 1)),
        WARN,
        ("slices_left_out",),
    ),
    Odd("B4", "a dose page", copied(secondary, slice(0, 1)), OK, ("files_left_out",)),
    Odd(
        "B4",
        "a screenshot as CT",
        copied(
            tags(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"], SeriesInstanceUID="1.2.8"),
            slice(0, 2),
        ),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B4",
        "burned-in text",
        copied(tags(BurnedInAnnotation="YES", SeriesInstanceUID="1.2.8"), slice(0, 2)),
        OK,
        ("files_left_out",),
    ),
    Odd(
        "B4",
        "one slice of another kind",
        edited((tags(ImageOrientationPatient=CORONAL), ONE)),
        NO,
        ("slices_missing",),
    ),
    Odd("B4", "scouts alone", edited((tags(**SCOUT), ALL)), NO, ("no_ct",)),
    Odd("B4", "a rescale for each slice", edited((tags(RescaleIntercept="-10"), ONE)), OK, ()),
    Odd("B4", "rows that differ", edited((tags(Rows=4), ONE)), NO, ("slices_differ",)),
    Odd(
        "B4",
        "pixel sizes that differ",
        edited((tags(PixelSpacing=[1, 1]), ONE)),
        NO,
        ("slices_differ",),
    ),
    *(
        Odd("B5", f"patient {position}", edited((tags(PatientPosition=position), ALL)), OK, ())
        for position in ("HFS", "HFP", "HFDL", "HFDR", "FFS", "FFP", "FFDL", "FFDR")
    ),
    Odd(
        "B5",
        "directions not at right angles",
        edited((tags(ImageOrientationPatient=[1, 0, 0, 0.5, 1, 0]), ALL)),
        NO,
        ("orientation_damaged",),
    ),
    Odd(
        "B5",
        "directions of zeros",
        edited((tags(ImageOrientationPatient=[0] * 6), ALL)),
        NO,
        ("orientation_damaged",),
    ),
    Odd(
        "B5",
        "no directions",
        edited((without("ImageOrientationPatient"), ALL)),
        NO,
        ("tag_missing",),
    ),
    Odd(
        "B5",
        "five numbers as directions",
        edited((tags(ImageOrientationPatient=[1, 0, 0, 0, 1]), ALL)),
        NO,
        ("tag_damaged",),
    ),
    Odd("B5", "no place", edited((without("ImagePositionPatient"), ONE)), NO, ("tag_missing",)),
    Odd("B5", "no pixel size", edited((without("PixelSpacing"), ALL)), NO, ("tag_missing",)),
    Odd(
        "B5", "a pixel size of zero", edited((tags(PixelSpacing=[0, 0]), ALL)), NO, ("voxel_size",)
    ),
    Odd(
        "B5", "pixels of 700 mm", edited((tags(PixelSpacing=[700, 700]), ALL)), NO, ("voxel_size",)
    ),
    Odd("B3", "an empty folder", lambda f: _made(f / "ct"), NO, ("no_dicom",)),
    *(
        Odd(
            "B1",
            f"slices unlike in {tag}",
            edited((tags(**{tag: value}), slice(0, 3))),
            WARN,
            ("slices_unlike",),
        )
        for tag, value in (
            ("SliceThickness", "5"),
            ("ConvolutionKernel", "B70f"),
            ("KVP", "80"),
            ("PatientPosition", "FFS"),
        )
    ),
    Odd(
        "B1",
        "a slice 1e300 mm away",
        edited((tags(ImagePositionPatient=["1e300", 0, 7.5]), ONE)),
        NO,
        ("slices_off_line",),
    ),
    Odd("B1", "a slice without preamble", rewritten(lambda d: d[132:]), NO, ("slices_missing",)),
    Odd("B3", "a pipe among the slices", piped, OK, ()),
    Odd("B3", "links that lead round", looped, OK, ()),
    Odd("B3", "a DICOMDIR", with_directory, OK, ("files_left_out",)),
    *(
        Odd(
            "B4",
            f"a stack of {word}",
            edited((tags(ImageType=["DERIVED", "SECONDARY", word]), ALL)),
            NO,
            ("no_ct",),
        )
        for word in ("MIP", "CT_SOM5 MIP", "MIN_IP", "VRT")
    ),
    Odd(
        "B4",
        "a reformatted stack",
        edited((tags(ImageType=["DERIVED", "SECONDARY", "MPR"]), ALL)),
        OK,
        (),
    ),
    Odd(
        "B5",
        "a negative pixel spacing",
        edited((tags(PixelSpacing=[-0.7, 0.8]), ALL)),
        NO,
        ("voxel_size",),
    ),
    Odd(
        "B5",
        "a pixel spacing of zero",
        edited((tags(PixelSpacing=[0, 0.8]), ALL)),
        NO,
        ("voxel_size",),
    ),
    Odd(
        "B5",
        "one number for the pixel spacing",
        edited((tags(PixelSpacing=0.7), ALL)),
        NO,
        ("tag_damaged",),
    ),
    Odd("B5", "ten kilometres from the scanner", displaced, NO, ("placement",)),
]


def _move(file: Path, number: int) -> None:
    folder = file.parent / f"part {number}"
    folder.mkdir(exist_ok=True)
    file.rename(folder / file.name)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _untagged(made: Path) -> Path:
    for file in made.glob("*.dcm"):
        header = pydicom.dcmread(file)
        del header.GantryDetectorTilt
        header.save_as(file)
    return made
