"""A marker on the patient's right is read there, whichever way the file's axes lie."""

from pathlib import Path

import numpy as np
import pytest

import kyphoplan as kp
import kyphoplan.io as kio
from kyphoplan.case import Volume
from kyphoplan.geometry import Array
from kyphoplan.io.gate import examine
from kyphoplan.io.stated import letters_of

from ..orders import CODES, MARKER_HU, asymmetric, stored

EXACT_MM = 0.01


def centre_of_marker(volume: Volume) -> Array:
    return volume.to_patient(np.argwhere(volume.voxels > MARKER_HU - 500)).mean(axis=0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [*((code, "NIfTI") for code in CODES), *((code, "DICOM") for code in CODES[::4])],
)
def test_the_marker_is_read_where_it_is(code: str, kind: str, tmp_path: Path) -> None:
    volume = kio.read_volume(stored(asymmetric().ct, code, kind, tmp_path))
    assert np.abs(centre_of_marker(volume) - asymmetric().marker_mm).max() < EXACT_MM
    told = letters_of(volume.affine)
    assert told[:2] == code[:2]  # DICOM slices are put in the order of their normal
    assert told == code or kind == "DICOM"


@pytest.mark.parametrize("code", CODES[::11])
def test_labels_are_read_where_they_are(code: str, tmp_path: Path) -> None:
    _, path = asymmetric().stored(code, "NIfTI", tmp_path)
    whole, turned = asymmetric().labels.volume, kio.read_labels(path).volume
    value = asymmetric().labels.value_of(kp.Level.L1)
    places = [v.to_patient(np.argwhere(v.voxels == value)).mean(axis=0) for v in (whole, turned)]
    assert np.abs(places[0] - places[1]).max() < EXACT_MM
    assert examine(path, labels=True).geometry["orientation"] == code
