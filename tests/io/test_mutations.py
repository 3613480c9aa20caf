"""Good files with bytes changed at random: read or refused in one line, within the limits."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kyphoplan.io as kio
from kyphoplan.case import Volume
from kyphoplan.io import apart
from kyphoplan.io.gate import examine

from .odd_inputs import good_nifti, voxels
from .odd_labels import label_map, spine
from .odd_series import series

LONGEST_S = 25.0
FEW, MANY = 300, 10_000
SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha", "dicom", "labels")


def good(kind: str, folder: Path) -> tuple[Path, Path]:
    """Return a good input, and the file of it that is to be changed."""
    if kind == "dicom":
        made = series(folder)
        return made, made / "slice_0003.dcm"
    if kind == "labels":
        path = label_map(spine(), folder / "labels.nii.gz")
    elif kind in {".nii", ".nii.gz"}:
        path = good_nifti(folder / f"ct{kind}")
    else:
        path = kio.write_volume(Volume(voxels(), np.eye(4)), folder / f"ct{kind}")
    return path, path


def flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def flip_early(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(min(len(data), 1500))] = chance.randrange(256)


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def repeat(data: bytearray, chance: random.Random) -> None:
    place, size = chance.randrange(len(data)), chance.randrange(1, 200)
    data[place:place] = data[place : place + size] * chance.randrange(1, 20)


def drop(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data))
    del data[place : place + chance.randrange(1, 100)]


def stuff(data: bytearray, chance: random.Random) -> None:
    word = chance.choice([b"\xff" * 4, bytes(8), b"\x7f\xff\xff\xff", b"\0\0\xc0\x7f", b"9" * 12])
    place = chance.randrange(max(1, len(data) - len(word)))
    data[place : place + len(word)] = word


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip,
    flip_early,
    flip_early,
    cut,
    repeat,
    drop,
    stuff,
    stuff,
)


def mutate(kind: str, folder: Path, count: int, seed: int) -> None:
    path, file = good(kind, folder)
    whole, chance = file.read_bytes(), random.Random(f"{kind} {seed}")
    for number in range(count):
        data = bytearray(whole)
        chance.choice(CHANGES)(data, chance)
        file.write_bytes(data)
        start = time.monotonic()
        found = examine(
            path, labels=kind == "labels", scheme="verse" if kind == "labels" else None
        )
        assert time.monotonic() - start < LONGEST_S, (kind, number)
        assert apart.last_use().peak_bytes < apart.MEMORY_BYTES
        if found.reason is not None:
            text = found.reason["text"]
            assert text.startswith(f"{path}: "), text
            assert text.isprintable(), text


@pytest.mark.parametrize("kind", SUFFIXES)
def test_a_mutated_file_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    mutate(kind, tmp_path, FEW // len(SUFFIXES), seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("kind", SUFFIXES)
def test_ten_thousand_mutated_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    mutate(kind, tmp_path, -(-MANY // len(SUFFIXES)), seed=2)
