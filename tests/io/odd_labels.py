"""Malformed and odd label maps, each with the verdict it must get."""

from pathlib import Path

import nibabel as nib
import numpy as np

from .odd_inputs import NO, OK, WARN, Build, Odd, bomb, raw

SIZE = (16, 12, 40)
VERSE = {20: (26, 34), 21: (15, 23), 22: (4, 12)}  # L1 to L3 from head to tail, 11 voxels apart


def spine(
    values: dict[int, tuple[int, int]] | None = None, dtype: object = np.uint8
) -> np.ndarray:
    data = np.zeros(SIZE, dtype)
    for value, (low, high) in (VERSE if values is None else values).items():
        data[2:14, 3:9, low:high] = value
    return data


def label_map(data: np.ndarray, path: Path, spacing: float = 3.0, flip: bool = False) -> Path:
    affine = np.diag([-spacing, -spacing, -spacing if flip else spacing, 1.0])
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, path)
    return path


def labelled(data: np.ndarray, spacing: float = 3.0, flip: bool = False) -> Build:
    return lambda folder: label_map(data, folder / "labels.nii.gz", spacing, flip)


def tabled(table: str) -> Build:
    def build(folder: Path) -> Path:
        (folder / "labels.json").write_text(table, encoding="utf-8")
        return label_map(spine({1: (4, 12), 2: (15, 23)}), folder / "labels.nii.gz")

    return build


def unplaced(folder: Path) -> Path:
    path = label_map(spine(), folder / "labels.nii")
    data = bytearray(path.read_bytes())
    data[252:256] = bytes(4)
    path.write_bytes(data)
    return path


def folder_of(**structures: np.ndarray) -> Build:
    def build(folder: Path) -> Path:
        place = folder / "structures"
        place.mkdir()
        for name, data in structures.items():
            label_map(data, place / f"{name}.nii.gz")
        return place

    return build


def with_noise(share: float) -> np.ndarray:
    data = spine()
    chance = np.random.default_rng(5).random(SIZE)
    return np.where((data > 0) & (chance < share), 0, data).astype(np.uint8)


ONE, TWO = spine({1: (26, 34)}), spine({1: (15, 23)})
LABELS = [
    Odd("C5", "VerSe, stated", labelled(spine()), OK, (), scheme="verse"),
    Odd("C5", "VerSe, proven", labelled(spine()), OK, ()),
    Odd(
        "C5",
        "numbers that fit two schemes",
        labelled(spine({31: (4, 12), 30: (15, 23)})),
        NO,
        ("scheme_ambiguous", "scheme_unproven"),
    ),
    Odd(
        "C5",
        "numbers 1 to 3 from the tail",
        labelled(spine({3: (26, 34), 2: (15, 23), 1: (4, 12)})),
        NO,
        ("scheme_unproven",),
    ),
    Odd(
        "C5",
        "numbers of no scheme",
        labelled(spine({77: (26, 34), 78: (15, 23)})),
        NO,
        ("scheme_unproven",),
    ),
    Odd("C5", "one label, not stated", labelled(spine({20: (15, 23)})), NO, ("scheme_unproven",)),
    Odd("C5", "one label, stated", labelled(spine({20: (15, 23)})), OK, (), scheme="verse"),
    Odd(
        "C5",
        "a scheme that does not exist",
        labelled(spine()),
        NO,
        ("scheme_unknown",),
        scheme="mine",
    ),
    Odd(
        "C5",
        "the wrong scheme",
        labelled(spine()),
        NO,
        ("upside_down", "no_vertebra"),
        scheme="totalseg",
    ),
    Odd(
        "C5",
        "a gap in the levels",
        labelled(spine({20: (26, 34), 22: (4, 12)})),
        NO,
        ("scheme_unproven",),
    ),
    Odd(
        "C5",
        "upside down, stated",
        labelled(spine(), flip=True),
        NO,
        ("upside_down",),
        scheme="verse",
    ),
    Odd(
        "C4",
        "six lumbar vertebrae",
        labelled(spine({24: (26, 34), 25: (15, 23)})),
        OK,
        (),
        scheme="verse",
    ),
    Odd(
        "C4",
        "a thirteenth thoracic vertebra",
        labelled(spine({28: (26, 34), 20: (15, 23)})),
        OK,
        (),
        scheme="verse",
    ),
    Odd(
        "C7",
        "two levels in the wrong order",
        labelled(spine({20: (29, 36), 21: (6, 11), 22: (14, 19), 23: (0, 4)})),
        WARN,
        ("level_order", "implausible_level", "implausible_level"),
        scheme="verse",
    ),
    Odd(
        "C7",
        "a level far from its neighbour",
        labelled(spine({20: (34, 40), 21: (4, 12)})),
        WARN,
        ("implausible_level",),
        scheme="verse",
    ),
    Odd(
        "C7",
        "a level of one voxel",
        labelled(
            np.where(spine() == 21, 0, spine())
            + np.where(
                (np.arange(40) == 19)
                & (np.arange(16) == 6)[:, None, None]
                & (np.arange(12) == 6)[:, None],
                21,
                0,
            ).astype(np.uint8)
        ),
        WARN,
        ("implausible_level",),
        scheme="verse",
    ),
    Odd("C7", "labels with holes", labelled(with_noise(0.2)), OK, ()),
    Odd(
        "A8",
        "vertebrae of 2 mm",
        labelled(spine(), spacing=0.2),
        NO,
        ("vertebra_size",),
        scheme="verse",
    ),
    Odd(
        "A8",
        "vertebrae as long as a leg",
        labelled(np.kron(spine(), np.ones((1, 1, 5), np.uint8)), spacing=15.0),
        NO,
        ("vertebra_size",),
        scheme="verse",
    ),
    Odd("C5", "background alone", labelled(np.zeros(SIZE, np.uint8)), NO, ("no_vertebra",)),
    Odd(
        "C5",
        "a CT instead",
        labelled(np.random.default_rng(1).integers(-1000, 2000, SIZE).astype(np.int16)),
        NO,
        ("no_labels",),
    ),
    Odd("C5", "fractions", labelled(spine(dtype=np.float32) * 0.5 + 0.3), NO, ("no_labels",)),
    Odd(
        "C5", "whole numbers as floats", labelled(spine(dtype=np.float32)), OK, (), scheme="verse"
    ),
    Odd(
        "A11",
        "not a number",
        labelled(np.where(spine(dtype=np.float32) == 20, np.nan, 0)),
        NO,
        ("no_labels",),
    ),
    Odd("C5", "beyond 65535", labelled(spine(dtype=np.int32) * 9999), NO, ("no_labels",)),
    Odd("C5", "below zero", labelled(spine(dtype=np.int16) * -1), NO, ("no_labels",)),
    Odd("A4", "sides unknown", unplaced, NO, ("orientation_unknown",), scheme="verse"),
    Odd(
        "A4",
        "sides stated",
        unplaced,
        WARN,
        ("orientation_stated",),
        scheme="verse",
        orientation="LPS",
    ),
    Odd("A1", "empty", raw("labels.nii.gz", b""), NO, ("empty_file",)),
    Odd("A3", "a bomb", bomb, NO, ("too_large",)),
    Odd("C5", "a table beside it", tabled('{"2": "L1", "1": "L2"}'), OK, ()),
    Odd("C5", "a table that is no JSON", tabled("{nothing"), NO, ("scheme_unproven",)),
    Odd(
        "C5", "a table of one level twice", tabled('{"2": "L1", "1": "L1"}'), NO, ("level_twice",)
    ),
    Odd("C5", "a table without names", tabled("{}"), NO, ("scheme_unproven",)),
    Odd(
        "C5",
        "a table of other bones",
        tabled('{"2": "femur", "1": "tibia"}'),
        NO,
        ("scheme_unproven",),
    ),
    Odd("C5", "a folder of structures", folder_of(vertebrae_L1=ONE, vertebrae_L2=TWO), OK, ()),
    Odd(
        "C7",
        "structures that overlap",
        folder_of(vertebrae_L1=ONE, vertebrae_L2=spine({1: (18, 28)})),
        WARN,
        ("labels_overlap",),
    ),
    Odd("C5", "structures of other bones", folder_of(femur=ONE), NO, ("no_vertebra",)),
    Odd(
        "C5",
        "structures in two grids",
        folder_of(vertebrae_L1=ONE, vertebrae_L2=TWO[:-1]),
        NO,
        ("grids_differ",),
    ),
    Odd("C5", "structures that are empty", folder_of(vertebrae_L1=ONE * 0), NO, ("no_vertebra",)),
    Odd("C5", "one level in two files", folder_of(vertebrae_L1=ONE, L1=TWO), NO, ("level_twice",)),
    Odd(
        "C5",
        "subregions without names",
        labelled(spine({49: (4, 12)})),
        NO,
        ("levels_unnamed",),
        scheme="spineps_subregions",
    ),
]

for case in LABELS:
    object.__setattr__(case, "labels", True)
