"""Exports of what does not fit a format are said, not lost."""

from pathlib import Path

import numpy as np

from kyphoplan.case import LabelMap, Level, Plan, Volume
from kyphoplan.io import read_labels
from kyphoplan.report.exports import write_exports, write_segmentation

from .conftest import build

TILTED = np.array([[1.0, 0, 0, 0], [0, 1, 0.3, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def labels(affine: np.ndarray) -> LabelMap:  # type: ignore[type-arg]
    voxels = np.zeros((6, 6, 6), np.uint8)
    voxels[2:4, 2:4, 2:4] = 20
    affine = affine @ np.diag([*[10.0] * 3, 1.0])  # as large as a vertebra
    return LabelMap(volume=Volume(voxels, affine), levels={20: Level.L1}, scheme="verse")


def test_a_tilted_stack_goes_into_a_format_that_holds_it(tmp_path: Path) -> None:
    (notice,) = write_segmentation(tmp_path, labels(TILTED))
    assert notice.code == "segmentation_as_nifti"
    assert not (tmp_path / "segmentation.seg.nrrd").exists()
    read = read_labels(tmp_path / "segmentation.nii.gz", scheme="verse")
    assert np.allclose(read.volume.to_patient([5, 5, 5]), TILTED[:3, :3] @ [50, 50, 50], atol=0.01)


def test_a_straight_stack_needs_no_notice(tmp_path: Path) -> None:
    assert write_segmentation(tmp_path, labels(np.eye(4))) == ()


def test_an_empty_plan_is_exported_too(tmp_path: Path) -> None:
    assert write_exports(tmp_path, Plan(levels=(), notices=()), build().spine) == ()
    assert (tmp_path / "plan.json").is_file()
    assert list((tmp_path / "meshes").iterdir()) == []
