"""The 48 orders in which a volume's axes can lie in a file, and a scan stored in each."""

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import kyphoplan as kp
import kyphoplan.io as kio
from kyphoplan.case import LabelMap, Volume
from kyphoplan.geometry import Array
from kyphoplan.io.stated import axes_of

CODES = [
    "".join(letters)
    for axes in itertools.permutations(("LR", "AP", "SI"))
    for letters in itertools.product(*axes)
]
FORMATS = ("NIfTI", "DICOM")
MARKER_HU = 2900
ASIDE_MM = 29.0  # [mm] of the marker's middle from the canal's, to the patient's right
HALF_MM = (3.0, 21.0, 16.0)  # [mm] half sizes of the marker: a plate beside the body of L1
AHEAD_MM = 19.0  # [mm] of the marker's middle in front of the canal's
LEFT_SCALE = 0.75  # [1] width of the left pedicles, the right ones being whole


def stored(volume: Volume, code: str, kind: str, folder: Path) -> Path:
    """Write a volume with its axes along the letters."""
    turned = volume.reordered(axes_of(code).T)
    folder.mkdir(exist_ok=True)
    if kind == "DICOM":
        return kio.write_dicom_series(turned, folder / code)
    return kio.write_volume(turned, folder / f"{code}.nii")


@dataclass(frozen=True)
class Asymmetric:
    """A spine whose left pedicles are narrow, with a bright plate on the right of L1."""

    ct: Volume
    labels: LabelMap
    canal_mm: Array
    marker_mm: Array

    def stored(self, code: str, kind: str, folder: Path) -> tuple[Path, Path]:
        """Write CT and labels with their axes along the letters."""
        turned = self.labels.volume.reordered(axes_of(code).T)
        labels = LabelMap(volume=turned, levels=self.labels.levels)
        return (
            stored(self.ct, code, kind, folder),
            kio.write_volume(labels, folder / "labels.nii.gz"),
        )


@cache
def asymmetric() -> Asymmetric:
    """Return L1, which is broken, and L2, in voxels of 2 mm."""
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.35, middle_loss=0.2)
    levels = (kp.Level.L1, kp.Level.L2)
    phantom = kp.Phantom(levels=levels, collapses=(wedge,), left_pedicle_scale=LEFT_SCALE)
    made = kp.scan(phantom, spacing_mm=(2.0, 2.0, 2.0))
    canal = kp.locate(made.labels, made.ct)["L1"].canal
    assert canal is not None
    centre = canal.centre_mm + np.array([-ASIDE_MM, -AHEAD_MM, 0.0])
    voxels = made.ct.voxels.copy()
    places = made.ct.to_patient(np.argwhere(np.ones(voxels.shape, bool)))
    near = (np.abs(places - centre) <= HALF_MM).all(axis=1)
    voxels.reshape(-1)[near] = MARKER_HU
    marker = places[near].mean(axis=0)
    return Asymmetric(Volume(voxels, made.ct.affine), made.labels, canal.centre_mm, marker)
