"""Left and right are never guessed, only stated, and then every output says so."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kyphoplan.io as kio
from kyphoplan.cli import app
from kyphoplan.errors import GeometryError, UnknownSidesError
from kyphoplan.io.stamping import Stamp
from kyphoplan.io.stated import axes_of, letters_of

from .odd_inputs import good_nifti, patched, put

UNPLACED = patched(put(252, "<2h", 0, 0))


@pytest.mark.parametrize("letters", ["LPS", "RAS", "SAL", "IPR"])
def test_letters_are_directions_and_back(letters: str) -> None:
    affine = np.eye(4)
    affine[:3, :3] = axes_of(letters) * [1.0, 2.0, 3.0]
    assert letters_of(affine) == letters


@pytest.mark.parametrize("letters", ["", "LP", "LLS", "LRS", "XYZ", "LPSI"])
def test_what_is_no_orientation_is_a_wrong_argument(letters: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="orientation"):
        axes_of(letters)
    path = good_nifti(tmp_path / "ct.nii")
    answer = CliRunner().invoke(app, ["inspect", "--assume-orientation", letters, str(path)])
    assert answer.exit_code == 2


def test_a_stated_orientation_is_taken_only_where_the_file_is_silent_and_is_told(
    tmp_path: Path,
) -> None:
    path = UNPLACED(tmp_path)
    with pytest.raises(UnknownSidesError, match="--assume-orientation"):
        kio.read_volume(path)
    for letters in ("LPS", "RAS", "SPR"):
        volume, notices = kio.read_volume_with_notices(path, assume_orientation=letters)
        assert letters_of(volume.affine) == letters
        assert [n.code for n in notices] == ["orientation_stated"]
        record = {"warnings": json.loads(json.dumps(kio.to_json(notices)))}
        assert f"voxel axes lead to {letters}" in Stamp.of(record).line
    known = good_nifti(tmp_path / "known.nii")
    with pytest.raises(GeometryError, match="its own orientation is LPS, not RAS as stated"):
        kio.read_volume(known, assume_orientation="RAS")
