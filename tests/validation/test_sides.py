"""A marker on the patient's right is read there, whichever way the file's axes lie."""

from pathlib import Path

import numpy as np
import pytest

import kyphoplan as kp
import kyphoplan.io as kio
from kyphoplan.io.gate import examine
from kyphoplan.io.stated import letters_of

from ..orders import CODES, MARKER_HU, asymmetric, stored

EXACT_MM = 0.01


def check_read(code: str, kind: str, folder: Path) -> None:
    """The marker lies where it is; turned to one order of the axes, each bit is the same."""
    made = asymmetric()
    volume = kio.read_volume(stored(made.ct, code, kind, folder))
    bright = np.argwhere(volume.voxels > MARKER_HU - 500)
    assert np.abs(volume.to_patient(bright).mean(axis=0) - made.marker_mm).max() < EXACT_MM
    told = letters_of(volume.affine)
    assert told[:2] == code[:2]  # DICOM slices are put in the order of their normal
    assert told == code or kind == "DICOM"
    again = volume.reordered(made.ct.affine[:3, :3].T)
    assert np.array_equal(again.voxels, made.ct.voxels)
    assert np.array_equal(again.affine, made.ct.affine)


@pytest.mark.parametrize(
    ("code", "kind"),
    [*((code, "NIfTI") for code in CODES), *((code, "DICOM") for code in CODES[::4])],
)
def test_the_marker_is_read_where_it_is(code: str, kind: str, tmp_path: Path) -> None:
    check_read(code, kind, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("code", [code for n, code in enumerate(CODES) if n % 4])
def test_the_marker_is_read_where_it_is_in_the_other_orders(code: str, tmp_path: Path) -> None:
    check_read(code, "DICOM", tmp_path)


@pytest.mark.parametrize("code", CODES[::11])
def test_labels_are_read_where_they_are(code: str, tmp_path: Path) -> None:
    _, path = asymmetric().stored(code, "NIfTI", tmp_path)
    whole, turned = asymmetric().labels.volume, kio.read_labels(path).volume
    value = asymmetric().labels.value_of(kp.Level.L1)
    places = [v.to_patient(np.argwhere(v.voxels == value)).mean(axis=0) for v in (whole, turned)]
    assert np.abs(places[0] - places[1]).max() < EXACT_MM
    assert examine(path, labels=True).geometry["orientation"] == code
