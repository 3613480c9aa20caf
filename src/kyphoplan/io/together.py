"""Do a CT and a label map belong together: same place, same side, bone under the labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import LabelMap, Level, Notice, Severity, Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array

SHELL_MM = 5.0  # [mm] thickness of the surroundings that bone is compared with
STEP_MM = 2.0  # [mm] sampling distance: fine enough for a mean, coarse enough to be quick
MOSTLY_OUTSIDE = 0.5  # [1] more than half of the labels outside the CT: another scan; own choice
NOTABLY_OUTSIDE = 0.01  # [1] of one vertebra outside the CT: worth a notice; own choice
FAINT_HU = 30.0  # [HU] bone against surroundings: less is doubtful; own choice
MIRROR_FACTOR, MIRROR_HU = 1.3, 30.0  # [1], [HU] a mirrored fit is clearly better; own choice


def check_together(ct: Volume, labels: LabelMap) -> tuple[Notice, ...]:
    """Check that a label map was made from this CT; grids and headers may differ.

    Raises
    ------
    CaseError
        If the labels lie outside the CT, are not on bone, or fit better when mirrored.
    """
    samples = _sample(labels)
    if not samples.level.size:
        raise CaseError(
            "label map: holds no vertebra: give the label map of this CT", code="no_vertebra"
        )
    outside = ~_inside(ct, samples.bone_mm)
    if outside.mean() > MOSTLY_OUTSIDE:
        raise CaseError(
            f"label map: {100 * outside.mean():.0f} % of it lies outside the CT: give the label "
            "map of this CT, or check both files' orientation",
            code="outside_ct",
        )
    contrast = _contrast(ct, samples, np.zeros(3), mirrored=False)
    _refuse_mirrored(ct, labels, samples, contrast)
    if contrast <= 0:
        raise CaseError(
            f"label map: does not lie on bone ({contrast:.0f} HU against its surroundings): give "
            "the label map of this CT, or check both files' orientation",
            code="not_on_bone",
        )
    notices = _outside_notices(samples, outside)
    if contrast < FAINT_HU:
        text = f"labelled bone is only {contrast:.0f} HU denser than its surroundings"
        remedy = "check on the pictures that the labels lie on the vertebrae"
        notices += (_notice("labels_not_on_bone", None, text, remedy),)
    return notices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Samples:
    """Positions [mm, LPS] in the labelled bone, their levels, and in its surroundings."""

    bone_mm: Array
    level: NDArray[np.int64]
    shell_mm: Array


def _sample(labels: LabelMap) -> _Samples:
    """Take every n-th voxel of the labels and of the unlabelled shell around them."""
    from scipy import ndimage  # noqa: PLC0415

    volume = labels.volume
    stride = np.maximum(1, np.floor(STEP_MM / volume.spacing_mm)).astype(int)
    spacing = volume.spacing_mm * stride
    coarse = volume.voxels[tuple(slice(None, None, n) for n in stride)]
    start, coarse = _around_labels(coarse, np.ceil(SHELL_MM / spacing).astype(int) + 1)
    lookup = np.zeros(int(volume.voxels.max()) + 1, np.int64)
    for value, level in labels.levels.items():
        lookup[value] = level
    level = lookup[coarse]
    distance = ndimage.distance_transform_edt(level == 0, sampling=spacing)
    shell = (distance > 0) & (distance <= max(SHELL_MM, float(spacing.min()))) & (coarse == 0)
    return _Samples(
        bone_mm=volume.to_patient((np.argwhere(level > 0) + start) * stride),
        level=level[level > 0],
        shell_mm=volume.to_patient((np.argwhere(shell) + start) * stride),
    )


def _around_labels(
    voxels: NDArray[np.integer[Any]], margin: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.integer[Any]]]:
    """Cut out the block that holds all labels, with a margin; return its start and the block."""
    labelled = np.argwhere(voxels)
    if not labelled.size:
        return np.zeros(3, np.int64), voxels
    start = np.maximum(labelled.min(axis=0) - margin, 0)
    stop = labelled.max(axis=0) + margin + 1
    return start, voxels[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]


def _inside(ct: Volume, positions_mm: Array) -> NDArray[np.bool_]:
    nearest = np.round(ct.to_indices(positions_mm))
    return np.asarray(((nearest >= 0) & (nearest < ct.shape)).all(axis=-1))


def _contrast(ct: Volume, samples: _Samples, plane_mm: Array, *, mirrored: bool) -> float:
    """Mean of bone minus mean of its surroundings [HU]; minus infinity if not in view."""
    means = []
    for positions in (samples.bone_mm, samples.shell_mm):
        at = positions * [-1, 1, 1] + 2 * plane_mm * [1, 0, 0] if mirrored else positions
        inside = _inside(ct, at)
        if inside.mean() < 1 - MOSTLY_OUTSIDE:
            return -np.inf
        nearest = np.round(ct.to_indices(at[inside])).astype(int)
        means.append(float(np.nanmean(ct.voxels[tuple(nearest.T)])))
    return means[0] - means[1]


def _refuse_mirrored(ct: Volume, labels: LabelMap, samples: _Samples, contrast: float) -> None:
    """Refuse labels that fit clearly better left-right mirrored.

    Mirrors are tried about the middles of both images, the patient's own x = 0, and the spine.
    """
    planes = {
        "the middle of the CT": ct.to_patient((np.array(ct.shape) - 1) / 2),
        "the middle of the label map": labels.volume.to_patient(
            (np.array(labels.volume.shape) - 1) / 2
        ),
        "x = 0": np.zeros(3),
        "the spine": samples.bone_mm.mean(axis=0),
    }
    for name, plane in planes.items():
        mirrored = _contrast(ct, samples, plane, mirrored=True)
        if mirrored > max(MIRROR_FACTOR * contrast, contrast + MIRROR_HU):
            raise CaseError(
                f"label map: fits the CT better when mirrored left-right about {name} "
                f"({mirrored:.0f} against {contrast:.0f} HU): left and right are swapped in one "
                "of the two files; make the label map again from this CT",
                code="mirrored",
            )


def _outside_notices(samples: _Samples, outside: NDArray[np.bool_]) -> tuple[Notice, ...]:
    found = []
    for number in np.unique(samples.level):
        part = float(outside[samples.level == number].mean())
        if part > NOTABLY_OUTSIDE:
            text = f"{100 * part:.0f} % of the label lies outside the CT"
            remedy = "figures that need the CT are not trusted at this level"
            found.append(_notice("label_outside_ct", Level(int(number)), text, remedy))
    return tuple(found)


def _notice(code: str, level: Level | None, text: str, remedy: str) -> Notice:
    return Notice(code=code, severity=Severity.WARNING, level=level, text=text, remedy=remedy)
